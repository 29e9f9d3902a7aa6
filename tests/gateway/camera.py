"""Somebody who sends a picture."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from silkroom.live.relay.client import MediaPublisherClient
from tests.live.relay.video import clip

PATIENCE_SECONDS = 30


@dataclass
class Camera:
    """``sent_seconds``: of picture, so far."""

    task: asyncio.Task[None]
    sent_seconds: float = 0.0

    async def has_sent(self, seconds: float) -> None:
        """Wait until so much more picture has gone out. Raises what ended the sending."""
        until = self.sent_seconds + seconds
        async with asyncio.timeout(seconds + PATIENCE_SECONDS):
            while self.sent_seconds < until and not self.task.done():  # noqa: ASYNC110 - a counter, no event
                await asyncio.sleep(0.02)
        if self.task.done():
            self.task.result()

    async def ended(self) -> None:
        """Wait until the gateway ends it. Raises SendingStopped."""
        await asyncio.wait_for(asyncio.shield(self.task), PATIENCE_SECONDS)


@contextlib.asynccontextmanager
async def camera(gateway: str, ticket: str) -> AsyncIterator[Camera]:
    """Sends a clip in real time, over and over, until it is switched off or the gateway ends it."""
    film = clip(sound=False)

    async def run() -> None:
        async with MediaPublisherClient(gateway, ticket) as sender:
            await sender.send_config(film.config)
            offset_us = 0
            while True:
                for chunk in film.chunks:
                    moved = replace(chunk, time_us=chunk.time_us + offset_us)
                    await sender.send_chunk(moved)
                    made.sent_seconds += chunk.duration_us / 1_000_000
                    await asyncio.sleep(chunk.duration_us / 1_000_000)
                offset_us += film.chunks[-1].time_us + film.chunks[-1].duration_us

    made = Camera(asyncio.create_task(run()))
    try:
        yield made
    finally:
        made.task.cancel()
        await asyncio.wait([made.task])
