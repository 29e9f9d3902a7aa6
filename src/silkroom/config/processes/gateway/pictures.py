"""Whether a show's picture arrives: the leading gateway marks it interrupted, and on air again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from silkroom.journal.queries import Cursor
from silkroom.live.broadcasts.states import BroadcastState
from silkroom.live.fanout.door import Event
from silkroom.live.room.queries import running_shows
from silkroom.live.room.services import mark_interrupted, mark_returned

from .attendance import Attendance
from .house import House
from .store import UNREACHABLE, Store

LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 2.0
"""A sender that reconnects at once interrupts nothing."""

FIRST_PATIENCE_SECONDS = 5.0
"""A new leader has not heard from all gateways yet."""

Mark = Callable[[Cursor, int], list[Event]]

log = structlog.get_logger("silkroom.gateway")


class PictureWatch:
    """Acts only while ``is_leader()`` and ``hears_others()``: one that cannot hear would take them for silent."""

    def __init__(
        self,
        house: House,
        store: Store,
        attendance: Attendance,
        *,
        is_leader: Callable[[], bool],
        hears_others: Callable[[], bool],
    ) -> None:
        self._house = house
        self._store = store
        self._attendance = attendance
        self._is_leader = is_leader
        self._hears_others = hears_others
        self._patient_until: dict[int, float] = {}
        self._led_since: float | None = None

    async def run_forever(self) -> None:
        while True:
            with contextlib.suppress(*UNREACHABLE):
                await self._look()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self._is_leader() or not self._hears_others():
            self._led_since = None
            self._patient_until.clear()
            return
        if self._led_since is None:
            self._led_since = now
        shows = await self._store.run(running_shows)
        sending = self._attendance.sending_anywhere()
        self._patient_until = {show: until for show, until in self._patient_until.items() if show in shows}
        for broadcast_id, state in shows.items():
            if broadcast_id in sending:
                self._patient_until.pop(broadcast_id, None)
                if state == BroadcastState.INTERRUPTED:
                    await self._mark(broadcast_id, mark_returned, "the picture is back")
            elif state == BroadcastState.ON_AIR and now >= self._give_up_at(broadcast_id, now):
                await self._mark(broadcast_id, mark_interrupted, "no picture arrives")

    def _give_up_at(self, broadcast_id: int, now: float) -> float:
        first = (self._led_since or now) + FIRST_PATIENCE_SECONDS
        return max(first, self._patient_until.setdefault(broadcast_id, now + PATIENCE_SECONDS))

    async def _mark(self, broadcast_id: int, mark: Mark, news: str) -> None:
        events = await self._store.run(lambda cursor: mark(cursor, broadcast_id))
        if events:
            log.info(news, broadcast=broadcast_id)
            self._house.committed(broadcast_id, events)
