"""All tables of sales, where Django looks for them."""

from silkroom.sales.offers.models import Offer, OfferUse
from silkroom.sales.orders.models import Order, OrderLine
from silkroom.sales.payments.models import Notice, NoticeNonce, Payment, Refund, SandboxCharge

__all__ = ["Notice", "NoticeNonce", "Offer", "OfferUse", "Order", "OrderLine", "Payment", "Refund", "SandboxCharge"]
