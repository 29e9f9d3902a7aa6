"""Where a browser's encoded video comes in: a WebSocket in front of a Publisher."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine

from aiohttp import WSMsgType, web

from silkroom.live.relay.access import INGEST, Access, Grant
from silkroom.live.relay.container import Demuxer, Output, PipeFull
from silkroom.live.relay.core.chunks import (
    CHUNK_KINDS,
    HEADER,
    MAX_PAYLOAD,
    Chunk,
    Kind,
    UnreadableFrame,
    decode_chunk,
)
from silkroom.live.relay.core.limits import (
    BYTES_BURST,
    BYTES_PER_SECOND,
    CONFIGS_PER_MINUTE,
    MESSAGES_BURST,
    MESSAGES_PER_SECOND,
    Bucket,
)
from silkroom.live.relay.errors import (
    BadFrame,
    CloseCode,
    ConfigTimeout,
    FrameTooLarge,
    MediaRefusal,
    OriginForbidden,
    TooFast,
)
from silkroom.live.relay.messages import (
    ConfigMessage,
    PingMessage,
    error_text,
    read_ingest,
    stream_config,
    to_json,
)
from silkroom.live.relay.origin import Publisher

CONFIG_SECONDS = 10.0
STATS_SECONDS = 1.0
MAX_MESSAGE = 4 * 1024 * 1024
"""Above this aiohttp itself closes (1009) before the message is whole; below, the relay answers with its own code."""

INGEST_KINDS = CHUNK_KINDS | {Kind.SLICE}

OpenPublisher = Callable[[Grant, Callable[[MediaRefusal | None], None], Callable[[], None]], Awaitable[Publisher]]


class IngestDoor:
    """Handler of ``/gateway/ingest``. ``open_publisher(grant, closed, key_wanted)`` attaches to the stream."""

    def __init__(
        self,
        access: Access,
        open_publisher: OpenPublisher,
        clock_us: Callable[[], int],
        viewers: Callable[[str], int],
    ) -> None:
        self._access = access
        self._open = open_publisher
        self._clock_us = clock_us
        self._viewers = viewers
        self.sessions: set[IngestSession] = set()
        self._emptied: asyncio.Event | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not self._access.may_connect(request):
            raise OriginForbidden()
        grant = await self._access.read_ticket(INGEST, request.query.get("ticket", ""))
        with self._access.place(INGEST, request, grant):
            return await self._serve(request, grant)

    async def _serve(self, request: web.Request, grant: Grant) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, compress=False, heartbeat=15.0, timeout=3.0)
        await socket.prepare(request)
        session = IngestSession(socket, grant, self._clock_us, self._access.translate(request), self._viewers)
        self.sessions.add(session)
        try:
            await session.run(self._open)
        finally:
            self.sessions.discard(session)
            if not self.sessions and self._emptied is not None:
                self._emptied.set()
        return socket

    async def close(self) -> None:
        """Tell all senders to come back: this gateway restarts."""
        for session in self.sessions:
            session.conclude(CloseCode.GOING_AWAY)
        if self.sessions:
            self._emptied = asyncio.Event()
            await self._emptied.wait()


class IngestSession:
    """One connected sender."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        grant: Grant,
        clock_us: Callable[[], int],
        translate: Callable[[str], str],
        viewers: Callable[[str], int],
    ) -> None:
        self.socket = socket
        self.grant = grant
        self._clock_us = clock_us
        self._translate = translate
        self._viewers = viewers
        self._loop = asyncio.get_running_loop()
        self._bytes = Bucket(BYTES_PER_SECOND, BYTES_BURST)
        self._messages = Bucket(MESSAGES_PER_SECOND, MESSAGES_BURST)
        self._configs = Bucket(CONFIGS_PER_MINUTE / 60, CONFIGS_PER_MINUTE / 4)
        self._publisher: Publisher | None = None
        self._demuxer: Demuxer | None = None
        self._received = 0
        self._late_ms = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._verdict: asyncio.Future[MediaRefusal | CloseCode] = self._loop.create_future()

    async def run(self, open_publisher: OpenPublisher) -> None:
        """Until either side closes. Every refusal becomes an error frame and a close code."""
        work = asyncio.create_task(self._work(open_publisher))
        try:
            await asyncio.wait((work, self._verdict), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                # a reader that is still waiting would make aiohttp drop the line before the sender has answered
                work.cancel()
                await asyncio.wait([work])
            if self._verdict.done():
                await self._close(self._verdict.result())
            else:
                work.result()
        finally:
            work.cancel()
            if self._publisher is not None:
                self._publisher.close()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def _work(self, open_publisher: OpenPublisher) -> None:
        stats: asyncio.Task[None] | None = None
        try:
            first = await self._first_config()
            self._publisher = await open_publisher(self.grant, self._on_closed, self._on_key_wanted)
            self._begin(first)
            await self._send({"type": "ready", "serial": self.grant.serial})
            stats = asyncio.create_task(self._report())
            while (message := await self.socket.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await self._take(message.data)
        except MediaRefusal as refusal:
            self.conclude(refusal)
        finally:
            if stats is not None:
                stats.cancel()
            if self._demuxer is not None:
                self._demuxer.close()

    async def _first_config(self) -> ConfigMessage:
        """Pings may come before it, nothing else."""
        try:
            async with asyncio.timeout(CONFIG_SECONDS):
                while True:
                    message = await self.socket.receive()
                    if message.type is WSMsgType.BINARY:
                        raise BadFrame(reason="a chunk before the config")
                    if message.type is not WSMsgType.TEXT:
                        raise BadFrame(reason="closed before the config")
                    self._count(len(message.data))
                    read = read_ingest(message.data)
                    if isinstance(read, ConfigMessage):
                        return read
                    if isinstance(read, PingMessage):
                        await self._pong(read.client_ms)
        except TimeoutError:
            raise ConfigTimeout() from None

    async def _take(self, data: str | bytes) -> None:
        self._count(len(data))
        if isinstance(data, bytes):
            self._chunk(data)
            return
        message = read_ingest(data)
        if isinstance(message, ConfigMessage):
            self._begin(message)
        elif isinstance(message, PingMessage):
            await self._pong(message.client_ms)
        elif self._publisher is not None:
            self._publisher.correct_clock(round(message.clock * 1000))

    def _count(self, size: int) -> None:
        now_us = self._clock_us()
        if not self._messages.take(1, now_us) or not self._bytes.take(size, now_us):
            raise TooFast()
        self._received += size

    def _begin(self, message: ConfigMessage) -> None:
        if not self._configs.take(1, self._clock_us()):
            raise TooFast()
        if self._demuxer is not None:
            self._demuxer.close()
            self._demuxer = None
        if message.source == "webcodecs":
            self._push_config(stream_config(message), message)
            return
        session = _Deliveries(self, message)
        self._demuxer = Demuxer(message.source, message.video.fps, session.deliver, session.fail)

    def _push_config(self, output: Output, message: ConfigMessage) -> None:
        if self._publisher is None:
            return
        if isinstance(output, Chunk):
            self._publisher.push_chunk(output)
        else:
            self._publisher.push_config(output, zero_us=message.clock_us)

    def _chunk(self, data: bytes) -> None:
        if len(data) > MAX_PAYLOAD + HEADER.size:
            raise FrameTooLarge()
        try:
            chunk = decode_chunk(data, kinds=INGEST_KINDS)
        except UnreadableFrame as error:
            raise BadFrame(reason=str(error)) from None
        if chunk.kind is Kind.SLICE:
            self._slice(chunk.payload)
        elif self._demuxer is not None:
            raise BadFrame(reason="a chunk where slices of a container were announced")
        elif self._publisher is not None:
            self._publisher.push_chunk(chunk)

    def _slice(self, data: bytes) -> None:
        if self._demuxer is None:
            raise BadFrame(reason="a slice where chunks were announced")
        try:
            self._demuxer.write(data)
        except PipeFull:
            raise TooFast() from None

    def conclude(self, verdict: MediaRefusal | CloseCode) -> None:
        """Close with this reason; the first one counts."""
        if not self._verdict.done():
            self._verdict.set_result(verdict)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def from_demuxer(self, output: Output, message: ConfigMessage) -> None:
        """On the loop: what the demuxer's thread found."""
        if self._demuxer is None:
            return
        try:
            self._push_config(output, message)
        except MediaRefusal as refusal:
            self.conclude(refusal)

    def _on_closed(self, reason: MediaRefusal | None) -> None:
        self.conclude(CloseCode.NORMAL if reason is None else reason)

    def _on_key_wanted(self) -> None:
        self._spawn(self._send({"type": "key"}))

    async def _close(self, verdict: MediaRefusal | CloseCode) -> None:
        code, word = (
            (verdict, verdict.name.lower()) if isinstance(verdict, CloseCode) else (verdict.close_code, verdict.code)
        )
        with contextlib.suppress(ConnectionError):
            if isinstance(verdict, MediaRefusal):
                await self.socket.send_str(error_text(verdict, verdict.sentence(self._translate)))
            await self.socket.close(code=code, message=word.encode())

    async def _pong(self, client_ms: float) -> None:
        await self._send({"type": "pong", "client_ms": client_ms, "server_ms": self._clock_us() / 1000})

    async def _report(self) -> None:
        since, received = time.monotonic(), self._received
        while not self.socket.closed:
            await asyncio.sleep(STATS_SECONDS)
            now = time.monotonic()
            bits = round((self._received - received) * 8 / (now - since))
            since, received = now, self._received
            late_ms = self._publisher.late_ms() if self._publisher is not None else 0
            await self._send(
                {
                    "type": "stats",
                    "bits_per_second": bits,
                    "buffered_ms": late_ms,
                    "viewers": self._viewers(self.grant.broadcast_id),
                }
            )

    async def _send(self, message: dict[str, object]) -> None:
        with contextlib.suppress(ConnectionError):
            await self.socket.send_str(to_json(message))


class _Deliveries:
    """Carries what a demuxer's thread finds over to the loop."""

    def __init__(self, session: IngestSession, message: ConfigMessage) -> None:
        self._session = session
        self._message = message
        self._loop = asyncio.get_running_loop()

    def deliver(self, output: Output) -> None:
        self._call(self._session.from_demuxer, output, self._message)

    def fail(self, reason: str) -> None:
        self._call(self._session.conclude, BadFrame(reason=reason))

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        # the loop may have ended while the thread was still reading
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)
