"""States of a broadcast."""

from __future__ import annotations

from enum import StrEnum


class BroadcastState(StrEnum):
    """interrupted: on air, but no picture arrives; viewers keep their seat."""

    PLANNED = "planned"
    REHEARSING = "rehearsing"
    ON_AIR = "on_air"
    INTERRUPTED = "interrupted"
    ENDED = "ended"


MOVES: dict[BroadcastState, frozenset[BroadcastState]] = {
    BroadcastState.PLANNED: frozenset({BroadcastState.REHEARSING, BroadcastState.ON_AIR}),
    BroadcastState.REHEARSING: frozenset({BroadcastState.PLANNED, BroadcastState.ON_AIR}),
    BroadcastState.ON_AIR: frozenset({BroadcastState.INTERRUPTED, BroadcastState.ENDED}),
    BroadcastState.INTERRUPTED: frozenset({BroadcastState.ON_AIR, BroadcastState.ENDED}),
    BroadcastState.ENDED: frozenset(),
}

RUNNING = (BroadcastState.ON_AIR, BroadcastState.INTERRUPTED)


def may_become(old: BroadcastState, new: BroadcastState) -> bool:
    """Is this move allowed?"""
    return new in MOVES[old]
