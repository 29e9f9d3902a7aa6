"""Reads of payments."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet

from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.sales.orders.states import OrderState
from silkroom.shops.models import Shop

from .models import Payment, Refund
from .provider import KnownCharge
from .rules import BY_HAND, TRANSFER_DAYS
from .states import PaymentState


def latest_payment(*, order_id: int) -> Payment | None:
    """The last try to pay an order, or the one that succeeded. One query."""
    payments = Payment.objects.filter(order_id=order_id)
    won = [PaymentState.SUCCEEDED, PaymentState.REFUNDED]
    found = list(payments.order_by("-id")[:20])
    return next((one for one in found if one.state in won), found[0] if found else None)


def running_payment(*, order_id: int) -> Payment | None:
    """The payment that is under way and may still be finished. One query."""
    running = Payment.objects.filter(order_id=order_id, state=PaymentState.UNDER_WAY, expires_at__gt=now())
    return running.select_related("account").first()


def refunds_of(*, order_id: int) -> list[Refund]:
    """Money that goes back for an order. One query."""
    return list(Refund.objects.filter(payment__order_id=order_id).select_related("by").order_by("id"))


def given_up_refunds() -> QuerySet[Refund]:
    """Money that should have gone back and has not: nobody tries any more."""
    return Refund.objects.filter(is_done=False, given_up_at__isnull=False)


def known_charge(payment: Payment) -> KnownCharge:
    """How a payment is named to its provider."""
    return KnownCharge(payment.reference, payment.amount_minor, payment.currency, payment.provider_id)


def awaited_transfers(*, shop: Shop) -> list[Payment]:
    """Transfers that somebody may confirm: under way, or over for not too long. Oldest first. One query."""
    since = now() - timedelta(days=TRANSFER_DAYS)
    rows = Payment.objects.filter(
        Q(state=PaymentState.UNDER_WAY) | Q(state=PaymentState.FAILED, created_at__gt=since),
        order__shop=shop,
        provider__in=BY_HAND,
    )
    return list(rows.exclude(order__state=OrderState.PAID).select_related("order__person").order_by("id")[:200])


def refunds_by_hand(*, shop: Shop) -> list[Refund]:
    """Money of transfers that the owner still has to send back. One query."""
    rows = Refund.objects.filter(payment__order__shop=shop, payment__provider__in=BY_HAND, is_done=False)
    return list(rows.select_related("payment__order__person").order_by("id")[:200])


def payment_of_reference(*, provider: str, reference: str) -> Payment | None:
    """The payment a provider means."""
    return Payment.objects.filter(provider=provider, reference=reference).first()


def get_order_number(*, provider: str, reference: str) -> str:
    """Which order a reference pays: where the pay page sends the buyer back to. Raises NotFound."""
    number = (
        Payment.objects.filter(provider=provider, reference=reference).values_list("order__number", flat=True).first()
    )
    if number is None:
        raise NotFound
    return str(number)
