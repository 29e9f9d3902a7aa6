"""Which shows anybody may watch by their number alone: one query answers for all requests of a second.

Whoever asks for one number after the other costs nothing that way, however many there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from silkroom.live.room.queries import public_shows

from .store import Store

GOOD_FOR_SECONDS = 1.0


class PublicShows:
    """``held``: shows whose video this gateway still has, for those that have just ended."""

    def __init__(self, store: Store, held: Callable[[], Iterable[int]]) -> None:
        self._store = store
        self._held = held
        self._lock = asyncio.Lock()
        self._known: set[int] = set()
        self._good_until = float("-inf")
        self.queries = 0

    async def has(self, broadcast_id: int) -> bool:
        """Raises what says that the database is away."""
        async with self._lock:
            if self._now() >= self._good_until:
                self.queries += 1
                held = list(self._held())
                self._known = await self._store.run(lambda cursor: public_shows(cursor, held))
                self._good_until = self._now() + GOOD_FOR_SECONDS
        return broadcast_id in self._known

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
