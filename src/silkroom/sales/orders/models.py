"""Orders and their lines. The order desk inserts them by SQL; columns here are its contract."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.catalog.models import Variant
from silkroom.inventory.models import Hold
from silkroom.kit.choices import choices_of
from silkroom.sales.offers.models import Offer
from silkroom.shops.models import Shop

from .states import OrderState


class Order(models.Model):
    """One buyer's order in one shop. ``channel`` says where it came from: "web", "broadcast:K7…", "till:…"."""

    # No index of their own for shop and person: longer ones below begin with them; every index is written in a sale.
    # No constraint in the database either: the desk locks the rows it names once a batch (docs/decisions/0010).
    shop = models.ForeignKey(Shop, on_delete=models.PROTECT, related_name="orders", db_index=False, db_constraint=False)
    number = models.CharField(max_length=12)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="orders",
        db_index=False,
        db_constraint=False,
    )
    key = models.UUIDField(help_text="idempotency key of the buyer's request")
    channel = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=choices_of(OrderState), default=OrderState.HELD)
    currency = models.CharField(max_length=3)
    goods_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(default=0)
    freight_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField()
    placed_at = models.DateTimeField(db_default=Now(), editable=False)
    holds_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="when it was paid, lapsed or cancelled")
    lapse_again_at = models.DateTimeField(
        null=True, blank=True, help_text="it could not lapse, for a reason that the log tells; not tried before then"
    )
    recipient = models.CharField(max_length=60, blank=True)
    phone = models.CharField(max_length=16, blank=True)
    address = models.CharField(max_length=240, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            # Not unique=True: that would add a second index for LIKE, and nobody searches a part of a number.
            models.UniqueConstraint(fields=["number"], name="order_number_is_unique"),
            models.UniqueConstraint(fields=["person", "key"], name="order_key_is_used_once"),
            models.CheckConstraint(
                name="order_adds_up",
                condition=Q(total_minor=F("goods_minor") - F("discount_minor") + F("freight_minor") + F("tax_minor"))
                & Q(total_minor__gte=0),
            ),
            models.CheckConstraint(
                name="order_is_held_until_it_ends",
                condition=Q(state="held", ended_at=None) | (~Q(state="held") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["holds_until"], name="order_held_by_time", condition=Q(state="held")),
            # Held, said so that no other question about held orders can be answered by this index: on a table that is
            # still empty PostgreSQL would take either, and keep the plan.
            models.Index(fields=["shop", "person"], name="order_held_of_person", condition=Q(ended_at=None)),
            models.Index(fields=["shop", "channel"], name="order_by_channel"),
            models.Index(fields=["shop", "placed_at"], name="order_of_shop_by_time"),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """A variant in an order, as it was named and priced at that moment."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines", db_constraint=False)
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    offer = models.ForeignKey(
        Offer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    sku = models.CharField(max_length=60)
    title = models.CharField(max_length=160)
    quantity = models.PositiveIntegerField()
    list_price_minor = models.BigIntegerField()
    unit_price_minor = models.BigIntegerField()

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [
            models.CheckConstraint(name="line_has_pieces", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="line_price_is_positive", condition=Q(unit_price_minor__gte=0)),
        ]
        indexes = [models.Index(fields=["offer"], name="line_of_offer", condition=Q(offer__isnull=False))]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"
