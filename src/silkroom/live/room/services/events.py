"""Appending to a room's log: the only place that numbers events. Through any cursor, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from silkroom.journal.queries import Cursor
from silkroom.kit.errors import NotFound
from silkroom.live.fanout.door import Event

from ..queries import event_of
from ..rules import Data, State
from ..states import EventKind


class Draft(NamedTuple):
    """An event that has no number yet."""

    kind: EventKind
    data: Data


_APPEND = """
    WITH numbered AS (
        UPDATE live_broadcast SET last_sequence = last_sequence + %(count)s WHERE id = %(broadcast)s
        RETURNING last_sequence
    )
    INSERT INTO live_roomevent (broadcast_id, sequence, kind, data, at)
    SELECT %(broadcast)s, numbered.last_sequence - %(count)s + draft.turn, draft.kind, draft.data::jsonb,
           date_trunc('milliseconds', clock_timestamp())
    FROM numbered, unnest(%(kinds)s::text[], %(datas)s::text[]) WITH ORDINALITY AS draft(kind, data, turn)
    RETURNING sequence, kind, data::text, (extract(epoch FROM at) * 1000)::bigint
"""

_LOCK = "SELECT last_sequence, state FROM live_broadcast WHERE id = %s FOR NO KEY UPDATE"

_CHECKPOINT = """
    INSERT INTO live_roomcheckpoint (broadcast_id, sequence, state, at) VALUES (%s, %s, %s::jsonb, now())
    ON CONFLICT (broadcast_id) DO UPDATE SET sequence = excluded.sequence, state = excluded.state, at = excluded.at
    WHERE live_roomcheckpoint.sequence < excluded.sequence
"""


def append_events(cursor: Cursor, broadcast_id: int, drafts: Sequence[Draft]) -> list[Event]:
    """Number and write events; publish them after the commit, never before. Raises NotFound.

    The broadcast's row stays locked until the commit, so numbers become visible in order and without holes.
    """
    if not drafts:
        return []
    parameters = {
        "broadcast": broadcast_id,
        "count": len(drafts),
        "kinds": [draft.kind.value for draft in drafts],
        "datas": [msgspec.json.encode(draft.data).decode() for draft in drafts],
    }
    cursor.execute(_APPEND, parameters)
    events = sorted((event_of(*row) for row in cursor.fetchall()), key=lambda event: event.sequence)
    if not events:
        raise NotFound
    return events


def lock_room(cursor: Cursor, broadcast_id: int) -> tuple[int, str]:
    """Keep the room still until the commit; (its last number, the show's state). Raises NotFound.

    Whoever writes absolute numbers (stock, the whole tray) locks first and reads them then: the event with the higher
    number has the later truth.
    """
    cursor.execute(_LOCK, (broadcast_id,))
    row = cursor.fetchone()
    if row is None:
        raise NotFound
    return row[0], row[1]


def keep_checkpoint(cursor: Cursor, broadcast_id: int, sequence: int, state: State) -> None:
    """Remember the fold up to ``sequence``, unless a later one is known."""
    cursor.execute(_CHECKPOINT, (broadcast_id, sequence, msgspec.json.encode(state).decode()))
