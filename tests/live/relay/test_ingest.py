"""Whatever a sender sends: a clear answer, never a crash, nothing half taken."""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from silkroom.live.relay import ingest
from silkroom.live.relay.client import MediaPublisherClient, SendingStopped
from silkroom.live.relay.core.chunks import MAX_PAYLOAD, Chunk, Kind, encode_chunk, encode_frame
from silkroom.live.relay.door import CloseCode, LocalBus, StreamState
from silkroom.live.relay.errors import BadFrame, PublisherReplaced
from tests.live.relay.conftest import StartGateway
from tests.live.relay.gateway import Gateway, eventually, refused, send, start_gateway
from tests.live.relay.video import clip

VIDEO = clip(seconds=0.5)
GOOD_CONFIG = {"type": "config", **VIDEO.config.as_json()}


async def stopped(sender: MediaPublisherClient) -> int | None:
    return (await asyncio.wait_for(sender.stopped(), 15)).code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"video": None}, CloseCode.MALFORMED),
        ({"video": {**GOOD_CONFIG["video"], "description": "AAAA"}}, CloseCode.MALFORMED),
        ({"video": {**GOOD_CONFIG["video"], "description": "not base64!"}}, CloseCode.MALFORMED),
        ({"video": {**GOOD_CONFIG["video"], "width": 100_000}}, CloseCode.MALFORMED),
        ({"video": {**GOOD_CONFIG["video"], "fps": 0}}, CloseCode.MALFORMED),
        ({"audio": {"codec": "mp3", "rate": 48_000, "channels": 2}}, CloseCode.MALFORMED),
        ({"audio": {"codec": "opus", "rate": 48_000, "channels": 6}}, CloseCode.MALFORMED),
        ({"source": "betamax"}, CloseCode.MALFORMED),
        ({"type": "hello"}, CloseCode.MALFORMED),
        ({"padding": "x" * 20_000}, CloseCode.TOO_LARGE),
    ],
)
async def test_a_bad_config_is_refused(gateway: Gateway, change: dict[str, object], code: CloseCode) -> None:
    async with gateway.sender() as sender:
        await sender._send({**GOOD_CONFIG, **change})
        assert await stopped(sender) == code
    assert gateway.relay.state("show") is StreamState.WAITING


async def test_chunks_before_the_config_are_refused(gateway: Gateway) -> None:
    async with gateway.sender() as sender:
        await sender.send_chunk(VIDEO.chunks[0])
        assert await stopped(sender) == CloseCode.MALFORMED


async def test_a_sender_who_says_nothing_is_closed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "CONFIG_SECONDS", 0.1)
    async with gateway.sender() as sender:
        assert await stopped(sender) == CloseCode.CONFIG_TIMEOUT


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"", CloseCode.MALFORMED),
        (b"\x00" * 13, CloseCode.MALFORMED),
        (encode_frame(Kind.INIT, 0, 0, b"x"), CloseCode.MALFORMED),
        (b"\xff" + bytes(40), CloseCode.MALFORMED),
        (encode_frame(Kind.VIDEO_DELTA, 0, 0, b"x"), CloseCode.MALFORMED),
        (encode_frame(Kind.SLICE, 0, 0, b"x"), CloseCode.MALFORMED),
        (encode_frame(Kind.VIDEO_KEY, 0, 0, bytes(MAX_PAYLOAD + 1)), CloseCode.TOO_LARGE),
    ],
)
async def test_a_bad_first_frame_is_refused(gateway: Gateway, frame: bytes, code: CloseCode) -> None:
    async with gateway.watching() as viewer, gateway.sender() as sender:
        await sender.send_config(VIDEO.config)
        await sender.send_bytes(frame)
        assert await stopped(sender) == code
        await viewer.until(lambda seen: seen.states() == ["waiting", "on_air", "paused"])
    assert viewer.chunks == []


async def test_a_message_over_all_bounds_closes_too(gateway: Gateway) -> None:
    async with gateway.sender() as sender:
        await sender.send_config(VIDEO.config)
        # the line may be closed while the message is still on its way
        with contextlib.suppress(SendingStopped):
            await sender.send_bytes(bytes(ingest.MAX_MESSAGE + 1))
        assert await stopped(sender) == 1009


async def test_a_flood_of_bytes_or_of_messages_is_refused(gateway: Gateway) -> None:
    for payload, count in ((bytes(600_000), 30), (b"x", 4_000)):
        async with gateway.sender() as sender:
            await sender.send_config(VIDEO.config)
            with pytest.raises(SendingStopped) as told:
                for number in range(count):
                    await sender.send_chunk(Chunk(Kind.VIDEO_KEY, number * 1000, 0, payload))
                raise await sender.stopped()
        assert told.value.code == CloseCode.TOO_FAST


@settings(max_examples=40, deadline=None)
@given(
    some.lists(
        some.one_of(
            some.binary(max_size=64),
            some.text(max_size=64),
            some.sampled_from(["config", "key", "delta", "sound", "ping"]),
        ),
        max_size=12,
    )
)
def test_no_order_of_messages_breaks_the_gateway(messages: list[bytes | str]) -> None:
    """After any rubbish, closed or not, the next sender is served and its viewer sees it."""

    async def check() -> None:
        gateway = await start_gateway(LocalBus(), None)
        try:
            address = f"{gateway.address}/gateway/ingest?ticket=ingest-show-1"
            async with gateway.session.ws_connect(address) as socket:
                for message in messages:
                    await _throw(socket, message)
            async with gateway.watching() as viewer, gateway.sender(serial=2) as sender:
                await sender.send_config(VIDEO.config)
                await send(sender, VIDEO.chunks, speed=0)
                last = VIDEO.pictures[-1].payload
                await viewer.until(lambda seen: any(chunk.payload == last for chunk in seen.chunks))
        finally:
            await gateway.close()

    asyncio.run(check())


async def _throw(socket: aiohttp.ClientWebSocketResponse, message: bytes | str) -> None:
    known: dict[str, bytes | str] = {
        "config": msgspec.json.encode(GOOD_CONFIG).decode(),
        "key": encode_chunk(VIDEO.pictures[0]),
        "delta": encode_chunk(VIDEO.pictures[1]),
        "sound": encode_chunk(VIDEO.chunks[1]),
        "ping": '{"type":"ping","client_ms":1}',
    }
    message = known.get(message, message) if isinstance(message, str) else message
    try:
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_str(message)
    except (ConnectionError, aiohttp.ClientError):
        return


async def test_a_newer_sender_replaces_an_older_and_not_the_other_way_round(gateway: Gateway) -> None:
    async with gateway.sender(serial=5) as first:
        await first.send_config(VIDEO.config)
        async with gateway.sender(serial=4) as late:
            with pytest.raises(SendingStopped) as told:
                await late.send_config(VIDEO.config)
            assert told.value.code == CloseCode.REPLACED
        async with gateway.sender(serial=6) as second:
            await second.send_config(VIDEO.config)
            assert await stopped(first) == CloseCode.REPLACED
            await send(second, VIDEO.chunks, speed=0)
            await eventually(lambda: gateway.relay.media_position("show") is not None)
            assert gateway.relay.state("show") is StreamState.ON_AIR


async def test_the_same_ticket_may_come_back_before_the_old_line_is_noticed_dead(gateway: Gateway) -> None:
    async with gateway.sender(serial=5) as first, gateway.sender(serial=5) as again:
        await first.send_config(VIDEO.config)
        await again.send_config(VIDEO.config)
        assert await stopped(first) == CloseCode.REPLACED


async def test_the_sender_is_told_how_it_goes(gateway: Gateway) -> None:
    async with gateway.watching(), gateway.sender() as sender:
        await sender.send_config(VIDEO.config)
        await send(sender, VIDEO.chunks)
        await eventually(lambda: bool(sender.stats))
    assert sender.stats["viewers"] == 1
    assert sender.stats["bits_per_second"] > 10_000
    assert abs(sender.offset_ms) < 1_000


@pytest.mark.parametrize(("ticket", "status"), [("expired", 403), ("watch-show-1", 404), ("", 404)])
async def test_a_bad_ticket_is_refused_before_the_upgrade(gateway: Gateway, ticket: str, status: int) -> None:
    address = f"{gateway.address}/gateway/ingest?ticket={ticket}"
    assert await refused(lambda: gateway.session.ws_connect(address)) == status


async def test_the_seam_takes_a_sender_of_any_kind(start: StartGateway) -> None:
    """What RTMP will use: no socket, the same rules."""
    gateway = await start()
    reasons: list[object] = []
    publisher = await gateway.relay.publisher(7, serial=1, closed=reasons.append)
    with pytest.raises(BadFrame):
        publisher.push_chunk(VIDEO.chunks[0])
    publisher.push_config(VIDEO.config)
    with pytest.raises(BadFrame):
        publisher.push_chunk(VIDEO.pictures[1])
    for chunk in VIDEO.chunks:
        publisher.push_chunk(chunk)
    assert gateway.relay.media_position(7) is not None
    other = await gateway.relay.publisher(7, serial=2)
    assert [type(reason) for reason in reasons] == [PublisherReplaced]
    publisher.push_chunk(VIDEO.chunks[0])
    other.close()
    assert gateway.relay.state(7) is StreamState.PAUSED


async def test_a_viewer_without_a_group_to_begin_with_makes_the_sender_make_a_key_frame(
    gateway: Gateway,
) -> None:
    wishes: list[bool] = []
    publisher = await gateway.relay.publisher("show", serial=1, key_wanted=lambda: wishes.append(True))
    publisher.push_config(VIDEO.config)
    async with gateway.watching() as viewer:
        await viewer.step()
        assert wishes == [True]
        for chunk in VIDEO.chunks:
            publisher.push_chunk(chunk)
        await viewer.until(lambda seen: len(seen.chunks) > 5)
        await viewer.socket.send_str('{"type":"resume"}')
        await viewer.until(lambda seen: sum(chunk.kind is Kind.VIDEO_KEY for chunk in seen.chunks) == 2)
    assert wishes == [True]
