"""Fixed lists of the till."""

from __future__ import annotations

from enum import StrEnum


class TenderKind(StrEnum):
    """How money came. code: the buyer paid by a code on the phone, and the clerk saw that the money arrived."""

    CASH = "cash"
    CODE = "code"


class Outcome(StrEnum):
    """What became of pieces that the ledger did not have. found: counted in, and sold. stock: taken from what lies free
    by now. repaid: the customer has the money back.
    """

    FOUND = "found"
    STOCK = "stock"
    REPAID = "repaid"
