"""The log of a room: every event in order. It is the truth of the room; snapshots are folds of it."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.live.broadcasts.models import Broadcast


class RoomEvent(models.Model):
    """Event ``sequence`` of a broadcast's room."""

    pk = models.CompositePrimaryKey("broadcast_id", "sequence")
    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="events")
    sequence = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    data = models.JSONField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("event of a room")
        verbose_name_plural = _("events of rooms")
        indexes = [
            # Few rows: lets a pin find out whether the words are hidden without reading the whole log.
            models.Index(
                fields=["broadcast"], name="hidden_in_room", condition=models.Q(kind__in=["hidden", "unhidden"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.broadcast_id}/{self.sequence} {self.kind}"


class RoomCheckpoint(models.Model):
    """The fold up to event ``sequence``: folding may start here, so late joiners do not wait for the whole log."""

    broadcast = models.OneToOneField(Broadcast, on_delete=models.CASCADE, primary_key=True, related_name="checkpoint")
    sequence = models.BigIntegerField()
    state = models.JSONField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("checkpoint of a room")
        verbose_name_plural = _("checkpoints of rooms")

    def __str__(self) -> str:
        return f"{self.broadcast_id} @ {self.sequence}"
