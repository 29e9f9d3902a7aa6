"""Writing down what viewers say: a burst becomes one transaction, and everybody is answered after its commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import psycopg
import structlog

from silkroom.journal.queries import Cursor
from silkroom.kit.errors import Refusal
from silkroom.live.fanout.door import Event
from silkroom.live.questions.services import keep_questions
from silkroom.live.room.errors import CannotWrite, TooFast
from silkroom.live.room.services import Ask, Comment, Likes, Words, say_in_room

from .store import UNREACHABLE, Store

WRITE_SECONDS = 0.05
"""Between two transactions of a room: at most 20 a second, and nobody waits longer for the next one to begin."""

LIKES_SECONDS = 0.25
"""Hearts of so long are one event."""

MOST_IN_WRITE = 256
MOST_WAITING = 2000
"""Words of one room: at 20 transactions a second, less than half a second's work."""

Answer = Callable[["int | Refusal"], None]
"""Called with the number of the event, or with why there is none."""

Committed = Callable[[int, Sequence[Event]], None]

log = structlog.get_logger("silkroom.gateway")


def write_words(cursor: Cursor, broadcast_id: int, words: Sequence[Words]) -> list[Event]:
    """Events, and questions beside them, in one transaction. Raises ShowEnded, NotFound."""
    events = say_in_room(cursor, broadcast_id, words)
    asked = [(event.sequence, word) for event, word in zip(events, words, strict=True) if isinstance(word, Ask)]
    keep_questions(cursor, broadcast_id, asked)
    return events


class Scribe:
    """The pen of one room on this gateway."""

    def __init__(self, broadcast_id: int, store: Store, committed: Committed) -> None:
        self._broadcast_id = broadcast_id
        self._store = store
        self._committed = committed
        self._waiting: list[tuple[Comment | Ask, Answer]] = []
        self._likes = 0
        self._wrote_at = self._liked_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        return self._task is None or self._task.done()

    def say(self, words: Comment | Ask, answer: Answer) -> None:
        """Raises TooFast when the room talks faster than can be written."""
        if len(self._waiting) >= MOST_WAITING:
            raise TooFast(seconds=1)
        self._waiting.append((words, answer))
        self._work()

    def like(self, count: int) -> None:
        self._likes += count
        self._work()

    async def finish(self) -> None:
        """Wait until all is written."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _work(self) -> None:
        if self.is_idle:
            self._task = asyncio.create_task(self._write_all(), name=f"scribe-{self._broadcast_id}")

    async def _write_all(self) -> None:
        while self._waiting or self._likes:
            await asyncio.sleep(self._pause())
            await self._write()

    def _pause(self) -> float:
        now = asyncio.get_running_loop().time()
        due = self._wrote_at + WRITE_SECONDS
        if not self._waiting:
            due = max(due, self._liked_at + LIKES_SECONDS)
        return max(0.0, due - now)

    async def _write(self) -> None:
        now = self._wrote_at = asyncio.get_running_loop().time()
        taken, self._waiting = self._waiting[:MOST_IN_WRITE], self._waiting[MOST_IN_WRITE:]
        words: list[Words] = [word for word, _ in taken]
        if self._likes and now >= self._liked_at + LIKES_SECONDS:
            words.append(Likes(self._likes))
            self._likes, self._liked_at = 0, now
        if not words:
            return
        for number, (_, answer) in zip(await self._commit(words), taken, strict=False):
            answer(number)

    async def _commit(self, words: Sequence[Words]) -> list[int | Refusal]:
        """For each word the number of its event, or why there is none."""
        try:
            events = await self._store.run(lambda cursor: write_words(cursor, self._broadcast_id, words))
        except Refusal as refusal:
            return [refusal] * len(words)
        except UNREACHABLE as error:
            # Not tried again: a commit whose answer was lost would put the words there twice.
            log.warning("words could not be written", broadcast=self._broadcast_id, reason=str(error))
            return [CannotWrite()] * len(words)
        except psycopg.Error as error:
            if len(words) > 1:
                # One of them cannot be written (its person is gone, say); it fails alone.
                return [number for word in words for number in await self._commit([word])]
            log.error("words cannot be written", broadcast=self._broadcast_id, exc_info=error)
            return [CannotWrite()]
        self._committed(self._broadcast_id, events)
        return [event.sequence for event in events]
