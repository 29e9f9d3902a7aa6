"""Questions that viewers ask and whether the host has answered."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.catalog.models import Style
from silkroom.live.broadcasts.models import Broadcast


class Question(models.Model):
    """``delay_ms``: how far behind the host the asker's picture was. ``answered_media_ms``: where in the show."""

    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="questions")
    sequence = models.BigIntegerField(help_text="number of the room event that asked")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    text = models.CharField(max_length=300)
    style = models.ForeignKey(Style, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    delay_ms = models.PositiveIntegerField(null=True, blank=True)
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_media_ms = models.PositiveBigIntegerField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        constraints = [models.UniqueConstraint(fields=["broadcast", "sequence"], name="question_of_event")]

    def __str__(self) -> str:
        return self.text
