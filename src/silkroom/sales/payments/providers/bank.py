"""A transfer between banks: the buyer writes the order's number on it, the owner confirms by hand that it has come.

Nobody can be asked, and nobody sends notices; refunds are transfers that the owner makes and confirms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from silkroom.kit.errors import Refusal

from ..errors import NoticeForged, ProviderRefused
from ..provider import (
    Charge,
    ChargeFacts,
    ChargeRequest,
    Field,
    KnownCharge,
    NoticeFacts,
    Reply,
    StatementLine,
)
from ..rules import BANK

NAME = BANK
DAY_SECONDS = 86400

FIELDS = (
    Field("holder", r".{1,80}"),
    Field("bank", r".{1,120}"),
    Field("number", r"[0-9A-Za-z][0-9A-Za-z -]{5,39}", is_merchant=True),
    Field("days", r"[1-9]|1[0-4]"),
)


class BankTransfer:
    """See `provider.Provider`."""

    name = NAME
    is_by_hand = True

    def __init__(self, *, account_id: int, days: int) -> None:
        self.account_id = account_id
        self.paying_seconds = days * DAY_SECONDS

    def create(self, request: ChargeRequest) -> Charge:
        """Nothing is asked of anybody; the page shows where the money goes."""
        return Charge(request.reference, page_url="")

    def read_notice(self, *, headers: Mapping[str, str], body: bytes) -> NoticeFacts | None:
        raise NoticeForged

    def reply(self, refusal: Refusal | None) -> Reply:
        return Reply(200 if refusal is None else refusal.status)

    def query(self, charge: KnownCharge) -> ChargeFacts | None:
        return None

    def close(self, charge: KnownCharge) -> ChargeFacts | None:
        return None

    def refund(self, charge: KnownCharge, *, amount_minor: int, key: str) -> None:
        raise ProviderRefused(provider=NAME, reason="by_hand")

    def statement(self, day: date) -> Sequence[StatementLine]:
        """The owner reads it."""
        return []

    def check(self) -> None:
        return
