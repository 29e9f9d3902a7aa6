"""Somebody who sends a picture."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from silkroom.live.relay.client import MediaPublisherClient
from tests.live.relay.video import clip


@contextlib.asynccontextmanager
async def camera(gateway: str, ticket: str) -> AsyncIterator[asyncio.Task[None]]:
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
                    await asyncio.sleep(chunk.duration_us / 1_000_000)
                offset_us += film.chunks[-1].time_us + film.chunks[-1].duration_us

    task = asyncio.create_task(run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
