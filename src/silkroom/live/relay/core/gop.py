"""Who gets which chunk: the group of pictures since the last key frame, and the gate in front of each viewer.

Law (property tests): whatever comes and whoever joins, the first picture a viewer gets is a key frame, and so is the
first after any picture it missed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from silkroom.live.relay.core.chunks import Chunk, Kind

MAX_GROUP_BYTES = 8 * 1024 * 1024
MAX_GROUP_CHUNKS = 4_000
"""About 30 s of pictures and sound. A sender without a key frame for so long gives late viewers nothing to join at."""


@dataclass(slots=True)
class GroupCache:
    """Chunks since the last key frame, sound included, in the order they came."""

    chunks: list[Chunk] = field(default_factory=list)
    size: int = 0

    def add(self, chunk: Chunk) -> None:
        if chunk.kind is Kind.VIDEO_KEY:
            self.clear()
        elif not self.chunks:
            return
        self.chunks.append(chunk)
        self.size += len(chunk.payload)
        if self.size > MAX_GROUP_BYTES or len(self.chunks) > MAX_GROUP_CHUNKS:
            self.clear()

    def clear(self) -> None:
        self.chunks = []
        self.size = 0


class Verdict(Enum):
    SEND = auto()
    SKIP = auto()
    CLOSE = auto()


@dataclass(slots=True)
class Gate:
    """Decides for one viewer, chunk by chunk, from the bytes that still wait in its connection.

    ``high`` bytes waiting: stop until a key frame finds at most ``low`` waiting. Slow for ``patience_us`` without
    a break: close, so that the player can choose another way. ``credit`` is what a burst at the start added on purpose.
    """

    high: int
    low: int
    patience_us: int
    skipping: bool = True
    slow_since_us: int = 0
    skipped: int = 0
    credit: int = 0

    def admit(self, kind: Kind, waiting: int, now_us: int) -> Verdict:
        """What to do with the next chunk. A fresh gate is closed until a key frame."""
        if self.skipping:
            if kind is not Kind.VIDEO_KEY or waiting > self.low:
                self.skipped += 1
                if kind is Kind.VIDEO_KEY and not self.slow_since_us:
                    self.slow_since_us = now_us
                if self.slow_since_us and now_us - self.slow_since_us > self.patience_us:
                    return Verdict.CLOSE
                return Verdict.SKIP
            self.skipping = False
            self.slow_since_us = 0
        elif waiting > self.high + self.credit:
            self.skipping = True
            self.slow_since_us = now_us
            self.skipped += 1
            return Verdict.SKIP
        elif self.credit and waiting <= self.low:
            self.credit = 0
        return Verdict.SEND

    def open(self, burst: int) -> None:
        """A group of pictures was sent on its own, ``burst`` bytes from its key frame on: go on from there."""
        self.skipping = False
        self.slow_since_us = 0
        self.credit = burst

    def miss(self) -> None:
        """The viewer cannot use what follows (lost chunks, new config): wait for the next key frame."""
        self.skipping = True
