"""Addresses of the till. Its service worker stands beside the page: it may look after no more than its own folder."""

from __future__ import annotations

from django.urls import path

from . import api, views

app_name = "pos"

urlpatterns = [
    path("", views.till, name="till"),
    path("worker.js", views.worker, name="worker"),
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("api/pair", api.pair, name="api-pair"),
    path("api/state", api.state, name="api-state"),
    path("api/receipts", api.receipts, name="api-receipts"),
    path("api/shift/open", api.shift_open, name="api-shift-open"),
    path("api/shift/close", api.shift_close, name="api-shift-close"),
]
