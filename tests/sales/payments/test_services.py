"""Payments with the sandbox: started, told of, asked about, sent back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection, transaction
from django.test import override_settings
from procrastinate.contrib.django.models import ProcrastinateJob

from silkroom.accounts.models import Person
from silkroom.inventory.models import Hold, Movement
from silkroom.inventory.queries import differences
from silkroom.journal.models import Entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound, Refusal
from silkroom.sales.desk.door import Desk
from silkroom.sales.orders.errors import OrderMoved, PaymentUnderWay
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.services import cancel_order, lapse_due_orders
from silkroom.sales.payments.errors import (
    ChargeOver,
    HoldOver,
    NoticeAmountDiffers,
    NoticeForged,
    NoticeMalformed,
    NoticeReplayed,
    NoticeStale,
    NoticeUnknown,
    PaymentNotSetUp,
    ProviderUnavailable,
    ProviderUnknown,
)
from silkroom.sales.payments.jobs import carry_out_refund, forget_old_nonces
from silkroom.sales.payments.models import Notice, NoticeNonce, Payment, Refund, SandboxCharge
from silkroom.sales.payments.provider import Charge, ChargeRequest, KnownCharge
from silkroom.sales.payments.registry import choose_provider, get_provider
from silkroom.sales.payments.sandbox import (
    SandboxNotice,
    SandboxProvider,
    notice_of,
    settle_charge,
    signing_key,
)
from silkroom.sales.payments.services import (
    StartedPayment,
    receive_notice,
    settle_silent_payment,
    start_payment,
)
from silkroom.sales.payments.signing import sign
from silkroom.sales.payments.states import ChargeState
from tests.sales.stocked import StockedShop, ask_for, make_people, make_shop, stock_row

SANDBOX = SandboxProvider()
KNOWN = KnownCharge("REF", 100, "CNY")


class Buyer:
    """Somebody with a held order of two pieces."""

    def __init__(self, desk: Desk, stocked: StockedShop | None = None, person: Person | None = None) -> None:
        self.stocked = stocked or make_shop(pieces=5)
        self.person = person or make_people(1)[0]
        self.number = desk.place_blocking(ask_for(self.stocked, self.person, 2)).number

    def start(self) -> StartedPayment:
        return start_payment(person=self.person, number=self.number, provider=SANDBOX)

    @property
    def order(self) -> Order:
        return Order.objects.get(number=self.number)

    @property
    def states(self) -> tuple[str, list[str]]:
        payments = Payment.objects.filter(order=self.order).order_by("id")
        return self.order.state, [one.state for one in payments]


def settle(reference: str, *, pays: bool = True) -> None:
    with transaction.atomic():
        settle_charge(reference=reference, pays=pays)


def notify(charge: str, *, nonce: str = "1", at: datetime | None = None, **changes: Any) -> None:
    """The sandbox's notice arrives, with some fields changed before it was signed."""
    notice = msgspec.json.decode(notice_of(SandboxCharge.objects.get(reference=charge)), type=SandboxNotice)
    body = msgspec.json.encode(msgspec.structs.replace(notice, **changes))
    headers = sign(signing_key(), seconds=int((at or now()).timestamp()), nonce=nonce, body=body)
    receive_notice(provider=SANDBOX, headers=headers, body=body)


def lapse() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        return lapse_due_orders(cursor=cursor)


def jobs(name: str) -> list[dict[str, Any]]:
    found = ProcrastinateJob.objects.filter(task_name=f"sales.{name}").order_by("id")
    return [one.args for one in found]


def test_a_started_payment_keeps_the_pieces_for_a_bounded_time(desk: Desk) -> None:
    buyer = Buyer(desk)
    started = buyer.start()
    payment = Payment.objects.get()
    assert started.charge == Charge(payment.reference, f"/sandbox/{payment.reference}", f"/sandbox/{payment.reference}")
    assert (payment.amount_minor, payment.currency, payment.state) == (39800, "CNY", "under_way")
    assert timedelta(seconds=295) < payment.expires_at - now() <= timedelta(seconds=300)
    assert Hold.objects.get().paying_until == payment.expires_at
    charge = SandboxCharge.objects.get()
    assert (charge.amount_minor, charge.subject, charge.state) == (39800, buyer.number, "waiting")
    assert jobs("ask_about_payment") == [{"payment_id": payment.pk, "attempt": 1}]
    Order.objects.update(holds_until=now() - timedelta(seconds=1))
    assert lapse() == 0


def test_starting_twice_goes_on_with_the_same_payment(desk: Desk) -> None:
    buyer = Buyer(desk)
    first, second = buyer.start(), buyer.start()
    assert (first.payment, first.charge) == (second.payment, second.charge)
    assert (Payment.objects.count(), SandboxCharge.objects.count()) == (1, 1)
    assert first.payment.expires_at == Payment.objects.get().expires_at, "pressing again does not extend it"


def test_only_the_buyer_pays(desk: Desk) -> None:
    buyer = Buyer(desk)
    stranger = make_people(1)[0]
    with pytest.raises(NotFound):
        start_payment(person=stranger, number=buyer.number, provider=SANDBOX)
    assert Payment.objects.count() == 0


def test_an_order_whose_time_is_over_is_not_paid_for(desk: Desk) -> None:
    buyer = Buyer(desk)
    Order.objects.update(holds_until=now() - timedelta(seconds=1))
    with pytest.raises(HoldOver):
        buyer.start()
    lapse()
    with pytest.raises(OrderMoved):
        buyer.start()
    assert Payment.objects.count() == 0


def test_a_paid_order_leaves_for_the_customer_once(desk: Desk) -> None:
    buyer = Buyer(desk)
    reference = buyer.start().payment.reference
    settle(reference)
    assert jobs("send_sandbox_notice") == [{"reference": reference}]
    notify(reference, nonce="1")
    notify(reference, nonce="2")
    assert buyer.states == ("paid", ["succeeded"])
    notice = Notice.objects.get()
    assert (notice.times, notice.payment.reference) == (2, reference)
    assert stock_row(buyer.stocked) == (3, 0)
    assert Movement.objects.filter(source=f"order:{buyer.number}").count() == 1
    assert Entry.objects.filter(kind="order.paid").count() == 1
    assert Refund.objects.count() == 0
    assert differences() == []


def test_money_counts_before_the_notice_says_so_only_if_the_charge_was_paid(desk: Desk) -> None:
    buyer = Buyer(desk)
    reference = buyer.start().payment.reference
    notify(reference)
    assert buyer.states == ("held", ["under_way"]), "the charge still waits"


def unchanged(buyer: Buyer, act: Callable[[], None], error: type[Refusal]) -> Refusal:
    """``act`` is refused, and nothing has changed."""
    before = (Notice.objects.count(), NoticeNonce.objects.count(), buyer.states, stock_row(buyer.stocked))
    with pytest.raises(error) as refused:
        act()
    assert (Notice.objects.count(), NoticeNonce.objects.count(), buyer.states, stock_row(buyer.stocked)) == before
    return refused.value


def test_a_forged_notice_changes_nothing(desk: Desk) -> None:
    buyer = Buyer(desk)
    reference = buyer.start().payment.reference
    settle(reference)
    body = notice_of(SandboxCharge.objects.get())
    good = sign(signing_key(), seconds=int(now().timestamp()), nonce="1", body=body)
    for headers in ({}, sign(b"guess", seconds=int(now().timestamp()), nonce="1", body=body)):
        unchanged(buyer, lambda h=headers: receive_notice(provider=SANDBOX, headers=h, body=body), NoticeForged)
    changed = body.replace(b"39800", b"1")
    unchanged(buyer, lambda: receive_notice(provider=SANDBOX, headers=good, body=changed), NoticeForged)
    receive_notice(provider=SANDBOX, headers=good, body=body)
    assert buyer.order.state == "paid", "the true one still counts"


def test_a_stale_notice_changes_nothing(desk: Desk) -> None:
    buyer = Buyer(desk)
    reference = buyer.start().payment.reference
    settle(reference)
    unchanged(buyer, lambda: notify(reference, at=now() - timedelta(seconds=301)), NoticeStale)


def test_a_replayed_notice_is_refused(desk: Desk) -> None:
    buyer = Buyer(desk)
    reference = buyer.start().payment.reference
    settle(reference)
    notify(reference, nonce="1")
    unchanged(buyer, lambda: notify(reference, nonce="1"), NoticeReplayed)
    assert Notice.objects.get().times == 1


@pytest.mark.parametrize("changes", [{"amount_minor": 1}, {"amount_minor": 39801}, {"currency": "USD"}])
def test_a_wrong_amount_changes_nothing(desk: Desk, changes: dict[str, Any]) -> None:
    buyer = Buyer(desk)
    reference = buyer.start().payment.reference
    settle(reference)
    unchanged(buyer, lambda: notify(reference, **changes), NoticeAmountDiffers)
    notify(reference)
    assert buyer.order.state == "paid"


def test_a_notice_of_an_unknown_payment_changes_nothing(desk: Desk) -> None:
    buyer = Buyer(desk)
    reference = buyer.start().payment.reference
    refused = unchanged(buyer, lambda: notify(reference, reference="ELSEWHERE"), NoticeUnknown)
    assert refused.data == {"reference": "ELSEWHERE"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"notice": 1}', b"\xff"])
def test_a_signed_notice_of_another_form_is_malformed(desk: Desk, body: bytes) -> None:
    buyer = Buyer(desk)
    headers = sign(signing_key(), seconds=int(now().timestamp()), nonce="1", body=body)
    unchanged(buyer, lambda: receive_notice(provider=SANDBOX, headers=headers, body=body), NoticeMalformed)


def test_a_refused_payment_lets_the_order_be_paid_anew_or_lapse(desk: Desk) -> None:
    buyer = Buyer(desk)
    first = buyer.start().payment.reference
    settle(first, pays=False)
    notify(first)
    assert buyer.states == ("held", ["failed"])
    assert Hold.objects.get().paying_until is None
    second = buyer.start().payment.reference
    assert second != first
    settle(second)
    notify(second, nonce="2")
    assert buyer.states == ("paid", ["failed", "succeeded"])


def test_a_failed_payment_does_not_keep_the_pieces(desk: Desk) -> None:
    buyer = Buyer(desk)
    reference = buyer.start().payment.reference
    Order.objects.update(holds_until=now() - timedelta(seconds=1))
    settle(reference, pays=False)
    notify(reference)
    assert lapse() == 1


@pytest.mark.django_db
def test_a_charge_is_settled_once() -> None:
    request = ChargeRequest("REF", 100, "CNY", "K7", now() + timedelta(minutes=5))
    assert SANDBOX.create(request) == SANDBOX.create(request)
    settle_charge(reference="REF", pays=True)
    assert settle_charge(reference="REF", pays=True) == ChargeState.PAID
    assert len(jobs("send_sandbox_notice")) == 1
    with pytest.raises(ChargeOver):
        settle_charge(reference="REF", pays=False)
    with pytest.raises(NotFound):
        settle_charge(reference="NONE", pays=True)


@pytest.mark.django_db
def test_the_sandbox_takes_no_money_after_the_end() -> None:
    SANDBOX.create(ChargeRequest("REF", 100, "CNY", "K7", now() - timedelta(seconds=1)))
    with pytest.raises(ChargeOver):
        settle_charge(reference="REF", pays=True)
    facts = SANDBOX.query(KNOWN)
    assert facts is not None
    assert facts.state == ChargeState.CLOSED
    assert SANDBOX.query(KnownCharge("NONE", 100, "CNY")) is None


@pytest.mark.django_db
def test_the_sandbox_refunds_once_for_each_key() -> None:
    SANDBOX.create(ChargeRequest("REF", 100, "CNY", "K7", now() + timedelta(minutes=5)))
    settle_charge(reference="REF", pays=True)
    for key, amount in (("a", 40), ("a", 40), ("b", 60)):
        SANDBOX.refund(KNOWN, amount_minor=amount, key=key)
    charge = SandboxCharge.objects.get()
    assert (charge.refunded_minor, charge.state) == (100, "refunded")


def test_silence_is_answered_by_asking(desk: Desk) -> None:
    buyer = Buyer(desk)
    payment = buyer.start().payment
    settle_silent_payment(payment_id=payment.pk, attempt=1)
    assert buyer.states == ("held", ["under_way"])
    assert jobs("ask_about_payment") == [
        {"payment_id": payment.pk, "attempt": 1},
        {"payment_id": payment.pk, "attempt": 2},
    ]
    settle(payment.reference)
    settle_silent_payment(payment_id=payment.pk, attempt=2)
    assert buyer.states == ("paid", ["succeeded"])
    notify(payment.reference)
    settle_silent_payment(payment_id=payment.pk, attempt=3)
    assert buyer.states == ("paid", ["succeeded"])
    assert len(jobs("ask_about_payment")) == 2, "nobody asks about what has ended"


def test_a_payment_that_nobody_finished_fails_in_the_end(desk: Desk) -> None:
    buyer = Buyer(desk)
    payment = buyer.start().payment
    past = now() - timedelta(seconds=61)
    Payment.objects.update(expires_at=past)
    SandboxCharge.objects.all().delete()
    settle_silent_payment(payment_id=payment.pk, attempt=7)
    assert buyer.states == ("held", ["failed"])
    assert Hold.objects.get().paying_until is None


def test_the_provider_is_not_believed_about_another_amount(desk: Desk) -> None:
    buyer = Buyer(desk)
    payment = buyer.start().payment
    SandboxCharge.objects.update(amount_minor=1, state="paid")
    settle_silent_payment(payment_id=payment.pk, attempt=1)
    assert buyer.states == ("held", ["under_way"])


def late(desk: Desk, buyer: Buyer) -> str:
    """The buyer confirms, but the order has lapsed before the notice comes."""
    reference = buyer.start().payment.reference
    settle(reference)
    Order.objects.filter(number=buyer.number).update(holds_until=now() - timedelta(seconds=1))
    Hold.objects.update(paying_until=now() - timedelta(seconds=1))
    assert lapse() == 1
    return reference


def test_late_money_is_honoured_while_pieces_are_left(desk: Desk) -> None:
    buyer = Buyer(desk)
    notify(late(desk, buyer))
    assert buyer.states == ("paid", ["succeeded"])
    assert stock_row(buyer.stocked) == (3, 0)
    assert Refund.objects.count() == 0


def test_late_money_goes_back_when_the_pieces_have_gone(desk: Desk) -> None:
    slow = Buyer(desk)
    reference = late(desk, slow)
    desk.place_blocking(ask_for(slow.stocked, slow.person, 4))
    notify(reference, nonce="1")
    notify(reference, nonce="2")
    assert slow.states == ("refunded", ["succeeded"])
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.reason, refund.is_done) == (39800, "late", False)
    assert jobs("carry_out_refund") == [{"refund_id": refund.pk}]
    carry_out_refund(refund_id=refund.pk)
    carry_out_refund(refund_id=refund.pk)
    assert slow.states == ("refunded", ["refunded"])
    assert SandboxCharge.objects.get().refunded_minor == 39800
    assert stock_row(slow.stocked) == (5, 4)
    assert Entry.objects.filter(kind="order.refunded").count() == 1
    notify(reference, nonce="3", state=ChargeState.PAID)
    assert Refund.objects.count() == 1
    assert differences() == []


def test_money_of_a_cancelled_order_is_late_too(desk: Desk) -> None:
    buyer = Buyer(desk)
    reference = buyer.start().payment.reference
    Payment.objects.update(expires_at=now() - timedelta(seconds=61))
    SandboxCharge.objects.update(state="paid")
    with pytest.raises(PaymentUnderWay), transaction.atomic():
        cancel_order(person=buyer.person, number=buyer.number)
    Hold.objects.update(paying_until=None)
    with transaction.atomic():
        cancel_order(person=buyer.person, number=buyer.number)
    notify(reference)
    assert buyer.states == ("paid", ["succeeded"])


def test_money_that_comes_twice_goes_back_once(desk: Desk) -> None:
    buyer = Buyer(desk)
    first = buyer.start().payment
    Payment.objects.update(expires_at=now() - timedelta(seconds=1))
    second = buyer.start().payment
    assert buyer.states == ("held", ["failed", "under_way"])
    for number, payment in enumerate((second, first)):
        SandboxCharge.objects.filter(reference=payment.reference).update(state="paid")
        notify(payment.reference, nonce=str(number))
    assert buyer.states == ("paid", ["succeeded", "succeeded"])
    refund = Refund.objects.get()
    assert (refund.payment, refund.reason) == (first, "paid_twice")
    carry_out_refund(refund_id=refund.pk)
    assert buyer.states == ("paid", ["refunded", "succeeded"])
    assert stock_row(buyer.stocked) == (3, 0)


class SilentProvider(SandboxProvider):
    """A provider that does not answer: what the outside may always do."""

    def create(self, request: ChargeRequest) -> Charge:
        raise ProviderUnavailable(provider=self.name)


def test_a_provider_that_does_not_answer_leaves_the_order_to_be_paid(desk: Desk) -> None:
    buyer = Buyer(desk)
    with pytest.raises(ProviderUnavailable):
        start_payment(person=buyer.person, number=buyer.number, provider=SilentProvider())
    assert buyer.states == ("held", ["failed"])
    assert Hold.objects.get().paying_until is None
    buyer.start()
    assert buyer.states == ("held", ["failed", "under_way"])


@pytest.mark.django_db
def test_the_sandbox_can_be_turned_off(settings: Any) -> None:
    shop = make_shop().shop
    assert choose_provider(shop=shop, currency="CNY").name == "sandbox"
    assert get_provider("sandbox").name == "sandbox"
    environment = type(settings.ENVIRONMENT)(sandbox_payments=False)
    with override_settings(ENVIRONMENT=environment):
        with pytest.raises(ProviderUnknown):
            get_provider("sandbox")
        with pytest.raises(PaymentNotSetUp):
            choose_provider(shop=shop, currency="CNY")


@pytest.mark.django_db
def test_old_nonces_are_forgotten() -> None:
    NoticeNonce.objects.create(provider="sandbox", nonce="old")
    NoticeNonce.objects.create(provider="sandbox", nonce="new")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sales_noticenonce SET seen_at = now() - interval '901 seconds' WHERE nonce = 'old'")
    forget_old_nonces(timestamp=0)
    assert list(NoticeNonce.objects.values_list("nonce", flat=True)) == ["new"]
