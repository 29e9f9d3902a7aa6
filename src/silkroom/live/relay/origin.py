"""The gateway where a broadcast's sender is connected. `Publisher` is the seam for every way in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from silkroom.live.relay.bus import Outbox
from silkroom.live.relay.core.chunks import CHUNK_KINDS, MAX_PAYLOAD, Chunk, Kind, StreamConfig
from silkroom.live.relay.core.opus import opus_duration_us
from silkroom.live.relay.core.segments import Event, first_number
from silkroom.live.relay.core.sharing import (
    LiveChunk,
    LiveConfig,
    LiveEnded,
    LivePaused,
    OriginHere,
    SnapshotDone,
    encode,
    subjects,
)
from silkroom.live.relay.core.timeline import Timeline
from silkroom.live.relay.errors import BadFrame, FrameTooLarge, MediaRefusal, PublisherReplaced
from silkroom.live.relay.packaging import NewConfig, Packaging, Packer, SenderGone, ShowOver
from silkroom.live.relay.states import StreamState
from silkroom.live.relay.stream import Stream

INTEREST_US = 30_000_000
"""Other gateways repeat their wish every 10 s; without it nothing is published for them."""

KEY_PAUSE_US = 1_000_000
"""At most one wish for a key frame in this time."""

logger = logging.getLogger(__name__)


class Recorder(Protocol):
    """What keeps the parts on disk (spool.py)."""

    def apply(self, event: Event) -> None: ...

    def close(self) -> None: ...


class Publisher:
    """A connected sender. Times of its chunks are its own; the relay places them on relay time.

    ``closed`` is called when somebody else ends it: a newer sender (PublisherReplaced) or the end of the show (None).
    """

    def __init__(
        self,
        origin: Origin,
        *,
        serial: int,
        since_us: int,
        closed: Callable[[MediaRefusal | None], None],
        key_wanted: Callable[[], None] | None = None,
    ) -> None:
        self.serial = serial
        self.since_us = since_us
        self.key_wanted = key_wanted
        self._origin = origin
        self._closed = closed
        self._config: StreamConfig | None = None
        self._needs_key = True
        self._active = True

    @property
    def active(self) -> bool:
        return self._active

    def push_config(self, config: StreamConfig, *, zero_us: int | None = None) -> None:
        """What follows. ``zero_us``: the gateway's time at the sender's timestamp 0, if it knows."""
        if self._active:
            self._config = config
            self._needs_key = True
            self._origin.begin(config, zero_us)

    def correct_clock(self, zero_us: int) -> None:
        """A later, better estimate of the gateway's time at the sender's timestamp 0."""
        if self._active:
            self._origin.correct_clock(zero_us)

    def push_chunk(self, chunk: Chunk) -> None:
        """One encoded picture or piece of sound, in decoding order. Raises BadFrame, FrameTooLarge."""
        if not self._active:
            return
        if self._config is None:
            raise BadFrame(reason="a chunk before the config")
        if chunk.kind not in CHUNK_KINDS:
            raise BadFrame(reason="not a chunk")
        if len(chunk.payload) > MAX_PAYLOAD:
            raise FrameTooLarge()
        if chunk.kind is Kind.AUDIO:
            # sound before the first picture has nothing to belong to, sound without a config is not announced
            if self._needs_key or self._config.audio is None:
                return
            if self._config.audio.is_opus:
                duration_us = opus_duration_us(chunk.payload) or chunk.duration_us
                chunk = Chunk(chunk.kind, chunk.time_us, duration_us, chunk.payload)
        elif self._needs_key:
            if chunk.kind is not Kind.VIDEO_KEY:
                raise BadFrame(reason="the first picture is not a key frame")
            self._needs_key = False
        self._origin.add(chunk)

    def late_ms(self) -> int:
        """How long after its capture the last chunk arrived: what waits in the sender's uplink."""
        return self._origin.late_us // 1000

    def close(self) -> None:
        """The sender went away; the stream pauses and may be taken up again."""
        if self._active:
            self._active = False
            self._origin.lose(self)

    def expel(self, reason: MediaRefusal | None) -> None:
        """Called by the relay: this sender is done."""
        if self._active:
            self._active = False
            self._closed(reason)


class Origin:
    """Timeline, packaging, recording and sharing of one stream that is sent from here."""

    def __init__(
        self,
        stream: Stream,
        *,
        gateway: str,
        clock_us: Callable[[], int],
        outbox: Outbox,
        recorder: Recorder | None,
        pool: Executor,
    ) -> None:
        self.stream = stream
        self.publisher: Publisher | None = None
        self.late_us = 0
        self._gateway = gateway
        self._clock_us = clock_us
        self._outbox = outbox
        self._recorder = recorder
        self._timeline = Timeline(last_video_us=stream.last_video_us)
        last = stream.shelf.last_number
        number = first_number(clock_us()) if last is None else last + 1
        self._packaging = Packaging(Packer(number), self._deliver, pool)
        self._control, self._live, self._parts = subjects(stream.broadcast_id)
        self._number = clock_us()
        self._interest: dict[str, int] = {}
        self._key_wanted_us = 0
        stream.want_key = self.want_key
        self._part_interest: dict[str, int] = {}

    # the sender

    def attach(
        self,
        *,
        serial: int,
        closed: Callable[[MediaRefusal | None], None],
        key_wanted: Callable[[], None] | None,
    ) -> Publisher:
        """A sender connects; an older one is sent away. Raises PublisherReplaced when it is itself the older one."""
        current = self.publisher
        if current is not None:
            if current.serial > serial:
                raise PublisherReplaced()
            current.expel(PublisherReplaced())
        self.publisher = Publisher(self, serial=serial, since_us=self._clock_us(), closed=closed, key_wanted=key_wanted)
        self.announce()
        return self.publisher

    def want_key(self) -> None:
        """A viewer has nothing to begin with: ask the sender."""
        now_us = self._clock_us()
        sender = self.publisher
        if sender is not None and sender.key_wanted is not None and now_us - self._key_wanted_us > KEY_PAUSE_US:
            self._key_wanted_us = now_us
            sender.key_wanted()

    def announce(self) -> None:
        """Tell other gateways that the sender is here."""
        if self.publisher is not None:
            message = OriginHere(self._gateway, self.publisher.serial, self.publisher.since_us)
            self._outbox.put(self._control, encode(message))

    def begin(self, config: StreamConfig, zero_us: int | None) -> None:
        self._timeline.begin(zero_us)
        if config != self.stream.config or self.stream.state is not StreamState.ON_AIR:
            self._packaging.put(NewConfig(config, self._clock_us()))
        self.stream.set_config(config)
        self._share(LiveConfig(self._next(), config))

    def correct_clock(self, zero_us: int) -> None:
        self._timeline.correct(zero_us)

    def add(self, chunk: Chunk) -> None:
        now_us = self._clock_us()
        placed = self._timeline.place(chunk, now_us)
        self.late_us = max(0, now_us - placed.time_us)
        self.stream.add_chunk(placed)
        self._packaging.put(placed)
        number = self._next()
        if self._is_wanted(self._interest):
            message = LiveChunk(number, placed.kind, placed.time_us, placed.duration_us, placed.payload)
            self._outbox.put(self._live, encode(message))

    def lose(self, publisher: Publisher) -> None:
        if publisher is self.publisher:
            self.publisher = None
            self.stream.pause()
            self._packaging.put(SenderGone())
            self._share(LivePaused(self._next()))

    def yield_to(self, other: OriginHere) -> bool:
        """Another gateway says that it has the sender. True when it is right and this one is no longer the origin."""
        mine = self.publisher
        if mine is not None and (mine.serial, mine.since_us, self._gateway) > (
            other.serial,
            other.since_us,
            other.gateway,
        ):
            self.announce()
            return False
        if mine is not None:
            self.publisher = None
            mine.expel(PublisherReplaced())
        return True

    async def end(self) -> None:
        """The show is over: everything is written out."""
        if self.publisher is not None:
            self.publisher.expel(None)
            self.publisher = None
        self._packaging.put(ShowOver())
        await self._packaging.drained()
        self.stream.end()
        self._share(LiveEnded(self._next()))
        if self._recorder is not None:
            self._recorder.close()

    async def retire(self) -> None:
        """This gateway stops being the origin (another took over, or it shuts down)."""
        if self.publisher is not None:
            self.publisher.expel(None)
            self.publisher = None
        self._packaging.put(SenderGone())
        await self._packaging.drained()
        if self._recorder is not None:
            self._recorder.close()

    # other gateways

    def serve(self, gateway: str, inbox: str, *, live: bool, parts: bool, snapshot: bool) -> None:
        """Another gateway has viewers: note its wish and send it what came before."""
        until = self._clock_us() + INTEREST_US
        if live:
            self._interest[gateway] = until
        if parts:
            self._part_interest[gateway] = until
        if not snapshot:
            return
        stream = self.stream
        if stream.config is not None:
            self._outbox.put(inbox, encode(LiveConfig(self._number, stream.config)))
            if stream.state is StreamState.PAUSED:
                self._outbox.put(inbox, encode(LivePaused(self._number)))
            for chunk in stream.cache.chunks if live else ():
                message = LiveChunk(self._number, chunk.kind, chunk.time_us, chunk.duration_us, chunk.payload)
                self._outbox.put(inbox, encode(message))
        for event in stream.shelf.snapshot() if parts else ():
            self._outbox.put(inbox, encode(event))
        if stream.state is StreamState.ENDED:
            self._outbox.put(inbox, encode(LiveEnded(self._number)))
        self._outbox.put(inbox, encode(SnapshotDone(self._number)))

    def _deliver(self, event: Event) -> None:
        self.stream.apply(event)
        if self._recorder is not None:
            self._recorder.apply(event)
        if self._is_wanted(self._part_interest):
            self._outbox.put(self._parts, encode(event))

    def _share(self, message: LiveConfig | LivePaused | LiveEnded) -> None:
        if self._is_wanted(self._interest) or self._is_wanted(self._part_interest):
            self._outbox.put(self._live, encode(message))

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _is_wanted(self, interest: dict[str, int]) -> bool:
        if not interest:
            return False
        now_us = self._clock_us()
        for gateway in [one for one, until in interest.items() if until < now_us]:
            del interest[gateway]
        return bool(interest)
