"""Whatever arrives at the room's WebSocket is answered with a clear error or close code, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import random
import struct
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from silkroom.config.processes.supervisor import Stack
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.room.models import RoomEvent
from tests.live.stage import Stage, guest, ticket_for

from .conftest import Page
from .watcher import Closed, Watcher

Health = Callable[..., Awaitable[dict[str, Any]]]

MALFORMED = 4400
TOO_LARGE = 4413


async def emptied(health: Health, gateway: int = 0) -> dict[str, Any]:
    """Wait until the gateway has no connection; its health."""
    async with asyncio.timeout(20):
        while True:
            answer = await health(gateway)
            if answer["connections"] == 0 and answer["watchers"] == 0:
                return answer
            await asyncio.sleep(0.05)


async def still_serves(page: Page, show: Broadcast) -> None:
    """Somebody else can come in, speak and be heard."""
    speaker = await asyncio.to_thread(guest)
    async with await page(show, speaker).enter() as one:
        said = await one.ask(type="comment", text="还在")
        await one.until(lambda: one.sequence >= said["n"])
        assert {"n": said["n"], "text": "还在"} in [
            {"n": comment["n"], "text": comment["text"]} for comment in one.state["comments"]
        ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", MALFORMED),
        ("{", MALFORMED),
        ("nul", MALFORMED),
        ('{"type":"comment","text":"x"', MALFORMED),
        ('{"type":"comment","text":"\\ud800"}', MALFORMED),
        ('{"a":' * 1200 + "1" + "}" * 1200, MALFORMED),
        (json.dumps({"type": "comment", "text": "x" * 9000}), TOO_LARGE),
        (json.dumps({"type": "comment", "text": "绸" * 4000}, ensure_ascii=False), TOO_LARGE),
    ],
)
async def test_what_is_no_message_ends_the_connection(
    show: Broadcast, page: Page, health: Health, text: str, code: int
):
    one = await page(show, await asyncio.to_thread(guest)).enter()
    await one.send_raw(text)
    assert await one.closed() == code
    assert one.errors[-1]["code"] in {"message_unreadable", "message_too_large"}
    assert one.errors[-1]["text"]
    await emptied(health)


async def test_binary_ends_the_connection(show: Broadcast, page: Page, health: Health):
    one = await page(show).enter()
    assert one.socket is not None
    await one.socket.send_bytes(b"\x00\xff" * 10)
    assert await one.closed() == MALFORMED
    await emptied(health)


async def test_a_huge_frame_is_cut_before_it_is_whole(show: Broadcast, page: Page, health: Health):
    one = await page(show).enter()
    with pytest.raises((ConnectionError, Closed)):
        for _ in range(200):
            await one.send_raw("x" * 1_000_000)
            if one.close_code is not None:
                raise Closed(one.close_code)
    await one.leave()
    await emptied(health)
    await still_serves(page, show)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "sing"},
        {"type": 7},
        {"type": None, "id": 1},
        {"type": "comment"},
        {"type": "comment", "text": 7},
        {"type": "comment", "text": None, "id": {"a": 1}},
        {"type": "comment", "text": "x", "id": "y" * 41},
        {"type": "comment", "text": "x" * 2001},
        {"type": "ask", "text": "x", "style": -1},
        {"type": "ask", "text": "x", "style": 2**70},
        {"type": "ask", "text": "x", "delay_ms": "soon"},
        {"type": "ask", "text": "x", "delay_ms": 1e300},
        {"type": "like", "count": 0},
        {"type": "like", "count": 51},
        {"type": "like", "count": 1.5},
        {"type": "buy"},
        {"type": "buy", "key": "not-a-uuid", "variant": 1},
        {"type": "buy", "key": str(uuid.UUID(int=1)), "variant": 2**63},
        {"type": "buy", "key": str(uuid.UUID(int=1)), "variant": 1, "quantity": 0},
        {"type": "buy", "key": str(uuid.UUID(int=1)), "variant": 1, "quantity": 10},
        {"type": "buy", "key": str(uuid.UUID(int=1)), "variant": 1, "price_minor": -1},
        {"type": "renew", "ticket": 1},
        {"type": "renew", "ticket": "x" * 4097},
    ],
)
async def test_what_is_no_message_of_the_contract_is_refused_and_the_connection_stays(
    show: Broadcast, page: Page, message: dict[str, Any]
):
    async with await page(show, await asyncio.to_thread(guest)).enter() as one:
        before = one.sequence
        await one.send(**message)
        await one.until(lambda: bool(one.errors))
        assert one.errors[0]["code"] == "malformed"
        assert one.errors[0]["data"]["field"]
        assert (await one.ask(type="ping"))["type"] == "pong"
        assert one.state["comments"] == []
        assert one.sequence == before or one.state["broadcast"]["state"] == "interrupted"


@pytest.mark.parametrize("text", ["", "   ", "\u202e\u200b", "x" * 201, "\u0000"])
async def test_words_that_cannot_be_shown_are_refused(show: Broadcast, page: Page, text: str):
    async with await page(show, await asyncio.to_thread(guest)).enter() as one:
        answer = await one.ask(type="comment", text=text)
        assert (answer["code"], answer["data"]) == ("words_unusable", {"longest": 200})
    assert not await RoomEvent.objects.filter(broadcast=show, kind="comment").aexists()


async def test_signs_that_confuse_are_taken_out(show: Broadcast, page: Page):
    async with await page(show, await asyncio.to_thread(guest)).enter() as one:
        said = await one.ask(type="comment", text='a\u0000\u001b\u202eb <script> \\" \u2028 绸')
        await one.until(lambda: one.sequence >= said["n"])
        assert one.state["comments"][-1]["text"] == 'a b <script> \\" 绸'


async def test_a_second_hello_is_refused(show: Broadcast, page: Page):
    async with await page(show).enter() as one:
        assert (await one.ask(type="hello"))["code"] == "hello_first"
        assert one.snapshots == 1


async def test_unknown_fields_are_ignored(show: Broadcast, page: Page):
    async with await page(show).enter() as one:
        assert (await one.ask(type="ping", more=[1, {"a": None}]))["type"] == "pong"


OPCODES = [0x81, 0x81, 0x82, 0x01, 0x80, 0x88, 0x89, 0x8A, 0xF1, 0x83]
"""First bytes of frames: text, binary, pieces, close, ping, pong, reserved bits, an unknown opcode."""


def frames(random_source: random.Random, show: Broadcast) -> bytes:
    """Bytes of a few WebSocket frames, most of them wrong in some way."""
    made = b""
    for _ in range(random_source.randrange(1, 6)):
        first = random_source.choice([*OPCODES, random_source.randrange(256)])
        body = random_source.choice(
            [
                b'{"type":"hello"}',
                b'{"type":"comment","text":"x"}',
                b'{"type":"ping","id":1}',
                os.urandom(random_source.randrange(0, 200)),
                b"\xff\xfe" * 10,
                struct.pack(">H", random_source.randrange(0, 5000)) + b"bye",
            ]
        )
        mask = os.urandom(4) if random_source.random() < 0.85 else None
        length = len(body) if random_source.random() < 0.9 else random_source.randrange(126)
        head = bytes([first, (0x80 if mask else 0) | min(length, 125)])
        if random_source.random() < 0.05:
            head = bytes([first, 0xFF]) + struct.pack(">Q", random_source.choice([2**62, 2**33, 70000]))
        payload = bytes(sign ^ mask[at % 4] for at, sign in enumerate(body)) if mask else body
        made += head + (mask or b"") + payload
    return made


async def test_raw_bytes_harm_nobody(stack: Stack, show: Broadcast, page: Page, health: Health):
    """Frames built by hand: reserved bits, wrong lengths, unmasked, cut off in the middle, then an abrupt end."""
    source = random.Random(20261124)
    ticket = ticket_for(show)
    host, port = stack.gateway_urls[0].removeprefix("http://").split(":")
    async with await page(show).enter() as bystander:
        for _ in range(60):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                f"GET /gateway/room?ticket={ticket} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n"
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            assert b"101" in await asyncio.wait_for(reader.readline(), 10)
            writer.write(frames(source, show))
            await writer.drain()
            if source.random() < 0.5:
                writer.transport.abort()
            else:
                writer.write_eof()
                await asyncio.wait_for(reader.read(), 10)
                writer.close()
        assert (await bystander.ask(type="ping"))["type"] == "pong"
    await emptied(health)
    await still_serves(page, show)


async def test_random_messages_harm_nobody(stage: Stage, show: Broadcast, page: Page, health: Health):
    """Messages of the contract with values of all kinds, in any order, from many at once."""
    source = random.Random(7)
    values: list[Any] = [
        None, True, 0, -1, 1, 7, 2**53, 2**64, 1.5, "", "x", "绸" * 300, [], {}, stage.garments[0].first.pk,
        str(uuid.UUID(int=3)), stage.garments[0].style.pk,
    ]  # fmt: skip
    fields = [
        "text", "id", "style", "delay_ms", "count", "key", "variant", "quantity", "offer", "price_minor", "ticket"
    ]  # fmt: skip
    kinds = ["hello", "comment", "ask", "like", "buy", "renew", "ping", "sing", None]

    async def talk(person: Any) -> None:
        one = await page(show, person, gateway=source.randrange(2)).enter()
        try:
            for _ in range(40):
                chosen = source.sample(fields, source.randrange(len(fields)))
                await one.send(type=source.choice(kinds), **{name: source.choice(values) for name in chosen})
                await asyncio.sleep(0.002)
            await one.ask(type="ping")
        except (Closed, ConnectionError, TimeoutError):
            assert one.close_code in {4429, None}
        finally:
            await one.leave()

    people = [await asyncio.to_thread(guest) for _ in range(12)]
    await asyncio.gather(*(talk(person) for person in people))
    for gateway in (0, 1):
        await emptied(health, gateway)
    await still_serves(page, show)


async def test_pages_that_vanish_leave_nothing(
    stack: Stack, session: aiohttp.ClientSession, show: Broadcast, health: Health
):
    """Connections cut without a close frame, before and after the hello."""
    pages: list[Watcher] = []
    for number in range(30):
        one = await Watcher(session, stack.gateway_urls[0], ticket_for(show)).connect()
        if number % 3:
            await one.send(type="hello")
        if number % 3 == 2:
            await one.until(lambda one=one: one.state is not None)
        pages.append(one)
    for one in pages:
        assert one.socket is not None
        connection = one.socket._response.connection
        assert connection is not None and connection.transport is not None
        connection.transport.abort()
    await emptied(health)
