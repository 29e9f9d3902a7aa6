"""What the studio shows in figures: orders, money and pieces of the show, for its staff alone."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import Any

from silkroom.journal.queries import Cursor
from silkroom.live.room.queries import board_of

from .attendance import Attendance
from .house import House
from .seat import Seat
from .store import UNREACHABLE, Store

LOOK_SECONDS = 0.5
"""At most two boards a second."""

SHARE_OF_TIME = 0.1
"""Adding up a huge show takes longer; it may keep one connection busy for this share of the time."""


def _figures(broadcast_id: int, cursor: Cursor) -> dict[str, Any]:
    return board_of(cursor, broadcast_id)


class Boards:
    """Adds up, for the shows whose staff sit here, and sends what has changed."""

    def __init__(self, house: House, store: Store, attendance: Attendance) -> None:
        self._house = house
        self._store = store
        self._attendance = attendance
        self._sent: dict[Seat, dict[str, Any]] = {}

    async def run_forever(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            started_at = clock()
            with contextlib.suppress(*UNREACHABLE):
                await self._look()
            await asyncio.sleep(max(LOOK_SECONDS, (clock() - started_at) / SHARE_OF_TIME))

    async def _look(self) -> None:
        by_show = {broadcast_id: list(seats) for broadcast_id, seats in self._house.staff.items()}
        seated = {seat for seats in by_show.values() for seat in seats}
        self._sent = {seat: board for seat, board in self._sent.items() if seat in seated}
        for broadcast_id, seats in by_show.items():
            figures = await self._store.run(partial(_figures, broadcast_id))
            board = {"type": "board", "viewers": self._attendance.viewers(broadcast_id), **figures}
            for seat in seats:
                if self._sent.get(seat) != board:
                    self._sent[seat] = board
                    seat.send(board)
