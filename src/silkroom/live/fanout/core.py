"""What a room's stream of events does, without clock, socket or loop: time comes in as an argument.

`Timeline` is the whole of it. Events are offered in any order, twice, or with holes; they come out once, in order
(`_Sequencer`), the last of them are remembered (`_Ring`), those not yet sent are gathered for a while (`_Gatherer`).

The one thing to know: ``flushed`` is the last sequence number whose sending has begun. A watcher who takes a seat at
``flushed`` needs nothing but the batches that follow, so nobody misses or doubles an event whatever happens around it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from silkroom.live.fanout.frames import encode_event

KIND = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Event:
    """One committed event of a room.

    ``sequence`` counts from 1 without holes within a broadcast; ``at_ms`` is Unix time in milliseconds; ``data`` is a
    JSON object as UTF-8 bytes, encoded by the writer; ``urgent`` ones (spotlight, deal, stock) wait half as long.
    """

    sequence: int
    kind: str
    at_ms: int
    data: bytes
    urgent: bool = False

    def __post_init__(self) -> None:
        if self.sequence < 1:
            raise ValueError(f"event sequence {self.sequence}: counts from 1")
        if not KIND.fullmatch(self.kind):
            raise ValueError(f"event kind {self.kind!r}: small letters, digits, '_', '.', '-'")
        if not self.data.startswith(b"{"):
            raise ValueError(f"event {self.kind}: data must be a JSON object in bytes")

    def encoded(self) -> bytes:
        """The event as it stands in a frame."""
        return encode_event(self.sequence, self.kind, self.at_ms, self.data)


@dataclass(frozen=True, slots=True)
class Gap:
    """Events ``after + 1`` to ``upto`` are known to exist and have not arrived."""

    after: int
    upto: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the engine. Bytes, milliseconds, seconds and counts as named."""

    ring_events: int = 2048
    """Remembered for resuming: at ten events a second, more than three minutes of a lost connection."""
    ring_bytes: int = 8 * 1024 * 1024
    waiting_events: int = 4096
    """Held back behind a gap; what exceeds it is dropped and read from the database with the gap."""
    gather_ms: int = 100
    urgent_ms: int = 50
    frame_bytes: int = 64 * 1024
    """A batch is split into frames of about this size."""
    message_bytes: int = 1024 * 1024
    """Largest direct message or pulse."""
    backlog_bytes: int = 512 * 1024
    """Unsent bytes at which a watcher counts as too slow (its snapshot comes on top)."""
    watchers: int = 20_000
    """Of one engine, all rooms together."""
    room_watchers: int = 20_000
    slice_watchers: int = 256
    """Writes between two turns of the event loop: at about 10 microseconds a write, a pause under 3 ms."""
    gap_patience_ms: int = 15
    """Two writers publish after their commits in either order; a gap this young closes by itself."""
    gap_page: int = 1000
    """Events asked from the database at once."""
    idle_seconds: float = 60.0
    """A room without watchers is closed after this long."""
    grace_seconds: float = 10.0
    """Between a close frame and cutting the connection of a watcher who does not answer it."""


class _Sequencer:
    """Puts events in order, drops repeats, knows what is missing."""

    def __init__(self, last: int, capacity: int) -> None:
        self.last = last
        self.known = last
        self._capacity = capacity
        self._waiting: dict[int, Event] = {}

    def offer(self, events: Iterable[Event]) -> list[Event]:
        for event in events:
            self.known = max(self.known, event.sequence)
            if event.sequence > self.last:
                self._waiting.setdefault(event.sequence, event)
        ready = []
        while (following := self._waiting.pop(self.last + 1, None)) is not None:
            self.last += 1
            ready.append(following)
        if len(self._waiting) > self._capacity:
            for sequence in sorted(self._waiting)[self._capacity :]:
                del self._waiting[sequence]
        return ready

    @property
    def gap(self) -> Gap | None:
        if self.known == self.last:
            return None
        return Gap(self.last, min(self._waiting) - 1 if self._waiting else self.known)


class _Ring:
    """The last events, encoded, without holes."""

    def __init__(self, last: int, capacity: int, capacity_bytes: int) -> None:
        self.last = last
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._size = 0
        self._encoded: deque[bytes] = deque()

    @property
    def reaches_back_to(self) -> int:
        """The smallest number after which everything is still here."""
        return self.last - len(self._encoded)

    def append(self, encoded: bytes) -> None:
        self._encoded.append(encoded)
        self._size += len(encoded)
        self.last += 1
        while len(self._encoded) > self._capacity or self._size > self._capacity_bytes:
            self._size -= len(self._encoded.popleft())

    def between(self, after: int, upto: int) -> list[bytes]:
        start = after - self.reaches_back_to
        return list(islice(self._encoded, start, start + upto - after))


class _Gatherer:
    """When to send. The first event after quiet goes at once; then sendings keep ``gather`` seconds apart (``urgent``
    seconds if one is pressing), so no event waits longer than that and a burst costs one frame."""

    def __init__(self, gather: float, urgent: float) -> None:
        self._gather = gather
        self._urgent = urgent
        self._sent_at = float("-inf")
        self.due_at: float | None = None

    def add(self, now: float, *, urgent: bool) -> None:
        due = max(now, self._sent_at + (self._urgent if urgent else self._gather))
        self.due_at = due if self.due_at is None else min(self.due_at, due)

    def sent(self, now: float) -> None:
        self._sent_at = now
        self.due_at = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Events ``after + 1`` to ``last``, encoded, ready for a frame."""

    after: int
    last: int
    encoded: Sequence[bytes]

    def since(self, after: int) -> Sequence[bytes]:
        """What a watcher who already has everything up to ``after`` lacks of it."""
        return self.encoded[max(0, after - self.after) :]


@dataclass(slots=True)
class Timeline:
    """The events of one room on one gateway. ``last`` is the number it starts after."""

    last_at_start: int
    limits: Limits = field(default_factory=Limits)
    flushed: int = field(init=False)
    _sequencer: _Sequencer = field(init=False)
    _ring: _Ring = field(init=False)
    _gatherer: _Gatherer = field(init=False)
    _pending: list[bytes] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        start, limits = self.last_at_start, self.limits
        self.flushed = start
        self._sequencer = _Sequencer(start, limits.waiting_events)
        self._ring = _Ring(start, limits.ring_events, limits.ring_bytes)
        self._gatherer = _Gatherer(limits.gather_ms / 1000, limits.urgent_ms / 1000)

    @property
    def last(self) -> int:
        """The last event that came in order; ``flushed`` follows it by at most the gathering time."""
        return self._sequencer.last

    @property
    def known(self) -> int:
        """The highest number heard of."""
        return self._sequencer.known

    @property
    def gap(self) -> Gap | None:
        """What to read from the database, if anything."""
        return self._sequencer.gap

    @property
    def due_at(self) -> float | None:
        """When `take` is wanted; None if nothing is pending."""
        return self._gatherer.due_at

    def offer(self, events: Iterable[Event], now: float) -> list[Event]:
        """Take in events; returns those that are now in order, each once in the life of the timeline."""
        ready = self._sequencer.offer(events)
        for event in ready:
            encoded = event.encoded()
            self._ring.append(encoded)
            self._pending.append(encoded)
            self._gatherer.add(now, urgent=event.urgent)
        return ready

    def heard(self, sequence: int) -> None:
        """The room is known to have reached ``sequence``; shows as a gap if its events are not here."""
        self._sequencer.known = max(self._sequencer.known, sequence)

    def take(self, now: float) -> Batch | None:
        """Everything pending, to be sent now."""
        if not self._pending:
            return None
        batch = Batch(self.flushed, self.last, self._pending)
        self._pending = []
        self.flushed = self.last
        self._gatherer.sent(now)
        return batch

    def can_follow(self, after: int) -> bool:
        """Whether a watcher who has everything up to ``after`` can be served from here without a snapshot."""
        return self._ring.reaches_back_to <= after <= self.known

    def missed(self, after: int) -> list[bytes]:
        """Encoded events after ``after`` whose sending has begun without this watcher. Needs `can_follow`."""
        return self._ring.between(after, self.flushed) if after < self.flushed else []
