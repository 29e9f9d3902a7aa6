"""Stripe: cards and their wallets, on Stripe's own Checkout page.

A charge is a Checkout Session. Only cards are offered: what settles days later would outlive the hold of the pieces.
Protocol: docs.stripe.com/api/checkout/sessions, /webhooks/signature, /api/balance_transactions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import stripe
from stripe.params.checkout import SessionCreateParams

from silkroom.kit.clock import now
from silkroom.kit.errors import Refusal

from ..errors import (
    NoticeForged,
    NoticeMalformed,
    NoticeMerchantDiffers,
    NoticeStale,
    ProviderRefused,
    ProviderUnavailable,
)
from ..provider import (
    Charge,
    ChargeFacts,
    ChargeRequest,
    Field,
    KnownCharge,
    NoticeFacts,
    Reply,
    StatementLine,
    wire_key,
)
from ..rules import PAYING_SECONDS
from ..states import ChargeState, LineKind

NAME = "stripe"
TIMEOUT_SECONDS = (5.0, 15.0)
MOST_SECONDS = stripe.Webhook.DEFAULT_TOLERANCE
"""How old a notice may be; Stripe signs each sending anew."""

SHORTEST_SESSION = timedelta(minutes=30)
"""Stripe lets no session end earlier by itself; silkroom closes it when the time to pay is over."""

OURS = "silkroom"
"""Metadata of what silkroom has made: other shops may sell on the same account."""

FIELDS = (
    Field("account", r"acct_\w{6,60}", is_merchant=True),
    Field("secret_key", r"(sk|rk)_(live|test)_\w{6,200}", is_key=True),
    Field("webhook_secret", r"whsec_\S{6,200}", is_key=True),
)

SESSION_EVENTS = frozenset({
    "checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
})  # fmt: skip

PAYMENT_TYPES = frozenset({"charge", "payment"})
REFUND_TYPES = frozenset({"refund", "payment_refund"})

Answer = TypeVar("Answer")


class Session(msgspec.Struct, frozen=True):
    """What a notice tells of a Checkout Session."""

    id: str
    status: str | None
    payment_status: str
    amount_total: int | None
    currency: str | None
    metadata: dict[str, str] | None = None


class EventData(msgspec.Struct, frozen=True):
    object: msgspec.Raw


class Event(msgspec.Struct, frozen=True):
    """A notice. ``id`` stays the same however often it is repeated."""

    id: str
    type: str
    livemode: bool
    data: EventData


class StripeCheckout:
    """See `provider.Provider`."""

    name = NAME
    paying_seconds = PAYING_SECONDS
    is_by_hand = False

    def __init__(
        self, *, account_id: int, account: str, secret_key: str, webhook_secret: str, base_url: str = ""
    ) -> None:
        self.account_id = account_id
        self._account = account
        self._secret_key = secret_key
        self._webhook_secret = webhook_secret
        self._base_url = base_url

    def create(self, request: ChargeRequest) -> Charge:
        ends = request.expires_at + SHORTEST_SESSION
        ours = {OURS: "1", "reference": request.reference}
        params: SessionCreateParams = {
            "mode": "payment",
            "allowed_payment_method_types": ["card"],
            "client_reference_id": request.reference,
            "metadata": ours,
            "payment_intent_data": {"metadata": ours},
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": request.currency.lower(),
                        "unit_amount": request.amount_minor,
                        "product_data": {"name": request.subject},
                    },
                }
            ],
            "success_url": request.return_url,
            "cancel_url": request.return_url,
            "expires_at": int(ends.timestamp()),
        }
        session = self._call(
            lambda client: client.v1.checkout.sessions.create(
                params=params, options={"idempotency_key": f"create-{request.reference}"}
            )
        )
        return Charge(request.reference, page_url=session.url or "", provider_id=session.id)

    def read_notice(self, *, headers: Mapping[str, str], body: bytes) -> NoticeFacts | None:
        self._verify(headers.get("Stripe-Signature", ""), body)
        try:
            event = msgspec.json.decode(body, type=Event)
            if event.type not in SESSION_EVENTS:
                return None
            session = msgspec.json.decode(event.data.object, type=Session)
        except msgspec.MsgspecError:
            raise NoticeMalformed from None
        reference = (session.metadata or {}).get("reference", "")
        if OURS not in (session.metadata or {}):
            return None
        if event.livemode != ("_live_" in self._secret_key):
            raise NoticeMerchantDiffers(reference=reference)
        return NoticeFacts(
            notice_id=event.id,
            reference=reference,
            state=_state(session.status, session.payment_status, event.type),
            amount_minor=session.amount_total or 0,
            currency=(session.currency or "").upper(),
            provider_id=session.id,
        )

    def _verify(self, signature: str, body: bytes) -> None:
        """Raises NoticeForged, NoticeStale."""
        try:
            stripe.WebhookSignature.verify_header(body, signature, self._webhook_secret)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            raise NoticeForged from None
        moment = int(next(one for one in signature.split(",") if one.startswith("t="))[2:])
        if abs(now().timestamp() - moment) > MOST_SECONDS:
            raise NoticeStale(most_seconds=MOST_SECONDS)

    def reply(self, refusal: Refusal | None) -> Reply:
        """Any 2xx ends the repetitions."""
        return Reply(200) if refusal is None else Reply(refusal.status, refusal.code.encode())

    def query(self, charge: KnownCharge) -> ChargeFacts | None:
        session = self._session(charge)
        return None if session is None else _facts(charge, session)

    def close(self, charge: KnownCharge) -> ChargeFacts | None:
        try:
            session = self._call(lambda client: client.v1.checkout.sessions.expire(charge.provider_id))
        except ProviderRefused:
            # Only an open session can be ended: it was paid, or is over, or was never made.
            return self.query(charge)
        return _facts(charge, session)

    def refund(self, charge: KnownCharge, *, amount_minor: int, key: str) -> None:
        session = self._session(charge)
        intent = None if session is None else session.payment_intent
        if not isinstance(intent, str):
            raise ProviderRefused(provider=NAME, reason="no_payment")
        # Stripe forgets idempotency keys after a day; the refunds themselves say which have been made.
        made = self._call(lambda client: client.v1.refunds.list(params={"payment_intent": intent, "limit": 100}))
        done = [one for one in made.data if one.metadata and one.metadata.to_dict().get("key") == wire_key(key)]
        if any(one.status not in ("failed", "canceled") for one in done):
            return
        refund = self._call(
            lambda client: client.v1.refunds.create(
                params={
                    "payment_intent": intent,
                    "amount": amount_minor,
                    "metadata": {OURS: "1", "reference": charge.reference, "key": wire_key(key)},
                },
                options={"idempotency_key": f"refund-{wire_key(key)}-{len(done)}"},
            )
        )
        if refund.status in ("failed", "canceled"):
            raise ProviderRefused(provider=NAME, reason=str(refund.status))

    def statement(self, day: date) -> list[StatementLine]:
        starts = datetime(day.year, day.month, day.day, tzinfo=UTC)
        ends = starts + timedelta(days=1)
        lines: list[StatementLine] = []

        def read(client: stripe.StripeClient) -> None:
            page = client.v1.balance_transactions.list(
                params={
                    "created": {"gte": int(starts.timestamp()), "lt": int(ends.timestamp())},
                    "limit": 100,
                    "expand": ["data.source"],
                }
            )
            for one in page.auto_paging_iter():
                line = _line(one.to_dict())
                if line is not None:
                    lines.append(line)

        self._call(read)
        return lines

    def check(self) -> None:
        """The keys fit, and they are those of the account that was named."""
        account = self._call(lambda client: client.v1.accounts.retrieve_current())
        if account.id != self._account:
            raise ProviderRefused(provider=NAME, reason="another_account")

    def _session(self, charge: KnownCharge) -> Any:
        if not charge.provider_id:
            return None
        try:
            return self._call(lambda client: client.v1.checkout.sessions.retrieve(charge.provider_id))
        except ProviderRefused as refusal:
            if refusal.data["reason"] == "resource_missing":
                return None
            raise

    def _call(self, act: Callable[[stripe.StripeClient], Answer]) -> Answer:
        """Raises ProviderUnavailable, ProviderRefused."""
        client = stripe.StripeClient(
            self._secret_key,
            base_addresses={"api": self._base_url} if self._base_url else None,
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )
        try:
            return act(client)
        except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError):
            raise ProviderUnavailable(provider=NAME) from None
        except stripe.StripeError as error:
            # Its message may quote the key; its code does not.
            reason = error.code or ("keys" if error.http_status in (401, 403) else "refused")
            raise ProviderRefused(provider=NAME, reason=reason) from None


def _state(status: str | None, payment_status: str, event: str = "") -> ChargeState:
    if payment_status == "paid":
        return ChargeState.PAID
    if status == "expired" or event == "checkout.session.async_payment_failed":
        return ChargeState.CLOSED
    return ChargeState.WAITING


def _facts(charge: KnownCharge, session: Any) -> ChargeFacts:
    return ChargeFacts(
        charge.reference,
        _state(session.status, session.payment_status),
        session.amount_total or 0,
        (session.currency or "").upper(),
    )


def _line(transaction: dict[str, Any]) -> StatementLine | None:
    """A movement that silkroom has made; None for those of other shops, for fees and payouts."""
    source = transaction.get("source")
    metadata = source.get("metadata") if isinstance(source, dict) else None
    if not isinstance(source, dict) or not metadata or OURS not in metadata:
        return None
    kind = transaction["type"]
    if kind not in PAYMENT_TYPES | REFUND_TYPES:
        return None
    return StatementLine(
        LineKind.PAYMENT if kind in PAYMENT_TYPES else LineKind.REFUND,
        str(metadata.get("reference", "")),
        str(metadata.get("key", "")),
        abs(int(source["amount"])),
        str(source["currency"]).upper(),
        str(source["id"]),
    )
