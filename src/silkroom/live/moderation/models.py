"""Who may not speak in a shop's rooms, and who decided so."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.live.broadcasts.models import Broadcast


class Mute(models.Model):
    """A person may not write in a show. Lifting it sets ``lifted_at``: nothing is deleted."""

    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="mutes")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    muted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    muted_at = models.DateTimeField(db_default=Now(), editable=False)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("muted person")
        verbose_name_plural = _("muted people")
        constraints = [
            models.UniqueConstraint(
                fields=["broadcast", "person"], name="muted_once", condition=models.Q(lifted_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.broadcast_id}"


class Newcomer(models.Model):
    """A guest who chose a name in a show, for a day: where somebody was muted, new names come slowly.
    ``place`` is a digest of the show and the network address, of no use for anything else."""

    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=24)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("newcomer")
        verbose_name_plural = _("newcomers")
        indexes = [
            models.Index(fields=["broadcast", "place", "at"], name="newcomers_of_place"),
            models.Index(fields=["at"], name="newcomers_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.broadcast_id}"
