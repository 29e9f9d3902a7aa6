"""What a buyer's order page shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from silkroom.accounts.models import Person
from silkroom.kit.clock import now, to_milliseconds
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.queries import get_own_order, paying_until
from silkroom.sales.orders.states import OrderState
from silkroom.sales.payments.models import Payment, Refund
from silkroom.sales.payments.queries import latest_payment, refunds_of
from silkroom.sales.payments.states import PaymentState


@dataclass(frozen=True)
class OrderStanding:
    """An order with all that its page says. ``refund`` is that of its payment, if money goes back."""

    order: Order
    payment: Payment | None
    refund: Refund | None
    paying_until_ms: int | None

    @property
    def may_pay(self) -> bool:
        return self.order.state == OrderState.HELD and (self.is_being_paid or self.order.holds_until > now())

    @property
    def is_being_paid(self) -> bool:
        payment = self.payment
        return payment is not None and payment.state == PaymentState.UNDER_WAY and payment.expires_at > now()

    @property
    def may_cancel(self) -> bool:
        return self.order.state == OrderState.HELD and not self.is_being_paid

    @property
    def may_change_address(self) -> bool:
        return self.order.state in (OrderState.HELD, OrderState.PAID)

    def as_json(self) -> dict[str, Any]:
        order, payment, refund = self.order, self.payment, self.refund
        return {
            "number": order.number,
            "state": order.state,
            "total_minor": order.total_minor,
            "currency": order.currency,
            "holds_until_ms": to_milliseconds(order.holds_until),
            "paying_until_ms": self.paying_until_ms,
            "may_pay": self.may_pay,
            "may_cancel": self.may_cancel,
            "payment": None if payment is None else {"state": payment.state, "reference": payment.reference},
            "refund": None if refund is None else {"reason": refund.reason, "is_done": refund.is_done},
            "now_ms": to_milliseconds(now()),
        }


def own_order_standing(*, person: Person, number: str) -> OrderStanding:
    """The person's own order. Five queries, whatever is in it. Raises NotFound."""
    order = get_own_order(person=person, number=number)
    until = paying_until(order=order)
    refunds = refunds_of(order_id=order.pk)
    return OrderStanding(
        order=order,
        payment=latest_payment(order_id=order.pk),
        refund=refunds[-1] if refunds else None,
        paying_until_ms=to_milliseconds(until) if until else None,
    )
