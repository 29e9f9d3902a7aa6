"""A sender that is no browser: speaks the ingest protocol over a WebSocket. Demo, bench and tests send with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import aiohttp
import msgspec

from silkroom.live.relay.core.chunks import Chunk, StreamConfig, encode_chunk

READY_SECONDS = 10.0


class SendingStopped(Exception):
    """The gateway closed the connection; ``code`` is the close code, ``reason`` its word."""

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"closed by the gateway: {code} {reason}")
        self.code = code
        self.reason = reason


@dataclass
class MediaPublisherClient:
    """``async with MediaPublisherClient(address, ticket) as sender: await sender.send_config(…)``.

    ``address`` is the gateway's base, such as ``http://127.0.0.1:8001``. Chunk times count from the sender's own zero;
    ``zero_ms`` of send_config says when that was, on this machine's clock; it is corrected by the measured difference
    of the clocks.
    """

    address: str
    ticket: str
    clock: Callable[[], float] = time.time
    stats: dict[str, Any] = field(default_factory=dict)
    key_wanted: Callable[[], None] | None = None
    offset_ms: float = 0.0
    """The gateway's clock minus this machine's."""

    _session: aiohttp.ClientSession | None = None
    _socket: aiohttp.ClientWebSocketResponse | None = None
    _reader: asyncio.Task[None] | None = None
    _ready: asyncio.Event = field(default_factory=asyncio.Event)
    _stopped: SendingStopped | None = None
    _error: str = ""

    async def __aenter__(self) -> MediaPublisherClient:
        self._session = aiohttp.ClientSession()
        try:
            self._socket = await self._session.ws_connect(
                f"{self.address.rstrip('/')}/gateway/ingest", params={"ticket": self.ticket}, heartbeat=15.0
            )
        except BaseException:
            await self._session.close()
            raise
        self._reader = asyncio.create_task(self._read(self._socket))
        await self._send({"type": "ping", "client_ms": self.clock() * 1000})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def send_config(
        self, config: StreamConfig, *, source: str = "webcodecs", zero_ms: float | None = None
    ) -> None:
        """Describe what follows and wait until the gateway is ready. Raises SendingStopped."""
        clock = None if zero_ms is None else zero_ms + self.offset_ms
        await self._send({"type": "config", "source": source, "clock": clock, **config.as_json()})
        waiting = asyncio.create_task(self._ready.wait())
        try:
            reader = self._reader
            await asyncio.wait(
                [waiting, *([reader] if reader else [])],
                timeout=READY_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            waiting.cancel()
        if not self._ready.is_set():
            raise self._stopped or SendingStopped(None, "the gateway does not answer")

    async def send_chunk(self, chunk: Chunk) -> None:
        """Send one picture or piece of sound. Raises SendingStopped."""
        await self.send_bytes(encode_chunk(chunk))

    async def send_bytes(self, frame: bytes) -> None:
        """Send a whole binary frame. Raises SendingStopped."""
        if self._stopped is not None or self._socket is None:
            raise self._stopped or SendingStopped(None, "not connected")
        try:
            await self._socket.send_bytes(frame)
        except ConnectionError:
            raise self._stopped or SendingStopped(None, "connection lost") from None

    async def stopped(self) -> SendingStopped:
        """Wait until the gateway closes, and why."""
        if self._reader is not None:
            await asyncio.wait([self._reader])
        return self._stopped or SendingStopped(None, "closed")

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
        if self._session is not None:
            await self._session.close()

    async def _send(self, message: dict[str, Any]) -> None:
        if self._socket is None:
            raise SendingStopped(None, "not connected")
        try:
            await self._socket.send_str(msgspec.json.encode(message).decode())
        except ConnectionError:
            raise self._stopped or SendingStopped(None, "connection lost") from None

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._take(msgspec.json.decode(message.data))
        self._stopped = SendingStopped(socket.close_code, self._error)

    def _take(self, message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "ready":
            self._ready.set()
        elif kind == "pong":
            now_ms = self.clock() * 1000
            self.offset_ms = message["server_ms"] - (message["client_ms"] + now_ms) / 2
        elif kind == "stats":
            self.stats = message
        elif kind == "key" and self.key_wanted is not None:
            self.key_wanted()
        elif kind == "error":
            self._error = f"{message['code']}: {message['text']}"
