"""From a sender's chunks to the parts of LL-HLS and of the recording, off the event loop.

Chunks gather while a worker thread packs those before them, so one thread call serves whatever came meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from silkroom.live.relay.core.chunks import Chunk, Kind, StreamConfig
from silkroom.live.relay.core.segments import Event, Segmenter
from silkroom.live.relay.sound import SoundTranscoder, aac_config

MAX_WAITING = 2_000
"""About 20 s of chunks. A machine that falls so far behind loses a piece of the recording rather than its memory."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewConfig:
    config: StreamConfig
    now_us: int


@dataclass(frozen=True, slots=True)
class SenderGone:
    """The sender is away; it may come back."""


@dataclass(frozen=True, slots=True)
class ShowOver:
    pass


Task = Chunk | NewConfig | SenderGone | ShowOver


class Packer:
    """The synchronous part: tasks in, events out. One thread at a time."""

    def __init__(self, first_number: int) -> None:
        self._segmenter = Segmenter(first_number)
        self._transcoder: SoundTranscoder | None = None

    def run(self, tasks: Sequence[Task]) -> list[Event]:
        events: list[Event] = []
        for task in tasks:
            events += self._one(task)
        return events

    def _one(self, task: Task) -> list[Event]:
        if isinstance(task, NewConfig):
            return self._begin(task)
        if isinstance(task, SenderGone):
            self._flush_sound()
            return self._segmenter.break_off()
        if isinstance(task, ShowOver):
            self._flush_sound()
            return self._segmenter.end()
        if task.kind is Kind.AUDIO:
            for piece in self._transcoder.feed(task) if self._transcoder else (task,):
                self._segmenter.sound(piece)
            return []
        return self._segmenter.picture(task)

    def _begin(self, task: NewConfig) -> list[Event]:
        self._flush_sound()
        audio = task.config.audio
        self._transcoder = SoundTranscoder(audio) if audio is not None and audio.is_opus else None
        packed = StreamConfig(task.config.video, aac_config()) if self._transcoder else task.config
        return self._segmenter.begin(packed, task.now_us)

    def _flush_sound(self) -> None:
        if self._transcoder is not None:
            for piece in self._transcoder.flush():
                self._segmenter.sound(piece)


class Packaging:
    """Feeds a Packer in worker threads and hands its events over on the loop."""

    def __init__(self, packer: Packer, deliver: Callable[[Event], None], pool: Executor) -> None:
        self._packer = packer
        self._pool = pool
        self._deliver = deliver
        self._waiting: list[Task] = []
        self._skipping = False
        self._worker: asyncio.Task[None] | None = None

    def put(self, task: Task) -> None:
        """Never waits. When the machine is far behind, pictures are skipped up to a key frame."""
        if isinstance(task, Chunk):
            if len(self._waiting) >= MAX_WAITING and not self._skipping:
                logger.warning("packaging is behind by %d chunks: a piece is left out", len(self._waiting))
                self._skipping = True
            if self._skipping:
                if task.kind is not Kind.VIDEO_KEY or len(self._waiting) >= MAX_WAITING // 2:
                    return
                self._skipping = False
                self._waiting.append(SenderGone())
        self._waiting.append(task)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def drained(self) -> None:
        """Wait until everything put in so far has been delivered."""
        while self._worker is not None and not self._worker.done():
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        while self._waiting:
            tasks, self._waiting = self._waiting, []
            loop = asyncio.get_running_loop()
            for event in await loop.run_in_executor(self._pool, self._packer.run, tasks):
                self._deliver(event)
