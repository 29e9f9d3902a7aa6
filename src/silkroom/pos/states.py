"""Fixed lists of the till."""

from __future__ import annotations

from enum import StrEnum


class TenderKind(StrEnum):
    """How money came. code: the buyer paid by a code on the phone, and the clerk saw that the money arrived."""

    CASH = "cash"
    CODE = "code"
