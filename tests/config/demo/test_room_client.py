"""The viewer's side of the room's WebSocket, against a small room of our own making."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from silkroom.config.demo.room_client import RoomClient, RoomClosed, RoomRefused

Script = Callable[[web.WebSocketResponse, dict[str, Any]], Awaitable[None]]

SHOW = {"code": "X", "state": "on_air", "shop": {}}


def snapshot(sequence: int, state: str = "on_air") -> dict[str, Any]:
    room = {
        "broadcast": {**SHOW, "state": state},
        "tray": [],
        "spotlight": None,
        "deals": [],
        "pinned": None,
        "comments": [],
        "questions": [],
        "likes": 0,
        "muted": [],
    }
    return {"type": "snapshot", "sequence": sequence, "state": room}


class Room:
    """Says what each test tells it to; remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.hellos: list[dict[str, Any]] = []
        self.answer: Script = self.nothing
        self.first: list[dict[str, Any]] = [snapshot(7)]
        self.address = ""

    async def nothing(self, _socket: web.WebSocketResponse, _message: dict[str, Any]) -> None:
        return

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for received in socket:
            message = msgspec.json.decode(received.data)
            self.heard.append(message)
            if message["type"] == "hello":
                self.hellos.append(message)
                for one in self.first:
                    await socket.send_str(msgspec.json.encode(one).decode())
            else:
                await self.answer(socket, message)
        return socket


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    application = web.Application()
    application.router.add_get("/gateway/room", made.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def seat(room: Room) -> AsyncIterator[RoomClient]:
    async def ticket() -> tuple[str, str]:
        return room.address, "ticket"

    async with aiohttp.ClientSession() as session:
        client = RoomClient(session, ticket, origin=room.address, listens=True)
        staying = asyncio.create_task(client.stay())
        await asyncio.wait_for(client.inside.wait(), 5)
        yield client
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)


async def send(socket: web.WebSocketResponse, **message: Any) -> None:
    await socket.send_str(msgspec.json.encode(message).decode())


async def test_answers_find_their_words(room: Room, seat: RoomClient) -> None:
    async def answer(socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        await send(socket, type="reply", id=message["id"], n=message["id"] * 10)

    room.answer = answer
    said = await asyncio.gather(*(seat.say("comment", text=f"{n}") for n in range(3)))
    assert sorted(one["n"] for one in said) == sorted(one["id"] * 10 for one in said)


async def test_a_refusal_carries_its_code(room: Room, seat: RoomClient) -> None:
    async def answer(socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        await send(socket, type="error", id=message["id"], code="sold_out", text="Sold out.", data={})

    room.answer = answer
    with pytest.raises(RoomRefused) as refused:
        await seat.say("buy", variant=1)
    assert refused.value.code == "sold_out"


async def test_after_a_lost_connection_it_comes_back_with_its_number(room: Room, seat: RoomClient) -> None:
    async def hang_up(socket: web.WebSocketResponse, _message: dict[str, Any]) -> None:
        await socket.close(code=4503)

    room.answer = hang_up
    room.first = [{"type": "events", "events": [{"n": 8, "k": "likes", "at": 1, "d": {"count": 3}}]}]
    with pytest.raises(RoomClosed):
        await seat.say("comment", text="lost")
    await asyncio.wait_for(seat.inside.wait(), 5)
    assert [hello["after"] for hello in room.hellos] == [None, 7]
    assert (seat.sequence, seat.state["likes"]) == (8, 3)


async def test_events_that_were_seen_are_not_counted_twice(room: Room, seat: RoomClient) -> None:
    async def answer(socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        likes = {"k": "likes", "at": 1, "d": {"count": 2}}
        await send(socket, type="events", events=[{"n": 7, **likes}, {"n": 8, **likes}])
        await send(socket, type="events", events=[{"n": 8, **likes}])
        await send(socket, type="reply", id=message["id"])

    room.answer = answer
    await seat.say("like", count=2)
    assert (seat.sequence, seat.state["likes"]) == (8, 2)


async def test_end_of_the_show_is_known(room: Room, seat: RoomClient) -> None:
    async def answer(socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        ended = {"n": 8, "k": "show_changed", "at": 1, "d": {"state": "ended"}}
        await send(socket, type="events", events=[ended])

    room.answer = answer
    assert not seat.over.is_set()
    asking = asyncio.create_task(seat.say("comment", text="bye"))
    await asyncio.wait_for(seat.over.wait(), 5)
    # Who goes home while waiting for an answer goes home.
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_room_that_does_not_exist_is_left_for_good(room: Room) -> None:
    async def ticket() -> tuple[str, str]:
        return room.address, "ticket"

    async def turn_away(socket: web.WebSocketResponse, _message: dict[str, Any]) -> None:
        await socket.close(code=4404)

    room.first, room.answer = [snapshot(1)], turn_away
    async with aiohttp.ClientSession() as session:
        client = RoomClient(session, ticket, origin=room.address, listens=True)
        staying = asyncio.create_task(client.stay())
        await asyncio.wait_for(client.inside.wait(), 5)
        with pytest.raises(RoomClosed):
            await client.say("comment", text="hello?")
        await asyncio.wait_for(staying, 5)
