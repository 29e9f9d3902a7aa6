"""A small gateway around the real engine, and people who watch through real sockets."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import ClientSession, ClientWebSocketResponse, ClientWSTimeout, TCPConnector, WSMsgType, web

from silkroom.config.processes.certificates import Certificate
from silkroom.live.fanout.door import Bus, Event, FanOut, Limits, Room, RoomFull, Snapshot, TakeSnapshot, Watcher

SHOW = 7
SECONDS = 20
"""How long a test waits for something that should come soon."""


def event(sequence: int, *, urgent: bool = False, size: int = 0) -> Event:
    data = json.dumps({"step": sequence, "filler": "x" * size}).encode()
    return Event(sequence, "stepped", 1_700_000_000_000 + sequence, data, urgent)


def events(first: int, last: int, **more: Any) -> list[Event]:
    return [event(sequence, **more) for sequence in range(first, last + 1)]


async def wait_for(condition: Callable[[], bool]) -> None:
    """Give the loop turns until the condition holds."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 (any condition, nobody signals it)
            await asyncio.sleep(0.002)


@dataclass
class Log:
    """What the database is in production: every committed event of one show."""

    events: list[Event] = field(default_factory=list)
    read_at: list[float] = field(default_factory=list)
    """Moments of the loop's clock."""

    def append(self, news: Sequence[Event]) -> Sequence[Event]:
        assert [one.sequence for one in news] == list(range(len(self.events) + 1, len(self.events) + 1 + len(news))), (
            "numbers without holes"
        )
        self.events.extend(news)
        return news

    @property
    def reads(self) -> int:
        return len(self.read_at)

    async def read(self, broadcast_id: int | str, after: int, upto: int | None) -> Sequence[Event]:
        assert broadcast_id == SHOW
        self.read_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0)
        return self.events[after : len(self.events) if upto is None else upto]


class Steps:
    """A keeper whose state is the list of all steps so far."""

    def __init__(self, steps: Sequence[int] = ()) -> None:
        self.steps = list(steps)

    @property
    def sequence(self) -> int:
        return len(self.steps)

    def apply(self, events: Sequence[Event]) -> None:
        self.steps.extend(json.loads(one.data)["step"] for one in events)

    def snapshot(self) -> Snapshot:
        state = {"type": "snapshot", "sequence": self.sequence, "state": self.steps}
        return Snapshot(self.sequence, json.dumps(state).encode())


class House:
    """One gateway process: aiohttp, the engine, one room."""

    def __init__(self, log: Log, bus: Bus, limits: Limits, certificate: Certificate | None = None) -> None:
        self.log = log
        self.fan = FanOut(bus, log.read, limits=limits)
        self._certificate = certificate
        self.seated: list[Watcher] = []
        self.heartbeat: float | None = None
        self.snapshot: TakeSnapshot | None = None
        self.keepers = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/gateway/room", self._room)
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        self._stack.push_async_callback(self.fan.close)
        own = theirs = None
        if self._certificate is not None:
            own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            own.load_cert_chain(self._certificate.certificate, self._certificate.key)
            theirs = ssl.create_default_context(cafile=self._certificate.authority)
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=own)
        await site.start()
        self.port = runner.addresses[0][1]
        self._url = f"{'http' if own is None else 'https'}://127.0.0.1:{self.port}/gateway/room"
        connector = TCPConnector(ssl=theirs or True)
        self.session = await self._stack.enter_async_context(ClientSession(connector=connector))
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def make_keeper(self) -> Steps:
        self.keepers += 1
        await asyncio.sleep(0)
        return Steps([one.sequence for one in self.log.events])

    def open(self) -> Awaitable[Room]:
        return self.fan.open(SHOW, self.make_keeper)

    async def _room(self, request: web.Request) -> web.StreamResponse:
        room = await self.open()
        if room.is_full:
            raise web.HTTPServiceUnavailable(text=RoomFull.code)
        ws = web.WebSocketResponse(compress=False, heartbeat=self.heartbeat)
        await ws.prepare(request)
        assert request.transport is not None
        given = request.query.get("after")
        after = None if given is None else int(given)
        watcher = await room.join(request.transport, after=after, snapshot=self.snapshot)
        self.seated.append(watcher)
        try:
            async for message in ws:
                watcher.send(json.dumps({"type": "reply", "to": message.data}).encode())
        finally:
            watcher.leave()
        return ws

    async def enter(self, after: int | None = None, **more: Any) -> Visitor:
        """A visitor comes in and is seated when this returns."""
        count = len(self.seated)
        path = self._url + ("" if after is None else f"?after={after}")
        ws = await self.session.ws_connect(
            path, max_msg_size=0, timeout=ClientWSTimeout(ws_close=SECONDS), compress=more.pop("compress", 0), **more
        )
        self._stack.push_async_callback(ws.close)
        await wait_for(lambda: len(self.seated) > count)
        return Visitor(ws, after or 0)

    async def enter_with(self, snapshot: TakeSnapshot | Snapshot) -> Visitor:
        """A visitor for whom the room's state is taken elsewhere."""
        self.snapshot = (lambda: snapshot) if isinstance(snapshot, Snapshot) else snapshot
        try:
            return await self.enter()
        finally:
            self.snapshot = None


class Visitor:
    """Reads a room and keeps what a client keeps: the steps, told by snapshot and events."""

    def __init__(self, ws: ClientWebSocketResponse, after: int) -> None:
        self.ws = ws
        self.sequence = after
        self.steps: list[int] = []
        self.snapshots = 0
        self.frames: list[dict[str, Any]] = []

    async def come_back(self, house: House) -> None:
        """Lose the line, perhaps with frames unread, and return to any house with the number."""
        await self.ws.close()
        self.ws = (await house.enter(after=self.sequence or None)).ws

    async def read(self) -> dict[str, Any]:
        """The next message, folded in. Every event must be the one after the last."""
        async with asyncio.timeout(SECONDS):
            message = await self.ws.receive()
        assert message.type is WSMsgType.TEXT, (message, self.ws.close_code)
        frame: dict[str, Any] = json.loads(message.data)
        self.frames.append(frame)
        if frame["type"] == "snapshot":
            self.snapshots += 1
            self.sequence, self.steps = frame["sequence"], list(frame["state"])
        for one in frame.get("events", ()):
            assert one["n"] == self.sequence + 1, f"after {self.sequence} came {one['n']}"
            assert one == {"n": one["n"], "k": "stepped", "at": 1_700_000_000_000 + one["n"], "d": one["d"]}
            self.sequence = one["n"]
            self.steps.append(one["d"]["step"])
        return frame

    async def read_until(self, sequence: int) -> None:
        while self.sequence < sequence:
            await self.read()
