"""Tables of the journal."""

from __future__ import annotations

from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

CURRENT_TRANSACTION = RawSQL("(pg_current_xact_id()::text::bigint)", ())


class Entry(models.Model):
    """One fact, written in the transaction that made it true. Append-only: a trigger refuses everything else."""

    id = models.BigAutoField(primary_key=True)
    transaction = models.BigIntegerField(db_default=CURRENT_TRANSACTION, editable=False)
    kind = models.CharField(max_length=60)
    shop = models.BigIntegerField(
        null=True, help_text="id of the shop; the journal lies below shops and has no foreign key"
    )
    data = models.JSONField()
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        indexes = [models.Index(fields=["transaction", "id"], name="journal_position")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"


class Reader(models.Model):
    """How far a named consumer has read."""

    name = models.CharField(max_length=60, primary_key=True)
    transaction = models.BigIntegerField(default=0)
    entry = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("journal reader")
        verbose_name_plural = _("journal readers")

    def __str__(self) -> str:
        return self.name
