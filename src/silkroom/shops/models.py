"""Merchants, their staff and places: the scope that every merchant table starts from."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.kit.choices import choices_of
from silkroom.kit.ids import make_code

from .rules import is_currency, is_time_zone
from .states import PlaceKind, Role


def check_currency(code: str) -> None:
    """For the admin pages. Raises ValidationError."""
    if not is_currency(code):
        raise ValidationError(_("This currency is not known."))


def check_time_zone(name: str) -> None:
    """For the admin pages: a zone that does not exist would break every page of the shop. Raises ValidationError."""
    if not is_time_zone(name):
        raise ValidationError(_("This time zone is not known."))


class Shop(models.Model):
    """A brand that sells here. ``slug`` is in its address; ``region_code`` is GB/T 2260 (six digits).

    ``logo`` is the widest rendition of a picture, as those of styles; ``contact``: how buyers reach the shop.
    """

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60, blank=True)
    about = models.TextField(max_length=2000, blank=True)
    region_code = models.CharField(max_length=6)
    contact = models.CharField(max_length=120, blank=True, default="")
    currency = models.CharField(max_length=3, default="CNY", validators=[check_currency])
    time_zone = models.CharField(max_length=40, default="Asia/Shanghai", validators=[check_time_zone])
    logo = models.FileField(upload_to="shops/", blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shops")

    def __str__(self) -> str:
        return self.name


class Staff(models.Model):
    """A person's role in a shop."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="staff")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="staff_roles")
    role = models.CharField(max_length=12, choices=choices_of(Role))
    joined_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        constraints = [models.UniqueConstraint(fields=["shop", "person"], name="one_role_in_a_shop")]

    def __str__(self) -> str:
        return f"{self.person} ({self.role})"


class Invitation(models.Model):
    """A link that makes whoever opens it a member of staff, once. Only a hash of its secret is kept."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=12, choices=choices_of(Role))
    contact = models.CharField(max_length=254, help_text="e-mail or phone it was sent to")
    secret_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return f"{self.contact} ({self.role})"


class Place(models.Model):
    """Where goods are, inside the shop or outside of it."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="places")
    code = models.CharField(max_length=10, unique=True, default=make_code, editable=False)
    kind = models.CharField(max_length=20, choices=choices_of(PlaceKind))
    name = models.CharField(max_length=60)
    is_outside = models.BooleanField(default=False)
    sells_online = models.BooleanField(default=False, help_text="web and show sell from here")
    priority = models.SmallIntegerField(default=0, help_text="the smallest is emptied first")

    class Meta:
        verbose_name = _("place")
        verbose_name_plural = _("places")
        constraints = [
            models.UniqueConstraint(fields=["shop", "name"], name="place_name_in_shop"),
            models.CheckConstraint(
                name="outside_sells_nothing", condition=models.Q(is_outside=False) | models.Q(sells_online=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name
