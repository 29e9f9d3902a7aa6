"""How gateways share a stream. The gateway process passes in NATS; one gateway alone, tests and the bench use LocalBus.

Nothing durable and nothing required travels here: a lost message costs a viewer the time to the next key frame.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

Receive = Callable[[bytes], None]


class Subscription(Protocol):
    """A standing wish to hear a subject."""

    async def close(self) -> None:
        """Hear no more."""


class Bus(Protocol):
    """Publish and subscribe by subject; messages of one publisher arrive in order, at most 1 MiB each.

    The fan-out engine's NatsBus is one; neither engine knows the other.
    """

    async def publish(self, subject: str, data: bytes) -> object:
        """Hand over one message."""

    async def subscribe(self, subject: str, receive: Receive) -> Subscription:
        """Call ``receive(data)`` on the event loop for every message, in order."""


class LocalBus:
    """All relays of one process."""

    def __init__(self) -> None:
        self._receivers: dict[str, list[Receive]] = {}

    async def publish(self, subject: str, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        for receive in self._receivers.get(subject, ()):
            loop.call_soon(receive, data)

    async def subscribe(self, subject: str, receive: Receive) -> Subscription:
        self._receivers.setdefault(subject, []).append(receive)
        return _LocalSubscription(self._receivers, subject, receive)


class _LocalSubscription:
    def __init__(self, receivers: dict[str, list[Receive]], subject: str, receive: Receive) -> None:
        self._receivers = receivers
        self._subject = subject
        self._receive = receive

    async def close(self) -> None:
        standing = self._receivers.get(self._subject, [])
        if self._receive in standing:
            standing.remove(self._receive)
        if not standing:
            self._receivers.pop(self._subject, None)


MAX_OUTBOX = 2_000


class Outbox:
    """Lets synchronous code publish in order without waiting. What does not fit is dropped, visibly by number."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=MAX_OUTBOX)
        self._worker: asyncio.Task[None] | None = None

    def put(self, subject: str, data: bytes) -> None:
        self._waiting.append((subject, data))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def drained(self) -> None:
        while self._worker is not None and not self._worker.done():
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        while self._waiting:
            await self._bus.publish(*self._waiting.popleft())
