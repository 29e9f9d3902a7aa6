"""Admin pages of the ledger. All of it is looked at and never edited: a correction is a count on the stock page."""

from __future__ import annotations

from django.contrib import admin

from silkroom.journal.admin import LookOnlyAdmin

from .models import Balance, Hold, Item, Lease, Lot, Movement, Sellable


@admin.register(Item)
class ItemAdmin(LookOnlyAdmin):
    """What is counted."""

    list_display = ("code", "name", "unit", "shop")
    list_filter = ("unit",)
    search_fields = ("code", "name", "shop__name")
    list_select_related = ("shop",)


@admin.register(Lot)
class LotAdmin(LookOnlyAdmin):
    """Pieces made or bought together."""

    list_display = ("code", "item", "made_on")
    search_fields = ("code", "item__code", "item__name")
    list_select_related = ("item",)


@admin.register(Movement)
class MovementAdmin(LookOnlyAdmin):
    """What went where."""

    list_display = ("id", "at", "item", "lot", "quantity", "from_place", "to_place", "source", "person")
    list_filter = ("to_place__kind", "at")
    search_fields = ("source", "item__code", "item__name")
    list_select_related = ("item", "lot", "from_place", "to_place", "person")
    date_hierarchy = "at"
    ordering = ("-id",)


@admin.register(Balance)
class BalanceAdmin(LookOnlyAdmin):
    """How much lies where, by lot."""

    list_display = ("item", "place", "lot", "quantity")
    search_fields = ("item__code", "item__name", "place__name")
    list_select_related = ("item", "place", "lot")


@admin.register(Sellable)
class SellableAdmin(LookOnlyAdmin):
    """What may be promised."""

    list_display = ("item", "place", "on_hand", "held", "leased")
    search_fields = ("item__code", "item__name", "place__name")
    list_select_related = ("item", "place")


@admin.register(Hold)
class HoldAdmin(LookOnlyAdmin):
    """What is promised, to whom and until when."""

    list_display = ("source", "item", "place", "quantity", "state", "taken_at", "lapses_at", "paying_until")
    list_filter = ("state",)
    search_fields = ("source", "item__code", "item__name")
    list_select_related = ("item", "place")
    ordering = ("-id",)


@admin.register(Lease)
class LeaseAdmin(LookOnlyAdmin):
    """Pieces booked to tills."""

    list_display = ("item", "place", "holder", "quantity")
    search_fields = ("holder", "item__code", "item__name")
    list_select_related = ("item", "place")
