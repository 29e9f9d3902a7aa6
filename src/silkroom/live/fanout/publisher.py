"""Telling the gateways from a process without an event loop: Django's web threads.

The thread behind it starts with the first message. Nothing here ever blocks or fails a request: messages go into a
bounded queue, the oldest give way, and what is lost is found by the gateways by its number.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Sequence

from silkroom.live.fanout.bus import NatsBus, encode_committed, room_subject
from silkroom.live.fanout.core import Event

DISCONNECT_SECONDS = 1.0


class CommittedPublisher:
    """Publishes on NATS from any thread. One per process; safe to make before a fork (each process gets its thread)."""

    def __init__(self, nats_url: str, *, queue_messages: int = 4096, queue_bytes: int = 32 * 1024 * 1024) -> None:
        self._url = nats_url
        self._queue_messages = queue_messages
        self._queue_bytes = queue_bytes
        self._begin_in_this_process()

    def _begin_in_this_process(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._queue: deque[tuple[str, bytes]] = deque()
        self._size = 0
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._ends_at: float | None = None
        self.lost = 0
        """Messages that gave way because NATS was away for long."""

    @property
    def waiting(self) -> int:
        """Messages in the queue."""
        return len(self._queue)

    def publish_committed(self, broadcast_id: int | str, events: Sequence[Event]) -> None:
        """Tell all gateways of events of one room. Call after the commit (``transaction.on_commit``)."""
        subject = room_subject(broadcast_id)
        for message in encode_committed(events):
            self.publish(subject, message)

    def publish(self, subject: str, data: bytes) -> None:
        """Queue one message; returns at once."""
        if self._process != os.getpid():
            self._begin_in_this_process()  # after a fork: thread, loop and lock belong to the other process
        with self._lock:
            if self._ends_at is not None:
                self.lost += 1
                return
            self._queue.append((subject, data))
            self._size += len(data)
            while len(self._queue) > self._queue_messages or self._size > self._queue_bytes:
                self._size -= len(self._queue.popleft()[1])
                self.lost += 1
            self._start_thread()
            self._wake_up()

    def close(self, timeout_seconds: float = 2.0) -> None:
        """Send what is queued, waiting that long for NATS, and end the thread. Later messages are lost."""
        if self._process != os.getpid():
            return
        with self._lock:
            self._ends_at = time.monotonic() + timeout_seconds
            thread = self._thread
            self._wake_up()
        if thread is not None:
            thread.join(timeout_seconds + DISCONNECT_SECONDS)
            atexit.unregister(self.close)

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="committed-publisher", daemon=True)
            self._thread.start()
            atexit.register(self.close)

    def _wake_up(self) -> None:
        if self._loop is not None and self._wake is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    def _next(self) -> tuple[str, bytes] | None:
        with self._lock:
            if not self._queue:
                return None
            message = self._queue.popleft()
            self._size -= len(message[1])
            return message

    def _run(self) -> None:
        asyncio.run(self._work())

    async def _work(self) -> None:
        wake = asyncio.Event()
        bus = NatsBus(self._url, name="silkroom-publisher")
        bus.on_connected(wake.set)
        with self._lock:
            self._loop, self._wake = asyncio.get_running_loop(), wake
        await bus.start()
        try:
            while self._ends_at is None or (self._queue and time.monotonic() < self._ends_at):
                await self._send_queued(bus)
                await self._sleep_until_woken(wake)
            await self._send_queued(bus)
        finally:
            with self._lock:
                self._loop = self._wake = None
            await bus.close()

    async def _send_queued(self, bus: NatsBus) -> None:
        while bus.is_connected and (message := self._next()) is not None:
            if not await bus.publish(*message):
                self.lost += 1

    async def _sleep_until_woken(self, wake: asyncio.Event) -> None:
        ends_at = self._ends_at
        timeout = None if ends_at is None else max(0.0, ends_at - time.monotonic()) if self._queue else 0.0
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), timeout)
        wake.clear()
