"""Admin pages of shops."""

from __future__ import annotations

from django.contrib import admin

from silkroom.journal.admin import KeptAdmin, LookOnlyAdmin, LookOnlyInline

from .models import Invitation, Place, Shop, Staff


class StaffInline(LookOnlyInline):
    """Who works there."""

    model = Staff
    fields = ("person", "role", "joined_at")
    readonly_fields = ("joined_at",)


class PlaceInline(LookOnlyInline):
    """Where goods are."""

    model = Place
    fields = ("name", "kind", "is_outside", "sells_online", "priority")


@admin.register(Shop)
class ShopAdmin(KeptAdmin):
    """Merchants. A shop is opened on its own page, where places and owner come with it."""

    list_display = ("name", "name_en", "slug", "region_code", "currency", "created_at")
    search_fields = ("name", "name_en", "slug", "region_code")
    readonly_fields = ("created_at", "currency")
    inlines = (StaffInline, PlaceInline)

    def has_add_permission(self, request: object) -> bool:
        return False


@admin.register(Staff)
class StaffAdmin(LookOnlyAdmin):
    """Roles; owners change them."""

    list_display = ("person", "shop", "role", "joined_at")
    list_filter = ("role",)
    search_fields = ("person__name", "shop__name")
    list_select_related = ("person", "shop")


@admin.register(Invitation)
class InvitationAdmin(LookOnlyAdmin):
    """Invitations; the secret is nowhere."""

    list_display = ("contact", "shop", "role", "invited_by", "created_at", "expires_at", "accepted_by")
    list_filter = ("role",)
    search_fields = ("contact", "shop__name")
    list_select_related = ("shop", "invited_by", "accepted_by")
    exclude = ("secret_hash",)


@admin.register(Place)
class PlaceAdmin(LookOnlyAdmin):
    """Places, inside and outside."""

    list_display = ("name", "shop", "kind", "is_outside", "sells_online", "priority")
    list_filter = ("kind", "sells_online")
    search_fields = ("name", "shop__name", "code")
    list_select_related = ("shop",)
