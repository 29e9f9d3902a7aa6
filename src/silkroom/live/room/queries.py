"""Reading rooms, through any database cursor (Django's or psycopg's): web, gateway and herald read the same way.

A room's events are final in the order of their numbers (the broadcast's row is locked from numbering to commit), so
reading a checkpoint first and the events behind it afterwards is consistent without any isolation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from silkroom.catalog.queries import styles_for_tray
from silkroom.inventory.queries import sellable_quantities
from silkroom.journal.queries import Cursor
from silkroom.live.broadcasts.tickets import channel_of
from silkroom.live.fanout.door import Event
from silkroom.sales.orders.queries import sums_of_channel

from .keeper import fact_of
from .rules import Data, RoomFact, State, empty_state, fold
from .states import URGENT

MOST_EVENTS = 5000
"""Read at once; a longer tail is read page by page."""


@dataclass(frozen=True, slots=True)
class RoomSnapshot:
    """A room after event ``sequence``."""

    sequence: int
    state: State


_CHECKPOINT = "SELECT sequence, state::text FROM live_roomcheckpoint WHERE broadcast_id = %s"

_EVENTS = """
    SELECT sequence, kind, data::text, (extract(epoch FROM at) * 1000)::bigint FROM live_roomevent
    WHERE broadcast_id = %s AND sequence > %s AND (%s::bigint IS NULL OR sequence <= %s) ORDER BY sequence LIMIT %s
"""

_LAST = "SELECT id, last_sequence, state FROM live_broadcast WHERE id = ANY(%s)"

_STYLES = "SELECT style_id FROM live_runningorderitem WHERE broadcast_id = %s ORDER BY position, id"

_MUTED = """
    SELECT p.code FROM live_mute m JOIN accounts_person p ON p.id = m.person_id
    WHERE m.broadcast_id = %s AND m.lifted_at IS NULL
"""

_WORDS = """
    SELECT sequence, kind, data::text, (extract(epoch FROM at) * 1000)::bigint FROM live_roomevent
    WHERE broadcast_id = %s AND sequence = %s AND kind IN ('comment', 'question')
"""

_HIDING = """
    SELECT (array_agg(kind ORDER BY sequence DESC))[1] = 'hidden' FROM live_roomevent
    WHERE broadcast_id = %s AND kind IN ('hidden', 'unhidden') AND data->'n' = to_jsonb(%s::bigint)
"""

_ANSWER = """
    SELECT sequence, kind, data::text, (extract(epoch FROM at) * 1000)::bigint FROM live_roomevent
    WHERE broadcast_id = %s AND sequence > %s AND kind = 'answered' AND data->'question' = to_jsonb(%s::bigint)
"""


def load_state(cursor: Cursor, broadcast_id: int) -> RoomSnapshot:
    """The room now: its checkpoint and the events behind it, folded."""
    cursor.execute(_CHECKPOINT, (broadcast_id,))
    row = cursor.fetchone()
    sequence, state = (row[0], msgspec.json.decode(row[1])) if row else (0, empty_state())
    while events := events_between(cursor, broadcast_id, after=sequence):
        state = fold(state, map(fact_of, events))
        sequence = events[-1].sequence
        if len(events) < MOST_EVENTS:
            break
    return RoomSnapshot(sequence, state)


def events_between(
    cursor: Cursor, broadcast_id: int, *, after: int, upto: int | None = None, limit: int = MOST_EVENTS
) -> list[Event]:
    """Events after ``after`` up to ``upto`` (None: the end), oldest first."""
    cursor.execute(_EVENTS, (broadcast_id, after, upto, upto, limit))
    return [event_of(*row) for row in cursor.fetchall()]


def event_of(sequence: int, kind: str, data: str, at_ms: int) -> Event:
    """A row of the log as the fan-out carries it."""
    return Event(sequence, kind, int(at_ms), data.encode(), urgent=kind in URGENT)


def last_sequences(cursor: Cursor, broadcast_ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """{broadcast: (number of its last event, its state)} in one query."""
    cursor.execute(_LAST, (list(broadcast_ids),))
    return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def codes_of_muted(cursor: Cursor, broadcast_id: int) -> list[str]:
    """Who may not write in the room."""
    cursor.execute(_MUTED, (broadcast_id,))
    return [row[0] for row in cursor.fetchall()]


def find_words(cursor: Cursor, broadcast_id: int, number: int) -> Data | None:
    """What a viewer said as event ``number``, unless it was hidden: {name, text, person, …}."""
    words = _words(cursor, broadcast_id, number)
    return words.data if words is not None and not _is_hidden(cursor, broadcast_id, number) else None


def find_hidden_words(cursor: Cursor, broadcast_id: int, number: int) -> tuple[RoomFact, RoomFact | None] | None:
    """What a viewer said as event ``number`` and the answer to it, if it is hidden now."""
    words = _words(cursor, broadcast_id, number)
    if words is None or not _is_hidden(cursor, broadcast_id, number):
        return None
    cursor.execute(_ANSWER, (broadcast_id, number, number))
    row = cursor.fetchone()
    return words, fact_of(event_of(*row)) if row else None


def _words(cursor: Cursor, broadcast_id: int, number: int) -> RoomFact | None:
    cursor.execute(_WORDS, (broadcast_id, number))
    row = cursor.fetchone()
    return fact_of(event_of(*row)) if row else None


def _is_hidden(cursor: Cursor, broadcast_id: int, number: int) -> bool:
    cursor.execute(_HIDING, (broadcast_id, number))
    return bool(cursor.fetchone()[0])


def tray_of_show(cursor: Cursor, broadcast_id: int) -> list[Data]:
    """The tray as catalog and ledger have it now, in the running order."""
    cursor.execute(_STYLES, (broadcast_id,))
    return tray_of([row[0] for row in cursor.fetchall()], cursor)


def tray_of(style_ids: list[int], cursor: Cursor) -> list[Data]:
    """Styles with colours, sizes, variants and what is left of them, in the order of ``style_ids``."""
    tray: list[dict[str, Any]] = styles_for_tray(cursor, style_ids)
    items = [one["item"] for style in tray for one in style["variants"]]
    left = sellable_quantities(item_ids=items, cursor=cursor)
    for style in tray:
        for one in style["variants"]:
            one["left"] = left.get(one.pop("item"), 0)
    return tray


_RUNNING = "SELECT id, state FROM live_broadcast WHERE state IN ('on_air', 'interrupted')"


def running_shows(cursor: Cursor) -> dict[int, str]:
    """{broadcast: its state} of all shows on air."""
    cursor.execute(_RUNNING)
    return dict(cursor.fetchall())


_PUBLIC = """
    SELECT id, (extract(epoch FROM started_at) * 1000000)::bigint FROM live_broadcast
    WHERE state IN ('on_air', 'interrupted') OR (id = ANY(%s) AND state = 'ended')
"""


def public_shows(cursor: Cursor, held: Iterable[int]) -> dict[int, int]:
    """{show: microseconds since 1970 when it went on air} of shows on air, and of those of ``held`` that have ended:
    never of a rehearsal, nor of a show that was cancelled."""
    cursor.execute(_PUBLIC, (list(held),))
    return {row[0]: row[1] or 0 for row in cursor.fetchall()}


_MANNED = "SELECT id FROM live_broadcast WHERE state IN ('rehearsing', 'on_air', 'interrupted') ORDER BY id"


def manned_shows(cursor: Cursor) -> list[int]:
    """Shows with somebody before the camera: on air, or rehearsing."""
    cursor.execute(_MANNED)
    return [row[0] for row in cursor.fetchall()]


_OPEN_OF_SHOPS = """
    SELECT id, last_sequence FROM live_broadcast
    WHERE state <> 'ended' AND state <> 'cancelled' AND (%s::bigint[] IS NULL OR shop_id = ANY(%s)) ORDER BY id
"""


def open_shows(cursor: Cursor, shop_ids: Iterable[int] | None = None) -> dict[int, int]:
    """{broadcast: its last number} of shows that are not over, of these shops (None: of all); in locking order."""
    shops = None if shop_ids is None else list(shop_ids)
    cursor.execute(_OPEN_OF_SHOPS, (shops, shops))
    return dict(cursor.fetchall())


_SHOW = """
    SELECT b.shop_id, b.code, shop.currency FROM live_broadcast b JOIN shops_shop shop ON shop.id = b.shop_id
    WHERE b.id = %s
"""


def board_of(cursor: Cursor, broadcast_id: int) -> Data:
    """Orders, money and pieces of a show, for its staff: the studio's board without the viewers."""
    cursor.execute(_SHOW, (broadcast_id,))
    shop_id, code, currency = cursor.fetchone()
    sums = sums_of_channel(shop_id=shop_id, channel=channel_of(code), cursor=cursor)
    return {
        "orders": sums.held_orders + sums.paid_orders,
        "paid": sums.paid_orders,
        "money_minor": sums.paid_minor,
        "held_minor": sums.held_minor,
        "currency": currency,
        "pieces_held": sums.held_pieces,
        "pieces_sold": sums.paid_pieces,
    }
