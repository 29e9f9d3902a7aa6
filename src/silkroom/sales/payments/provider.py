"""The port to a payment provider: create, notice, query, close, refund, statement, check.

The sandbox fits in, and so do Stripe, Alipay, WeChat Pay and a transfer between banks. ``reference`` is made by
silkroom and unguessable (out_trade_no at Alipay and WeChat Pay, metadata at Stripe). Amounts are whole minor units.
Methods talk to the outside: never call them inside a transaction. They raise ProviderUnavailable, and ProviderRefused
if the provider answers but will not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from silkroom.kit.errors import Refusal

from .states import ChargeState, Device, LineKind

LARGEST_NOTICE = 64 * 1024
"""Bytes of a notice's body; longer ones are refused unread."""

CHINA = "Asia/Shanghai"
"""Alipay and WeChat Pay write their moments and end their days in China."""


@dataclass(frozen=True)
class Payer:
    """Who pays, as a provider needs to know it. ``site``: this installation's address, such as https://shop.example."""

    device: Device = Device.DESK
    address: str = "127.0.0.1"
    site: str = ""


@dataclass(frozen=True)
class ChargeRequest:
    """What is to be paid. ``expires_at``: the provider must take no money after it.

    ``notify_url``: where its notices go; ``return_url``: where the buyer goes afterwards.
    """

    reference: str
    amount_minor: int
    currency: str
    subject: str
    expires_at: datetime
    payer: Payer = Payer()
    notify_url: str = ""
    return_url: str = ""


@dataclass(frozen=True)
class Charge:
    """What the buyer is sent to, or what is shown.

    ``page_url``: relative for a provider in this house. ``code``: what a QR code says, where there is no page.
    ``confirm_url``: where a page of silkroom may confirm by itself (only the sandbox allows it). ``provider_id``: the
    provider's own name for it, if that is needed later.
    """

    reference: str
    page_url: str
    confirm_url: str = ""
    code: str = ""
    provider_id: str = ""


@dataclass(frozen=True)
class KnownCharge:
    """A charge that was made, as silkroom remembers it."""

    reference: str
    amount_minor: int
    currency: str
    provider_id: str = ""


@dataclass(frozen=True)
class NoticeFacts:
    """A verified notice. ``nonce``: the message's one-time number, if the provider signs one anew for each sending.

    ``provider_id``: as in `Charge`.
    """

    notice_id: str
    reference: str
    state: ChargeState
    amount_minor: int
    currency: str
    nonce: str | None = None
    provider_id: str = ""


@dataclass(frozen=True)
class ChargeFacts:
    """A charge as the provider sees it now."""

    reference: str
    state: ChargeState
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Reply:
    """The answer to a notice, to the byte."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain"


@dataclass(frozen=True)
class StatementLine:
    """A movement of money in the provider's own book. ``key``: of a refund, as `wire_key` writes it; empty otherwise.

    ``amount_minor`` is positive for both kinds. ``provider_id``: the provider's number of this movement.
    """

    kind: LineKind
    reference: str
    key: str
    amount_minor: int
    currency: str
    provider_id: str


@dataclass(frozen=True)
class Field:
    """What an owner enters to use a provider. ``pattern`` must fit the whole; ``is_key``: sealed and never shown again.

    ``is_merchant``: says whose account it is. ``is_long``: of several lines. ``check`` raises ValueError for what looks
    right and is not.
    """

    name: str
    pattern: str
    is_key: bool = False
    is_merchant: bool = False
    is_long: bool = False
    check: Callable[[str], object] | None = None

    def fits(self, value: str) -> bool:
        if re.fullmatch(self.pattern, value, re.DOTALL | re.ASCII) is None:
            return False
        try:
            return self.check is None or self.check(value) is not None
        except ValueError:
            return False


class Provider(Protocol):
    """A payment provider, for one merchant."""

    @property
    def name(self) -> str:
        """In addresses and tables."""

    @property
    def account_id(self) -> int | None:
        """Whose merchant account it works for; None for the sandbox, which has none."""

    @property
    def paying_seconds(self) -> int:
        """How long a payment here may be under way."""

    @property
    def is_by_hand(self) -> bool:
        """People of the shop confirm money that came and send back what goes back: nobody can be asked."""

    def create(self, request: ChargeRequest) -> Charge:
        """Open a charge. The same reference again answers with the same charge."""

    def read_notice(self, *, headers: Mapping[str, str], body: bytes) -> NoticeFacts | None:
        """Verify the signature over the raw body, then read it. None: rightly signed, but of no concern here.

        Raises NoticeForged, NoticeStale, NoticeMalformed, NoticeMerchantDiffers. Touches nothing.
        """

    def reply(self, refusal: Refusal | None) -> Reply:
        """What the provider expects to hear about a notice. ``refusal`` None: it has arrived, no need to repeat it."""

    def query(self, charge: KnownCharge) -> ChargeFacts | None:
        """How the charge stands; None if the provider knows none. The answer when no notice comes."""

    def close(self, charge: KnownCharge) -> ChargeFacts | None:
        """Take no money any more. Returns how the charge stands then: paid, if the buyer was faster."""

    def refund(self, charge: KnownCharge, *, amount_minor: int, key: str) -> None:
        """Give money back, all or a part, once for each ``key``."""

    def statement(self, day: date) -> Sequence[StatementLine]:
        """What the provider booked on its day ``day``. Raises StatementNotReady."""

    def check(self) -> None:
        """Ask the provider something harmless. Returns if it knows this merchant and these keys."""


def wire_key(key: str) -> str:
    """A refund's key as every provider takes it: letters, digits and - only."""
    return key.replace(":", "-").replace("_", "-")
