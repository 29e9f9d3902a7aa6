"""Which shows anybody may watch by their number alone: one query answers for all requests of a second.

Whoever asks for one number after the other costs nothing that way, however many there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from silkroom.live.room.queries import public_shows

from .store import UNREACHABLE, Store

GOOD_FOR_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 0.25
"""For a show that was not public yet, and of which a viewer's ticket says that it is."""


class PublicShows:
    """``held``: shows whose video this gateway still has, for those that have just ended."""

    def __init__(self, store: Store, held: Callable[[], Iterable[int]]) -> None:
        self._store = store
        self._held = held
        self._lock = asyncio.Lock()
        self._known: dict[int, int] = {}
        self._asked_at = float("-inf")
        self._trouble: Exception | None = None
        self.queries = 0

    async def has(self, broadcast_id: int) -> bool:
        """Raises what says that the database is away."""
        await self._refresh(GOOD_FOR_SECONDS)
        return broadcast_id in self._known

    async def since(self, broadcast_id: int) -> int:
        """Relay time at which the show went on air; 0 if it has not. Raises what says that the database is away."""
        await self._refresh(GOOD_FOR_SECONDS if broadcast_id in self._known else LOOK_AGAIN_SECONDS)
        return self._known.get(broadcast_id, 0)

    async def _refresh(self, good_for_seconds: float) -> None:
        clock = asyncio.get_running_loop().time
        async with self._lock:
            if clock() - self._asked_at >= good_for_seconds:
                self.queries += 1
                self._asked_at = clock()
                held = list(self._held())
                try:
                    self._known = await self._store.run(lambda cursor: public_shows(cursor, held))
                    self._trouble = None
                except UNREACHABLE as error:
                    self._trouble = error
            if self._trouble is not None:
                raise self._trouble
