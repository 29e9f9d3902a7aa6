"""Pure rules of payments."""

from __future__ import annotations

from datetime import datetime, timedelta

PAYING_SECONDS = 300
"""How long a payment may be under way. So long its order cannot lapse, and only a new payment extends it."""

SETTLING_SECONDS = 60
"""After its end: a notice about the last second may still be on its way, and the provider is asked once more."""

ASK_AFTER_SECONDS = (10, 20, 30, 60, 60, 60, 60)
"""Pauses after which the provider is asked when no notice has come."""

REPEAT_AFTER_SECONDS = (1, 2, 5, 15, 60, 300, 900, 3600, 3600, 7200, 14400, 28800)
"""Pauses after which the sandbox sends an unaccepted notice again."""

REFUND_AGAIN_AFTER_SECONDS = (10, 30, 60, 300, 900, 1800, 3600, 3600, 7200, 7200, 14400, 14400)
"""Pauses after which a refund that the provider did not take is tried again: fifteen hours. Then the shop is told."""

BANK = "bank"
BY_HAND = frozenset({BANK})
"""Providers whose money people of the shop confirm and send back."""

TRANSFER_DAYS = 30
"""A transfer that came after its time is confirmed within so many days."""

LATE = "late"
PAID_TWICE = "paid_twice"
"""Reasons of refunds that silkroom makes by itself."""

BY_SHOP = "shop"
"""Reason of a refund that somebody of the shop made."""


def payment_end(now: datetime, seconds: int = PAYING_SECONDS) -> datetime:
    """When a payment that starts now must have ended."""
    return now + timedelta(seconds=seconds)


def pause_before(attempt: int, pauses: tuple[int, ...]) -> int | None:
    """Seconds before try number ``attempt`` (1 is the first repeat); None: no more tries."""
    return pauses[attempt - 1] if attempt <= len(pauses) else None
