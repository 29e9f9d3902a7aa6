"""Where a stream stands, as its viewers see it."""

from __future__ import annotations

from enum import StrEnum


class StreamState(StrEnum):
    WAITING = "waiting"
    """Nobody has sent anything yet."""
    ON_AIR = "on_air"
    PAUSED = "paused"
    """The sender is away; viewers keep their connection."""
    ENDED = "ended"
