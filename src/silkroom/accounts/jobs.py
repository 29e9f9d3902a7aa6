"""Background work of accounts."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from .services import forget_submissions

KEPT = timedelta(days=7)
"""A form is sent again within minutes (a double tap, a lost answer); a week is far on the safe side."""


@app.periodic(cron="41 3 * * *")
@app.task(name="accounts.forget_submissions", pass_context=False)
def forget_old_submissions(timestamp: int) -> None:
    """Once a night."""
    forget_submissions(older_than=KEPT)
