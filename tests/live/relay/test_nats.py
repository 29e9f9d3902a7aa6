"""Two gateways over a real nats-server, also when it goes away in the middle of a show."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from silkroom.live.fanout.door import NatsBus
from silkroom.live.relay.core.chunks import MAX_PAYLOAD, Kind
from tests.live.relay.conftest import OwnNats
from tests.live.relay.gateway import PATIENCE, Gateway, eventually, send, start_gateway
from tests.live.relay.test_hls import on_air, text
from tests.live.relay.video import clip

VIDEO = clip(seconds=1)


@pytest.fixture
async def pair(own_nats: OwnNats, tmp_path: Path) -> AsyncIterator[tuple[Gateway, Gateway]]:
    async with AsyncExitStack() as stack:
        gateways = []
        for name in ("g1", "g2"):
            bus = NatsBus(own_nats.url)
            await bus.start()
            stack.push_async_callback(bus.close)
            await asyncio.wait_for(bus.wait_connected(), PATIENCE)
            gateway = await start_gateway(bus, tmp_path / name, name)
            stack.push_async_callback(gateway.close)
            gateways.append(gateway)
        yield gateways[0], gateways[1]


async def test_watchers_and_players_elsewhere_get_the_same_bytes(pair: tuple[Gateway, Gateway]) -> None:
    here, there = pair
    async with on_air(here), here.watching() as near, there.watching() as far:
        await far.until(lambda seen: sum(chunk.is_video for chunk in seen.chunks) > 20)
        await near.until(lambda seen: bool(seen.chunks) and seen.chunks[-1].time_us >= far.chunks[-1].time_us)
        pictures = {chunk.time_us: chunk.payload for chunk in near.chunks if chunk.is_video}
        assert far.chunks[0].kind is Kind.VIDEO_KEY
        assert all(pictures[chunk.time_us] == chunk.payload for chunk in far.chunks if chunk.is_video)
        first = await text(here, "show/media.m3u8")
        number = int(re.findall(r"part-(\d+)-", first)[-1])
        query = f"show/media.m3u8?_HLS_msn={number + 1}&_HLS_part=1"
        assert await text(there, query) == await text(here, query)


async def test_the_largest_picture_gets_through(pair: tuple[Gateway, Gateway]) -> None:
    here, there = pair
    big = replace(VIDEO.pictures[0], payload=VIDEO.pictures[0].payload.ljust(MAX_PAYLOAD, b"\0"))
    async with there.watching() as far, here.sender() as sender:
        await sender.send_config(VIDEO.config)
        await eventually(lambda: "show" in there.relay.stats()["streams"])
        for turn in range(4):
            await sender.send_chunk(big.at(turn * 1_000_000))
            await send(sender, VIDEO.chunks[1:], speed=4, start_us=turn * 1_000_000)
        await far.until(lambda seen: any(len(chunk.payload) == MAX_PAYLOAD for chunk in seen.chunks))
        playlist = await text(there, "show/media.m3u8")
        assert "#EXT-X-PART" in playlist


async def test_a_nats_that_was_away_costs_a_moment_only(pair: tuple[Gateway, Gateway], own_nats: OwnNats) -> None:
    here, there = pair
    async with on_air(here), there.watching() as far:
        await far.until(lambda seen: len(seen.chunks) > 20)
        await asyncio.to_thread(own_nats.kill)
        await asyncio.to_thread(own_nats.start)
        seen = len(far.chunks)
        await far.until(lambda watching: len(watching.chunks) > seen + 20)
    pictures = [chunk for chunk in far.chunks if chunk.is_video]
    for earlier, later in itertools.pairwise(pictures):
        assert later.time_us - earlier.time_us < 50_000 or later.kind is Kind.VIDEO_KEY
