"""Background work of accounts."""

from __future__ import annotations

from datetime import timedelta

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from .codes import TASK, post_code
from .services import forget_submissions

KEPT = timedelta(days=7)
"""A form is sent again within minutes (a double tap, a lost answer); a week is far on the safe side."""


RETRY = RetryStrategy(max_attempts=4, exponential_wait=3)
"""After 3, 9 and 27 seconds: people wait for a code within sight of the page, and then ask for another."""


@app.task(name=TASK, retry=RETRY)
def send_phone_code(sealed: str) -> None:
    """Post a code to the webhook."""
    post_code(sealed)


@app.periodic(cron="41 3 * * *")
@app.task(name="accounts.forget_submissions", pass_context=False)
def forget_old_submissions(timestamp: int) -> None:
    """Once a night."""
    forget_submissions(older_than=KEPT)
