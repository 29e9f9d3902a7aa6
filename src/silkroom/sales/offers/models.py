"""A price for a window of time: with a cap on pieces and a limit a person, both counted by the order desk."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.catalog.models import Style
from silkroom.shops.models import Shop


class Offer(models.Model):
    """All variants of a style for ``price_minor``, from ``starts_at`` to ``ends_at``, while the cap lasts.

    ``channel`` is where it holds: an order must come from the same ("broadcast:K7…"); empty: everywhere.
    """

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="offers")
    style = models.ForeignKey(Style, on_delete=models.CASCADE, related_name="offers")
    price_minor = models.BigIntegerField()
    piece_cap = models.PositiveIntegerField(null=True, blank=True)
    person_limit = models.PositiveIntegerField(null=True, blank=True)
    taken = models.PositiveIntegerField(default=0)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    channel = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.CheckConstraint(name="offer_price_is_positive", condition=Q(price_minor__gt=0)),
            models.CheckConstraint(name="offer_window", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="offer_cap_holds", condition=Q(piece_cap__isnull=True) | Q(taken__lte=F("piece_cap"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.style_id}: {self.price_minor}"


class OfferUse(models.Model):
    """How many pieces of an offer a person has taken; the limit is copied here so that a CHECK can hold it."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="uses")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(default=0)
    person_limit = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name = _("use of an offer")
        verbose_name_plural = _("uses of offers")
        constraints = [
            models.UniqueConstraint(fields=["offer", "person"], name="one_use_a_person"),
            models.CheckConstraint(
                name="person_limit_holds",
                condition=Q(person_limit__isnull=True) | Q(quantity__lte=F("person_limit")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.quantity}"
