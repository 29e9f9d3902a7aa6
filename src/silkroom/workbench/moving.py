"""The page on which pieces of a style move between places: one table of colours and sizes, read from one form.

Inputs are named ``pieces-17`` (variant 17). What was typed is kept as text, so that an error loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext, ngettext

from silkroom.catalog.models import Colour, Size, Style, Variant
from silkroom.catalog.queries import VariantFacts
from silkroom.inventory.queries import Stock
from silkroom.inventory.services import Pieces
from silkroom.shops.models import Place

LARGEST_MOVE = 1_000_000


@dataclass
class MoveCell:
    """A variant: what lies free where the pieces come from, and how many shall go."""

    variant: Variant
    free: int
    there: int
    typed: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        return f"pieces-{self.variant.pk}"


@dataclass
class MoveSheet:
    """The table. ``rows``: for each colour a cell, or None, in the order of the sizes."""

    style: Style
    start: Place
    end: Place
    sizes: Sequence[Size]
    rows: list[tuple[Colour, list[MoveCell | None]]]
    error: str = field(default="")

    @property
    def cells(self) -> list[MoveCell]:
        return [cell for _, cells in self.rows for cell in cells if cell]

    @property
    def free(self) -> int:
        return sum(cell.free for cell in self.cells)

    @property
    def is_valid(self) -> bool:
        return not self.error and not any(cell.error for cell in self.cells)

    def pieces(self) -> list[Pieces]:
        """What shall move; [] with errors beside the numbers. How many may go is the ledger's to say, under its lock:
        a form sent twice would else be told that its own pieces are gone."""
        wanted = []
        for cell in self.cells:
            if not cell.typed:
                continue
            quantity = _number(cell.typed)
            if quantity is None or quantity > LARGEST_MOVE:
                cell.error = gettext("Enter a whole number.")
            elif quantity:
                wanted.append(Pieces(cell.variant.item_id, quantity))
        if self.is_valid and not wanted:
            self.error = gettext("Enter how many pieces move.")
        return wanted if self.is_valid else []

    def refuse(self, item_id: int, left: int) -> None:
        """The ledger has fewer pieces of this item; say so also of all others that ask for too many."""
        for cell in self.cells:
            if cell.variant.item_id == item_id:
                cell.free = left
            if (_number(cell.typed) or 0) > cell.free:
                cell.error = _only_free(cell.free)


def _only_free(free: int) -> str:
    return ngettext("Only %(free)s is free here.", "Only %(free)s are free here.", free) % {"free": free}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 15 else None


def sheet_of(
    style: Style,
    facts: VariantFacts,
    stock: Mapping[tuple[int, int], Stock],
    *,
    start: Place,
    end: Place,
    typed: QueryDict | None = None,
) -> MoveSheet:
    """The table of a style between two places; ``stock`` by (item, place); ``typed``: as it was sent."""

    def cell(colour: Colour, size: Size) -> MoveCell | None:
        variant = facts.variants.get((colour.pk, size.pk))
        if variant is None:
            return None
        here, there = (stock.get((variant.item_id, place.pk)) for place in (start, end))
        made = MoveCell(variant, here.free if here else 0, there.on_hand if there else 0)
        if typed is not None:
            made.typed = str(typed.get(made.name, "")).strip()[:20]
        return made

    rows = [(colour, [cell(colour, size) for size in facts.sizes]) for colour in facts.colours]
    return MoveSheet(style, start, end, facts.sizes, rows)


def usual_places(
    places: Sequence[Place], facts: VariantFacts, stock: Mapping[tuple[int, int], Stock]
) -> tuple[Place, Place]:
    """From where most free pieces lie, to the first other place. ``places``: at least two."""
    items = {variant.item_id for variant in facts.variants.values()}

    def free(place: Place) -> int:
        return sum(one.free for (item, at), one in stock.items() if at == place.pk and item in items)

    start = max(places, key=free)
    return start, next(place for place in places if place.pk != start.pk)
