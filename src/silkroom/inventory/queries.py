"""Reads of the ledger. Functions that take a cursor also serve processes without the ORM."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from silkroom.journal.queries import Cursor
from silkroom.shops.models import Place, Shop
from silkroom.shops.states import PlaceKind

from .errors import PlaceUnusable
from .models import Lease, Movement
from .rules import undo_of


@dataclass(frozen=True)
class Stock:
    """An item at a place. free = on_hand - held - leased."""

    item_id: int
    place_id: int
    on_hand: int
    held: int
    leased: int

    @property
    def free(self) -> int:
        return self.on_hand - self.held - self.leased


@dataclass(frozen=True)
class Difference:
    """Something that does not add up: see `differences`."""

    what: str
    item_id: int
    place_id: int
    kept: int
    counted: int


@contextmanager
def cursor_or_own(cursor: Cursor | None) -> Iterator[Cursor]:
    """The given cursor, or one of Django's connection."""
    if cursor is not None:
        yield cursor
        return
    with connection.cursor() as own:
        yield own


_SELLABLE = """
    SELECT s.item_id, sum(s.on_hand - s.held - s.leased)::bigint
    FROM inventory_sellable s JOIN shops_place p ON p.id = s.place_id
    WHERE s.item_id = ANY(%s) AND CASE WHEN %s::bigint[] IS NULL THEN p.sells_online ELSE p.id = ANY(%s) END
    GROUP BY s.item_id
"""


def sellable_quantities(
    *, item_ids: Sequence[int], place_ids: Sequence[int] | None = None, cursor: Cursor | None = None
) -> dict[int, int]:
    """Free pieces of each item, over all places that sell online, or over the given places. One query."""
    if not item_ids:
        return {}
    places = None if place_ids is None else list(place_ids)
    with cursor_or_own(cursor) as using:
        using.execute(_SELLABLE, (list(item_ids), places, places))
        found = dict(using.fetchall())
    return {item_id: found.get(item_id, 0) for item_id in item_ids}


_STOCK = """
    SELECT s.item_id, s.place_id, s.on_hand, s.held, s.leased
    FROM inventory_sellable s JOIN shops_place p ON p.id = s.place_id
    WHERE p.shop_id = %s AND s.item_id = ANY(%s) ORDER BY s.item_id, p.priority, p.id
"""


def stock_of_items(*, shop_id: int, item_ids: Sequence[int]) -> list[Stock]:
    """Where the items lie, place by place; places that never had one are left out. One query."""
    if not item_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_STOCK, (shop_id, list(item_ids)))
        return [Stock(*row) for row in cursor.fetchall()]


def movements_of_shop(*, shop_id: int, item_id: int | None = None) -> QuerySet[Movement]:
    """What went where, newest first."""
    movements = Movement.objects.filter(item__shop_id=shop_id).select_related("item", "lot", "from_place", "to_place")
    if item_id is not None:
        movements = movements.filter(item_id=item_id)
    return movements.order_by("-id")


def is_taken_back(*, shop: Shop, source: str) -> bool:
    """Whether what ``source`` moved has been moved back."""
    return Movement.objects.filter(item__shop=shop, source=undo_of(source)).exists()


def outside_place(*, shop_id: int, kind: PlaceKind) -> Place:
    """The shop's place of this kind outside (supplier, customer …). Raises PlaceUnusable when the shop has none."""
    place = Place.objects.filter(shop_id=shop_id, kind=kind, is_outside=True).order_by("id").first()
    if place is None:
        raise PlaceUnusable
    return place


_DIFFERENCES = """
    WITH legs AS (
        SELECT item_id, to_place_id AS place_id, lot_id, quantity FROM inventory_movement
        UNION ALL SELECT item_id, from_place_id, lot_id, -quantity FROM inventory_movement
    ), moved AS (
        SELECT legs.item_id, legs.place_id, legs.lot_id, sum(legs.quantity)::bigint AS quantity FROM legs
        JOIN shops_place p ON p.id = legs.place_id AND NOT p.is_outside GROUP BY 1, 2, 3
    ), on_hand AS (
        SELECT item_id, place_id, sum(quantity)::bigint AS quantity FROM moved GROUP BY 1, 2
    ), held AS (
        SELECT item_id, place_id, sum(quantity)::bigint AS quantity
        FROM inventory_hold WHERE state = 'open' GROUP BY 1, 2
    ), leased AS (
        SELECT item_id, place_id, sum(quantity)::bigint AS quantity FROM inventory_lease GROUP BY 1, 2
    )
    SELECT 'balance', coalesce(b.item_id, m.item_id), coalesce(b.place_id, m.place_id),
           coalesce(b.quantity, 0), coalesce(m.quantity, 0)
    FROM inventory_balance b FULL JOIN moved m
        ON m.item_id = b.item_id AND m.place_id = b.place_id AND m.lot_id IS NOT DISTINCT FROM b.lot_id
    WHERE coalesce(b.quantity, 0) <> coalesce(m.quantity, 0)
    UNION ALL
    SELECT 'on hand', coalesce(s.item_id, m.item_id), coalesce(s.place_id, m.place_id),
           coalesce(s.on_hand, 0), coalesce(m.quantity, 0)
    FROM inventory_sellable s FULL JOIN on_hand m ON m.item_id = s.item_id AND m.place_id = s.place_id
    WHERE coalesce(s.on_hand, 0) <> coalesce(m.quantity, 0)
    UNION ALL
    SELECT 'held', coalesce(s.item_id, h.item_id), coalesce(s.place_id, h.place_id),
           coalesce(s.held, 0), coalesce(h.quantity, 0)
    FROM inventory_sellable s FULL JOIN held h ON h.item_id = s.item_id AND h.place_id = s.place_id
    WHERE coalesce(s.held, 0) <> coalesce(h.quantity, 0)
    UNION ALL
    SELECT 'leased', coalesce(s.item_id, l.item_id), coalesce(s.place_id, l.place_id),
           coalesce(s.leased, 0), coalesce(l.quantity, 0)
    FROM inventory_sellable s FULL JOIN leased l ON l.item_id = s.item_id AND l.place_id = s.place_id
    WHERE coalesce(s.leased, 0) <> coalesce(l.quantity, 0)
"""


def differences(*, cursor: Cursor | None = None) -> list[Difference]:
    """Where kept numbers differ from their sources: on hand and balances from movements, held from open holds,
    leased from leases.

    Empty, always; `silkroom doctor` and the tests ask. Reads every movement: not for pages.
    """
    with cursor_or_own(cursor) as using:
        using.execute(_DIFFERENCES, ())
        return [Difference(*row) for row in using.fetchall()]


def leases_of(*, holder: str) -> dict[int, int]:
    """{item: pieces booked to this holder}."""
    rows = Lease.objects.filter(holder=holder, quantity__gt=0).values_list("item_id", "quantity")
    return dict(rows)


def free_pieces(cursor: Cursor, item_ids: Sequence[int]) -> dict[int, int]:
    """`sellable_quantities` through a cursor that is at hand: the gateway has no ORM."""
    return sellable_quantities(item_ids=item_ids, cursor=cursor)
