"""Rooms of one gateway: events in from bus, writers and database, frames out to watchers.

All methods belong to the event loop's thread. `FanOut` opens rooms once, however many handlers ask at the same time,
and closes those that stay empty; `Room` joins a pure `Timeline` with the loop's timers, the bus and the deliveries.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol

from silkroom.live.fanout.bus import Bus, Subscription, decode_committed, room_subject
from silkroom.live.fanout.core import Batch, Event, Limits, Timeline
from silkroom.live.fanout.delivery import GOING_AWAY, Delivery, Seats, Turns, Watcher
from silkroom.live.fanout.errors import FrameTooLarge, RoomClosed, RoomFull
from silkroom.live.fanout.frames import event_frames, text_frame

log = logging.getLogger(__name__)

LoadGap = Callable[[int | str, int, int | None], Awaitable[Sequence[Event]]]
"""``await load_gap(broadcast_id, after, upto)``: committed events with after < sequence <= upto, in order; None means
all there are. Extra or repeated events do no harm. May raise: it is asked again."""

PULSES_WAITING = 8
"""Unsequenced frames that wait for the delivery under way; older ones are out of date and give way."""

MISSED_FRAMES = 32
"""Ready frames for those who resume at the same number, until the next delivery."""

SNAPSHOT_TRIES = 3
"""A snapshot that is older than the ring reaches back is asked for again."""

RETRY_SECONDS = 0.1
RETRY_SECONDS_AT_MOST = 2.0
"""Between two attempts to fill a gap from the database, doubled each time."""


class Snapshot:
    """The whole state of a room after event ``sequence``, as the text message a watcher gets (UTF-8 JSON). Its frame is
    built once: give the same object to all who may see the same."""

    __slots__ = ("data", "frame", "sequence")

    def __init__(self, sequence: int, data: bytes) -> None:
        self.sequence = sequence
        self.data = data
        self.frame = text_frame(data)


TakeSnapshot = Callable[[], Snapshot | Awaitable[Snapshot]]


class Keeper(Protocol):
    """What the owner of the events keeps about an open room: its state, folded from them."""

    @property
    def sequence(self) -> int:
        """The number of the last event that is in the state."""

    def apply(self, events: Sequence[Event]) -> None:
        """Fold in the next events: in order, each exactly once, before any watcher gets them. Must not raise."""

    def snapshot(self) -> Snapshot | Awaitable[Snapshot]:
        """The state as of `sequence`; asked once for each number, and the answer given to all who need it then."""


class Room:
    """One broadcast's watchers on this gateway. Made by ``FanOut.open``."""

    def __init__(self, fan: FanOut, broadcast_id: int | str, keeper: Keeper, timeline: Timeline) -> None:
        self.broadcast_id = broadcast_id
        self.keeper = keeper
        self.is_closed = False
        self._fan = fan
        self._limits = fan.limits
        self._timeline = timeline
        self._seats = Seats()
        self._arriving = 0
        self._is_delivering = False
        self._pulses: deque[bytes] = deque(maxlen=PULSES_WAITING)
        self._last_snapshot: Snapshot | None = None
        self._missed_frames: dict[int, bytes] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._filling: asyncio.Task[None] | None = None
        self._subscription: Subscription | None = None
        self._watch_idleness()

    # Reading

    @property
    def watchers(self) -> int:
        """Seats taken on this gateway."""
        return len(self._seats)

    @property
    def last_sequence(self) -> int:
        """The last event this gateway has in order."""
        return self._timeline.last

    @property
    def is_quiet(self) -> bool:
        """Everything that came in order has been handed to all transports."""
        return not self._is_delivering and not self._pulses and self._timeline.due_at is None

    @property
    def is_full(self) -> bool:
        """Whether `join` would refuse now; ask before the upgrade, to refuse with a plain HTTP answer."""
        return self.watchers + self._arriving >= self._limits.room_watchers or self._fan.is_full

    # Watchers

    async def join(
        self, transport: asyncio.Transport, *, after: int | None = None, snapshot: TakeSnapshot | None = None
    ) -> Watcher:
        """Take a seat. ``transport`` is the one under a prepared WebSocket without compression.

        ``after`` is the last event the watcher has: it gets the rest from the ring, or else a snapshot, and from then
        on each following event once, in order. ``snapshot`` replaces the keeper's (another role sees another state).
        Raises RoomFull, RoomClosed.
        """
        if self.is_closed:
            raise RoomClosed
        if self.is_full:
            raise RoomFull
        self._arriving += 1
        self._fan.arriving += 1
        try:
            if after is not None and self._timeline.can_follow(after):
                return self._seat(transport, after, None)
            return await self._join_with_snapshot(transport, snapshot or self._snapshot)
        finally:
            self._arriving -= 1
            self._fan.arriving -= 1
            self._watch_idleness()

    async def _join_with_snapshot(self, transport: asyncio.Transport, take: TakeSnapshot) -> Watcher:
        for _ in range(SNAPSHOT_TRIES):
            taken = take()
            shot = await taken if inspect.isawaitable(taken) else taken
            if self.is_closed:
                break
            self._heard(shot.sequence)
            if self._timeline.can_follow(shot.sequence):
                return self._seat(transport, shot.sequence, shot)
        raise RoomClosed

    async def _snapshot(self) -> Snapshot:
        if self._last_snapshot is None or self._last_snapshot.sequence != self.keeper.sequence:
            taken = self.keeper.snapshot()
            self._last_snapshot = await taken if inspect.isawaitable(taken) else taken
        return self._last_snapshot

    def _seat(self, transport: asyncio.Transport, after: int, shot: Snapshot | None) -> Watcher:
        watcher = Watcher(transport, self._limits, self._forget)
        flushed = self._timeline.flushed
        self._seats.take(watcher, after if after > flushed else None)
        self._fan.seats += 1
        if shot is not None:
            watcher.write_snapshot(shot.frame)
        if after < flushed:
            watcher.write(self._missed(after))
        return watcher

    def _missed(self, after: int) -> bytes:
        # After a lost connection of the whole crowd, many come back with the same few numbers.
        frames = self._missed_frames.get(after)
        if frames is None:
            frames = event_frames(self._timeline.missed(after), self._limits.frame_bytes)
            if len(self._missed_frames) < MISSED_FRAMES:
                self._missed_frames[after] = frames
        return frames

    def _forget(self, watcher: Watcher) -> None:
        if not self._seats.give_back(watcher):
            return
        self._fan.seats -= 1
        if watcher.close_code is not None:
            self._fan.dropped += 1
        self._watch_idleness()

    # Events in

    def offer(self, events: Sequence[Event]) -> None:
        """Committed events from wherever they come first: a local writer, the bus, the database. Any order, any number
        of times; holes are filled by ``load_gap``."""
        if self.is_closed:
            return
        ready = self._timeline.offer(events, self._fan.clock())
        if ready:
            self._fan.events += len(ready)
            try:
                self._keep(ready)
            finally:
                self._arm()  # a fault in the keeper is its caller's to report; the watchers fold for themselves
        self._mind_gap()

    def _keep(self, ready: Sequence[Event]) -> None:
        kept = self.keeper.sequence
        fresh = [event for event in ready if event.sequence > kept]
        if fresh:
            self.keeper.apply(fresh)

    def heal(self, last_sequence: int) -> None:
        """The database says the room has come to ``last_sequence``. Call it now and then: a lost last message leaves no
        gap that a later one would show."""
        self._heard(last_sequence)

    def pulse(self, message: bytes) -> None:
        """Send a text message outside the sequence (viewer count) to everybody who is here. Raises FrameTooLarge."""
        if len(message) > self._limits.message_bytes:
            raise FrameTooLarge(limit=self._limits.message_bytes)
        self._pulses.append(text_frame(message))
        self._arm()

    def receive(self, data: bytes) -> None:
        """One bus message."""
        try:
            events = decode_committed(data)
        except ValueError as error:
            log.warning("room %s: unreadable bus message (%s)", self.broadcast_id, error)
            return
        self.offer(events)

    def _heard(self, sequence: int) -> None:
        self._timeline.heard(sequence)
        self._mind_gap()

    def _mind_gap(self) -> None:
        if self._timeline.gap is None or self.is_closed:
            return
        if self._filling is None or self._filling.done():
            self._filling = asyncio.create_task(self._fill_gaps(), name=f"gap-{self.broadcast_id}")
            self._filling.add_done_callback(self._report_filling)

    def _report_filling(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("room %s: filling a gap failed", self.broadcast_id, exc_info=error)

    async def _fill_gaps(self) -> None:
        await asyncio.sleep(self._limits.gap_patience_ms / 1000)
        pause = RETRY_SECONDS
        while (gap := self._timeline.gap) is not None:
            found = await self._fan.load(self.broadcast_id, gap.after, min(gap.upto, gap.after + self._limits.gap_page))
            self.offer(found)
            if self._timeline.last > gap.after:
                self._fan.gaps_filled += 1
                pause = RETRY_SECONDS
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, RETRY_SECONDS_AT_MOST)

    async def refresh(self) -> None:
        """Read whatever the database has after the last event here; the bus was away."""
        self.offer(await self._fan.load(self.broadcast_id, self._timeline.last, None))

    # Frames out

    def _arm(self) -> None:
        """Begin the next delivery, or set the timer for it. One delivery at a time keeps a room in order."""
        if self._is_delivering or self.is_closed:
            return
        now, due_at = self._fan.clock(), self._timeline.due_at
        if due_at is not None and due_at <= now:
            self._deliver_events(now)
        elif self._pulses:
            self._deliver(self._pulses.popleft(), self._seats.everyone())
        elif due_at is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(due_at - now, self._ring_timer)

    def _ring_timer(self) -> None:
        self._timer = None
        self._arm()

    def _deliver_events(self, now: float) -> None:
        batch = self._timeline.take(now)
        if batch is None:
            return
        self._missed_frames.clear()
        level = self._seats.level()
        self._deliver_to_those_ahead(batch)
        self._deliver(event_frames(batch.encoded, self._limits.frame_bytes), level)

    def _deliver_to_those_ahead(self, batch: Batch) -> None:
        frames: dict[int, bytes] = {}
        for watcher, after in self._seats.overtaken_by(batch.last):
            if after not in frames:
                frames[after] = event_frames(batch.since(after), self._limits.frame_bytes)
            if frames[after]:
                watcher.write(frames[after])

    def _deliver(self, frame: bytes, transports: list[asyncio.Transport]) -> None:
        self._is_delivering = True
        self._fan.frames += 1
        backlog_bytes = self._limits.backlog_bytes
        self._fan.turns.add(Delivery(frame, transports, self._seats, backlog_bytes, self._delivered))

    def _delivered(self) -> None:
        self._is_delivering = False
        self._arm()

    # Closing

    def _watch_idleness(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        if not self.watchers and not self._arriving and not self.is_closed:
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(self._limits.idle_seconds, self._close_idle)

    def _close_idle(self) -> None:
        self._fan.keep_task(self.close())

    def hold(self, subscription: Subscription) -> None:
        """The bus subscription that ends with the room."""
        self._subscription = subscription

    async def close(self, code: int = GOING_AWAY, reason: str = "") -> None:
        """Send everybody away with ``code`` and forget the room; the next ``FanOut.open`` makes it anew."""
        if self.is_closed:
            return
        self.is_closed = True
        self._fan.forget(self)
        for timer in (self._timer, self._idle_timer):
            if timer is not None:
                timer.cancel()
        if self._filling is not None:
            self._filling.cancel()
        transports = self._seats.everyone()
        for start in range(0, len(transports), self._limits.slice_watchers):
            for transport in transports[start : start + self._limits.slice_watchers]:
                watcher = self._seats.find(transport)
                if watcher is not None:
                    watcher.close(code, reason)
            await asyncio.sleep(0)
        if self._subscription is not None:
            await self._subscription.close()


class FanOut:
    """The engine: all rooms of one gateway process."""

    def __init__(
        self,
        bus: Bus,
        load_gap: LoadGap,
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or Limits()
        self.clock = clock
        self.turns = Turns(self.limits.slice_watchers)
        self.seats = self.arriving = self.events = self.frames = self.dropped = self.gaps_filled = 0
        self._bus = bus
        self._load_gap = load_gap
        self._rooms: dict[str, Room] = {}
        self._opening: dict[str, asyncio.Task[Room]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        bus.on_connected(self._refresh)

    @property
    def is_full(self) -> bool:
        """Whether this gateway takes no more watchers."""
        return self.seats + self.arriving >= self.limits.watchers

    @property
    def rooms(self) -> list[Room]:
        """Open rooms."""
        return list(self._rooms.values())

    def find_room(self, broadcast_id: int | str) -> Room | None:
        """The room if somebody opened it here; a writer offers its events to it."""
        return self._rooms.get(str(broadcast_id))

    def figures(self) -> dict[str, Any]:
        """Counters for the health answer and the log."""
        return {
            "rooms": len(self._rooms),
            "watchers": self.seats,
            "events": self.events,
            "frames": self.frames,
            "deliveries": self.turns.written,
            "dropped": self.dropped,
            "gaps_filled": self.gaps_filled,
        }

    async def open(self, broadcast_id: int | str, make_keeper: Callable[[], Awaitable[Keeper]]) -> Room:
        """The room, opened if it is not: subscribes, then asks ``make_keeper`` for the state, then reads the tail of
        the log for those who resume. Many callers share one opening. What ``make_keeper`` raises comes through."""
        key = str(broadcast_id)
        room = self._rooms.get(key)
        if room is not None:
            return room
        if self._is_closed:
            raise RoomClosed
        opening = self._opening.get(key)
        if opening is None:
            opening = asyncio.create_task(self._open(broadcast_id, make_keeper), name=f"open-{key}")
            self._opening[key] = opening
            opening.add_done_callback(lambda _: self._opening.pop(key, None))
        return await asyncio.shield(opening)

    async def _open(self, broadcast_id: int | str, make_keeper: Callable[[], Awaitable[Keeper]]) -> Room:
        early: list[bytes] = []
        receive: Callable[[bytes], None] = early.append
        subscription = await self._bus.subscribe(room_subject(broadcast_id), lambda data: receive(data))
        try:
            keeper = await make_keeper()
            tail = await self._load_gap(broadcast_id, max(0, keeper.sequence - self.limits.ring_events), None)
        except BaseException:
            await subscription.close()
            raise
        room = self._make_room(broadcast_id, keeper, tail)
        room.hold(subscription)
        receive = room.receive
        for message in early:
            room.receive(message)
        return room

    def _make_room(self, broadcast_id: int | str, keeper: Keeper, tail: Sequence[Event]) -> Room:
        start = min([keeper.sequence, *(event.sequence - 1 for event in tail)])
        room = Room(self, broadcast_id, keeper, Timeline(start, self.limits))
        self._rooms[str(broadcast_id)] = room
        room.offer(tail)
        room.heal(keeper.sequence)
        return room

    async def load(self, broadcast_id: int | str, after: int, upto: int | None) -> Sequence[Event]:
        """``load_gap``; a failure counts as nothing found, and the caller asks again."""
        try:
            return await self._load_gap(broadcast_id, after, upto)
        except Exception:  # the database may be away in any way its driver likes to say it
            log.warning("room %s: events after %d cannot be read now", broadcast_id, after, exc_info=True)
            return ()

    def forget(self, room: Room) -> None:
        self._rooms.pop(str(room.broadcast_id), None)

    def keep_task(self, work: Coroutine[Any, Any, None]) -> None:
        """Run to the end in the background."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _refresh(self) -> None:
        for room in self._rooms.values():
            self.keep_task(room.refresh())

    async def close(self, code: int = GOING_AWAY, reason: str = "restart") -> None:
        """Close all rooms; clients come back, here or elsewhere, and resume by number."""
        self._is_closed = True
        for opening in list(self._opening.values()):
            opening.cancel()
        for room in self.rooms:
            await room.close(code, reason)
        if self._tasks:
            await asyncio.wait(self._tasks)
