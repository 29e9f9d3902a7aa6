"""Writes of payments: started, told of by notices, asked about, refunded.

Lock order: the order, then its payment; then what orders lock. The provider is never called inside a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from procrastinate.contrib.django import app

from silkroom.accounts.models import Person
from silkroom.inventory.services import end_payment, extend_for_payment
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.kit.ids import make_code
from silkroom.sales.orders.errors import OrderMoved, PaymentUnderWay
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.rules import hold_source
from silkroom.sales.orders.services import (
    lock_order,
    lock_order_of_shop,
    lock_own_order,
    pay_order,
    refund_order,
)
from silkroom.sales.orders.states import ENDED_WITHOUT_SALE, OrderState
from silkroom.shops.models import Shop

from .errors import (
    HoldOver,
    NothingToRefund,
    NoticeAmountDiffers,
    NoticeMerchantDiffers,
    NoticeReplayed,
    NoticeUnknown,
    ProviderUnavailable,
)
from .models import NoticeNonce, Payment, Refund
from .provider import Charge, ChargeFacts, ChargeRequest, NoticeFacts, Payer, Provider
from .queries import given_up_refunds, known_charge, payment_of_reference
from .registry import provider_of_payment
from .rules import (
    ASK_AFTER_SECONDS,
    BY_HAND,
    BY_SHOP,
    LATE,
    PAID_TWICE,
    REFUND_AGAIN_AFTER_SECONDS,
    SETTLING_SECONDS,
    pause_before,
    payment_end,
)
from .states import ChargeState, PaymentState

REFERENCE_LENGTH = 24


@dataclass(frozen=True)
class StartedPayment:
    """A payment under way and where the buyer goes to confirm it."""

    payment: Payment
    charge: Charge


def start_payment(*, person: Person, number: str, provider: Provider, payer: Payer | None = None) -> StartedPayment:
    """Begin to pay an own held order, or go on with the payment that is under way. Commits by itself, since it must not
    hold locks while it talks to the provider.

    Raises NotFound, OrderMoved, HoldOver, PaymentUnderWay (at another provider), ProviderUnavailable.
    """
    with transaction.atomic(durable=True):
        payment = _open_payment(person, number, provider)
    if _is_made(payment):
        # Real providers take a reference once, and not again from another device.
        return StartedPayment(payment, _charge_as_made(payment))
    try:
        charge = provider.create(_request(payment, number, payer or Payer()))
    except ProviderUnavailable:
        with transaction.atomic():
            order = lock_order(order_id=payment.order_id)
            payment = _lock_payment(payment.pk)
            if _is_made(payment):
                # Pressed twice at once: the other press was served.
                return StartedPayment(payment, _charge_as_made(payment))
            _fail(order, payment)
        raise
    payment.page_url, payment.code, payment.provider_id = charge.page_url, charge.code, charge.provider_id
    payment.save(update_fields=["page_url", "code", "provider_id"])
    return StartedPayment(payment, charge)


def _request(payment: Payment, number: str, payer: Payer) -> ChargeRequest:
    account = payment.account
    notify = "" if account is None else reverse("sales:account-notify", args=[payment.provider, account.code])
    return ChargeRequest(
        reference=payment.reference,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        subject=number,
        expires_at=payment.expires_at,
        payer=payer,
        notify_url=payer.site + notify,
        return_url=payer.site + reverse("sales:order", args=[number]),
    )


def _is_made(payment: Payment) -> bool:
    return payment.account_id is not None and bool(payment.page_url or payment.code)


def _charge_as_made(payment: Payment) -> Charge:
    return Charge(payment.reference, payment.page_url, code=payment.code, provider_id=payment.provider_id)


def stop_payment(*, person: Person, number: str) -> None:
    """The buyer would rather pay another way: the charge under way is closed at its provider. Commits by itself.

    Nothing is under way: nothing happens. The buyer has paid meanwhile: the order is paid. Raises NotFound,
    ProviderUnavailable.
    """
    with transaction.atomic(durable=True):
        order = lock_own_order(person=person, number=number)
        payment = Payment.objects.filter(order=order, state=PaymentState.UNDER_WAY).select_related("account").first()
    if payment is None:
        return
    facts = provider_of_payment(payment).close(known_charge(payment))
    with transaction.atomic():
        order = lock_order(order_id=payment.order_id)
        payment = _lock_payment(payment.pk)
        if _is_paid(facts, payment):
            _apply(order, payment, ChargeState.PAID)
        else:
            _fail(order, payment)


def _open_payment(person: Person, number: str, provider: Provider) -> Payment:
    order = lock_own_order(person=person, number=number)
    if order.state != OrderState.HELD:
        raise OrderMoved(state=order.state)
    running = Payment.objects.filter(order=order, state=PaymentState.UNDER_WAY).first()
    if running is not None and running.expires_at > now():
        if (running.provider, running.account_id) != (provider.name, provider.account_id):
            raise PaymentUnderWay
        return running
    if order.holds_until <= now():
        raise HoldOver
    if running is not None:
        # Its time is over; should its money come all the same, that is a late payment and is honoured or sent back.
        _fail(order, running)
    payment = Payment.objects.create(
        order=order,
        provider=provider.name,
        account_id=provider.account_id,
        reference=make_code(REFERENCE_LENGTH),
        amount_minor=order.total_minor,
        currency=order.currency,
        expires_at=payment_end(now(), provider.paying_seconds),
    )
    extend_for_payment(sources=[hold_source(order.number)], paying_until=payment.expires_at)
    if provider.is_by_hand:
        _ask_in(provider.paying_seconds, payment_id=payment.pk, attempt=1)
    else:
        _ask_later(payment.pk, attempt=1)
    return payment


def receive_notice(*, provider: Provider, headers: Mapping[str, str], body: bytes) -> None:
    """A message from a provider: verified, counted, applied once.

    Raises NoticeForged, NoticeStale, NoticeMalformed, NoticeReplayed, NoticeUnknown, NoticeMerchantDiffers,
    NoticeAmountDiffers; nothing has changed then.
    """
    facts = provider.read_notice(headers=headers, body=body)
    if facts is None:
        return
    with transaction.atomic():
        payment = payment_of_reference(provider=provider.name, reference=facts.reference)
        if payment is None:
            raise NoticeUnknown(reference=facts.reference)
        if payment.account_id != provider.account_id:
            raise NoticeMerchantDiffers(reference=facts.reference)
        order = lock_order(order_id=payment.order_id)
        payment = _lock_payment(payment.pk)
        if (facts.amount_minor, facts.currency) != (payment.amount_minor, payment.currency):
            raise NoticeAmountDiffers(reference=facts.reference)
        _use_nonce(provider.name, facts)
        _count_notice(provider.name, facts, payment, body)
        if facts.provider_id and not payment.provider_id:
            # The answer to "create" was lost, but the charge was made.
            payment.provider_id = facts.provider_id
            payment.save(update_fields=["provider_id"])
        _apply(order, payment, facts.state)


def settle_silent_payment(*, payment_id: int, attempt: int) -> None:
    """No notice has come: ask the provider, and ask again later until the payment has ended one way or the other.

    When its time is over, the charge is closed there: from then on the provider takes no money.
    """
    payment = Payment.objects.select_related("account").get(pk=payment_id)
    if payment.state != PaymentState.UNDER_WAY:
        return
    provider, charge = provider_of_payment(payment), known_charge(payment)
    facts = provider.close(charge) if payment.expires_at <= now() else provider.query(charge)
    with transaction.atomic():
        order = lock_order(order_id=payment.order_id)
        payment = _lock_payment(payment_id)
        if payment.state != PaymentState.UNDER_WAY:
            return
        if _is_paid(facts, payment):
            _apply(order, payment, ChargeState.PAID)
        elif (facts is not None and facts.state == ChargeState.CLOSED) or _is_over(payment):
            _fail(order, payment)
        else:
            _ask_later(payment_id, attempt=attempt + 1)


def ask_about_failed_payment(*, payment_id: int) -> None:
    """The provider's statement says that money has come for a payment that is not paid here: ask, and take its word."""
    payment = Payment.objects.select_related("account").get(pk=payment_id)
    facts = provider_of_payment(payment).query(known_charge(payment))
    with transaction.atomic():
        order = lock_order(order_id=payment.order_id)
        payment = _lock_payment(payment_id)
        if _is_paid(facts, payment):
            _apply(order, payment, ChargeState.PAID)


def _is_paid(facts: ChargeFacts | None, payment: Payment) -> bool:
    return (
        facts is not None
        and facts.state == ChargeState.PAID
        and (facts.amount_minor, facts.currency) == (payment.amount_minor, payment.currency)
    )


def _is_over(payment: Payment) -> bool:
    return now() >= payment.expires_at + timedelta(seconds=SETTLING_SECONDS)


def carry_out_refund(*, refund_id: int) -> None:
    """Send money back. Twice changes nothing: the provider knows the key. Raises ProviderUnavailable."""
    refund = Refund.objects.select_related("payment__account").get(pk=refund_id)
    if refund.is_done:
        return
    payment = refund.payment
    provider = provider_of_payment(payment)
    if provider.is_by_hand:
        return
    provider.refund(known_charge(payment), amount_minor=refund.amount_minor, key=refund.key)
    with transaction.atomic():
        lock_order(order_id=payment.order_id)
        _finish_refund(refund)


def confirm_transfer(*, shop: Shop, payment_id: int, by: Person) -> None:
    """The owner says that a transfer has come, also after its time. Twice changes nothing. Raises NotFound."""
    payment = Payment.objects.filter(pk=payment_id, order__shop=shop, provider__in=BY_HAND).first()
    if payment is None:
        raise NotFound
    order = lock_order(order_id=payment.order_id)
    payment = _lock_payment(payment_id)
    if payment.state not in (PaymentState.UNDER_WAY, PaymentState.FAILED):
        return
    _apply(order, payment, ChargeState.PAID)
    _tell_by_hand("payments.transfer_confirmed", shop, payment, by)


def confirm_refund_by_hand(*, shop: Shop, refund_id: int, by: Person) -> None:
    """The owner has sent the money of a transfer back. Twice changes nothing. Raises NotFound."""
    refund = (
        Refund.objects.filter(pk=refund_id, payment__order__shop=shop, payment__provider__in=BY_HAND)
        .select_related("payment")
        .first()
    )
    if refund is None:
        raise NotFound
    lock_order(order_id=refund.payment.order_id)
    if Refund.objects.filter(pk=refund_id, is_done=True).exists():
        return
    _finish_refund(refund)
    _tell_by_hand("payments.refund_confirmed", shop, refund.payment, by)


def _tell_by_hand(kind: str, shop: Shop, payment: Payment, by: Person) -> None:
    append_entry(kind=kind, shop_id=shop.pk, data={"payment": payment.reference, "by": by.code})


def _finish_refund(refund: Refund) -> None:
    """The money has been sent back; the order is locked."""
    Refund.objects.filter(pk=refund.pk).update(is_done=True)
    payment = _lock_payment(refund.payment_id)
    done = sum(payment.refunds.filter(is_done=True).values_list("amount_minor", flat=True))
    if done >= payment.amount_minor:
        _end(payment, PaymentState.REFUNDED)


def note_failed_refund(*, refund_id: int) -> int | None:
    """The provider did not take it: again after so many seconds. None: given up, until somebody tries again."""
    with transaction.atomic():
        refund = Refund.objects.select_for_update(no_key=True).get(pk=refund_id)
        refund.failures += 1
        pause = pause_before(refund.failures, REFUND_AGAIN_AFTER_SECONDS)
        if pause is None:
            refund.given_up_at = now()
        else:
            _send_back(refund, after_seconds=pause)
        refund.save(update_fields=["failures", "given_up_at"])
    return pause


def refund_paid_order(*, shop: Shop, number: str, by: Person, note: str, back_to_stock: bool) -> Refund:
    """The shop sends the money of a paid order back, whole. Done twice it is done once.

    ``back_to_stock``: the pieces are (again) in the house and may be sold. Raises NotFound, OrderMoved,
    NothingToRefund, and what `refund_order` raises.
    """
    order = lock_order_of_shop(shop=shop, number=number)
    made = Refund.objects.filter(payment__order=order, reason=BY_SHOP).first()
    if made is not None:
        return made
    if order.state != OrderState.PAID:
        raise OrderMoved(state=order.state)
    # Money that came twice has a refund of its own.
    payments = Payment.objects.select_for_update(no_key=True).filter(order=order, state=PaymentState.SUCCEEDED)
    payment = next((one for one in payments if not one.refunds.exists()), None)
    if payment is None:
        raise NothingToRefund
    refund = Refund.objects.create(
        payment=payment,
        key=f"{BY_SHOP}:{payment.reference}",
        amount_minor=payment.amount_minor,
        reason=BY_SHOP,
        note=note,
        by=by,
    )
    refund_order(order=order, back_to_stock=back_to_stock, by=by)
    _send_back(refund)
    return refund


def try_refunds_again(*, shop: Shop, number: str) -> int:
    """Refunds of an order that were given up are tried anew. Returns how many. Raises NotFound."""
    order = lock_order_of_shop(shop=shop, number=number)
    stuck = list(given_up_refunds().filter(payment__order=order).select_for_update(no_key=True))
    for refund in stuck:
        refund.failures, refund.given_up_at = 0, None
        refund.save(update_fields=["failures", "given_up_at"])
        _send_back(refund)
    return len(stuck)


def _send_back(refund: Refund, *, after_seconds: int = 0) -> None:
    """In the background, when this transaction has been committed; a transfer is sent back by people."""
    if refund.payment.provider in BY_HAND:
        return
    app.configure_task("sales.carry_out_refund", schedule_in={"seconds": after_seconds}).defer(refund_id=refund.pk)


def forget_nonces(*, seconds: int) -> int:
    """One-time numbers of messages that would be stale by now. Returns how many were forgotten."""
    deleted, _ = NoticeNonce.objects.filter(seen_at__lt=now() - timedelta(seconds=seconds)).delete()
    return deleted


def _apply(order: Order, payment: Payment, state: ChargeState) -> None:
    """What the provider says, to the locked order and payment. Twice changes nothing."""
    if state == ChargeState.PAID:
        _succeed(order, payment)
    elif state == ChargeState.CLOSED and payment.state == PaymentState.UNDER_WAY:
        _fail(order, payment)


def _succeed(order: Order, payment: Payment) -> None:
    if payment.state in (PaymentState.SUCCEEDED, PaymentState.REFUNDED):
        return
    payment.paid_at = now()
    payment.save(update_fields=["paid_at"])
    _end(payment, PaymentState.SUCCEEDED)
    try:
        paid = pay_order(order=order)
        reason = LATE
    except OrderMoved:
        # Another payment was faster, or the money of this order has been sent back before.
        paid, reason = False, PAID_TWICE
    if paid:
        return
    refund = Refund.objects.create(
        payment=payment, key=f"{reason}:{payment.reference}", amount_minor=payment.amount_minor, reason=reason
    )
    if order.state in ENDED_WITHOUT_SALE:
        refund_order(order=order)
    _send_back(refund)


def _fail(order: Order, payment: Payment) -> None:
    """The payment under way has ended without money; the order may be paid anew or lapses at its own time."""
    if payment.state != PaymentState.UNDER_WAY:
        return
    _end(payment, PaymentState.FAILED)
    end_payment(sources=[hold_source(order.number)])


def _end(payment: Payment, state: PaymentState) -> None:
    payment.state = state
    payment.ended_at = now()
    payment.save(update_fields=["state", "ended_at"])


def _lock_payment(payment_id: int) -> Payment:
    return Payment.objects.select_for_update(no_key=True).get(pk=payment_id)


def _use_nonce(provider: str, facts: NoticeFacts) -> None:
    if facts.nonce is None:
        return
    try:
        with transaction.atomic():
            NoticeNonce.objects.create(provider=provider, nonce=facts.nonce)
    except IntegrityError:
        raise NoticeReplayed from None


_COUNT = """
    INSERT INTO sales_notice AS n (provider, notice, payment_id, body, times) VALUES (%s, %s, %s, %s, 1)
    ON CONFLICT (provider, notice) DO UPDATE SET times = n.times + 1
"""


def _count_notice(provider: str, facts: NoticeFacts, payment: Payment, body: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, (provider, facts.notice_id, payment.pk, body.decode("utf-8", errors="replace")))


def _ask_later(payment_id: int, *, attempt: int) -> None:
    pause = pause_before(attempt, ASK_AFTER_SECONDS) or ASK_AFTER_SECONDS[-1]
    _ask_in(pause, payment_id=payment_id, attempt=attempt)


def _ask_in(seconds: int, *, payment_id: int, attempt: int) -> None:
    app.configure_task("sales.ask_about_payment", schedule_in={"seconds": seconds}).defer(
        payment_id=payment_id, attempt=attempt
    )
