"""Addresses of storefront."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "storefront"
urlpatterns: list[URLPattern] = []
