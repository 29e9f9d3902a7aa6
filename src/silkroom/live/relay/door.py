"""The media relay's only entrance: a gateway builds a Relay, mounts its routes, starts and closes it.

relay = Relay(access=Access(read_ticket, may_watch), bus=bus, spool_dir=folder)
application.add_routes(relay.routes())
await relay.start()
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from silkroom.live.relay.access import HLS, INGEST, WATCH, Access, Grant, WatchAccess
from silkroom.live.relay.bus import Bus, LocalBus, Outbox, Subscription
from silkroom.live.relay.client import MediaPublisherClient, SendingStopped
from silkroom.live.relay.core.avc import ParameterSets, UnreadableVideo, build_avcc, from_annexb, picture_size
from silkroom.live.relay.core.chunks import AudioConfig, Chunk, Kind, StreamConfig, VideoConfig, decode_chunk
from silkroom.live.relay.core.opus import opus_head
from silkroom.live.relay.core.segments import StreamEnded
from silkroom.live.relay.core.sharing import OriginHere, decode_control, subjects
from silkroom.live.relay.edge import Edge
from silkroom.live.relay.errors import (
    CloseCode,
    MediaForbidden,
    MediaRefusal,
    NoSuchStream,
    RecordingStillOpen,
    TicketExpired,
    TooManyOpen,
)
from silkroom.live.relay.hls import CROSS_ORIGIN, HlsDoor
from silkroom.live.relay.ingest import IngestDoor
from silkroom.live.relay.origin import Origin, Publisher
from silkroom.live.relay.recording import (
    FinishedRecording,
    RecordedPiece,
    discard_recording,
    finish_recording,
    media_time_ms,
)
from silkroom.live.relay.spool import PieceClosed, SpoolWriter, StreamRecorder
from silkroom.live.relay.states import StreamState
from silkroom.live.relay.stream import Stream
from silkroom.live.relay.uplink import UplinkDoor
from silkroom.live.relay.watch import WatchDoor

__all__ = [
    "HLS",
    "INGEST",
    "WATCH",
    "Access",
    "AudioConfig",
    "Bus",
    "Chunk",
    "CloseCode",
    "FinishedRecording",
    "Grant",
    "Kind",
    "LocalBus",
    "MediaPublisherClient",
    "MediaRefusal",
    "NoSuchStream",
    "ParameterSets",
    "Publisher",
    "RecordedPiece",
    "RecordingStillOpen",
    "Relay",
    "SendingStopped",
    "StreamConfig",
    "StreamState",
    "TicketExpired",
    "TooManyOpen",
    "UnreadableVideo",
    "VideoConfig",
    "build_avcc",
    "decode_chunk",
    "discard_recording",
    "finish_recording",
    "from_annexb",
    "media_time_ms",
    "opus_head",
    "picture_size",
]

PACKING_THREADS = 4
SWEEP_SECONDS = 5.0
LINGER_SECONDS = 30.0
"""A stream fetched from elsewhere is dropped so long after its last viewer."""
AWAY_SECONDS = 1_800.0
"""A stream whose sender is away is forgotten after this without viewers; a show that goes on later starts afresh."""
ENDED_SECONDS = 60.0
"""Players still fetch the last parts of an ended show."""

_BROADCAST = re.compile(r"[A-Za-z0-9_-]{1,64}")

logger = logging.getLogger(__name__)


class Relay:
    """All streams of one gateway. ``clock`` gives seconds since 1970."""

    def __init__(
        self,
        *,
        access: Access,
        bus: Bus | None = None,
        spool_dir: Path | None = None,
        clock: Callable[[], float] = time.time,
        gateway: str = "",
        max_viewers: int = 20_000,
        piece_closed: PieceClosed | None = None,
    ) -> None:
        self._gateway = gateway or secrets.token_hex(4)
        self._bus = bus if bus is not None else LocalBus()
        self._outbox = Outbox(self._bus)
        self._clock = clock
        self._access = access
        self._spool_dir = spool_dir
        self._writer = SpoolWriter(piece_closed) if spool_dir is not None else None
        # threads of its own: the loop's default ones may all be waiting for a database
        self._pool = ThreadPoolExecutor(PACKING_THREADS, thread_name_prefix="media-packing")
        self._streams: dict[str, Stream] = {}
        self._origins: dict[str, Origin] = {}
        self._edges: dict[str, Edge] = {}
        self._known_origins: dict[str, tuple[int, int, str]] = {}
        self._controls: dict[str, Subscription] = {}
        self._ended_at: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self._ingest = IngestDoor(access, self._open_publisher, self.clock_us, self._viewers)
        self._uplink = UplinkDoor(access)
        self._watch = WatchDoor(access, self._watched_stream, self.clock_us, max_viewers=max_viewers)
        self._hls = HlsDoor(WatchAccess(access), self._listed_stream, self.clock_us)

    # the process

    def routes(self) -> list[web.RouteDef]:
        """Everything the relay serves, below ``/gateway/``."""
        base = "/gateway/hls/{broadcast:[A-Za-z0-9_-]{1,64}}"
        return [
            web.get("/gateway/ingest", self._answering(self._ingest.handle), allow_head=False),
            web.get("/gateway/uplink", self._answering(self._uplink.handle), allow_head=False),
            web.get("/gateway/watch", self._answering(self._watch.handle), allow_head=False),
            web.get(base + "/master.m3u8", self._answering(self._hls.master)),
            web.get(base + "/media.m3u8", self._answering(self._hls.media)),
            web.get(base + "/{name}", self._answering(self._hls.file)),
        ]

    async def start(self) -> None:
        if self._writer is not None:
            self._writer.start()
        self._sweeper = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Say good-bye to everybody, write all recordings out."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait([self._sweeper])
        await self._ingest.close()
        await self._watch.close()
        for origin in list(self._origins.values()):
            await origin.retire()
        for edge in list(self._edges.values()):
            await edge.close()
        for subscription in self._controls.values():
            await subscription.close()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._outbox.drained()
        if self._writer is not None:
            await asyncio.to_thread(self._writer.close)
        self._pool.shutdown(wait=False)
        self._streams.clear()
        self._origins.clear()
        self._edges.clear()
        self._controls.clear()

    # what others ask and do

    def clock_us(self) -> int:
        """Relay time now."""
        return int(self._clock() * 1_000_000)

    async def publisher(
        self,
        broadcast_id: int | str,
        *,
        serial: int | None = None,
        closed: Callable[[MediaRefusal | None], None] = lambda reason: None,
        key_wanted: Callable[[], None] | None = None,
    ) -> Publisher:
        """The seam for any way in. ``serial`` orders senders of one show: a greater or equal one replaces the other.

        Raises PublisherReplaced when a sender with a greater serial is connected here.
        """
        key = broadcast_key(broadcast_id)
        async with self._lock(key):
            stream = await self._stream(key)
            edge = self._edges.pop(key, None)
            if edge is not None:
                # a sender does not wait for the bus
                self._spawn(edge.close())
            if stream.state is StreamState.ENDED:
                stream = await self._fresh_stream(key)
            origin = self._origins.get(key) or self._new_origin(stream)
            wanted = serial if serial is not None else self.clock_us() // 1_000_000
            return origin.attach(serial=wanted, closed=closed, key_wanted=key_wanted)

    async def end(self, broadcast_id: int | str) -> None:
        """The show is over: senders and viewers are told, the playlist is closed, the recording is written out.

        Where the sender is not connected here, only this gateway's viewers are told; the origin tells all the others.
        """
        key = broadcast_key(broadcast_id)
        async with self._lock(key):
            stream = self._streams.get(key)
            if stream is None or key in self._ended_at:
                return
            self._ended_at[key] = time.monotonic()
            origin = self._origins.pop(key, None)
            edge = self._edges.pop(key, None)
            if edge is not None:
                self._spawn(edge.close())
            if origin is not None:
                await origin.end()
            else:
                stream.apply(StreamEnded())
                stream.end()

    def holders(self) -> set[Hashable]:
        """Of all open connections whose leave may be taken back."""
        grants = [*(session.grant for session in self._ingest.sessions), *self._watch.open.values()]
        return {grant.holder for grant in grants if grant.holder is not None}

    def send_away(self, holders: Set[Hashable]) -> None:
        """These have lost their leave: senders are closed for good (4403), viewers may ask for a new ticket (4401)."""
        for session in self._ingest.sessions:
            if session.grant.holder in holders:
                session.conclude(MediaForbidden())
        for viewer, grant in self._watch.open.items():
            if grant.holder in holders:
                viewer.send_away(CloseCode.TICKET_EXPIRED)

    def media_position(self, broadcast_id: int | str) -> int | None:
        """Relay time, in milliseconds, of the newest picture; None when this gateway has none."""
        stream = self._streams.get(broadcast_key(broadcast_id))
        return stream.last_video_us // 1000 if stream is not None and stream.last_video_us else None

    def state(self, broadcast_id: int | str) -> StreamState:
        stream = self._streams.get(broadcast_key(broadcast_id))
        return stream.state if stream is not None else StreamState.WAITING

    def stats(self) -> dict[str, Any]:
        """For the health page and the log."""
        streams = {key: self._stream_stats(stream) for key, stream in self._streams.items()}
        return {
            "gateway": self._gateway,
            "viewers": len(self._watch),
            "senders": len(self._ingest.sessions),
            "hls_requests": self._hls.requests,
            "recording_failures": self._writer.failures if self._writer is not None else 0,
            "streams": streams,
        }

    def _stream_stats(self, stream: Stream) -> dict[str, Any]:
        key = stream.broadcast_id
        return {
            "state": stream.state,
            "role": "origin" if key in self._origins else "edge" if key in self._edges else "none",
            "instant": len(stream.audience.instant),
            "mse": len(stream.audience.mse),
            "bits_per_second": round(stream.bytes_per_second * 8),
            "sent_frames": stream.audience.sent_frames,
            "skipped_frames": stream.audience.skipped_frames,
        }

    # streams

    async def _open_publisher(
        self, grant: Grant, closed: Callable[[MediaRefusal | None], None], key_wanted: Callable[[], None]
    ) -> Publisher:
        return await self.publisher(grant.broadcast_id, serial=grant.serial, closed=closed, key_wanted=key_wanted)

    def _viewers(self, broadcast_id: str) -> int:
        stream = self._streams.get(broadcast_id)
        return len(stream.audience) if stream is not None else 0

    async def _watched_stream(self, broadcast_id: str) -> Stream:
        return await self._fetched(broadcast_id, live=True)

    async def _listed_stream(self, broadcast_id: str) -> Stream:
        stream = await self._fetched(broadcast_id, parts=True)
        stream.asked_parts_at = time.monotonic()
        return stream

    async def _fetched(self, broadcast_id: str, *, live: bool = False, parts: bool = False) -> Stream:
        """The stream; unless it is sent from here, from whichever gateway has it."""
        key = broadcast_key(broadcast_id)
        stream = self._streams.get(key)
        if stream is not None and (key in self._origins or key in self._ended_at):
            return stream
        async with self._lock(key):
            stream = await self._stream(key)
            if key not in self._origins:
                edge = self._edges.get(key)
                if edge is None:
                    edge = self._edges[key] = Edge(
                        stream,
                        gateway=self._gateway,
                        bus=self._bus,
                        outbox=self._outbox,
                        clock_us=self.clock_us,
                    )
                edge.want(live=live, parts=parts)
        return stream

    async def _stream(self, key: str) -> Stream:
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = Stream(key, self.clock_us)
        if key not in self._controls:
            self._controls[key] = await self._bus.subscribe(subjects(key)[0], self._control_callback(key))
        return stream

    async def _fresh_stream(self, key: str) -> Stream:
        self._forget(key)
        return await self._stream(key)

    def _new_origin(self, stream: Stream) -> Origin:
        recorder = None
        if self._writer is not None and self._spool_dir is not None:
            recorder = StreamRecorder(
                self._writer, self._spool_dir, broadcast_id=stream.broadcast_id, gateway=self._gateway
            )
        origin = Origin(
            stream,
            gateway=self._gateway,
            clock_us=self.clock_us,
            outbox=self._outbox,
            recorder=recorder,
            pool=self._pool,
        )
        self._origins[stream.broadcast_id] = origin
        return origin

    def _lock(self, key: str) -> asyncio.Lock:
        return self._locks.setdefault(key, asyncio.Lock())

    # other gateways

    def _control_callback(self, key: str) -> Callable[[bytes], None]:
        return lambda data: self._on_control(key, data)

    def _on_control(self, key: str, data: bytes) -> None:
        try:
            message = decode_control(data)
        except msgspec.DecodeError as error:
            logger.warning("unreadable control message: %s", error)
            return
        if message.gateway == self._gateway:
            return
        origin = self._origins.get(key)
        if isinstance(message, OriginHere):
            self._on_other_origin(key, message, origin)
        elif origin is not None:
            origin.serve(
                message.gateway,
                message.inbox,
                live=message.live,
                parts=message.parts,
                snapshot=message.snapshot,
            )

    def _on_other_origin(self, key: str, message: OriginHere, origin: Origin | None) -> None:
        if origin is not None:
            if origin.yield_to(message):
                del self._origins[key]
                self._spawn(self._become_edge(key, origin))
            return
        standing = (message.serial, message.since_us, message.gateway)
        edge = self._edges.get(key)
        if edge is not None and self._known_origins.get(key) != standing:
            edge.refresh()
        self._known_origins[key] = standing

    async def _become_edge(self, key: str, origin: Origin) -> None:
        await origin.retire()
        stream = origin.stream
        if len(stream.audience) or time.monotonic() - stream.asked_parts_at < LINGER_SECONDS:
            await self._fetched(key, live=bool(len(stream.audience)), parts=bool(stream.asked_parts_at))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # housekeeping

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            for key, stream in list(self._streams.items()):
                if len(stream.audience) == 0 and self._is_spent(key, stream, now):
                    await self._drop(key)

    def _is_spent(self, key: str, stream: Stream, now: float) -> bool:
        idle = now - max(stream.idle_since, stream.asked_parts_at)
        ended_at = self._ended_at.get(key)
        if ended_at is not None:
            return now - ended_at > ENDED_SECONDS
        origin = self._origins.get(key)
        if origin is not None:
            return origin.publisher is None and idle > AWAY_SECONDS
        return idle > LINGER_SECONDS

    async def _drop(self, key: str) -> None:
        async with self._lock(key):
            origin = self._origins.pop(key, None)
            if origin is not None:
                await origin.retire()
            edge = self._edges.pop(key, None)
            if edge is not None:
                await edge.close()
            subscription = self._controls.pop(key, None)
            if subscription is not None:
                await subscription.close()
            self._forget(key)
        self._locks.pop(key, None)

    def _forget(self, key: str) -> None:
        self._streams.pop(key, None)
        self._ended_at.pop(key, None)
        self._known_origins.pop(key, None)

    def _answering(
        self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Refusals before an upgrade and on HTTP become JSON, never to be kept by a cache."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except MediaRefusal as refusal:
                body = msgspec.json.encode({"error": refusal.as_json(self._access.translate(request))})
                headers = {"Cache-Control": "no-store", **CROSS_ORIGIN}
                return web.Response(body=body, status=refusal.status, content_type="application/json", headers=headers)

        return handle


def broadcast_key(broadcast_id: int | str) -> str:
    """Broadcasts are named by text here, safe in a subject, an address and a file name."""
    key = str(broadcast_id)
    if not _BROADCAST.fullmatch(key):
        raise NoSuchStream()
    return key
