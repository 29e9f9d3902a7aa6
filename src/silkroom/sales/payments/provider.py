"""The port to a payment provider: create, notice, query, refund.

The sandbox fits in, and so do Alipay, WeChat Pay and Stripe. ``reference`` is made by silkroom and unguessable
(out_trade_no at Alipay and WeChat Pay, metadata at Stripe). Amounts are whole minor units. Methods talk to the outside:
never call them inside a transaction. They raise ProviderUnavailable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .states import ChargeState

LARGEST_NOTICE = 64 * 1024
"""Bytes of a notice's body; longer ones are refused unread."""


@dataclass(frozen=True)
class ChargeRequest:
    """What is to be paid. ``expires_at``: the provider must take no money after it."""

    reference: str
    amount_minor: int
    currency: str
    subject: str
    expires_at: datetime


@dataclass(frozen=True)
class Charge:
    """What the buyer is sent to. ``page_url``: relative for a provider in this house. ``confirm_url``: where a page of
    silkroom may confirm by itself (only the sandbox allows it); empty otherwise."""

    reference: str
    page_url: str
    confirm_url: str = ""


@dataclass(frozen=True)
class NoticeFacts:
    """A verified notice. ``nonce``: the message's one-time number, if the provider signs one."""

    notice_id: str
    reference: str
    state: ChargeState
    amount_minor: int
    currency: str
    nonce: str | None = None


@dataclass(frozen=True)
class ChargeFacts:
    """A charge as the provider sees it now."""

    reference: str
    state: ChargeState
    amount_minor: int
    currency: str


class Provider(Protocol):
    """A payment provider."""

    @property
    def name(self) -> str:
        """In addresses and tables."""

    @property
    def accepted(self) -> str:
        """The body that tells the provider that its notice has arrived and need not be repeated."""

    def create(self, request: ChargeRequest) -> Charge:
        """Open a charge. The same reference again answers with the same charge."""

    def read_notice(self, *, headers: Mapping[str, str], body: bytes) -> NoticeFacts:
        """Verify the signature over the raw body, then read it.

        Raises NoticeForged, NoticeStale, NoticeMalformed. Touches nothing.
        """

    def query(self, reference: str) -> ChargeFacts | None:
        """How the charge stands; None if the provider knows none. The answer when no notice comes."""

    def refund(self, *, reference: str, amount_minor: int, key: str) -> None:
        """Give money back, once for each ``key``."""
