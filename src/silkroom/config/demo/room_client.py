"""The room's WebSocket from a viewer's side: enters, says things, hears events, comes back by itself.

``live/room/README.md`` is the contract. A listener keeps the room's state by the same reducer as the pages; the many
of the crowd only wait for answers to what they said.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec

from silkroom.config.demo.visitor import DoorRefused
from silkroom.live.room.rules import RoomFact, State, apply_event, empty_state

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
ANSWER_SECONDS = 15.0
LASTING_CLOSES = frozenset((4400, 4404, 4413))
"""After these the same would happen again."""

Told = Callable[[dict[str, Any]], None]
_encoder = msgspec.json.Encoder()


class RoomRefused(Exception):
    """The room said no to what was said; ``code`` as in the room's contract."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class RoomClosed(Exception):
    """The connection is away; it comes back by itself."""


class RoomClient:
    """One person's seat. ``ticket`` gives (gateway address, room ticket) anew for every connection."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        ticket: Callable[[], Awaitable[tuple[str, str]]],
        *,
        origin: str,
        language: str = "zh-hans",
        listens: bool = False,
    ) -> None:
        self._session, self._ticket, self._origin = session, ticket, origin
        self._language, self._listens = language, listens
        self.heard: Told | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.inside = asyncio.Event()
        self.over = asyncio.Event()
        """The show has ended (a listener's knowledge)."""
        self.state: State = empty_state()
        self.sequence = 0
        self.viewers = 0

    async def stay(self) -> None:
        """Be in the room until cancelled, or until the room does not exist any more."""
        tries = 0
        while True:
            code: int | None = None
            try:
                gateway, ticket = await self._ticket()
                code = await self._visit(gateway, ticket)
                tries = 0
            except (aiohttp.ClientError, TimeoutError, OSError, DoorRefused):
                tries += 1
            finally:
                self._leave()
            if code in LASTING_CLOSES:
                return
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])

    async def say(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send one thing and wait for its answer. Raises RoomRefused, RoomClosed."""
        if self._socket is None or not self.inside.is_set():
            raise RoomClosed
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self._socket.send_str(_encoder.encode({"type": kind, "id": number, **fields}).decode())
            async with asyncio.timeout(ANSWER_SECONDS):
                message = await answer
        except (ConnectionError, TimeoutError):
            raise RoomClosed from None
        finally:
            self._waiting.pop(number, None)
        if message["type"] == "error":
            raise RoomRefused(message["code"], message.get("text", ""))
        return message

    async def _visit(self, gateway: str, ticket: str) -> int | None:
        address = f"{gateway.rstrip('/')}/gateway/room"
        async with self._session.ws_connect(
            address, params={"ticket": ticket}, origin=self._origin, heartbeat=25.0, max_msg_size=8 * 1024 * 1024
        ) as socket:
            self._socket = socket
            after = self.sequence or None
            hello = {"type": "hello", "after": after if self._listens else None, "language": self._language}
            await socket.send_str(_encoder.encode(hello).decode())
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
            return socket.close_code

    def _take(self, text: str) -> None:
        # Of the many only answers matter: what begins like an event is not even read.
        if not self._listens and text.startswith(('{"type":"events"', '{"type":"snapshot"')):
            self.inside.set()
            return
        message = msgspec.json.decode(text)
        kind = message["type"]
        if kind in ("reply", "error", "pong") and message.get("id") in self._waiting:
            waiting = self._waiting[message["id"]]
            if not waiting.done():
                waiting.set_result(message)
        elif kind == "snapshot":
            self.state, self.sequence = message["state"], message["sequence"]
            self._came_in()
        elif kind == "events":
            self._apply(message["events"])
            self._came_in()
        elif kind == "pulse":
            self.viewers = message["viewers"]
        if self.heard is not None:
            self.heard(message)

    def _apply(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["n"] > self.sequence:
                fact = RoomFact(event["n"], event["k"], event["at"], event["d"])
                self.state, self.sequence = apply_event(self.state, fact), event["n"]

    def _came_in(self) -> None:
        self.inside.set()
        show = self.state["broadcast"]
        if show and show["state"] == "ended":
            self.over.set()

    def _leave(self) -> None:
        self._socket = None
        self.inside.clear()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(RoomClosed())
