"""Admin pages of tills: looked at; the shop's own pages change them."""

from __future__ import annotations

from django.contrib import admin

from silkroom.journal.admin import LookOnlyAdmin

from .models import Device, Shift, Till


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
