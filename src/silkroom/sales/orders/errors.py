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


class CurrencyFixed(Refusal):
    """Orders are written in the shop's currency. data: currency."""

    code = "currency_fixed"
    status = 409
    text = "This shop has orders in %(currency)s. From its first order on it keeps its currency."


class PricesFixed(Refusal):
    """One of the two currencies has no cents: prices that are written would become a hundred times others."""

    code = "prices_fixed"
    status = 409
    text = "Your prices are written in %(currency)s and cannot be read in a currency with other decimals."
