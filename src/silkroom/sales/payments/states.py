"""States of a payment."""

from __future__ import annotations

from enum import StrEnum


class PaymentState(StrEnum):
    """under_way: the provider may still take the money."""

    UNDER_WAY = "under_way"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUNDED = "refunded"


class ChargeState(StrEnum):
    """The sandbox provider's own view of a charge."""

    WAITING = "waiting"
    PAID = "paid"
    CLOSED = "closed"
    REFUNDED = "refunded"
