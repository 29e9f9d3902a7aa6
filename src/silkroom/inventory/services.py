"""Writes of the ledger: movements, counts and holds. The caller's transaction is the ledger's transaction.

Rows are locked once, sorted by (item, place), before they are looked at. What changes the number of pieces that may be
sold is told to the journal as ``stock.changed`` ``{"items": [ids]}``, unless the caller's own entry names the items.
What goes from place to place is told as ``stock.moved`` ``{"items", "from", "to", "source"}``, whether it is sold there
or not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import IntegrityError, transaction

from silkroom.accounts.models import Person
from silkroom.journal.queries import Cursor
from silkroom.journal.services import News, append_entries, append_entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.shops.models import Place, Shop
from silkroom.shops.states import PlaceKind

from .errors import (
    CountBelowPromised,
    HoldEnded,
    ItemCodeTaken,
    ItemUnusable,
    NotEnoughStock,
    PlaceUnusable,
    QuantityUnusable,
    TakenBackAlready,
)
from .models import Balance, Item, Lease, Lot, Movement, Sellable
from .queries import cursor_or_own, outside_place
from .rules import LARGEST_QUANTITY, LotPieces, choose_place, spread_over_lots, undo_of
from .states import HoldState, Unit

STOCK_CHANGED = "stock.changed"
STOCK_MOVED = "stock.moved"


@dataclass(frozen=True)
class Pieces:
    """So many of an item, of a lot if it matters."""

    item_id: int
    quantity: int
    lot_id: int | None = None


@dataclass(frozen=True)
class Count:
    """What somebody counted of an item (and lot) at a place."""

    item_id: int
    counted: int
    lot_id: int | None = None


@dataclass(frozen=True)
class HoldRequest:
    """Pieces to be held. ``place_id`` None: wherever the shop sells online, by priority."""

    item_id: int
    quantity: int
    source: str
    lapses_at: datetime
    place_id: int | None = None


@dataclass(frozen=True)
class HeldPieces:
    """A hold that was taken or ended."""

    hold_id: int
    item_id: int
    place_id: int
    quantity: int
    source: str


# --- items ----------------------------------------------------------------------------------------


def create_item(*, shop: Shop, code: str, name: str, unit: Unit = Unit.PIECE) -> Item:
    """A new thing to be counted. Raises ItemCodeTaken."""
    try:
        with transaction.atomic():
            return Item.objects.create(shop=shop, code=code, name=name, unit=unit)
    except IntegrityError:
        raise ItemCodeTaken(item_code=code) from None


def create_lot(*, item: Item, code: str, made_on: date | None = None) -> Lot:
    """Pieces made or bought together get a lot. Raises ItemCodeTaken when the item has one of this code."""
    try:
        with transaction.atomic():
            return Lot.objects.create(item=item, code=code, made_on=made_on)
    except IntegrityError:
        raise ItemCodeTaken(item_code=code) from None


# --- movements ------------------------------------------------------------------------------------


def receive_stock(
    *,
    shop: Shop,
    place: Place,
    pieces: Sequence[Pieces],
    source: str,
    origin: PlaceKind = PlaceKind.SUPPLIER,
    person: Person | None = None,
) -> None:
    """Pieces arrive from outside at an inside place."""
    _check_pieces(shop, pieces)
    _check_places(shop, place)
    if place.is_outside:
        raise PlaceUnusable
    start = outside_place(shop_id=shop.pk, kind=origin)
    _write_movements([(one, start.pk, place.pk) for one in pieces], source=source, person=person)
    _tell(shop, place, items={one.item_id for one in pieces})


def move_stock(
    *,
    shop: Shop,
    from_place: Place,
    to_place: Place,
    pieces: Sequence[Pieces],
    source: str,
    person: Person | None = None,
) -> None:
    """Free pieces go from one place to another (inside, or out to scrap). Raises NotEnoughStock: held ones stay."""
    _check_pieces(shop, pieces)
    _check_places(shop, from_place, to_place)
    if from_place.is_outside or from_place.pk == to_place.pk:
        raise PlaceUnusable
    items = {one.item_id for one in pieces}
    places = [place.pk for place in (from_place, to_place) if not place.is_outside]
    rows = {(row.item_id, row.place_id): row for row in _lock_sellable(items, places)}
    for item_id in items:
        wanted = sum(one.quantity for one in pieces if one.item_id == item_id)
        row = rows.get((item_id, from_place.pk))
        left = row.on_hand - row.held - row.leased if row else 0
        if wanted > left:
            raise NotEnoughStock(item=item_id, left=left)
    named = _name_lots(pieces, from_place.pk)
    _write_movements([(one, from_place.pk, to_place.pk) for one in named], source=source, person=person)
    moved = {"items": sorted(items), "from": from_place.code, "to": to_place.code, "source": source}
    append_entry(kind=STOCK_MOVED, shop_id=shop.pk, data=moved)


def take_back(*, shop: Shop, source: str, person: Person | None = None) -> None:
    """Undo all that ``source`` has moved, by movements the other way of the same lots; once.

    Raises NotFound when it moved nothing, TakenBackAlready, NotEnoughStock when pieces have gone or are promised since.
    """
    done = list(
        Movement.objects.filter(item__shop=shop, source=source).select_related("from_place", "to_place").order_by("id")
    )
    if not done:
        raise NotFound
    items = {one.item_id for one in done}
    inside = {place.pk for one in done for place in (one.from_place, one.to_place) if not place.is_outside}
    rows = {(row.item_id, row.place_id): row for row in _lock_sellable(items, sorted(inside))}
    # Under the lock: the second of two who take back finds what the first has written.
    if Movement.objects.filter(item__shop=shop, source=undo_of(source)).exists():
        raise TakenBackAlready
    lots = _lots_at(list(rows))
    for one in done:
        here = (one.item_id, one.to_place_id)
        if one.to_place.is_outside:
            continue
        row = rows[here]
        if one.quantity > row.on_hand - row.held - row.leased:
            raise NotEnoughStock(item=one.item_id, left=row.on_hand - row.held - row.leased)
        row.on_hand -= one.quantity
        lots[here] = _without(lots.get(here, []), Pieces(one.item_id, one.quantity, one.lot_id))
    back = [(Pieces(one.item_id, one.quantity, one.lot_id), one.to_place_id, one.from_place_id) for one in done]
    _write_movements(back, source=undo_of(source), person=person)
    append_entry(kind=STOCK_MOVED, shop_id=shop.pk, data={"items": sorted(items), "source": undo_of(source)})


def record_count(
    *, shop: Shop, place: Place, counts: Sequence[Count], source: str, person: Person | None = None
) -> dict[int, int]:
    """Somebody counted: the difference to what the ledger thought becomes a movement. Returns {item: difference}.

    Raises CountBelowPromised when fewer were counted than are promised to buyers.
    """
    if any(not 0 <= one.counted <= LARGEST_QUANTITY for one in counts):
        raise QuantityUnusable(most=LARGEST_QUANTITY)
    _check_items(shop, [(one.item_id, one.lot_id) for one in counts])
    _check_places(shop, place)
    if place.is_outside:
        raise PlaceUnusable
    _check_counted_once(counts)
    items = {one.item_id for one in counts}
    # The rows must exist to be locked, or two first counts would both add.
    Sellable.objects.bulk_create(
        [Sellable(item_id=item_id, place=place) for item_id in sorted(items)], ignore_conflicts=True
    )
    rows = {row.item_id: row for row in _lock_sellable(items, [place.pk])}
    changes = _count_changes(place, counts, rows)
    differences = dict.fromkeys(items, 0)
    for change in changes:
        differences[change.item_id] += change.quantity
    for item_id, difference in differences.items():
        row = rows[item_id]
        if row.on_hand + difference < row.held + row.leased:
            raise CountBelowPromised(item=item_id, promised=row.held + row.leased)
    if changes:
        beyond = outside_place(shop_id=shop.pk, kind=PlaceKind.COUNT_DIFFERENCE)
        found = [(one, beyond.pk, place.pk) for one in changes if one.quantity > 0]
        missing = [Pieces(one.item_id, -one.quantity, one.lot_id) for one in changes if one.quantity < 0]
        lost = _name_lots(missing, place.pk)
        _write_movements([*found, *((one, place.pk, beyond.pk) for one in lost)], source=source, person=person)
        _tell(shop, place, items={one.item_id for one in changes})
    return differences


def _check_counted_once(counts: Sequence[Count]) -> None:
    """An item is counted whole or by lots, and each once: else nobody could say what the numbers mean."""
    whole = {one.item_id for one in counts if one.lot_id is None}
    by_lot = {one.item_id for one in counts if one.lot_id is not None}
    if whole & by_lot or len({(one.item_id, one.lot_id) for one in counts}) < len(counts):
        raise ItemUnusable


def _count_changes(place: Place, counts: Sequence[Count], rows: dict[int, Sellable]) -> list[Pieces]:
    """What each count changes, signed; counts that agree are left out. Without a lot: all lots together."""
    lots = [one.lot_id for one in counts if one.lot_id is not None]
    of_lot = {
        (balance.item_id, balance.lot_id): balance.quantity
        for balance in Balance.objects.filter(place=place, lot_id__in=lots)
    }
    changes = []
    for one in counts:
        kept = rows[one.item_id].on_hand if one.lot_id is None else of_lot.get((one.item_id, one.lot_id), 0)
        if one.counted != kept:
            changes.append(Pieces(one.item_id, one.counted - kept, one.lot_id))
    return changes


def _check_pieces(shop: Shop, pieces: Sequence[Pieces]) -> None:
    if any(not 1 <= one.quantity <= LARGEST_QUANTITY for one in pieces):
        raise QuantityUnusable(most=LARGEST_QUANTITY)
    _check_items(shop, [(one.item_id, one.lot_id) for one in pieces])


def _check_items(shop: Shop, wanted: Sequence[tuple[int, int | None]]) -> None:
    items = {item_id for item_id, _lot in wanted}
    if Item.objects.filter(shop=shop, pk__in=items).count() != len(items):
        raise ItemUnusable
    lots = {(lot_id, item_id) for item_id, lot_id in wanted if lot_id is not None}
    if lots and set(Lot.objects.filter(pk__in=[lot for lot, _ in lots]).values_list("pk", "item_id")) != lots:
        raise ItemUnusable


def _check_places(shop: Shop, *places: Place) -> None:
    if any(place.shop_id != shop.pk for place in places):
        raise PlaceUnusable


def _lock_sellable(items: set[int], places: Sequence[int]) -> list[Sellable]:
    return list(
        Sellable.objects.select_for_update(no_key=True)
        .filter(item_id__in=items, place_id__in=places)
        .order_by("item_id", "place_id")
    )


def _name_lots(pieces: Sequence[Pieces], place_id: int) -> list[Pieces]:
    """Pieces without a lot come from the oldest lots at the place. The sellable rows are locked."""
    lots = _lots_at([(one.item_id, place_id) for one in pieces])
    named = [one for one in pieces if one.lot_id is not None]
    for one in named:
        lots[one.item_id, place_id] = _without(lots.get((one.item_id, place_id), []), one)
    nameless = [one for one in pieces if one.lot_id is None]
    for item_id in sorted({one.item_id for one in nameless}):
        wants = [one.quantity for one in nameless if one.item_id == item_id]
        for parts in spread_over_lots(wants, lots.get((item_id, place_id), [])):
            named.extend(Pieces(item_id, quantity, lot) for lot, quantity in parts)
    return named


def _without(lots: Sequence[LotPieces], taken: Pieces) -> list[LotPieces]:
    """The lots after ``taken``. Raises NotEnoughStock when its lot has less."""
    left = dict(lots)
    here = left.get(taken.lot_id, 0)
    if here < taken.quantity:
        raise NotEnoughStock(item=taken.item_id, left=here)
    left[taken.lot_id] = here - taken.quantity
    return [(lot, pieces) for lot, pieces in left.items() if pieces]


_LOTS = """
    SELECT b.item_id, b.place_id, b.lot_id, b.quantity
    FROM unnest(%s::bigint[], %s::bigint[]) AS wanted(item, place)
    JOIN inventory_balance b ON b.item_id = wanted.item AND b.place_id = wanted.place AND b.quantity > 0
    LEFT JOIN inventory_lot l ON l.id = b.lot_id
    ORDER BY l.made_on NULLS FIRST, b.lot_id NULLS FIRST
"""


def _lots_at(rows: Collection[tuple[int, int]], cursor: Cursor | None = None) -> dict[tuple[int, int], list[LotPieces]]:
    """Lots with pieces by (item, place), the oldest first; pieces of no lot before them. One query."""
    wanted = sorted(set(rows))
    with cursor_or_own(cursor) as using:
        using.execute(_LOTS, ([item for item, _ in wanted], [place for _, place in wanted]))
        found: dict[tuple[int, int], list[LotPieces]] = {}
        for item_id, place_id, lot_id, quantity in using.fetchall():
            found.setdefault((item_id, place_id), []).append((lot_id, quantity))
    return found


def _write_movements(moves: Sequence[tuple[Pieces, int, int]], *, source: str, person: Person | None) -> None:
    """One statement: the trigger brings balances and sellable rows along, sorted."""
    Movement.objects.bulk_create(
        [
            Movement(
                item_id=pieces.item_id,
                lot_id=pieces.lot_id,
                quantity=pieces.quantity,
                from_place_id=start,
                to_place_id=end,
                source=source,
                person=person,
            )
            for pieces, start, end in moves
        ]
    )


def _tell(shop: Shop, *places: Place, items: set[int]) -> None:
    if any(place.sells_online for place in places):
        append_entry(kind=STOCK_CHANGED, shop_id=shop.pk, data={"items": sorted(items)})


# --- holds ----------------------------------------------------------------------------------------

_LOCK_FREE = """
    SELECT s.item_id, s.place_id, s.on_hand - s.held - s.leased
    FROM inventory_sellable s JOIN shops_place p ON p.id = s.place_id
    WHERE s.item_id = ANY(%s) AND (p.sells_online OR p.id = ANY(%s))
    ORDER BY s.item_id, s.place_id FOR NO KEY UPDATE OF s
"""

_PRIORITIES = "SELECT id, priority FROM shops_place WHERE id = ANY(%s)"

_LOCK_ROWS = """
    SELECT s.id FROM inventory_sellable s
    JOIN unnest(%s::bigint[], %s::bigint[]) AS wanted(item, place)
        ON s.item_id = wanted.item AND s.place_id = wanted.place
    ORDER BY s.item_id, s.place_id FOR NO KEY UPDATE OF s
"""

_CHANGE_HELD = """
    UPDATE inventory_sellable s SET held = s.held + change.pieces
    FROM (SELECT item, place, sum(pieces)::bigint AS pieces
          FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS one(item, place, pieces)
          GROUP BY item, place) AS change
    WHERE s.item_id = change.item AND s.place_id = change.place
"""

_INSERT_HOLDS = """
    INSERT INTO inventory_hold (item_id, place_id, quantity, source, state, lapses_at)
    SELECT item, place, pieces, source, 'open', lapses_at
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[])
        WITH ORDINALITY AS new(item, place, pieces, source, lapses_at, turn) ORDER BY turn
    RETURNING id, item_id, place_id, quantity, source
"""

_OPEN_ROWS = "SELECT item_id, place_id FROM inventory_hold WHERE source = ANY(%s) AND state = 'open'"

_END_HOLDS = """
    UPDATE inventory_hold SET state = %s, ended_at = clock_timestamp(), paying_until = NULL
    WHERE source = ANY(%s) AND state = 'open' RETURNING id, item_id, place_id, quantity, source
"""

_SET_PAYING = "UPDATE inventory_hold SET paying_until = %s WHERE source = ANY(%s) AND state = 'open' RETURNING id"

_INSERT_MOVEMENTS = """
    INSERT INTO inventory_movement (item_id, lot_id, quantity, from_place_id, to_place_id, source, person_id)
    SELECT new.item, new.lot, new.pieces, new.place, beyond.id, new.source, %s
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])
        AS new(item, lot, pieces, place, source)
    JOIN inventory_item i ON i.id = new.item
    JOIN LATERAL (
        SELECT id FROM shops_place WHERE shop_id = i.shop_id AND kind = %s AND is_outside ORDER BY id LIMIT 1
    ) AS beyond ON true
    RETURNING id
"""


def take_holds(
    *, wants: Sequence[HoldRequest], cursor: Cursor | None = None, told_by_caller: bool = False
) -> list[HeldPieces]:
    """Hold all or none of what is wanted. Raises NotEnoughStock (all pieces of one want come from one place).

    ``told_by_caller``: the caller's own journal entry names the items.
    """
    if any(not 1 <= one.quantity <= LARGEST_QUANTITY for one in wants):
        raise QuantityUnusable(most=LARGEST_QUANTITY)
    with cursor_or_own(cursor) as using:
        places = _find_places(using, wants)
        items = [one.item_id for one in wants]
        pieces = [one.quantity for one in wants]
        using.execute(_CHANGE_HELD, (items, places, pieces))
        using.execute(
            _INSERT_HOLDS, (items, places, pieces, [one.source for one in wants], [one.lapses_at for one in wants])
        )
        held = [HeldPieces(*row) for row in using.fetchall()]
        if not told_by_caller:
            _tell_held(using, held)
    return held


def take_hold(
    *, item_id: int, quantity: int, source: str, lapses_at: datetime, place_id: int | None = None
) -> HeldPieces:
    """`take_holds` for one item."""
    return take_holds(wants=[HoldRequest(item_id, quantity, source, lapses_at, place_id)])[0]


def _find_places(cursor: Cursor, wants: Sequence[HoldRequest]) -> list[int]:
    """Lock what might serve, then choose a place for each want."""
    named = [one.place_id for one in wants if one.place_id is not None]
    cursor.execute(_LOCK_FREE, ([one.item_id for one in wants], named))
    free = {(item_id, place_id): pieces for item_id, place_id, pieces in cursor.fetchall()}
    cursor.execute(_PRIORITIES, (sorted({place_id for _, place_id in free}),))
    priorities = dict(cursor.fetchall())
    chosen = []
    for one in wants:
        rows = sorted(
            (priorities[place_id], place_id, pieces)
            for (item_id, place_id), pieces in free.items()
            if item_id == one.item_id
        )
        place = choose_place(one.quantity, [(place_id, pieces) for _, place_id, pieces in rows], one.place_id)
        if place is None:
            raise NotEnoughStock(item=one.item_id, left=max((pieces for _, _, pieces in rows), default=0))
        free[one.item_id, place] -= one.quantity
        chosen.append(place)
    return chosen


def release_holds(
    *,
    sources: Sequence[str],
    state: HoldState = HoldState.RELEASED,
    cursor: Cursor | None = None,
    told_by_caller: bool = False,
) -> list[HeldPieces]:
    """Give back the pieces of all open holds of these sources. ``state``: released or lapsed."""
    with cursor_or_own(cursor) as using:
        ended = _end_holds(using, sources, state)
        if not told_by_caller:
            _tell_held(using, ended)
    return ended


def release_hold(*, source: str) -> None:
    """Give back what one source holds. Raises HoldEnded when nothing is held any more."""
    if not release_holds(sources=[source]):
        raise HoldEnded


def convert_holds(
    *,
    sources: Sequence[str],
    to_kind: PlaceKind = PlaceKind.CUSTOMER,
    person_id: int | None = None,
    cursor: Cursor | None = None,
) -> list[HeldPieces]:
    """The held pieces leave for the shop's outside place of ``to_kind``, oldest lots first. Raises HoldEnded.

    What may be sold does not change by it, so the journal hears nothing: held falls, then on hand by the movement.
    """
    with cursor_or_own(cursor) as using:
        ended = _end_holds(using, sources, HoldState.CONVERTED)
        if not ended:
            raise HoldEnded
        moves = _spread(using, ended)
        using.execute(
            _INSERT_MOVEMENTS,
            (
                person_id,
                [hold.item_id for hold, _ in moves],
                [lot for _, (lot, _) in moves],
                [pieces for _, (_, pieces) in moves],
                [hold.place_id for hold, _ in moves],
                [hold.source for hold, _ in moves],
                to_kind,
            ),
        )
        if len(using.fetchall()) != len(moves):
            raise PlaceUnusable
    return ended


def _spread(cursor: Cursor, ended: Sequence[HeldPieces]) -> list[tuple[HeldPieces, LotPieces]]:
    """Which lots each hold's pieces come from."""
    lots = _lots_at([(one.item_id, one.place_id) for one in ended], cursor)
    moves: list[tuple[HeldPieces, LotPieces]] = []
    for row in sorted({(one.item_id, one.place_id) for one in ended}):
        holds = [one for one in ended if (one.item_id, one.place_id) == row]
        parts = spread_over_lots([one.quantity for one in holds], lots.get(row, []))
        moves.extend((hold, part) for hold, of_hold in zip(holds, parts, strict=True) for part in of_hold)
    return moves


def extend_for_payment(*, sources: Sequence[str], paying_until: datetime, cursor: Cursor | None = None) -> None:
    """The open holds cannot lapse before ``paying_until``. Raises HoldEnded when none is open."""
    with cursor_or_own(cursor) as using:
        using.execute(_SET_PAYING, (paying_until, list(sources)))
        if not using.fetchall():
            raise HoldEnded


def end_payment(*, sources: Sequence[str], cursor: Cursor | None = None) -> None:
    """The payment under way has failed: the holds lapse at their own time again."""
    with cursor_or_own(cursor) as using:
        using.execute(_SET_PAYING, (None, list(sources)))


def _end_holds(cursor: Cursor, sources: Sequence[str], state: HoldState) -> list[HeldPieces]:
    names = list(sources)
    cursor.execute(_OPEN_ROWS, (names,))
    rows = sorted(set(cursor.fetchall()))
    if not rows:
        return []
    cursor.execute(_LOCK_ROWS, ([item for item, _ in rows], [place for _, place in rows]))
    cursor.execute(_END_HOLDS, (state, names))
    ended = [HeldPieces(*row) for row in cursor.fetchall()]
    cursor.execute(
        _CHANGE_HELD,
        (
            [one.item_id for one in ended],
            [one.place_id for one in ended],
            [-one.quantity for one in ended],
        ),
    )
    return ended


_SHOPS = "SELECT id, shop_id FROM inventory_item WHERE id = ANY(%s) ORDER BY id"


def _tell_held(cursor: Cursor, held: Sequence[HeldPieces]) -> None:
    items = sorted({one.item_id for one in held})
    if not items:
        return
    cursor.execute(_SHOPS, (items,))
    by_shop: dict[int, list[int]] = {}
    for item_id, shop_id in cursor.fetchall():
        by_shop.setdefault(shop_id, []).append(item_id)
    append_entries(cursor=cursor, news=[News(STOCK_CHANGED, {"items": ids}, shop) for shop, ids in by_shop.items()])


# --- leases ---------------------------------------------------------------------------------------

_CHANGE_LEASED = """
    UPDATE inventory_sellable s SET leased = s.leased + change.pieces, held = s.held + change.held
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS change(item, pieces, held)
    WHERE s.item_id = change.item AND s.place_id = %s
"""


def lock_counter(*, place: Place, item_ids: Collection[int]) -> None:
    """Lock what several sales at one place will take, at once and in order: nobody waits for another in a circle."""
    _lock_sellable(set(item_ids), [place.pk])


def set_leases(*, shop: Shop, place: Place, holder: str, wanted: Mapping[int, int]) -> dict[int, int]:
    """Bring what is booked to ``holder`` as near to ``wanted`` ({item: pieces}) as free pieces allow.

    What is not wanted is free again. Returns {item: pieces booked}.
    """
    _check_places(shop, place)
    items = {
        *wanted,
        *Lease.objects.filter(holder=holder, place=place, quantity__gt=0).values_list("item_id", flat=True),
    }
    rows = {row.item_id: row for row in _lock_sellable(items, [place.pk])}
    before = _leases(holder, place.pk, rows)
    after = {
        item_id: min(wanted.get(item_id, 0), before.get(item_id, 0) + row.on_hand - row.held - row.leased)
        for item_id, row in rows.items()
    }
    changes = {item_id: after[item_id] - before.get(item_id, 0) for item_id in rows}
    _change_leases(holder, place.pk, before, {item: change for item, change in changes.items() if change}, {})
    changed = {item_id for item_id, change in changes.items() if change}
    if changed:
        _tell(shop, place, items=changed)
    return {item_id: pieces for item_id, pieces in after.items() if pieces}


def take_counter_holds(
    *, place: Place, holder: str, source: str, wants: Sequence[Pieces], lease_first: bool, partly: bool = False
) -> list[HeldPieces]:
    """Hold pieces at one place for a sale that is finished at once: free ones and those leased to ``holder``.

    ``lease_first``: the sale was made out of the lease. ``partly``: fewer than wanted are held where there are no more,
    else NotEnoughStock. Each item once. The caller's own journal entry names the items.
    """
    _check_counted_once([Count(one.item_id, one.quantity) for one in wants])
    rows = {row.item_id: row for row in _lock_sellable({one.item_id for one in wants}, [place.pk])}
    leases = _leases(holder, place.pk, rows)
    taken: dict[int, int] = {}
    held: dict[int, int] = {}
    for one in wants:
        row = rows.get(one.item_id)
        leased = leases.get(one.item_id, 0)
        free = row.on_hand - row.held - row.leased if row else 0
        quantity = min(one.quantity, free + leased)
        if quantity < one.quantity and not partly:
            raise NotEnoughStock(item=one.item_id, left=free + leased)
        if quantity:
            held[one.item_id] = quantity
            taken[one.item_id] = -min(quantity, leased) if lease_first else -max(0, quantity - free)
    _change_leases(holder, place.pk, leases, taken, held)
    moment = now()
    with cursor_or_own(None) as using:
        using.execute(
            _INSERT_HOLDS,
            (list(held), [place.pk] * len(held), list(held.values()), [source] * len(held), [moment] * len(held)),
        )
        return [HeldPieces(*row) for row in using.fetchall()]


def _leases(holder: str, place_id: int, items: Collection[int]) -> dict[int, int]:
    """{item: pieces leased}; the sellable rows are locked."""
    rows = Lease.objects.filter(holder=holder, place_id=place_id, item_id__in=list(items))
    return dict(rows.values_list("item_id", "quantity"))


def _change_leases(
    holder: str, place_id: int, before: Mapping[int, int], leased: Mapping[int, int], held: Mapping[int, int]
) -> None:
    """Leases change by ``leased`` and held pieces by ``held``, in one statement that the CHECK looks at."""
    items = sorted({*leased, *held})
    if not items:
        return
    with cursor_or_own(None) as using:
        using.execute(
            _CHANGE_LEASED,
            (items, [leased.get(one, 0) for one in items], [held.get(one, 0) for one in items], place_id),
        )
    Lease.objects.bulk_create(
        [
            Lease(item_id=item_id, place_id=place_id, holder=holder, quantity=before.get(item_id, 0) + change)
            for item_id, change in sorted(leased.items())
            if change
        ],
        update_conflicts=True,
        unique_fields=["holder", "place", "item"],
        update_fields=["quantity"],
    )
