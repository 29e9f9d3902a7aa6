"""A deal: an offer on air."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.catalog.models import Style
from silkroom.live.broadcasts.models import Broadcast
from silkroom.sales.models import Offer


class PreparedDeal(models.Model):
    """A deal made ready before the show, so that launching takes two taps. Launching makes an offer of it."""

    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="prepared_deals")
    style = models.ForeignKey(Style, on_delete=models.CASCADE, related_name="+")
    price_minor = models.BigIntegerField()
    piece_cap = models.PositiveIntegerField(null=True, blank=True)
    person_limit = models.PositiveIntegerField(null=True, blank=True)
    seconds = models.PositiveIntegerField(default=300)

    class Meta:
        verbose_name = _("prepared deal")
        verbose_name_plural = _("prepared deals")

    def __str__(self) -> str:
        return f"{self.style_id}: {self.price_minor}"


class Deal(models.Model):
    """An offer that was launched in a show, and by whom."""

    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="deals")
    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="+")
    launched_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    launched_at = models.DateTimeField(db_default=Now(), editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("deal")
        verbose_name_plural = _("deals")

    def __str__(self) -> str:
        return f"{self.broadcast_id}: {self.offer_id}"
