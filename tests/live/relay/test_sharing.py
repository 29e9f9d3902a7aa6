"""Several gateways on one bus serve one stream, and a sender may change between them."""

from __future__ import annotations

import asyncio
import re
import time

from silkroom.live.relay.core.chunks import Kind
from silkroom.live.relay.door import CloseCode
from tests.live.relay.conftest import StartGateway
from tests.live.relay.gateway import PATIENCE, Watching, eventually, send
from tests.live.relay.test_hls import on_air, text
from tests.live.relay.video import clip

VIDEO = clip(seconds=1)


def count_pictures(seen: Watching) -> int:
    return sum(chunk.is_video for chunk in seen.chunks)


async def test_a_viewer_elsewhere_sees_the_same_from_a_key_frame_on(start: StartGateway) -> None:
    here, there = await start("g1"), await start("g2")
    async with here.sender() as sender, here.watching() as near:
        await sender.send_config(VIDEO.config)
        await send(sender, VIDEO.chunks, speed=0)
        await near.until(lambda seen: len(seen.chunks) == len(VIDEO.chunks))
        async with there.watching() as far, there.watching(mode="mse") as other:
            await far.until(lambda seen: len(seen.chunks) > 20)
            assert far.chunks[0].kind is Kind.VIDEO_KEY
            await send(sender, VIDEO.chunks, speed=2, start_us=1_000_000)
            last = VIDEO.pictures[-1].payload
            await far.until(lambda seen: seen.chunks[-1].payload == last and len(seen.chunks) > len(VIDEO.chunks))
            await near.until(lambda seen: seen.chunks[-1].payload == last)
            await other.until(lambda seen: len(seen.chunks) > 60)
    pictures = [(chunk.time_us, chunk.payload) for chunk in near.chunks if chunk.is_video]
    far_pictures = [(chunk.time_us, chunk.payload) for chunk in far.chunks if chunk.is_video]
    assert far_pictures == pictures
    assert far.states()[-1] == "on_air" and far.configs()[-1]["video"] == near.configs()[-1]["video"]
    assert there.relay.stats()["streams"]["show"]["role"] == "edge"
    assert other.chunks[0].kind is Kind.INIT


async def test_a_viewer_who_waits_elsewhere_is_served_when_the_sender_comes(start: StartGateway) -> None:
    here, there = await start("g1"), await start("g2")
    async with there.watching() as far:
        await far.step()
        assert far.states() == ["waiting"]
        async with here.sender() as sender:
            await sender.send_config(VIDEO.config)
            await send(sender, VIDEO.chunks)
            await far.until(lambda seen: len(seen.chunks) > 5)
        await far.until(lambda seen: seen.states()[-1] == "paused")
    assert far.chunks[0].kind is Kind.VIDEO_KEY


async def test_all_gateways_answer_the_same_playlists_and_parts(start: StartGateway) -> None:
    here, there = await start("g1"), await start("g2")
    async with on_air(here):
        first = await text(here, "show/media.m3u8")
        number = int(re.findall(r"part-(\d+)-", first)[-1])
        await text(here, f"show/media.m3u8?_HLS_msn={number}")
        # fetched late: the snapshot brings what came before, the live events the rest
        query = f"show/media.m3u8?_HLS_msn={number + 1}&_HLS_part=2"
        near, far = await asyncio.gather(text(here, query), text(there, query))
        assert far == near
        for name in re.findall(r'URI="((?:part|init)[^"]+)"', near.split("#EXT-X-PRELOAD-HINT")[0])[:6]:
            async with here.get(f"show/{name}") as one, there.get(f"show/{name}") as other:
                assert one.status == other.status == 200
                assert await one.read() == await other.read()


async def test_a_sender_who_comes_back_to_another_gateway_keeps_its_viewers(start: StartGateway) -> None:
    here, there = await start("g1"), await start("g2")
    async with here.watching() as near, there.watching() as far, here.sender(serial=1) as first:
        await first.send_config(VIDEO.config, zero_ms=time.time() * 1000)
        await send(first, VIDEO.chunks, speed=4)
        await far.until(lambda seen: len(seen.chunks) > 5)
        async with there.sender(serial=2) as second:
            await second.send_config(VIDEO.config, zero_ms=time.time() * 1000)
            assert (await asyncio.wait_for(first.stopped(), PATIENCE)).code == CloseCode.REPLACED
            seen_near, seen_far = len(near.chunks), len(far.chunks)
            for turn in range(4):
                await send(second, VIDEO.chunks, speed=2, start_us=turn * 1_000_000)
            await near.until(lambda seen: len(seen.chunks) > seen_near + 100)
            await far.until(lambda seen: len(seen.chunks) > seen_far + 100)
            await eventually(lambda: here.relay.stats()["streams"]["show"]["role"] == "edge")
            assert there.relay.stats()["streams"]["show"]["role"] == "origin"
    for viewer in (near, far):
        times = [chunk.time_us for chunk in viewer.chunks if chunk.is_video]
        assert times == sorted(set(times)), "time never goes back"


async def test_an_older_sender_elsewhere_is_refused(start: StartGateway) -> None:
    here, there = await start("g1"), await start("g2")
    async with here.sender(serial=9) as first:
        await first.send_config(VIDEO.config)
        await send(first, VIDEO.chunks, speed=0)
        async with there.sender(serial=8) as late:
            await late.send_config(VIDEO.config)
            assert (await asyncio.wait_for(late.stopped(), PATIENCE)).code == CloseCode.REPLACED
        await send(first, VIDEO.chunks, speed=0, start_us=1_000_000)
    assert here.relay.stats()["streams"]["show"]["role"] == "origin"


async def test_the_end_reaches_viewers_everywhere(start: StartGateway) -> None:
    here, there = await start("g1"), await start("g2")
    async with here.sender() as sender, there.watching() as far:
        await sender.send_config(VIDEO.config)
        await send(sender, VIDEO.chunks)
        await far.until(lambda seen: len(seen.chunks) > 5)
        await here.relay.end("show")
        assert await far.until_closed() == CloseCode.NORMAL
    assert far.states()[-1] == "ended"


async def test_nothing_is_published_while_nobody_elsewhere_watches(start: StartGateway) -> None:
    here = await start("g1")
    heard: list[bytes] = []
    bus = here.relay._bus
    await bus.subscribe("silkroom.media.show.live", heard.append)
    await bus.subscribe("silkroom.media.show.parts", heard.append)
    async with here.sender() as sender, here.watching() as near:
        await sender.send_config(VIDEO.config)
        await send(sender, VIDEO.chunks, speed=0)
        await near.until(lambda seen: len(seen.chunks) == len(VIDEO.chunks))
    assert heard == []


async def test_rubbish_on_the_bus_is_ignored(start: StartGateway) -> None:
    here, there = await start("g1"), await start("g2")
    bus = here.relay._bus
    async with here.sender() as sender, there.watching() as far:
        await sender.send_config(VIDEO.config)
        for subject in ("control", "live", "parts", "inbox.g2"):
            await bus.publish(f"silkroom.media.show.{subject}", b"\xc1rubbish")
        await send(sender, VIDEO.chunks, speed=2)
        await far.until(lambda seen: len(seen.chunks) > 5)


async def test_a_show_can_be_ended_where_its_sender_never_was(start: StartGateway) -> None:
    here, there = await start("g1"), await start("g2")
    async with here.sender() as sender, there.watching() as far:
        await sender.send_config(VIDEO.config)
        await send(sender, VIDEO.chunks)
        await far.until(lambda seen: len(seen.chunks) > 5)
        await there.relay.end("show")
        assert await far.until_closed() == CloseCode.NORMAL
        assert here.relay.state("show") == "on_air", "the origin is told by whoever ends the show"
