"""The show: who, what, when; its running order; its recording."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.catalog.models import Style
from silkroom.kit.choices import choices_of
from silkroom.kit.ids import make_code
from silkroom.shops.models import Shop

from .states import BroadcastState


class Broadcast(models.Model):
    """A show. ``last_sequence`` numbers the events of its room and is moved only with them."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="broadcasts")
    code = models.CharField(max_length=10, unique=True, default=make_code, editable=False)
    title = models.CharField(max_length=80)
    host = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    cover = models.FileField(upload_to="covers/", blank=True)
    state = models.CharField(max_length=12, choices=choices_of(BroadcastState), default=BroadcastState.PLANNED)
    planned_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_sequence = models.BigIntegerField(default=0, editable=False)
    recording = models.CharField(max_length=200, blank=True, help_text="name in the storage, once it is finished")
    recording_missing = models.BooleanField(
        default=False, help_text="the show was on air, and no video of it was found when it ended"
    )
    recording_seconds = models.PositiveIntegerField(null=True, blank=True)
    recording_pieces = models.JSONField(
        default=list,
        blank=True,
        help_text="[[moment, position, duration]] in milliseconds: where in the file a moment of the show lies",
    )

    class Meta:
        verbose_name = _("show")
        verbose_name_plural = _("shows")
        indexes = [
            models.Index(fields=["shop", "state"], name="broadcast_by_state"),
            models.Index(fields=["state"], name="broadcast_running", condition=~models.Q(state="ended")),
        ]

    def __str__(self) -> str:
        return self.title


class RunningOrderItem(models.Model):
    """A style's turn in the show."""

    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="running_order")
    style = models.ForeignKey(Style, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("style of a running order")
        verbose_name_plural = _("styles of running orders")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["broadcast", "style"], name="style_once_in_a_show")]

    def __str__(self) -> str:
        return f"{self.position}. {self.style_id}"
