"""Addresses of sales."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "sales"
urlpatterns: list[URLPattern] = []
