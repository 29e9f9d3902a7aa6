"""Background work of accounts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from .codes import TASK, post_code
from .services import forget_counters, forget_jobs, forget_sessions, forget_sign_ups, forget_submissions

SUBMISSIONS_KEPT = timedelta(days=7)
"""A form is sent again within minutes (a double tap, a lost answer); a week is far on the safe side."""

SIGN_UPS_KEPT = timedelta(days=7)
"""Whoever has not entered their code within a week signs up again."""

JOBS_KEPT = timedelta(days=30)
"""What failed or was given up stays for whoever looks into it; what succeeded goes at once."""

log = structlog.get_logger(__name__)


RETRY = RetryStrategy(max_attempts=4, exponential_wait=3)
"""After 3, 9 and 27 seconds: people wait for a code within sight of the page, and then ask for another."""


@app.task(name=TASK, retry=RETRY)
def send_phone_code(sealed: str) -> None:
    """Post a code to the webhook."""
    post_code(sealed)


class NotCleared(RuntimeError):
    """Parts of the nightly job that failed: the log says why, and the job stands as failed."""


@app.periodic(cron="41 3 * * *")
@app.task(name="accounts.clear_away", pass_context=False)
def clear_away(timestamp: int) -> None:
    """Once a night: whatever is of no use any more and would grow for ever. docs/operate.md lists the periods."""
    parts: dict[str, Callable[[], int]] = {
        "sessions": forget_sessions,
        "counters": forget_counters,
        "submissions": lambda: forget_submissions(older_than=SUBMISSIONS_KEPT),
        "sign_ups": lambda: forget_sign_ups(older_than=SIGN_UPS_KEPT),
        "jobs": lambda: forget_jobs(older_than=JOBS_KEPT),
    }
    gone: dict[str, int] = {}
    for name, forget in parts.items():
        try:
            gone[name] = forget()
        except Exception:
            # Whatever is wrong with one part: the others must not grow for ever because of it.
            log.exception("a part cannot be cleared away", part=name)
    log.info("cleared away", **gone)
    if left := parts.keys() - gone.keys():
        raise NotCleared(", ".join(sorted(left)))
