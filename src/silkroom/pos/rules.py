"""Pure decisions of the till: numbers of receipts, how long a device is trusted, who may give how much off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from silkroom.shops.states import Role

from .states import TenderKind

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


def price_after(list_price_minor: int, percent: int) -> int:
    """The price of one piece with so much taken off. It is rounded up; the till's page does the same."""
    return list_price_minor - list_price_minor * percent // 100


@dataclass(frozen=True)
class LineGiven:
    """A garment as the till has sold it."""

    variant_id: int
    quantity: int
    list_price_minor: int
    unit_price_minor: int


@dataclass(frozen=True)
class TenderGiven:
    """Money as the till has taken it. ``given_minor`` of cash may be more than what was due: the rest was change."""

    kind: TenderKind
    amount_minor: int
    given_minor: int


@dataclass(frozen=True)
class ReceiptGiven:
    """A sale as the till tells of it. ``is_offline``: the customer has the receipt, so it is written in any case."""

    number: int
    shift_id: int
    sold_at: datetime
    discount_percent: int
    lines: Sequence[LineGiven]
    tenders: Sequence[TenderGiven]
    is_offline: bool

    @property
    def goods_minor(self) -> int:
        return sum(one.list_price_minor * one.quantity for one in self.lines)

    @property
    def total_minor(self) -> int:
        return sum(one.unit_price_minor * one.quantity for one in self.lines)


def is_sound(receipt: ReceiptGiven) -> bool:
    """Does it add up: each garment once, each price what the discount makes of it, the money what is due?"""
    garments = [one.variant_id for one in receipt.lines]
    return (
        len(set(garments)) == len(garments) > 0
        and all(
            one.unit_price_minor == price_after(one.list_price_minor, receipt.discount_percent) for one in receipt.lines
        )
        and sum(one.amount_minor for one in receipt.tenders) == receipt.total_minor
        and all(
            one.given_minor == one.amount_minor or (one.kind is TenderKind.CASH and one.given_minor > one.amount_minor)
            for one in receipt.tenders
        )
    )


TILL_CHANNEL = "till:"
"""How the channel of every order of a till begins."""


def holder_of(till_code: str) -> str:
    """How a till names itself in the ledger's leases, and as the channel of its orders."""
    return f"{TILL_CHANNEL}{till_code}"
