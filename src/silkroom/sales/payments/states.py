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
    """A charge as its provider sees it."""

    WAITING = "waiting"
    PAID = "paid"
    CLOSED = "closed"
    REFUNDED = "refunded"


class Device(StrEnum):
    """What the buyer holds: a phone opens the wallet itself, at a desk a code is scanned."""

    PHONE = "phone"
    DESK = "desk"


class LineKind(StrEnum):
    """A line of a provider's statement."""

    PAYMENT = "payment"
    REFUND = "refund"


class DifferenceKind(StrEnum):
    """How a provider's statement and silkroom's book differ."""

    UNKNOWN_HERE = "unknown_here"
    NOT_PAID_HERE = "not_paid_here"
    AMOUNT_DIFFERS = "amount_differs"
    MISSING_THERE = "missing_there"
    REFUND_UNKNOWN_HERE = "refund_unknown_here"
    REFUND_AMOUNT_DIFFERS = "refund_amount_differs"
    REFUND_MISSING_THERE = "refund_missing_there"
