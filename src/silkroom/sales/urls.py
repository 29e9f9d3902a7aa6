"""Addresses of sales."""

from __future__ import annotations

from django.urls import path, register_converter

from silkroom.sales.checkout import api, paying
from silkroom.sales.checkout import views as checkout
from silkroom.sales.payments import views as payments

app_name = "sales"


class CodeConverter:
    """Order numbers and references: what cannot be one does not reach a view."""

    regex = "[0-9A-Za-z]{1,80}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(CodeConverter, "sales_code")
urlpatterns = [
    path("api/orders", api.orders, name="api-orders"),
    path("checkout/", checkout.buy, name="checkout"),
    path("orders/<sales_code:number>/", checkout.order_page, name="order"),
    path("orders/<sales_code:number>/state", checkout.order_state, name="order-state"),
    path("orders/<sales_code:number>/address", checkout.order_address, name="order-address"),
    path("orders/<sales_code:number>/pay", paying.pay, name="pay"),
    path("orders/<sales_code:number>/paying", paying.paying, name="paying"),
    path("orders/<sales_code:number>/paying/stop", paying.stop, name="paying-stop"),
    path("orders/<sales_code:number>/cancel", checkout.cancel, name="cancel"),
    path("sandbox/<sales_code:reference>", payments.sandbox_page, name="sandbox"),
    path("payments/notify/<sales_code:provider>", payments.notify, name="notify"),
    path("payments/notify/<sales_code:provider>/<sales_code:code>", payments.notify, name="account-notify"),
]
