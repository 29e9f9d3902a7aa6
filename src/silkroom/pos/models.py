"""Tills of stores: the device that is one, its shifts and receipts."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.catalog.models import Variant
from silkroom.kit.choices import choices_of
from silkroom.kit.ids import make_code
from silkroom.sales.orders.models import Order
from silkroom.shops.models import Place, Shop
from silkroom.shops.states import Role

from .states import Outcome, TenderKind


class Till(models.Model):
    """A till of a store. ``buyer``: whoever walks in and buys without saying who; orders need a person."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="tills")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="tills")
    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=10, unique=True, default=make_code, editable=False)
    number = models.PositiveSmallIntegerField(help_text="begins the numbers of its receipts")
    name = models.CharField(max_length=20)
    clerk_discount_percent = models.PositiveSmallIntegerField(default=10)
    kept_pieces = models.PositiveSmallIntegerField(
        default=1, help_text="of each garment, booked to the till so that it can sell without a line"
    )
    series = models.PositiveIntegerField(default=0, help_text="how often a device was paired")
    pairing_hash = models.CharField(max_length=64, blank=True, editable=False)
    pairing_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("till")
        verbose_name_plural = _("tills")
        constraints = [
            models.UniqueConstraint(fields=["shop", "number"], name="till_number_in_shop"),
            models.UniqueConstraint(fields=["shop", "name"], name="till_name_in_shop"),
            models.UniqueConstraint(fields=["pairing_hash"], name="pairing_code_is_one", condition=~Q(pairing_hash="")),
        ]

    def __str__(self) -> str:
        return self.name


class Device(models.Model):
    """A browser that is the till. The newest is it; those before are revoked."""

    till = models.ForeignKey(Till, on_delete=models.CASCADE, related_name="devices")
    series = models.PositiveIntegerField()
    name = models.CharField(max_length=80, blank=True)
    paired_at = models.DateTimeField(db_default=Now(), editable=False)
    seen_at = models.DateTimeField(db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("device of a till")
        verbose_name_plural = _("devices of tills")
        constraints = [
            models.UniqueConstraint(fields=["till"], name="one_device_is_the_till", condition=Q(revoked_at=None)),
            models.UniqueConstraint(fields=["till", "series"], name="one_series_a_device"),
        ]

    def __str__(self) -> str:
        return f"{self.till_id} #{self.series}"


class Shift(models.Model):
    """From the cash float to the count. What should be there is added up from receipts, never kept."""

    till = models.ForeignKey(Till, on_delete=models.PROTECT, related_name="shifts")
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=12, choices=choices_of(Role))
    opened_at = models.DateTimeField(db_default=Now(), editable=False)
    float_minor = models.BigIntegerField()
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    counted_cash_minor = models.BigIntegerField(null=True, blank=True)
    counted_code_minor = models.BigIntegerField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        constraints = [
            models.UniqueConstraint(fields=["till"], name="one_shift_open", condition=Q(closed_at=None)),
            models.CheckConstraint(name="float_is_not_negative", condition=Q(float_minor__gte=0)),
            models.CheckConstraint(
                name="shift_is_counted_when_closed",
                condition=Q(closed_at=None, counted_cash_minor=None, counted_code_minor=None)
                | Q(closed_at__isnull=False, counted_cash_minor__gte=0, counted_code_minor__gte=0),
            ),
        ]
        indexes = [models.Index(fields=["till", "-opened_at"], name="shift_of_till")]

    def __str__(self) -> str:
        return f"{self.till_id} {self.opened_at:%F %R}"


class Receipt(models.Model):
    """A sale as the customer has it on paper. Till and number are its key: sent twice, it is written once.

    ``order``: the pieces that were there. Those that were not are a `Shortfall`; the money is here all the same.
    """

    till = models.ForeignKey(Till, on_delete=models.PROTECT, related_name="receipts")
    number = models.PositiveBigIntegerField()
    shift = models.ForeignKey(Shift, on_delete=models.PROTECT, related_name="receipts", null=True)
    fingerprint = models.CharField(
        max_length=64, help_text="of what the device said, to tell a repeat from another sale"
    )
    is_void = models.BooleanField(default=False, help_text="the sale was given up; its number is used up")
    is_offline = models.BooleanField(default=False, help_text="given to the customer before the house knew of it")
    is_over_limit = models.BooleanField(default=False, help_text="more was taken off than the clerk might")
    sold_at = models.DateTimeField(help_text="by the clock of the till")
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    currency = models.CharField(max_length=3)
    discount_percent = models.PositiveSmallIntegerField(default=0)
    goods_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    order = models.OneToOneField(Order, null=True, blank=True, on_delete=models.PROTECT, related_name="receipt")

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = [
            models.UniqueConstraint(fields=["till", "number"], name="receipt_number_of_till"),
            models.CheckConstraint(
                name="receipt_adds_up",
                condition=Q(total_minor=F("goods_minor") - F("discount_minor"), total_minor__gte=0),
            ),
            models.CheckConstraint(name="receipt_is_of_a_shift", condition=Q(is_void=True) | Q(shift__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.till_id}-{self.number}"


class ReceiptLine(models.Model):
    """A garment on a receipt, as it was named and priced there."""

    receipt = models.ForeignKey(Receipt, on_delete=models.CASCADE, related_name="lines")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    sku = models.CharField(max_length=60)
    title = models.CharField(max_length=160)
    quantity = models.PositiveIntegerField()
    list_price_minor = models.BigIntegerField()
    unit_price_minor = models.BigIntegerField()

    class Meta:
        verbose_name = _("receipt line")
        verbose_name_plural = _("receipt lines")
        constraints = [
            models.UniqueConstraint(fields=["receipt", "variant"], name="garment_once_on_receipt"),
            models.CheckConstraint(
                name="receipt_line_is_sound",
                condition=Q(quantity__gt=0, unit_price_minor__gte=0, unit_price_minor__lte=F("list_price_minor")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"


class Tender(models.Model):
    """Money for a receipt. ``given_minor``: the notes that the customer put down; the rest was change."""

    receipt = models.ForeignKey(Receipt, on_delete=models.CASCADE, related_name="tenders")
    kind = models.CharField(max_length=10, choices=choices_of(TenderKind))
    amount_minor = models.BigIntegerField()
    given_minor = models.BigIntegerField()

    class Meta:
        verbose_name = _("money of a receipt")
        verbose_name_plural = _("money of receipts")
        constraints = [
            models.CheckConstraint(
                name="tender_is_sound", condition=Q(amount_minor__gt=0, given_minor__gte=F("amount_minor"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor}"


class Shortfall(models.Model):
    """Pieces on a receipt that the ledger did not have. Somebody of the shop says what became of them."""

    line = models.OneToOneField(ReceiptLine, on_delete=models.CASCADE, related_name="shortfall")
    quantity = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=choices_of(Outcome), blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    order = models.OneToOneField(Order, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    shift = models.ForeignKey(
        Shift,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="repaid",
        help_text="out of whose drawer it was repaid",
    )

    class Meta:
        verbose_name = _("shortfall")
        verbose_name_plural = _("shortfalls")
        constraints = [
            models.CheckConstraint(name="shortfall_is_something", condition=Q(quantity__gt=0)),
            models.CheckConstraint(
                name="shortfall_is_open_or_settled",
                condition=Q(outcome="", settled_at=None) | (~Q(outcome="") & Q(settled_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.line_id}"
