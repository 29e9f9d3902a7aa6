"""Where viewers are connected: ``/gateway/watch``, chunks for WebCodecs or fragments for MSE over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from aiohttp import WSMsgType, web

from silkroom.live.relay.access import WATCH, Access, Grant
from silkroom.live.relay.audience import INSTANT, MSE, Viewer
from silkroom.live.relay.core.limits import Bucket
from silkroom.live.relay.errors import (
    BadFrame,
    CloseCode,
    GatewayFull,
    MediaRefusal,
    NoSuchStream,
    OriginForbidden,
    TooFast,
)
from silkroom.live.relay.messages import PingMessage, error_text, read_watch, to_json
from silkroom.live.relay.stream import Stream

MAX_MESSAGE = 4 * 1024
MESSAGES_PER_SECOND = 5
MESSAGES_BURST = 40
LAST_WORD_SECONDS = 2.0
"""A connection that is being closed gets so long to take what waits; then it is cut."""


class WatchDoor:
    """Handler of ``/gateway/watch``. ``find_stream`` gives the stream of a broadcast and starts fetching it."""

    def __init__(
        self,
        access: Access,
        find_stream: Callable[[str], Awaitable[Stream]],
        clock_us: Callable[[], int],
        *,
        max_viewers: int,
    ) -> None:
        self._access = access
        self._find_stream = find_stream
        self._clock_us = clock_us
        self._max_viewers = max_viewers
        self.open: dict[Viewer, Grant] = {}
        self._emptied: asyncio.Event | None = None

    def __len__(self) -> int:
        return len(self.open)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not self._access.may_connect(request):
            raise OriginForbidden()
        if len(self.open) >= self._max_viewers:
            raise GatewayFull()
        mode = request.query.get("mode", INSTANT)
        if mode not in (INSTANT, MSE):
            raise BadFrame(reason="unknown mode")
        grant = await self._access.read_ticket(WATCH, request.query.get("ticket", ""))
        if not await self._access.may_watch(grant.broadcast_id, grant):
            raise NoSuchStream()
        with self._access.place(WATCH, request, grant):
            return await self._seat(request, mode, grant)

    async def _seat(self, request: web.Request, mode: str, grant: Grant) -> web.StreamResponse:
        stream = await self._find_stream(grant.broadcast_id)
        stream.open_from(await self._access.since(grant.broadcast_id, grant))
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, compress=False, heartbeat=20.0, timeout=2.0)
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            return socket
        viewer = Viewer(transport, mode)
        self.open[viewer] = grant
        stream.join(viewer)
        try:
            await self._serve(request, socket, viewer, stream)
        finally:
            stream.leave(viewer)
            self.open.pop(viewer, None)
            if not self.open and self._emptied is not None:
                self._emptied.set()
        return socket

    async def close(self) -> None:
        """Tell all viewers to come back: this gateway restarts."""
        for viewer in self.open:
            viewer.send_away(CloseCode.GOING_AWAY)
        if self.open:
            self._emptied = asyncio.Event()
            await self._emptied.wait()

    async def _serve(self, request: web.Request, socket: web.WebSocketResponse, viewer: Viewer, stream: Stream) -> None:
        listening = asyncio.create_task(self._listen(socket, viewer, stream))
        told = asyncio.create_task(viewer.sent_away.wait())
        try:
            await asyncio.wait((listening, told), return_when=asyncio.FIRST_COMPLETED)
            stream.leave(viewer)
            if told.done():
                # a reader that is still waiting would make aiohttp drop the line before the viewer has answered
                listening.cancel()
                await asyncio.wait([listening])
                await _close(socket, viewer, viewer.reason, viewer.reason.name.lower())
            elif (refusal := listening.result()) is not None:
                translate = self._access.translate(request)
                with contextlib.suppress(ConnectionError):
                    await socket.send_str(error_text(refusal, refusal.sentence(translate)))
                await _close(socket, viewer, refusal.close_code, refusal.code)
        finally:
            listening.cancel()
            told.cancel()

    async def _listen(self, socket: web.WebSocketResponse, viewer: Viewer, stream: Stream) -> MediaRefusal | None:
        bucket = Bucket(MESSAGES_PER_SECOND, MESSAGES_BURST)
        try:
            while (message := await socket.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
                if not bucket.take(1, self._clock_us()):
                    raise TooFast()
                if message.type is WSMsgType.BINARY:
                    raise BadFrame(reason="viewers send no binary frames")
                read = read_watch(message.data)
                if isinstance(read, PingMessage):
                    pong = {"type": "pong", "client_ms": read.client_ms, "server_ms": self._clock_us() / 1000}
                    await socket.send_str(to_json(pong))
                else:
                    stream.resume(viewer)
        except MediaRefusal as refusal:
            return refusal
        except ConnectionError:
            return None
        return None


async def _close(socket: web.WebSocketResponse, viewer: Viewer, code: CloseCode, word: str) -> None:
    """Close politely, then cut: a transport that nobody reads would hold its bytes forever."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(LAST_WORD_SECONDS):
            await socket.close(code=code, message=word.encode())
    if viewer.transport.get_write_buffer_size():
        viewer.transport.abort()
