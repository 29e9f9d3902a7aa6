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
