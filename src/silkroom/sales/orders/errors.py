"""What orders refuse."""

from __future__ import annotations

from silkroom.kit.errors import Refusal


class OrderMoved(Refusal):
    """The order is not in a state in which this can be done. data: state."""

    code = "order_moved"
    status = 409
    text = "This can no longer be done: the order has moved on."


class PaymentUnderWay(Refusal):
    """While somebody is paying, the order is neither cancelled nor paid a second time."""

    code = "payment_under_way"
    status = 409
    text = "A payment for this order is under way. Please finish it first, or wait a few minutes."
