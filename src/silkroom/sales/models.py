"""All tables of sales, where Django looks for them."""

from silkroom.sales.offers.models import Offer, OfferUse
from silkroom.sales.orders.models import Order, OrderLine
from silkroom.sales.payments.models import Notice, Payment, Refund, SandboxCharge

__all__ = ["Notice", "Offer", "OfferUse", "Order", "OrderLine", "Payment", "Refund", "SandboxCharge"]
