"""A room's page, as far as the gateway sees it: speaks the protocol and folds what it hears with the real reducer."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from types import TracebackType
from typing import Any, Self

import aiohttp

from silkroom.live.room.rules import RoomFact, State, apply_event

PATIENCE_SECONDS = 20.0


class Closed(Exception):
    """The gateway ended the connection with ``code``."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Watcher:
    """One connection. ``numbers`` are the events it got, in order of arrival; replies wait by id."""

    def __init__(self, session: aiohttp.ClientSession, gateway: str, ticket: str, *, origin: str | None = None) -> None:
        self._session = session
        self._url = f"{gateway.replace('http', 'ws', 1)}/gateway/room"
        self._ticket = ticket
        self._headers = {"Origin": origin} if origin else {}
        self._ids = itertools.count(1)
        self._replies: dict[Any, asyncio.Future[dict[str, Any]]] = {}
        self._changed = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self.welcome: dict[str, Any] = {}
        self.state: State | None = None
        self.sequence = 0
        self.numbers: list[int] = []
        self.snapshots = 0
        self.viewers: int | None = None
        self.boards: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.close_code: int | None = None

    async def connect(self) -> Self:
        """Open the WebSocket without a hello."""
        self.socket = await self._session.ws_connect(
            self._url, params={"ticket": self._ticket}, headers=self._headers, max_msg_size=0, autoping=True
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def enter(self, *, after: int | None = None, state: State | None = None, language: str = "en") -> Self:
        """Connect, say hello, and wait until the state is here."""
        await self.connect()
        self.sequence, self.state = (after or 0), state
        await self.send(type="hello", after=after, language=language)
        await self.until(lambda: bool(self.welcome) and (self.state is not None))
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Close like a page that is closed."""
        if self.socket is not None:
            await self.socket.close()
        if self._reader is not None:
            await asyncio.wait([self._reader])

    async def send(self, **message: Any) -> None:
        await self.send_raw(json.dumps(message))

    async def send_raw(self, text: str) -> None:
        assert self.socket is not None
        await self.socket.send_str(text)

    async def ask(self, **message: Any) -> dict[str, Any]:
        """Send with an id and wait for what comes back: reply, pong or error."""
        number = next(self._ids)
        future = self._replies[number] = asyncio.get_running_loop().create_future()
        await self.send(id=number, **message)
        return await asyncio.wait_for(future, PATIENCE_SECONDS)

    async def buy(self, variant: int, **more: Any) -> dict[str, Any]:
        """Press "buy"."""
        return await self.ask(**{"type": "buy", "key": str(uuid.uuid4()), "variant": variant, **more})

    async def until(self, condition: Any) -> None:
        """Wait until something heard makes ``condition()`` true. Raises Closed when the gateway ends it before."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                if self.close_code is not None:
                    raise Closed(self.close_code)
                self._changed.clear()
                await self._changed.wait()

    async def closed(self) -> int:
        """Wait for the end; its close code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.close_code is None:
                self._changed.clear()
                await self._changed.wait()
        return self.close_code

    def left(self, variant: int) -> int:
        """Pieces left of a variant, as this page shows it."""
        assert self.state is not None
        return next(
            one["left"] for style in self.state["tray"] for one in style["variants"] if one["variant"] == variant
        )

    async def _read(self) -> None:
        assert self.socket is not None
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._hear(json.loads(message.data))
                self._changed.set()
        self.close_code = self.socket.close_code or 1006
        for future in self._replies.values():
            if not future.done():
                future.set_exception(Closed(self.close_code))
                future.exception()
        self._changed.set()

    def _hear(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "welcome":
                self.welcome = message
                self.viewers = message["viewers"]
            case "snapshot":
                self.state, self.sequence = message["state"], message["sequence"]
                self.snapshots += 1
            case "events":
                self._take_events(message["events"])
            case "pulse":
                self.viewers = message["viewers"]
            case "board":
                self.boards.append(message)
            case "error":
                self.errors.append(message)
                self._settle(message)
            case _:
                self._settle(message)

    def _take_events(self, events: list[dict[str, Any]]) -> None:
        assert self.state is not None
        for event in events:
            assert event["n"] == self.sequence + 1, f"{event['n']} after {self.sequence}"
            self.sequence = event["n"]
            self.numbers.append(event["n"])
            self.state = apply_event(self.state, RoomFact(event["n"], event["k"], event["at"], event["d"]))

    def _settle(self, message: dict[str, Any]) -> None:
        future = self._replies.pop(message.get("id"), None)
        if future is not None and not future.done():
            future.set_result(message)
