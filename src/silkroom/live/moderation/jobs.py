"""Background work of moderation."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from .services import forget_newcomers

KEPT = timedelta(days=1)


@app.periodic(cron="17 * * * *")
@app.task(name="live.forget_newcomers", pass_context=False)
def forget_old_newcomers(timestamp: int) -> None:
    """Each hour."""
    forget_newcomers(older_than=KEPT)
