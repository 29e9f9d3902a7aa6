"""The sandbox: a payment provider for practice. No real money moves; all else is as with a real one.

It keeps its own book (`SandboxCharge`), shows a page where the buyer confirms or refuses, signs its notices, sends them
over HTTP and repeats them, also after they were accepted, as real providers do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import salted_hmac
from procrastinate.contrib.django import app

from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound, Refusal

from .errors import ChargeOver, NoticeMalformed
from .models import SandboxCharge
from .provider import Charge, ChargeFacts, ChargeRequest, KnownCharge, NoticeFacts, Reply, StatementLine
from .rules import PAYING_SECONDS
from .signing import verify
from .states import ChargeState

NAME = "sandbox"


class SandboxNotice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of a notice. ``notice`` stays the same however often it is repeated."""

    notice: str
    reference: str
    state: ChargeState
    amount_minor: int
    currency: str


class SandboxProvider:
    """See `provider.Provider`."""

    name = NAME
    account_id = None
    paying_seconds = PAYING_SECONDS
    is_by_hand = False
    accepted = "success"

    def create(self, request: ChargeRequest) -> Charge:
        SandboxCharge.objects.get_or_create(
            reference=request.reference,
            defaults={
                "amount_minor": request.amount_minor,
                "currency": request.currency,
                "subject": request.subject,
                "expires_at": request.expires_at,
            },
        )
        address = reverse("sales:sandbox", args=[request.reference])
        return Charge(request.reference, page_url=address, confirm_url=address)

    def read_notice(self, *, headers: Mapping[str, str], body: bytes) -> NoticeFacts:
        nonce = verify(signing_key(), headers=headers, body=body, now_seconds=int(now().timestamp()))
        try:
            notice = msgspec.json.decode(body, type=SandboxNotice, strict=True)
        except msgspec.MsgspecError:
            raise NoticeMalformed from None
        return NoticeFacts(
            notice.notice, notice.reference, notice.state, notice.amount_minor, notice.currency, nonce=nonce
        )

    def reply(self, refusal: Refusal | None) -> Reply:
        if refusal is None:
            return Reply(200, self.accepted.encode())
        body = msgspec.json.encode({"error": refusal.as_json()})
        return Reply(refusal.status, body, "application/json")

    def query(self, charge: KnownCharge) -> ChargeFacts | None:
        found = SandboxCharge.objects.filter(reference=charge.reference).first()
        if found is None:
            return None
        state = ChargeState(found.state)
        if state == ChargeState.WAITING and found.expires_at <= now():
            state = ChargeState.CLOSED
        return ChargeFacts(found.reference, state, found.amount_minor, found.currency)

    def close(self, charge: KnownCharge) -> ChargeFacts | None:
        SandboxCharge.objects.filter(reference=charge.reference, state=ChargeState.WAITING).update(
            state=ChargeState.CLOSED
        )
        return self.query(charge)

    def refund(self, charge: KnownCharge, *, amount_minor: int, key: str) -> None:
        with transaction.atomic():
            found = _lock(charge.reference)
            if key in found.refund_keys:
                return
            found.refund_keys = [*found.refund_keys, key]
            found.refunded_minor += amount_minor
            if found.refunded_minor >= found.amount_minor:
                found.state = ChargeState.REFUNDED
            found.save(update_fields=["refund_keys", "refunded_minor", "state"])

    def statement(self, day: date) -> Sequence[StatementLine]:
        """Practice is not reconciled."""
        return []

    def check(self) -> None:
        return


def signing_key() -> bytes:
    """Known to the sandbox and to silkroom alone; follows from the installation's secret key."""
    return salted_hmac("silkroom.sandbox.notices", "key", algorithm="sha256").digest()


def get_charge(reference: str) -> SandboxCharge:
    """What the pay page shows. Raises NotFound."""
    charge = SandboxCharge.objects.filter(reference=reference).first()
    if charge is None:
        raise NotFound
    return charge


def settle_charge(*, reference: str, pays: bool) -> ChargeState:
    """The buyer confirms or refuses on the pay page; a notice goes out. Raises NotFound, ChargeOver.

    Pressing the same button twice answers alike and sends nothing more.
    """
    charge = _lock(reference)
    wanted = ChargeState.PAID if pays else ChargeState.CLOSED
    if charge.state == wanted:
        return wanted
    if charge.state != ChargeState.WAITING or charge.expires_at <= now():
        raise ChargeOver(state=charge.state)
    charge.state = wanted
    charge.save(update_fields=["state"])
    app.configure_task("sales.send_sandbox_notice").defer(reference=reference)
    return wanted


def notice_of(charge: SandboxCharge) -> bytes:
    """The body that tells how the charge stands."""
    return msgspec.json.encode(
        SandboxNotice(
            notice=f"{charge.reference}-{charge.state}",
            reference=charge.reference,
            state=ChargeState(charge.state),
            amount_minor=charge.amount_minor,
            currency=charge.currency,
        )
    )


def record_delivery(*, reference: str, accepted: bool) -> tuple[int, bool]:
    """A notice was sent. Returns (how many were sent, whether one was ever accepted)."""
    with transaction.atomic():
        charge = _lock(reference)
        charge.notices_sent += 1
        charge.notice_accepted = charge.notice_accepted or accepted
        charge.save(update_fields=["notices_sent", "notice_accepted"])
        return charge.notices_sent, charge.notice_accepted


def _lock(reference: str) -> SandboxCharge:
    charge = SandboxCharge.objects.select_for_update().filter(reference=reference).first()
    if charge is None:
        raise NotFound
    return charge
