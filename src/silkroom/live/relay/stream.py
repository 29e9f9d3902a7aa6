"""One broadcast's video on one gateway, whether its sender is connected here (origin) or elsewhere (edge)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from silkroom.live.relay.audience import Audience, Viewer
from silkroom.live.relay.core.chunks import Chunk, Kind, StreamConfig, websocket_frame
from silkroom.live.relay.core.gop import GroupCache
from silkroom.live.relay.core.segments import Event
from silkroom.live.relay.core.shelf import Shelf
from silkroom.live.relay.errors import CloseCode
from silkroom.live.relay.states import StreamState

PACE_US = 1_000_000


class Stream:
    """State and viewers. Everything here is synchronous and runs on the event loop."""

    def __init__(self, broadcast_id: str, clock_us: Callable[[], int]) -> None:
        self.broadcast_id = broadcast_id
        self.state = StreamState.WAITING
        self.config: StreamConfig | None = None
        self.cache = GroupCache()
        self.audience = Audience()
        self.shelf = Shelf()
        self.last_video_us = 0
        self.last_arrival_us = 0
        self.idle_since = time.monotonic()
        self.asked_parts_at = 0.0
        self.bytes_per_second = 0.0
        self.want_key: Callable[[], None] | None = None
        self._clock_us = clock_us
        self._changed: asyncio.Future[None] | None = None
        self._pace_from_us = 0
        self._pace_bytes = 0
        self._key_bytes = 0

    # what comes in

    def set_config(self, config: StreamConfig) -> None:
        """The description of what follows; viewers are told only when it differs from before."""
        if config != self.config:
            self.config = config
            self.cache.clear()
            self.audience.configure(config)
            self.audience.send_text(self.config_text())
            self.audience.send_init()
        self._set_state(StreamState.ON_AIR)

    def add_chunk(self, chunk: Chunk) -> None:
        """A chunk on relay time. One that lies before its predecessor (two gateways' clocks) is dropped."""
        if self.config is None or self.state is StreamState.ENDED:
            return
        if chunk.is_video:
            if chunk.time_us <= self.last_video_us:
                return
            self.last_video_us = chunk.time_us
        now_us = self._clock_us()
        self.last_arrival_us = now_us
        self._measure(chunk, now_us)
        self.cache.add(chunk)
        self.audience.send(chunk, now_us)

    def lose_chunks(self) -> None:
        """Chunks are missing: nobody gets anything before the next key frame."""
        self.cache.clear()
        for viewer in (*self.audience.instant, *self.audience.mse):
            viewer.gate.miss()

    def apply(self, event: Event) -> None:
        """A new part and the like; wakes those who wait for it."""
        self.shelf.apply(event)
        if self._changed is not None:
            self._changed.set_result(None)
            self._changed = None

    def pause(self) -> None:
        if self.state is StreamState.ON_AIR:
            self.cache.clear()
            self._set_state(StreamState.PAUSED)

    def end(self) -> None:
        self.cache.clear()
        self._set_state(StreamState.ENDED)
        for viewer in (*self.audience.instant, *self.audience.mse):
            viewer.send_away(CloseCode.NORMAL)

    def open_from(self, time_us: int) -> None:
        """The show began then; the rehearsal before it is nobody's."""
        self.shelf.open_from(time_us)
        if self.cache.chunks and self.cache.chunks[0].time_us < time_us:
            self.cache.clear()

    # who watches

    def join(self, viewer: Viewer) -> None:
        """First the state, then the config, then the group of pictures: a picture at once."""
        viewer.write(websocket_frame(self._state_text(), opcode=0x1))
        if self.config is not None:
            viewer.write(websocket_frame(self.config_text(), opcode=0x1))
            init = self.audience.init_frame() if viewer.mode == "mse" else None
            if init is not None:
                viewer.write(init)
        self.audience.add(viewer, self.cache.chunks)
        self._ask_for_key()

    def resume(self, viewer: Viewer) -> None:
        """A viewer lost its decoder's state (hidden tab, error): it gets the group again, unless it is still behind."""
        if viewer.transport.get_write_buffer_size() <= viewer.gate.low:
            self.audience.catch_up(viewer, self.cache.chunks)
            self._ask_for_key()

    def leave(self, viewer: Viewer) -> None:
        self.audience.remove(viewer)
        self.idle_since = time.monotonic()

    async def wait_for_change(self) -> None:
        """Until the next event of the shelf."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._changed)

    def config_text(self) -> bytes:
        """The watch protocol's config frame."""
        config = self.config
        if config is None:
            return b""
        mime = f'video/mp4; codecs="{config.codecs}"'
        return msgspec.json.encode({"type": "config", "mime": mime, **config.as_json()})

    def _ask_for_key(self) -> None:
        """Somebody waits for a picture and there is no group to begin with: the sender may make a key frame."""
        if self.want_key is not None and not self.cache.chunks and self.state is StreamState.ON_AIR:
            self.want_key()

    def _state_text(self) -> bytes:
        return msgspec.json.encode({"type": "state", "state": self.state, "now_ms": self._clock_us() // 1000})

    def _set_state(self, state: StreamState) -> None:
        if state is not self.state:
            self.state = state
            self.audience.send_text(self._state_text())

    def _measure(self, chunk: Chunk, now_us: int) -> None:
        self._pace_bytes += len(chunk.payload)
        if chunk.kind is Kind.VIDEO_KEY:
            self._key_bytes = len(chunk.payload)
        passed = now_us - self._pace_from_us
        if passed >= PACE_US:
            rate = self._pace_bytes * 1_000_000 / passed
            fresh = passed > 5 * PACE_US
            self.bytes_per_second = rate if fresh else 0.5 * (self.bytes_per_second + rate)
            self._pace_from_us, self._pace_bytes = now_us, 0
            self.audience.set_pace(self.bytes_per_second, self._key_bytes)
