"""A gateway that has viewers of a stream whose sender is connected elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

import msgspec

from silkroom.live.relay.bus import Bus, Outbox
from silkroom.live.relay.core.segments import Event, InitMade, PartMade, SegmentEnded, StreamEnded
from silkroom.live.relay.core.sharing import (
    Ask,
    Live,
    LiveChunk,
    LiveConfig,
    LiveEnded,
    LivePaused,
    SnapshotDone,
    decode_event,
    decode_live,
    decode_snapshot,
    encode,
    subjects,
)
from silkroom.live.relay.stream import Stream

LOOK_SECONDS = 2.0
RENEW_SECONDS = 10.0
SILENCE_US = 5_000_000
"""No chunk for so long while on air: the origin may be gone."""
MAX_HELD = 2_000

logger = logging.getLogger(__name__)


class Edge:
    """Subscribes to the origin and feeds a Stream. ``live`` and ``parts`` are switched on as viewers need them."""

    def __init__(self, stream: Stream, *, gateway: str, bus: Bus, outbox: Outbox, clock_us: Callable[[], int]) -> None:
        self.stream = stream
        self.live = False
        self.parts = False
        self._gateway = gateway
        self._bus = bus
        self._outbox = outbox
        self._clock_us = clock_us
        self._control, self._live_subject, self._parts_subject = subjects(stream.broadcast_id)
        self._inbox = f"silkroom.media.{stream.broadcast_id}.inbox.{gateway}"
        self._closed = False
        self._number: int | None = None
        self._held: list[Live] = []
        self._held_events: list[Event] = []
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    def want(self, *, live: bool = False, parts: bool = False) -> None:
        """Start getting chunks, parts or both; asking for what is already there changes nothing."""
        if (live and not self.live) or (parts and not self.parts):
            self.live = self.live or live
            self.parts = self.parts or parts
            self.refresh()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def refresh(self) -> None:
        """Ask for a snapshot (again): there is a new origin, or something was lost."""
        self._number = None
        self._held.clear()
        self._held_events.clear()
        self._wake.set()

    async def close(self) -> None:
        """Feed the stream no more, at once; then leave the bus.

        The task is not cancelled: a subscription that is cut off on its way breaks the NATS client's connection.
        """
        self._closed = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        subscriptions = [
            await self._bus.subscribe(self._inbox, self._on_inbox),
            await self._bus.subscribe(self._live_subject, self._on_live),
            await self._bus.subscribe(self._parts_subject, self._on_part),
        ]
        asked_at = 0.0
        while not self._closed:
            self._check_silence()
            now = time.monotonic()
            if self._number is None or now - asked_at > RENEW_SECONDS:
                ask = Ask(self._gateway, self._inbox, self.live, self.parts, snapshot=self._number is None)
                self._outbox.put(self._control, encode(ask))
                asked_at = now
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
        for subscription in subscriptions:
            await subscription.close()

    def _check_silence(self) -> None:
        quiet = self._clock_us() - self.stream.last_arrival_us
        if self.live and self._number is not None and quiet > SILENCE_US:
            self.stream.pause()
            self._number = None

    def _on_inbox(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            message = decode_snapshot(data)
        except msgspec.DecodeError as error:
            logger.warning("unreadable snapshot message: %s", error)
            return
        if isinstance(message, SnapshotDone):
            self._finish_snapshot(message.number)
        elif isinstance(message, InitMade | PartMade | SegmentEnded | StreamEnded):
            self.stream.apply(message)
        else:
            self._take(message)

    def _finish_snapshot(self, number: int) -> None:
        if self._number is not None:
            return
        self._number = number
        held, self._held = self._held, []
        for message in held:
            self._on_live_message(message)
        events, self._held_events = self._held_events, []
        for event in events:
            self.stream.apply(event)

    def _on_live(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            self._on_live_message(decode_live(data))
        except msgspec.DecodeError as error:
            logger.warning("unreadable live message: %s", error)

    def _on_live_message(self, message: Live) -> None:
        if self._number is None:
            if len(self._held) < MAX_HELD:
                self._held.append(message)
            return
        if message.number <= self._number:
            return
        if message.number != self._number + 1:
            self.stream.lose_chunks()
        self._number = message.number
        self._take(message)

    def _take(self, message: Live) -> None:
        if isinstance(message, LiveConfig):
            self.stream.set_config(message.config)
        elif isinstance(message, LivePaused):
            self.stream.pause()
        elif isinstance(message, LiveEnded):
            self.stream.end()
        elif isinstance(message, LiveChunk) and self.live:
            self.stream.add_chunk(message.chunk())

    def _on_part(self, data: bytes) -> None:
        try:
            event = decode_event(data)
        except msgspec.DecodeError as error:
            logger.warning("unreadable part message: %s", error)
            return
        if not self.parts or self._closed:
            return
        if self._number is None:
            if len(self._held_events) < MAX_HELD:
                self._held_events.append(event)
            return
        if isinstance(event, PartMade) and not self.stream.shelf.follows(event):
            self.refresh()
            return
        self.stream.apply(event)
