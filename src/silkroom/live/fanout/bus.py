"""How committed events reach every gateway that holds the room.

A `Bus` carries small messages between processes and promises nothing: what it loses is found by its sequence number
and read from the database. `NatsBus` is the one in use; `LocalBus` connects engines within one process (benchmarks).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError

from silkroom.live.fanout.core import Event

log = logging.getLogger(__name__)

MESSAGE_BYTES = 512 * 1024
"""Of one bus message; NATS takes 1 MiB unless told otherwise."""

RETRY_SECONDS = 0.25
"""Between two attempts to reach NATS. The first after a loss comes at once."""

BROADCAST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

Receive = Callable[[bytes], None]


class Subscription(Protocol):
    """A standing wish to hear a subject."""

    async def close(self) -> None:
        """Hear no more. May be called twice."""


class Bus(Protocol):
    """Between processes. Neither method raises because the other side is away."""

    async def publish(self, subject: str, data: bytes) -> bool:
        """Hand over one message; False if it was certainly lost."""

    async def subscribe(self, subject: str, receive: Receive) -> Subscription:
        """Call ``receive(data)`` in the event loop for every message, in the order of arrival. When this returns and
        the bus is connected, the server knows the wish."""

    def on_connected(self, callback: Callable[[], None]) -> None:
        """Call back whenever the connection comes (back): what was said meanwhile is lost."""


def room_subject(broadcast_id: int | str) -> str:
    """The subject of one room. Raises ValueError for an id that is not a plain word."""
    if not BROADCAST_ID.fullmatch(str(broadcast_id)):
        raise ValueError(f"broadcast id {broadcast_id!r} cannot be part of a subject")
    return f"silkroom.room.{broadcast_id}"


class _Row(msgspec.Struct, array_like=True, gc=False):
    sequence: int
    kind: str
    at_ms: int
    urgent: bool
    data: msgspec.Raw


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[_Row])


def _chunks(events: Iterable[Event]) -> Iterator[list[_Row]]:
    chunk: list[_Row] = []
    size = 0
    for event in events:
        length = len(event.data) + 128
        if length > MESSAGE_BYTES:
            log.warning("event %d (%s) is too large for the bus, gateways will read it", event.sequence, event.kind)
            continue
        if chunk and size + length > MESSAGE_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(_Row(event.sequence, event.kind, event.at_ms, event.urgent, msgspec.Raw(event.data)))
        size += length
    if chunk:
        yield chunk


def encode_committed(events: Iterable[Event]) -> list[bytes]:
    """Bus messages for events of one room."""
    return [_encoder.encode(chunk) for chunk in _chunks(events)]


def decode_committed(data: bytes) -> list[Event]:
    """The events of one bus message. Raises ValueError if it is not one."""
    rows = _decoder.decode(data)
    return [Event(row.sequence, row.kind, row.at_ms, bytes(row.data), row.urgent) for row in rows]


async def publish_committed(bus: Bus, broadcast_id: int | str, events: Sequence[Event]) -> None:
    """Tell all gateways of events whose transaction has committed. Never before the commit."""
    subject = room_subject(broadcast_id)
    for message in encode_committed(events):
        await bus.publish(subject, message)


class _LocalSubscription:
    def __init__(self, receivers: list[Receive], receive: Receive) -> None:
        self._receivers = receivers
        self._receive = receive

    async def close(self) -> None:
        if self._receive in self._receivers:
            self._receivers.remove(self._receive)


class LocalBus:
    """A bus inside one event loop. Messages arrive in the next turn of the loop, as from outside."""

    def __init__(self) -> None:
        self._receivers: dict[str, list[Receive]] = {}

    async def publish(self, subject: str, data: bytes) -> bool:
        for receive in self._receivers.get(subject, ()):
            asyncio.get_running_loop().call_soon(receive, data)
        return True

    async def subscribe(self, subject: str, receive: Receive) -> Subscription:
        receivers = self._receivers.setdefault(subject, [])
        receivers.append(receive)
        return _LocalSubscription(receivers, receive)

    def on_connected(self, callback: Callable[[], None]) -> None:
        """Nothing is ever lost here, so there is nothing to call back for."""


class _NatsWish:
    """A subscription that is renewed until the bus is connected for the first time; nats-py renews it from then on."""

    def __init__(self, wishes: set[_NatsWish], subject: str, receive: Receive) -> None:
        self._wishes = wishes
        self.subject = subject
        self._receive = receive
        self._standing: NatsSubscription | None = None
        wishes.add(self)

    async def hear(self, message: Msg) -> None:
        self._receive(message.data)

    async def stand(self, client: Client) -> None:
        if self._standing is None and self in self._wishes:
            self._standing = await client.subscribe(self.subject, cb=self.hear)

    async def close(self) -> None:
        self._wishes.discard(self)
        standing, self._standing = self._standing, None
        if standing is not None:
            with contextlib.suppress(NatsError):  # the connection is closed, and the subscription with it
                await standing.unsubscribe()


class NatsBus:
    """The bus over a NATS server. Connects in the background and for ever; a process starts and serves without it."""

    def __init__(self, url: str, *, name: str = "silkroom") -> None:
        self._url = url
        self._name = name
        self._client = Client()
        self._wishes: set[_NatsWish] = set()
        self._callbacks: list[Callable[[], None]] = []
        self._connected = asyncio.Event()
        self._has_connected = False
        self._connecting: asyncio.Task[None] | None = None
        self.lost = 0
        """Messages that could not be handed over."""

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected

    async def start(self) -> None:
        """Begin to connect; does not wait for it."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect(), name="nats-connect")

    async def wait_connected(self) -> None:
        """Wait until NATS is there; put a timeout around it."""
        await self._connected.wait()

    async def close(self) -> None:
        """Send what is handed over and disconnect."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        # nats-py cannot close what has never been connected; then there is nothing to close either.
        if self._has_connected and not self._client.is_closed:
            await self._client.close()

    async def publish(self, subject: str, data: bytes) -> bool:
        try:
            await self._client.publish(subject, data)
        except NatsError:
            self.lost += 1
            return False
        return True

    async def subscribe(self, subject: str, receive: Receive) -> Subscription:
        wish = _NatsWish(self._wishes, subject, receive)
        if self._client.is_connected:
            await self._stand([wish])
        return wish

    def on_connected(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    async def _stand(self, wishes: Iterable[_NatsWish]) -> None:
        try:
            for wish in wishes:
                await wish.stand(self._client)
            await self._client.flush()
        except (NatsError, OSError, TimeoutError):
            log.info("NATS went away while subscribing")  # renewed, or healed, when it is back

    async def _connect(self) -> None:
        await self._client.connect(
            self._url,
            name=self._name,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RETRY_SECONDS,  # type: ignore[arg-type]  # seconds, fractions are fine
            ping_interval=20,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_connected,
        )
        await self._on_connected()

    async def _on_connected(self) -> None:
        log.info("NATS connected")
        self._has_connected = True
        await self._stand(list(self._wishes))
        self._connected.set()
        for callback in self._callbacks:
            callback()

    async def _on_disconnected(self) -> None:
        self._connected.clear()
        log.warning("NATS disconnected")

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, SlowConsumerError):
            log.warning("NATS: messages came faster than they were taken, some are lost")
        elif isinstance(error, NatsError | OSError | TimeoutError):
            log.debug("NATS: %r", error)  # every attempt to connect, four times a second
        else:
            log.error("a message could not be taken", exc_info=error)
