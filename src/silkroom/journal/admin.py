"""Admin pages of the journal, and what all departments' admin pages share: rows that are looked at and never edited."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from .models import Entry, Reader


class _LookOnly:
    """Truth that services write; the admin shows it. Corrections are made on the pages that know the rules."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LookOnlyAdmin(_LookOnly, ModelAdmin):  # type: ignore[misc]
    """A table that is only looked at."""

    list_per_page = 50
    show_full_result_count = False


class LookOnlyInline(_LookOnly, TabularInline):  # type: ignore[misc]
    """Rows under another one that are only looked at."""

    extra = 0
    can_delete = False


class KeptAdmin(ModelAdmin):  # type: ignore[misc]
    """A table whose rows may be corrected by an operator; nothing is deleted, because others point at it."""

    list_per_page = 50
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Entry)
class EntryAdmin(LookOnlyAdmin):
    """What happened, newest first."""

    list_display = ("id", "at", "kind", "shop", "data")
    list_filter = ("kind",)
    search_fields = ("kind", "data")
    ordering = ("-id",)


@admin.register(Reader)
class ReaderAdmin(LookOnlyAdmin):
    """How far each reader has come."""

    list_display = ("name", "transaction", "entry", "moved_at")
