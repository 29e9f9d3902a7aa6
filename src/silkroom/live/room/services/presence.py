"""Whether the host's picture arrives: on air or interrupted. Decided by a gateway, written through its own cursor."""

from __future__ import annotations

from silkroom.journal.queries import Cursor
from silkroom.live.broadcasts.states import BroadcastState
from silkroom.live.fanout.door import Event

from ..states import EventKind
from .events import Draft, append_events

_MARK = "UPDATE live_broadcast SET state = %s WHERE id = %s AND state = %s RETURNING id"


def mark_interrupted(cursor: Cursor, broadcast_id: int) -> list[Event]:
    """No picture arrives. Changes nothing unless the show is on air."""
    return _mark(cursor, broadcast_id, BroadcastState.ON_AIR, BroadcastState.INTERRUPTED)


def mark_returned(cursor: Cursor, broadcast_id: int) -> list[Event]:
    """The picture is back. Changes nothing unless the show was interrupted."""
    return _mark(cursor, broadcast_id, BroadcastState.INTERRUPTED, BroadcastState.ON_AIR)


def _mark(cursor: Cursor, broadcast_id: int, old: BroadcastState, new: BroadcastState) -> list[Event]:
    cursor.execute(_MARK, (new.value, broadcast_id, old.value))
    if cursor.fetchone() is None:
        return []
    return append_events(cursor, broadcast_id, [Draft(EventKind.SHOW_CHANGED, {"state": new.value})])
