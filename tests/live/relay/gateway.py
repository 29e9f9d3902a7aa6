"""A gateway with nothing but the relay, and the people who use it, for tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from silkroom.live.relay.client import MediaPublisherClient
from silkroom.live.relay.core.chunks import HEADER, Chunk, Kind, StreamConfig
from silkroom.live.relay.door import Access, Bus, Grant, MediaRefusal, NoSuchStream, Relay, TicketExpired

PATIENCE = 20.0
"""Longest wait for something that must happen; only a failing test waits so long."""


@dataclass
class Tickets:
    """Reads tickets such as "ingest-show-7" (purpose, broadcast, serial); "expired" has expired."""

    private: set[str] = field(default_factory=set)

    async def read(self, purpose: str, ticket: str) -> Grant:
        if ticket == "expired":
            raise TicketExpired()
        parts = ticket.rsplit("-", 2)
        if len(parts) != 3 or parts[0] != purpose:
            raise NoSuchStream()
        return Grant(parts[1], int(parts[2]))

    async def may_watch(self, broadcast_id: str, grant: Grant | None) -> bool:
        return grant is not None or broadcast_id not in self.private


@dataclass
class Gateway:
    relay: Relay
    server: TestServer
    tickets: Tickets
    session: aiohttp.ClientSession

    @property
    def address(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def sender(self, broadcast: str = "show", serial: int = 1) -> MediaPublisherClient:
        return MediaPublisherClient(self.address, f"ingest-{broadcast}-{serial}")

    @asynccontextmanager
    async def watching(self, broadcast: str = "show", mode: str = "instant") -> AsyncIterator[Watching]:
        address = f"{self.address}/gateway/watch?ticket=watch-{broadcast}-1&mode={mode}"
        async with self.session.ws_connect(address) as socket:
            yield Watching(socket)

    def get(self, path: str) -> Any:
        return self.session.get(f"{self.address}/gateway/hls/{path}")

    async def close(self) -> None:
        await self.session.close()
        await self.relay.close()
        await self.server.close()


@dataclass
class Watching:
    """A viewer's connection; messages as they come."""

    socket: aiohttp.ClientWebSocketResponse
    texts: list[dict[str, Any]] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)

    async def step(self) -> bool:
        """Take one message; False when closed."""
        message = await asyncio.wait_for(self.socket.receive(), PATIENCE)
        if message.type is aiohttp.WSMsgType.TEXT:
            self.texts.append(msgspec.json.decode(message.data))
        elif message.type is aiohttp.WSMsgType.BINARY:
            kind, time_us, duration_us = HEADER.unpack_from(message.data)
            self.chunks.append(Chunk(Kind(kind), time_us, duration_us, message.data[HEADER.size :]))
        else:
            return False
        return True

    async def until(self, done: Callable[[Watching], bool]) -> None:
        while not done(self):
            assert await self.step(), f"closed with {self.socket.close_code}"

    async def until_closed(self) -> int | None:
        while await self.step():
            continue
        return self.socket.close_code

    def states(self) -> list[str]:
        return [text["state"] for text in self.texts if text["type"] == "state"]

    def configs(self) -> list[dict[str, Any]]:
        return [text for text in self.texts if text["type"] == "config"]


async def start_gateway(
    bus: Bus, spool_dir: Path | None, name: str = "g1", folders: dict[str, Path] | None = None, **more: Any
) -> Gateway:
    """``folders``: files it hands out as well, by address."""
    tickets = Tickets()
    relay = Relay(access=Access(tickets.read, tickets.may_watch), bus=bus, spool_dir=spool_dir, gateway=name, **more)
    application = web.Application()
    application.add_routes(relay.routes())
    for address, folder in (folders or {}).items():
        application.router.add_static(address, folder)
    await relay.start()
    server = TestServer(application)
    await server.start_server()
    return Gateway(relay, server, tickets, aiohttp.ClientSession())


async def send(
    sender: MediaPublisherClient,
    chunks: list[Chunk] | tuple[Chunk, ...],
    *,
    speed: float = 1.0,
    start_us: int = 0,
) -> None:
    """Send chunks as time goes by; ``speed`` 0: at once. Times are moved by ``start_us``."""
    begin = time.monotonic()
    for chunk in chunks:
        if speed:
            ahead = (chunk.time_us - chunks[0].time_us) / 1_000_000 / speed - (time.monotonic() - begin)
            if ahead > 0:
                await asyncio.sleep(ahead)
        await sender.send_chunk(chunk.at(chunk.time_us + start_us))


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - conditions of all kinds, no one event
            await asyncio.sleep(0.005)


async def refused(connect: Callable[[], Awaitable[Any]]) -> int:
    """The HTTP status with which an upgrade was refused."""
    try:
        await connect()
    except aiohttp.WSServerHandshakeError as error:
        return error.status
    raise AssertionError("the connection was accepted")


__all__ = [
    "Gateway",
    "MediaRefusal",
    "StreamConfig",
    "Tickets",
    "Watching",
    "eventually",
    "refused",
    "send",
    "start_gateway",
]
