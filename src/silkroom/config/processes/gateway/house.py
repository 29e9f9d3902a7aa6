"""The rooms that are open on this gateway, and who sits in them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import partial

import structlog

from silkroom.kit.errors import NotFound
from silkroom.live.fanout.door import Bus, Event, FanOut, Limits, Room, publish_committed
from silkroom.live.room.keeper import RoomKeeper
from silkroom.live.room.queries import codes_of_muted, events_between, last_sequences, load_state
from silkroom.live.room.services import keep_checkpoint

from .seat import Seat
from .store import UNREACHABLE, Store

HEAL_SECONDS = 1.0
"""A last event that the bus lost is found so soon. One query for all rooms."""

EVENTS_PER_CHECKPOINT = 200
"""So many events a late joiner folds at most, which takes about a millisecond."""

log = structlog.get_logger("silkroom.gateway")


class House:
    """Opens rooms from the log, keeps them level with it, and counts seats."""

    def __init__(self, store: Store, bus: Bus, *, max_watchers: int) -> None:
        limits = Limits(watchers=max_watchers, room_watchers=max_watchers)
        self.fan = FanOut(bus, self._load_gap, limits=limits)
        self.viewers: Counter[int] = Counter()
        """{broadcast: its viewers here}"""
        self.staff: defaultdict[int, set[Seat]] = defaultdict(set)
        """{broadcast: seats of its staff here}, only where there are some."""
        self.moved: set[int] = set()
        """Rooms in which somebody sat down or got up since the viewers were last told their number."""
        self.show_states: dict[int, str] = {}
        """State of each show that was looked at with the last healing."""
        self.healed_at = float("-inf")
        self._store = store
        self._bus = bus
        self._checkpoints: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, broadcast_id: int) -> Room:
        """Raises NotFound, or what says that the database is away."""
        return await self.fan.open(broadcast_id, partial(self._make_keeper, broadcast_id))

    async def _make_keeper(self, broadcast_id: int) -> RoomKeeper:
        loaded, muted = await self._store.run(
            lambda cursor: (load_state(cursor, broadcast_id), codes_of_muted(cursor, broadcast_id))
        )
        if loaded.sequence == 0:
            raise NotFound
        return RoomKeeper(loaded.sequence, loaded.state, muted=muted)

    async def _load_gap(self, broadcast_id: int | str, after: int, upto: int | None) -> Sequence[Event]:
        return await self._store.run(lambda cursor: events_between(cursor, int(broadcast_id), after=after, upto=upto))

    def keeper_of(self, broadcast_id: int) -> RoomKeeper | None:
        """The state of a room that is open here."""
        room = self.fan.find_room(broadcast_id)
        return room.keeper if room is not None and isinstance(room.keeper, RoomKeeper) else None

    # Seats

    def take_seat(self, seat: Seat) -> None:
        """Count somebody in: as a viewer, or among the staff, who are not viewers and see more."""
        broadcast_id = seat.ticket.broadcast_id
        if seat.is_staff:
            self.staff[broadcast_id].add(seat)
            seat.counted_as = "staff"
        else:
            self.viewers[broadcast_id] += 1
            seat.counted_as = "viewer"
        self.moved.add(broadcast_id)

    def leave_seat(self, seat: Seat) -> None:
        """Count somebody out as what they came in; nothing happens when they are not in."""
        broadcast_id = seat.ticket.broadcast_id
        match seat.counted_as:
            case "staff":
                self.staff[broadcast_id].discard(seat)
                if not self.staff[broadcast_id]:
                    del self.staff[broadcast_id]
            case "viewer":
                self.viewers[broadcast_id] -= 1
                if not self.viewers[broadcast_id]:
                    del self.viewers[broadcast_id]
        seat.counted_as = ""
        self.moved.add(broadcast_id)

    # Events

    def committed(self, broadcast_id: int, events: Sequence[Event]) -> None:
        """This gateway wrote events and their transaction has committed: to the room here, and to the others."""
        if not events:
            return
        room = self.fan.find_room(broadcast_id)
        if room is not None:
            room.offer(events)
        task = asyncio.create_task(publish_committed(self._bus, broadcast_id, events))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def heal_forever(self, also: Iterable[int] = ()) -> None:
        """Compare all rooms with the log, again and again. ``also``: a live set of shows whose state is wanted."""
        while True:
            with contextlib.suppress(*UNREACHABLE):
                await self._heal({int(room.broadcast_id) for room in self.fan.rooms} | set(also))
            await asyncio.sleep(HEAL_SECONDS)

    async def _heal(self, broadcast_ids: set[int]) -> None:
        known = await self._store.run(lambda cursor: last_sequences(cursor, broadcast_ids))
        self.healed_at = asyncio.get_running_loop().time()
        self.show_states = {broadcast_id: state for broadcast_id, (_, state) in known.items()}
        for broadcast_id, (last, _) in known.items():
            room = self.fan.find_room(broadcast_id)
            if room is not None:
                room.heal(last)
        self._checkpoints = {one: number for one, number in self._checkpoints.items() if one in known}
        for broadcast_id in broadcast_ids:
            await self._check_point(broadcast_id)

    async def _check_point(self, broadcast_id: int) -> None:
        keeper = self.keeper_of(broadcast_id)
        if keeper is None:
            return
        kept = self._checkpoints.setdefault(broadcast_id, keeper.sequence - EVENTS_PER_CHECKPOINT // 2)
        if keeper.sequence - kept >= EVENTS_PER_CHECKPOINT:
            # Taken together here: the room goes on while the thread writes.
            sequence, state = keeper.sequence, keeper.state
            self._checkpoints[broadcast_id] = sequence
            await self._store.run(lambda cursor: keep_checkpoint(cursor, broadcast_id, sequence, state))
