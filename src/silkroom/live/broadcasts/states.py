"""States of a broadcast."""

from __future__ import annotations

from enum import StrEnum


class BroadcastState(StrEnum):
    """interrupted: on air, but no picture arrives; viewers keep their seat. cancelled: before it was on air."""

    PLANNED = "planned"
    REHEARSING = "rehearsing"
    ON_AIR = "on_air"
    INTERRUPTED = "interrupted"
    ENDED = "ended"
    CANCELLED = "cancelled"


MOVES: dict[BroadcastState, frozenset[BroadcastState]] = {
    BroadcastState.PLANNED: frozenset({BroadcastState.REHEARSING, BroadcastState.ON_AIR, BroadcastState.CANCELLED}),
    BroadcastState.REHEARSING: frozenset({BroadcastState.PLANNED, BroadcastState.ON_AIR, BroadcastState.CANCELLED}),
    BroadcastState.ON_AIR: frozenset({BroadcastState.INTERRUPTED, BroadcastState.ENDED}),
    BroadcastState.INTERRUPTED: frozenset({BroadcastState.ON_AIR, BroadcastState.ENDED}),
    BroadcastState.ENDED: frozenset(),
    BroadcastState.CANCELLED: frozenset(),
}

RUNNING = (BroadcastState.ON_AIR, BroadcastState.INTERRUPTED)
OVER = (BroadcastState.ENDED, BroadcastState.CANCELLED)
"""Nobody writes, nothing changes any more."""


def may_become(old: BroadcastState, new: BroadcastState) -> bool:
    """Is this move allowed?"""
    return new in MOVES[old]
