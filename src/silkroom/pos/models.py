"""Tills of stores: the device that is one, its shifts."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.kit.choices import choices_of
from silkroom.kit.ids import make_code
from silkroom.shops.models import Place, Shop
from silkroom.shops.states import Role


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
