"""States of an order and the moves between them."""

from __future__ import annotations

from enum import StrEnum


class OrderState(StrEnum):
    """held: pieces kept, not paid. The rest are past participles of what happened."""

    HELD = "held"
    PAID = "paid"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


MOVES: dict[OrderState, frozenset[OrderState]] = {
    OrderState.HELD: frozenset({OrderState.PAID, OrderState.LAPSED, OrderState.CANCELLED}),
    OrderState.LAPSED: frozenset({OrderState.PAID, OrderState.REFUNDED}),
    OrderState.CANCELLED: frozenset({OrderState.PAID, OrderState.REFUNDED}),
    OrderState.PAID: frozenset({OrderState.REFUNDED}),
    OrderState.REFUNDED: frozenset(),
}
"""A payment that arrives after the lapse is honoured (paid) if the pieces are still there, else refunded."""


def may_become(old: OrderState, new: OrderState) -> bool:
    """Is this move allowed?"""
    return new in MOVES[old]


ENDED_WITHOUT_SALE = (OrderState.LAPSED, OrderState.CANCELLED)
"""The pieces went back on sale; a payment that arrives now is late."""
