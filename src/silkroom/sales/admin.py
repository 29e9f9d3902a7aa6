"""Admin pages of sales. Orders and money are looked at and never edited: their services keep the sums right."""

from __future__ import annotations

from django.contrib import admin

from silkroom.journal.admin import LookOnlyAdmin, LookOnlyInline

from .models import Notice, NoticeNonce, Offer, OfferUse, Order, OrderLine, Payment, Refund, SandboxCharge


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
