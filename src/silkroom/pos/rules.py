"""Pure decisions of the till: numbers of receipts, how long a device is trusted, who may give how much off."""

from __future__ import annotations

from silkroom.shops.states import Role

MOST_TILLS = 50
PAIRING_SECONDS = 600
PAIRING_CODE_LENGTH = 8
TOKEN_DAYS = 30
"""A device that was not seen for so long must be paired again. Every contact begins the time anew."""

SERIES = 1_000_000
"""Receipts of one pairing: a device that is paired anew begins a series of its own, so that what an earlier device
still has to send can never bear the same number."""

MOST_DISCOUNT_PERCENT = 90
MOST_KEPT_PIECES = 9


def first_number(series: int) -> int:
    """Number of a pairing's first receipt."""
    return series * SERIES + 1


def label_of(till_number: int, number: int) -> str:
    """A receipt's number as people read it: till 1, receipt 1000023 -> "01-1000023"."""
    return f"{till_number:02d}-{number}"


def discount_limit(role: Role, clerk_percent: int) -> int:
    """Per cent that somebody of this role may take off; the owner sets the clerks' limit for each till."""
    return MOST_DISCOUNT_PERCENT if role is Role.OWNER else clerk_percent
