"""Addresses of the buyers' pages."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "storefront"
urlpatterns = [
    path("", views.home, name="home"),
    path("shop/<slug:slug>/", views.shop, name="shop"),
    path("style/<slug:code>/", views.style, name="style"),
    path("orders/", views.orders, name="orders"),
    path("account/", views.account, name="account"),
    path("account/name/", views.name, name="name"),
    path("account/addresses/new/", views.address_new, name="address-new"),
    path("account/addresses/<int:address_id>/", views.address, name="address"),
    path("account/addresses/<int:address_id>/remove/", views.address_remove, name="address-remove"),
]
