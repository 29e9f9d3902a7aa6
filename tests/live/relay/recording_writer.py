"""A process that receives a show in real time, records it and prints how far it is; test_recording kills it."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from silkroom.live.relay.door import LocalBus  # noqa: E402
from tests.live.relay.gateway import start_gateway  # noqa: E402
from tests.live.relay.video import clip  # noqa: E402


async def main(spool: Path) -> None:
    gateway = await start_gateway(LocalBus(), spool)
    video = clip(seconds=10)
    async with gateway.sender() as sender:
        await sender.send_config(video.config)
        begin = time.monotonic()
        for chunk in video.chunks:
            await asyncio.sleep(max(0.0, chunk.time_us / 1_000_000 - (time.monotonic() - begin)))
            await sender.send_chunk(chunk)
            if chunk.is_video:
                sys.stdout.write(f"{chunk.time_us // 1000}\n")
                sys.stdout.flush()


asyncio.run(main(Path(sys.argv[1])))
