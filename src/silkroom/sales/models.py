"""All tables of sales, where Django looks for them."""

from silkroom.sales.offers.models import Offer, OfferUse
from silkroom.sales.orders.models import Order, OrderLine
from silkroom.sales.payments.models import (
    Difference,
    MerchantAccount,
    Notice,
    NoticeNonce,
    Payment,
    Refund,
    SandboxCharge,
    Statement,
    StatementEntry,
)

__all__ = [
    "Difference", "MerchantAccount", "Notice", "NoticeNonce", "Offer", "OfferUse", "Order", "OrderLine", "Payment",
    "Refund", "SandboxCharge", "Statement", "StatementEntry",
]  # fmt: skip
