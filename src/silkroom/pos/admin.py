"""Admin pages of tills: looked at; the shop's own pages change them."""

from __future__ import annotations

from django.contrib import admin

from silkroom.journal.admin import LookOnlyAdmin, LookOnlyInline

from .models import Device, Receipt, ReceiptLine, Shift, Shortfall, Tender, Till


@admin.register(Till)
class TillAdmin(LookOnlyAdmin):
    """Tills. Pairing codes are kept as hashes and not shown."""

    list_display = ("name", "shop", "place", "number", "series")
    search_fields = ("name", "code", "shop__name")
    list_select_related = ("shop", "place")
    exclude = ("pairing_hash",)


@admin.register(Device)
class DeviceAdmin(LookOnlyAdmin):
    """Browsers that are or were tills."""

    list_display = ("till", "series", "name", "paired_at", "seen_at", "revoked_at")
    search_fields = ("till__name", "till__shop__name")
    list_select_related = ("till",)


@admin.register(Shift)
class ShiftAdmin(LookOnlyAdmin):
    """Shifts with their counts."""

    list_display = ("till", "opened_at", "opened_by", "float_minor", "closed_at", "counted_cash_minor")
    search_fields = ("till__name", "till__shop__name", "opened_by__name")
    list_select_related = ("till", "opened_by")


class ReceiptLineInline(LookOnlyInline):
    """What was sold."""

    model = ReceiptLine
    fields = ("sku", "title", "quantity", "list_price_minor", "unit_price_minor")


class TenderInline(LookOnlyInline):
    """How it was paid."""

    model = Tender
    fields = ("kind", "amount_minor", "given_minor")


@admin.register(Receipt)
class ReceiptAdmin(LookOnlyAdmin):
    """Receipts as customers have them."""

    list_display = ("till", "number", "sold_at", "total_minor", "is_offline", "is_void", "order")
    list_filter = ("is_offline", "is_void", "sold_at")
    search_fields = ("number", "till__name", "till__shop__name", "order__number")
    list_select_related = ("till", "order")
    inlines = (ReceiptLineInline, TenderInline)


@admin.register(Shortfall)
class ShortfallAdmin(LookOnlyAdmin):
    """Pieces that were not there."""

    list_display = ("line", "quantity", "outcome", "settled_at", "settled_by")
    list_filter = ("outcome",)
    search_fields = ("line__sku", "line__receipt__till__name")
    list_select_related = ("line", "settled_by")
