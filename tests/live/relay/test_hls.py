"""LL-HLS over real HTTP: blocking reload, hints, headers for a CDN, private shows, the end."""

from __future__ import annotations

import asyncio
import io
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av
import pytest

from silkroom.live.relay import hls
from tests.live.relay.gateway import Gateway, eventually, send
from tests.live.relay.video import clip

VIDEO = clip(seconds=3)


@asynccontextmanager
async def on_air(gateway: Gateway, broadcast: str = "show") -> AsyncIterator[asyncio.Task[None]]:
    """A sender in real time, three seconds of video again and again."""

    async def keep_sending() -> None:
        async with gateway.sender(broadcast) as sender:
            await sender.send_config(VIDEO.config)
            turn = 0
            while True:
                await send(sender, VIDEO.chunks, start_us=turn * 3_000_000)
                turn += 1

    task = asyncio.create_task(keep_sending())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def text(gateway: Gateway, path: str) -> str:
    async with gateway.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return str(await answer.text())


def last_part(playlist: str) -> tuple[int, int]:
    number, index = re.findall(r"part-(\d+)-(\d+)\.mp4", playlist.split("#EXT-X-PRELOAD-HINT")[0])[-1]
    return int(number), int(index)


def hint(playlist: str) -> str:
    found = re.search(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"', playlist)
    assert found is not None
    return found[1]


async def test_a_player_finds_everything_from_the_master_playlist_on(gateway: Gateway) -> None:
    async with on_air(gateway):
        master = await text(gateway, "show/master.m3u8")
        assert 'CODECS="avc1.' in master and ",mp4a.40.2" in master and "RESOLUTION=160x96" in master
        assert master.splitlines()[-1] == "media.m3u8"
        playlist = await text(gateway, "show/media.m3u8")
        names = re.findall(r'URI="([^"]+)"', playlist.split("#EXT-X-PRELOAD-HINT")[0])
        data = b""
        for name in names:
            async with gateway.get(f"show/{name}") as answer:
                assert answer.status == 200
                assert answer.content_type == "video/mp4"
                assert answer.headers["Cache-Control"] == "public, max-age=3600, immutable"
                assert answer.headers["Access-Control-Allow-Origin"] == "*"
                data += await answer.read()
    with av.open(io.BytesIO(data)) as source:
        assert sum(1 for _ in source.decode(video=0)) >= 6


async def test_a_blocking_reload_waits_for_exactly_the_part_it_asks_for(gateway: Gateway) -> None:
    async with on_air(gateway):
        number, index = last_part(await text(gateway, "show/media.m3u8"))
        for _ in range(4):
            async with gateway.get(f"show/media.m3u8?_HLS_msn={number}&_HLS_part={index + 1}") as answer:
                playlist = await answer.text()
                assert answer.headers["Cache-Control"] == "public, max-age=24"
            got = last_part(playlist)
            assert got in {(number, index + 1), (number + 1, 0)}
            number, index = got


async def test_a_whole_segment_can_be_waited_for(gateway: Gateway) -> None:
    async with on_air(gateway):
        number, _index = last_part(await text(gateway, "show/media.m3u8"))
        playlist = await text(gateway, f"show/media.m3u8?_HLS_msn={number}")
        assert f"segment-{number}.mp4" in playlist
        parts = re.findall(rf'"(part-{number}-\d+\.mp4)"', playlist)
        whole = b""
        for name in parts:
            async with gateway.get(f"show/{name}") as answer:
                whole += await answer.read()
        async with gateway.get(f"show/segment-{number}.mp4") as answer:
            assert await answer.read() == whole


async def test_the_hinted_part_is_sent_the_moment_it_exists(gateway: Gateway) -> None:
    async with on_air(gateway):
        playlist = await text(gateway, "show/media.m3u8")
        name = hint(playlist)
        assert name not in playlist.split("#EXT-X-PRELOAD-HINT")[0]
        async with gateway.get(f"show/{name}") as answer:
            assert answer.status == 200
            early = await answer.read()
        assert name in (await text(gateway, "show/media.m3u8")).split("#EXT-X-PRELOAD-HINT")[0]
        async with gateway.get(f"show/{name}") as answer:
            assert await answer.read() == early


@pytest.mark.parametrize(
    "query",
    ["_HLS_msn=99999999999", "_HLS_part=1", "_HLS_msn=-1", "_HLS_msn=x", "_HLS_msn=1e3", "_HLS_msn=%D9%A1"],
)
async def test_an_impossible_reload_is_refused_at_once(gateway: Gateway, query: str) -> None:
    async with on_air(gateway):
        await text(gateway, "show/media.m3u8")
        async with gateway.get(f"show/media.m3u8?{query}") as answer:
            assert answer.status == 400
            assert answer.headers["Cache-Control"] == "no-store"
            assert (await answer.json())["error"]["code"] == "bad_reload"


async def test_a_reload_too_far_ahead_is_refused_but_the_next_segments_are_not(gateway: Gateway) -> None:
    async with on_air(gateway):
        number, index = last_part(await text(gateway, "show/media.m3u8"))
        async with gateway.get(f"show/media.m3u8?_HLS_msn={number}&_HLS_part={index + 40}") as answer:
            assert answer.status == 400
        async with gateway.get(f"show/media.m3u8?_HLS_msn={number + 4}") as answer:
            assert answer.status == 400


@pytest.mark.parametrize("name", ["part-1-1.mp4", "segment-1.mp4", "init-1.mp4", "x.mp4", "..%2f..%2fetc%2fpasswd"])
async def test_what_is_not_there_is_404_and_not_kept(gateway: Gateway, name: str) -> None:
    async with on_air(gateway):
        await text(gateway, "show/media.m3u8")
        async with gateway.get(f"show/{name}") as answer:
            assert answer.status == 404
            if name != "..%2f..%2fetc%2fpasswd":
                assert answer.headers["Cache-Control"] == "no-store"


async def test_a_broadcast_without_video_is_404_after_a_short_wait(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hls, "FIRST_PART_SECONDS", 0.05)
    for path in ("nobody/master.m3u8", "nobody/media.m3u8", "nobody/init-1.mp4"):
        async with gateway.get(path) as answer:
            assert answer.status == 404


async def test_a_private_show_needs_its_ticket_and_carries_it_through(gateway: Gateway) -> None:
    gateway.tickets.private.add("show")
    async with on_air(gateway):
        for path in ("show/master.m3u8", "show/media.m3u8"):
            async with gateway.get(path) as answer:
                assert answer.status == 404
        async with gateway.get("show/media.m3u8?ticket=watch-other-1") as answer:
            assert answer.status == 403
        async with gateway.get("show/master.m3u8?ticket=watch-show-1") as answer:
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert (await answer.text()).splitlines()[-1] == "media.m3u8?ticket=watch-show-1"
        playlist = await text(gateway, "show/media.m3u8?ticket=watch-show-1")
        names = re.findall(r'URI="([^"]+)"', playlist)
        assert names and all(name.endswith(".mp4?ticket=watch-show-1") for name in names)
        async with gateway.get(f"show/{names[1]}") as answer:
            assert answer.status == 200
            assert answer.headers["Cache-Control"].startswith("private")
        async with gateway.get(f"show/{names[1].split('?')[0]}") as answer:
            assert answer.status == 404


async def test_while_the_sender_is_away_a_reload_is_answered_in_the_end(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hls, "RELOAD_SECONDS", 0.1)
    async with on_air(gateway):
        await text(gateway, "show/media.m3u8")
    await eventually(lambda: gateway.relay.state("show") == "paused")
    number, _index = last_part(await text(gateway, "show/media.m3u8"))
    async with gateway.get(f"show/media.m3u8?_HLS_msn={number + 1}&_HLS_part=0") as answer:
        assert answer.status == 503


async def test_the_end_closes_the_list_and_wakes_who_waits(gateway: Gateway) -> None:
    async with on_air(gateway):
        number, _index = last_part(await text(gateway, "show/media.m3u8"))
        waiting = asyncio.create_task(text(gateway, f"show/media.m3u8?_HLS_msn={number + 2}"))
        hinted = asyncio.create_task(_status(gateway, "show/" + hint(await text(gateway, "show/media.m3u8"))))
        await asyncio.sleep(0)
        await gateway.relay.end("show")
        ended = await waiting
        assert ended.splitlines()[-1] == "#EXT-X-ENDLIST"
        assert "PRELOAD-HINT" not in ended
        assert await hinted in (200, 404)
        assert (await text(gateway, "show/media.m3u8")) == ended


async def _status(gateway: Gateway, path: str) -> int:
    async with gateway.get(path) as answer:
        return int(answer.status)


async def test_ffmpeg_plays_it_as_any_hls(gateway: Gateway) -> None:
    """A player of somebody else's, over real HTTP, from the master playlist to decoded pictures and sound."""

    def play() -> tuple[int, int, list[int]]:
        with av.open(f"{gateway.address}/gateway/hls/show/master.m3u8", timeout=(10.0, 10.0)) as source:
            pictures, samples, times = 0, 0, []
            for frame in source.decode(video=0, audio=0):
                if isinstance(frame, av.VideoFrame):
                    pictures += 1
                    times.append(round(frame.pts * frame.time_base * 1000))
                else:
                    samples += frame.samples
                if pictures >= 90:
                    break
            return pictures, samples, times

    async with on_air(gateway):
        # it knows nothing of parts: there must be a whole segment
        number, _index = last_part(await text(gateway, "show/media.m3u8"))
        await text(gateway, f"show/media.m3u8?_HLS_msn={number}")
        pictures, samples, times = await asyncio.to_thread(play)
    assert pictures == 90
    assert samples > 48_000
    assert all(20 <= later - earlier <= 60 for earlier, later in itertools.pairwise(times))
