"""THE LEDGER. Movements are the truth; balances and sellable rows are kept beside them by a trigger.

``Sellable`` is the hot row: what may be promised of an item at a place. Its CHECK refuses to oversell, whoever writes.
Movements are append-only (a trigger refuses the rest); see ``migrations/0002_ledger.py`` for the triggers.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from silkroom.kit.choices import choices_of
from silkroom.shops.models import Place, Shop

from .states import HoldState, Unit


class Item(models.Model):
    """Something that can be counted. The ledger does not know what it is sold as."""

    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="items")
    code = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    unit = models.CharField(max_length=10, choices=choices_of(Unit), default=Unit.PIECE)

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        constraints = [models.UniqueConstraint(fields=["shop", "code"], name="item_code_in_shop")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Lot(models.Model):
    """Pieces of an item that were made or bought together."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="lots")
    code = models.CharField(max_length=60)
    made_on = models.DateField(null=True, blank=True)

    class Meta:
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        constraints = [models.UniqueConstraint(fields=["item", "code"], name="lot_code_of_item")]

    def __str__(self) -> str:
        return self.code


class Movement(models.Model):
    """``quantity`` went ``from_place`` ``to_place`` because of ``source`` ("order:K7…", "count:12"). Never edited."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="movements")
    lot = models.ForeignKey(Lot, null=True, blank=True, on_delete=models.PROTECT, related_name="movements")
    quantity = models.BigIntegerField()
    from_place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="movements_from")
    to_place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="movements_to")
    source = models.CharField(max_length=80)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("movement")
        verbose_name_plural = _("movements")
        constraints = [
            models.CheckConstraint(name="movement_moves_something", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="movement_goes_elsewhere", condition=~Q(from_place=F("to_place"))),
        ]
        indexes = [models.Index(fields=["item", "at"]), models.Index(fields=["source"])]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item_id}: {self.from_place_id} → {self.to_place_id}"


class Balance(models.Model):
    """How much of an item (and lot) lies at an inside place: the sum of its movements, kept by the trigger."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="balances")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="balances")
    lot = models.ForeignKey(Lot, null=True, on_delete=models.PROTECT, related_name="balances")
    quantity = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("balance")
        verbose_name_plural = _("balances")
        constraints = [
            models.UniqueConstraint(fields=["item", "place", "lot"], name="one_balance", nulls_distinct=False),
            models.CheckConstraint(name="balance_is_not_negative", condition=Q(quantity__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item_id} @ {self.place_id}"


class Sellable(models.Model):
    """What of an item may be promised at an inside place. Free to sell = on_hand - held - leased."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="sellable")
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="sellable")
    on_hand = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    leased = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("sellable")
        verbose_name_plural = _("sellable")
        constraints = [
            models.UniqueConstraint(fields=["item", "place"], name="one_sellable_row"),
            models.CheckConstraint(
                name="never_oversold",
                condition=Q(held__gte=0) & Q(leased__gte=0) & Q(on_hand__gte=F("held") + F("leased")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} @ {self.place_id}: {self.on_hand} - {self.held} - {self.leased}"


class Lease(models.Model):
    """Pieces booked to somebody who sells them without asking: ``holder`` names itself ("till:K7…").

    ``leased`` of the sellable row is the sum of these.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="leases", db_index=False)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="leases", db_index=False)
    holder = models.CharField(max_length=80)
    quantity = models.BigIntegerField()

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")
        constraints = [
            models.UniqueConstraint(fields=["holder", "place", "item"], name="one_lease"),
            models.CheckConstraint(name="lease_is_not_negative", condition=Q(quantity__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item_id} for {self.holder}"


class Hold(models.Model):
    """Pieces promised to somebody until ``lapses_at``; not while ``paying_until`` lies ahead."""

    # Every index is written in a sale: holds are only looked for by source, or, while open, by item. No constraint in
    # the database: whoever takes a hold has the sellable row of this item and place locked, and that row has both.
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="holds", db_index=False, db_constraint=False)
    place = models.ForeignKey(
        Place, on_delete=models.PROTECT, related_name="holds", db_index=False, db_constraint=False
    )
    quantity = models.BigIntegerField()
    source = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=choices_of(HoldState), default=HoldState.OPEN)
    taken_at = models.DateTimeField(db_default=Now(), editable=False)
    lapses_at = models.DateTimeField()
    paying_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [models.CheckConstraint(name="hold_holds_something", condition=Q(quantity__gt=0))]
        indexes = [
            models.Index(fields=["item", "lapses_at"], name="hold_open_by_item", condition=Q(state="open")),
            models.Index(fields=["source"], name="hold_by_source"),
            # Few at a time: lapsing asks for these, not for all that are open.
            models.Index(fields=["paying_until"], name="hold_being_paid", condition=Q(paying_until__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item_id} for {self.source}"
