"""Viewers over WebSockets: a picture at once, nobody waits for anybody, a lost sender costs nobody the seat."""

from __future__ import annotations

import asyncio
import io
import itertools
import socket
import time
from dataclasses import replace
from functools import partial

import av
import msgspec
import pytest

from silkroom.live.relay import audience
from silkroom.live.relay.client import MediaPublisherClient
from silkroom.live.relay.core.chunks import HEADER, Chunk, Kind
from silkroom.live.relay.door import CloseCode, StreamState
from tests.live.relay.conftest import StartGateway
from tests.live.relay.gateway import PATIENCE, Gateway, Watching, eventually, refused, send
from tests.live.relay.video import Clip, clip


async def test_a_late_viewer_starts_with_the_group_of_pictures_on_air(gateway: Gateway) -> None:
    video = clip(seconds=1.5)
    async with gateway.sender() as sender:
        await sender.send_config(video.config)
        await send(sender, video.chunks, speed=0)
        await eventually(lambda: gateway.relay.stats()["streams"]["show"]["bits_per_second"] >= 0)
        last = video.pictures[-1]
        async with gateway.watching() as viewer:
            await viewer.until(lambda seen: any(one.payload == last.payload for one in seen.chunks))
    assert viewer.states() == ["on_air"]
    assert viewer.configs()[0]["video"]["codec"] == video.config.video.codec
    assert viewer.chunks[0].kind is Kind.VIDEO_KEY
    pictures = [chunk.payload for chunk in viewer.chunks if chunk.is_video]
    assert pictures == [chunk.payload for chunk in video.pictures[30:]]
    # of the group's sound only the newest is worth sending
    assert all(chunk.time_us >= viewer.chunks[-1].time_us - 80_000 for chunk in viewer.chunks if not chunk.is_video)


async def test_a_viewer_who_was_first_sees_everything_with_capture_times(gateway: Gateway) -> None:
    video = clip(seconds=1)
    async with gateway.watching() as viewer, gateway.sender() as sender:
        await viewer.step()
        before = time.time()
        await sender.send_config(video.config, zero_ms=time.time() * 1000)
        await send(sender, video.chunks)
        await viewer.until(lambda seen: len(seen.chunks) == len(video.chunks))
    assert viewer.states() == ["waiting", "on_air"]
    assert [chunk.payload for chunk in viewer.chunks] == [chunk.payload for chunk in video.chunks]
    shift = viewer.chunks[0].time_us - video.chunks[0].time_us
    assert abs(shift / 1_000_000 - before) < 1
    for got, sent in zip(viewer.chunks, video.chunks, strict=True):
        assert abs(got.time_us - sent.time_us - shift) <= 1_000
    last = max(chunk.time_us for chunk in viewer.chunks if chunk.is_video)
    assert gateway.relay.media_position("show") == last // 1000


async def test_fragments_for_mse_decode_to_the_same_pictures(gateway: Gateway) -> None:
    video = clip(seconds=1)
    async with gateway.watching(mode="mse") as viewer, gateway.sender() as sender:
        await viewer.step()
        await sender.send_config(video.config)
        await send(sender, video.chunks, speed=4)
        await viewer.until(lambda seen: len(seen.chunks) == len(video.chunks) + 1)
    assert viewer.configs()[0]["mime"] == f'video/mp4; codecs="{video.config.video.codec},opus"'
    assert viewer.chunks[0].kind is Kind.INIT
    assert {chunk.kind for chunk in viewer.chunks[1:]} == {Kind.FRAGMENT}
    with av.open(io.BytesIO(b"".join(chunk.payload for chunk in viewer.chunks))) as source:
        assert [bytes(packet) for packet in source.demux(video=0) if packet.size] == [
            chunk.payload for chunk in video.pictures
        ]


async def test_a_sender_who_comes_back_goes_on_in_the_same_connection(gateway: Gateway) -> None:
    video = clip(seconds=1)
    async with gateway.watching() as viewer:
        for _turn in range(2):
            async with gateway.sender() as sender:
                await sender.send_config(video.config, zero_ms=time.time() * 1000)
                await send(sender, video.chunks, speed=0)
                seen = len(viewer.chunks) + len(video.chunks)
                await viewer.until(lambda watching, seen=seen: len(watching.chunks) >= seen)  # type: ignore[misc]
            await viewer.until(lambda watching: watching.states()[-1] == "paused")
    assert viewer.states() == ["waiting", "on_air", "paused", "on_air", "paused"]
    assert len(viewer.configs()) == 1, "the same config again is no news"
    times = [chunk.time_us for chunk in viewer.chunks if chunk.is_video]
    assert len(times) == 60
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert viewer.chunks[len(video.chunks)].kind is Kind.VIDEO_KEY


async def test_another_camera_brings_a_new_config_before_its_first_key_frame(gateway: Gateway) -> None:
    first, second = clip(seconds=0.5), clip(seconds=0.5, width=96, height=160)
    async with gateway.watching(mode="mse") as viewer, gateway.sender() as sender:
        await viewer.step()
        for video in (first, second):
            await sender.send_config(video.config)
            await send(sender, video.chunks, speed=0)
        total = len(first.chunks) + len(second.chunks) + 2
        await viewer.until(lambda seen: len(seen.chunks) == total)
    assert [config["video"]["width"] for config in viewer.configs()] == [160, 96]
    kinds = [chunk.kind for chunk in viewer.chunks]
    assert [number for number, kind in enumerate(kinds) if kind is Kind.INIT] == [0, len(first.chunks) + 1]


async def test_a_viewer_may_ask_for_the_group_again(gateway: Gateway) -> None:
    video = clip(seconds=0.5)
    async with gateway.sender() as sender, gateway.watching() as viewer:
        await sender.send_config(video.config)
        await send(sender, video.chunks, speed=0)
        await viewer.until(lambda seen: len(seen.chunks) == len(video.chunks))
        await viewer.socket.send_str('{"type":"resume"}')
        await viewer.until(lambda seen: sum(chunk.kind is Kind.VIDEO_KEY for chunk in seen.chunks) == 2)


async def test_clocks_can_be_compared(gateway: Gateway) -> None:
    async with gateway.watching() as viewer:
        await viewer.socket.send_str('{"type":"ping","client_ms":12345.5}')
        await viewer.until(lambda seen: bool(seen.texts) and seen.texts[-1]["type"] == "pong")
    assert viewer.texts[-1]["client_ms"] == 12345.5
    assert abs(viewer.texts[-1]["server_ms"] / 1000 - time.time()) < 5


async def test_the_end_is_told_and_closes(gateway: Gateway) -> None:
    video = clip(seconds=0.5)
    async with gateway.watching() as viewer, gateway.sender() as sender:
        await sender.send_config(video.config)
        await send(sender, video.chunks, speed=0)
        await viewer.until(lambda seen: len(seen.chunks) > 10)
        await gateway.relay.end("show")
        assert await viewer.until_closed() == CloseCode.NORMAL
        assert (await sender.stopped()).code == CloseCode.NORMAL
    assert viewer.states()[-1] == "ended"
    assert gateway.relay.state("show") is StreamState.ENDED


async def test_a_restarting_gateway_asks_everybody_to_come_back(start: StartGateway) -> None:
    gateway = await start("old")
    video = clip(seconds=0.5)
    async with gateway.watching() as viewer, gateway.sender() as sender:
        await sender.send_config(video.config)
        await send(sender, video.chunks, speed=0)
        await viewer.until(lambda seen: len(seen.chunks) > 10)
        closing = asyncio.create_task(gateway.relay.close())
        assert await viewer.until_closed() == CloseCode.GOING_AWAY
        assert (await sender.stopped()).code == CloseCode.GOING_AWAY
        await closing


def heavier(video: Clip, more: int) -> list[Chunk]:
    """The relay does not look into pictures, so they may be padded."""
    return [replace(chunk, payload=chunk.payload + bytes(more)) for chunk in video.chunks]


class StuckViewer:
    """Opens a connection, then reads nothing until told to."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __aenter__(self) -> StuckViewer:
        port = self._gateway.server.port
        connection = socket.socket()
        # a small window, so that the kernel does not hide the slowness
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        self.reader, self.writer = await asyncio.open_connection(sock=connection, limit=1024)
        self.writer.write(
            b"GET /gateway/watch?ticket=watch-show-1&mode=instant HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2lsa3Jvb20tdGVzdC0tMQ==\r\n\r\n"
        )
        assert (await self.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    async def frame(self) -> tuple[int, bytes]:
        """The next WebSocket frame: opcode and payload."""
        first, length = await self.reader.readexactly(2)
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await self.reader.readexactly(8), "big")
        return first & 15, await self.reader.readexactly(length)


async def test_a_stuck_viewer_holds_up_nobody_and_its_bytes_are_bounded(gateway: Gateway) -> None:
    video = clip(seconds=2, width=320, height=192, sound=False)
    heavy = heavier(video, 8_000)
    async with StuckViewer(gateway) as stuck, gateway.watching() as healthy, gateway.sender() as sender:
        await eventually(lambda: gateway.relay.stats()["streams"].get("show", {}).get("instant") == 2)
        await sender.send_config(video.config)
        for number, chunk in enumerate(heavy * 4):
            await sender.send_chunk(chunk.at(number * 33_333))
            # the healthy one has each picture before the next is even sent
            await healthy.until(partial(has_chunks, number + 1))
        viewers = gateway.relay._streams["show"].audience.instant
        waiting = [viewer.transport.get_write_buffer_size() for viewer in viewers]
        assert max(waiting) > 0, "the stuck viewer really is stuck"
        assert max(waiting) <= audience.MAX_WAITING + len(heavy[0].payload) + 4096
        skipped = gateway.relay.stats()["streams"]["show"]["skipped_frames"]
        assert skipped > 100
        # it reads again: what follows the hole starts with a key frame
        await it_heals(stuck, sender, heavy)


def has_chunks(count: int, seen: Watching) -> bool:
    return len(seen.chunks) == count


async def it_heals(stuck: StuckViewer, sender: MediaPublisherClient, heavy: list[Chunk]) -> None:
    stop = asyncio.Event()

    async def keep_sending() -> None:
        turn = 4
        while not stop.is_set():
            await send(sender, heavy, start_us=turn * 2_000_000)
            turn += 1

    task = asyncio.create_task(keep_sending())
    last_us, jumped = 0, False
    async with asyncio.timeout(PATIENCE):
        while not jumped:
            opcode, payload = await stuck.frame()
            if opcode != 2:
                continue
            kind, time_us, _duration = HEADER.unpack_from(payload)
            if last_us and time_us - last_us > 100_000:
                assert kind == Kind.VIDEO_KEY
                jumped = True
            last_us = time_us
    stop.set()
    await task


async def test_a_viewer_that_stays_stuck_is_sent_away(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "PATIENCE_US", 300_000)
    video = clip(seconds=2, width=320, height=192, sound=False)
    heavy = heavier(video, 30_000)
    async with StuckViewer(gateway), gateway.sender() as sender:
        await eventually(lambda: gateway.relay.stats()["streams"].get("show", {}).get("instant") == 1)
        await sender.send_config(video.config)
        await send(sender, heavy, speed=0)
        await send(sender, heavy, speed=2, start_us=2_000_000)
        await eventually(lambda: gateway.relay.stats()["viewers"] == 0)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("ticket=expired", 403),
        ("ticket=ingest-show-1", 404),
        ("", 404),
        ("ticket=watch-show-1&mode=psychic", 400),
        ("ticket=watch-../etc-1", 404),
    ],
)
async def test_a_bad_ticket_is_refused_before_the_upgrade(gateway: Gateway, query: str, status: int) -> None:
    address = f"{gateway.address}/gateway/watch?{query}"
    assert await refused(lambda: gateway.session.ws_connect(address)) == status
    assert gateway.relay.stats()["streams"] == {}


@pytest.mark.parametrize("door", ["watch", "ingest"])
async def test_another_sites_page_is_refused(gateway: Gateway, door: str) -> None:
    address = f"{gateway.address}/gateway/{door}?ticket={door}-show-1"
    connect = partial(gateway.session.ws_connect, address, origin="https://evil.example")
    assert await refused(connect) == 403


async def test_a_full_gateway_says_so(start: StartGateway) -> None:
    gateway = await start("full", max_viewers=1)
    async with gateway.watching() as viewer:
        await viewer.step()
        address = f"{gateway.address}/gateway/watch?ticket=watch-show-1"
        assert await refused(lambda: gateway.session.ws_connect(address)) == 503


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("rubbish", CloseCode.MALFORMED),
        ('{"type":"config"}', CloseCode.MALFORMED),
        ('{"type":"ping"}', CloseCode.MALFORMED),
        ('{"type":"ping","client_ms":-1}', CloseCode.MALFORMED),
        (b"\x00" * 40, CloseCode.MALFORMED),
        ("[" * 3000, CloseCode.MALFORMED),
    ],
)
async def test_a_viewer_who_talks_rubbish_is_closed_with_a_reason(
    gateway: Gateway, message: str | bytes, code: CloseCode
) -> None:
    async with gateway.watching() as viewer:
        if isinstance(message, str):
            await viewer.socket.send_str(message)
        else:
            await viewer.socket.send_bytes(message)
        assert await viewer.until_closed() == code
    assert viewer.texts[-1]["type"] == "error" and viewer.texts[-1]["code"] == "bad_frame"
    await eventually(lambda: gateway.relay.stats()["viewers"] == 0)


async def test_a_viewer_who_floods_is_closed(gateway: Gateway) -> None:
    async with gateway.watching() as viewer:
        for _ in range(60):
            await viewer.socket.send_str('{"type":"resume"}')
        assert await viewer.until_closed() == CloseCode.TOO_FAST


async def test_every_error_of_the_door_is_json_and_not_kept(gateway: Gateway) -> None:
    async with gateway.session.get(f"{gateway.address}/gateway/watch?ticket=expired") as answer:
        body = msgspec.json.decode(await answer.read())
        assert answer.status == 403
        assert answer.headers["Cache-Control"] == "no-store"
    assert body["error"]["code"] == "ticket_expired"
    assert body["error"]["text"]
