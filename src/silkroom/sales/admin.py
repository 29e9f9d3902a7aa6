"""Admin pages of sales. Orders and money are looked at and never edited: their services keep the sums right."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from silkroom.journal.admin import KeptAdmin, LookOnlyAdmin, LookOnlyInline

from .models import (
    Difference,
    MerchantAccount,
    Notice,
    NoticeNonce,
    Offer,
    OfferUse,
    Order,
    OrderLine,
    Payment,
    Refund,
    SandboxCharge,
    Statement,
    StatementEntry,
)


class OrderLineInline(LookOnlyInline):
    """What was bought."""

    model = OrderLine
    fields = ("title", "sku", "quantity", "list_price_minor", "unit_price_minor", "offer")


class PaymentInline(LookOnlyInline):
    """Tries to pay."""

    model = Payment
    fields = ("provider", "reference", "amount_minor", "currency", "state", "created_at", "ended_at")
    readonly_fields = ("created_at",)


@admin.register(Order)
class OrderAdmin(LookOnlyAdmin):
    """Orders of all shops."""

    list_display = ("number", "shop", "person", "state", "channel", "total_minor", "currency", "placed_at", "ended_at")
    list_filter = ("state", ("lapse_again_at", admin.EmptyFieldListFilter), "placed_at")
    search_fields = ("number", "channel", "person__name", "recipient", "phone")
    list_select_related = ("shop", "person")
    date_hierarchy = "placed_at"
    ordering = ("-id",)
    inlines = (OrderLineInline, PaymentInline)


@admin.register(Offer)
class OfferAdmin(LookOnlyAdmin):
    """Prices for a time."""

    list_display = (
        "id", "shop", "style", "price_minor", "piece_cap", "person_limit", "taken", "starts_at", "ends_at", "channel",
        "withdrawn_at",
    )  # fmt: skip
    search_fields = ("channel", "style__name", "shop__name")
    list_select_related = ("shop", "style")
    ordering = ("-id",)


@admin.register(OfferUse)
class OfferUseAdmin(LookOnlyAdmin):
    """How much of an offer a person has taken."""

    list_display = ("offer", "person", "quantity", "person_limit")
    list_select_related = ("offer", "person")


@admin.register(Payment)
class PaymentAdmin(LookOnlyAdmin):
    """Payments at providers."""

    list_display = ("reference", "order", "provider", "amount_minor", "currency", "state", "created_at", "ended_at")
    list_filter = ("state", "provider")
    search_fields = ("reference", "order__number")
    list_select_related = ("order",)
    ordering = ("-id",)


@admin.register(Notice)
class NoticeAdmin(LookOnlyAdmin):
    """What providers told us."""

    list_display = ("notice", "provider", "payment", "times", "received_at")
    list_filter = ("provider",)
    search_fields = ("notice", "payment__reference")
    list_select_related = ("payment",)
    ordering = ("-id",)


@admin.register(NoticeNonce)
class NoticeNonceAdmin(LookOnlyAdmin):
    """Signatures that were seen."""

    list_display = ("nonce", "provider", "seen_at")
    search_fields = ("nonce",)


@admin.register(Refund)
class RefundAdmin(LookOnlyAdmin):
    """Money that goes back."""

    list_display = ("key", "payment", "amount_minor", "reason", "is_done", "failures", "given_up_at", "created_at")
    list_filter = ("is_done", ("given_up_at", admin.EmptyFieldListFilter), "reason")
    search_fields = ("key", "payment__reference", "payment__order__number")
    list_select_related = ("payment",)
    ordering = ("-id",)


@admin.register(SandboxCharge)
class SandboxChargeAdmin(LookOnlyAdmin):
    """The practice provider's own book."""

    list_display = ("reference", "subject", "amount_minor", "currency", "state", "notices_sent", "notice_accepted")
    list_filter = ("state", "notice_accepted")
    search_fields = ("reference", "subject")
    ordering = ("-id",)


@admin.register(MerchantAccount)
class MerchantAccountAdmin(KeptAdmin):
    """Shops' accounts at providers, without their keys. An operator may point one at a provider's test environment."""

    list_display = ("shop", "provider", "merchant", "checked_at", "problem", "retired_at")
    list_filter = ("provider", ("retired_at", admin.EmptyFieldListFilter))
    search_fields = ("shop__name", "merchant")
    list_select_related = ("shop",)
    fields = (
        "shop",
        "provider",
        "merchant",
        "details",
        "base_url",
        "changed_at",
        "checked_at",
        "problem",
        "retired_at",
    )
    readonly_fields = tuple(name for name in fields if name != "base_url")
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Statement)
class StatementAdmin(LookOnlyAdmin):
    """Days of providers' own books."""

    list_display = ("account", "day", "fetched_at", "problem")
    list_select_related = ("account",)
    ordering = ("-day", "-id")


@admin.register(StatementEntry)
class StatementEntryAdmin(LookOnlyAdmin):
    """What providers have booked."""

    list_display = ("reference", "kind", "key", "amount_minor", "currency", "statement")
    search_fields = ("reference", "provider_id")
    list_select_related = ("statement__account",)
    ordering = ("-id",)


@admin.register(Difference)
class DifferenceAdmin(LookOnlyAdmin):
    """Where a provider's book and silkroom's differ."""

    list_display = (
        "kind",
        "reference",
        "statement",
        "ours_minor",
        "theirs_minor",
        "currency",
        "settled_at",
        "settled_by",
    )
    list_filter = ("kind", ("settled_at", admin.EmptyFieldListFilter))
    search_fields = ("reference",)
    list_select_related = ("statement__account", "settled_by")
    ordering = ("-id",)
