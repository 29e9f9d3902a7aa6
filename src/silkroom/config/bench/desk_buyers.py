"""The buyers of ``bench desk``: clients of the two doors that cost little, since they share the machine with the shop.

A closed loop: so many requests are in flight; each answer lets the next request go, from the buyer who has waited
longest. A request that was not served because the shop was away is sent again with its key, as a page would.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from silkroom.config.errors import OperationError

AGAIN = frozenset({"desk_unavailable", "too_busy", "too_fast", "too_many"})
"""Refusals that mean "later", not "no"."""

AGAIN_SECONDS = 0.25
STALL_SECONDS = 60.0
JOINS_AT_ONCE = 50

SEATS = 256
"""Viewers at one time. Each also hears of every change in stock, twenty times a second: a large room would measure the
fan-out, which ``bench room`` does."""

ORDERS_A_PERSON = 10
"""So many the room's door takes from one person at once."""


@dataclass
class Request:
    """One press of the button."""

    key: str
    sent_at: float = 0.0
    tries: int = 0


@dataclass
class Outcome:
    """What the buyers were told. Times are of `time.perf_counter`."""

    numbers: list[str] = field(default_factory=list)
    seconds: float = 0.0
    """From the first request to the last confirmation: refusals of those who come later are faster and do not count."""
    delays: list[float] = field(default_factory=list)
    """Seconds from the first sending of a confirmed request to its answer."""
    refusals: dict[str, int] = field(default_factory=dict)
    started_at: float = 0.0
    resent: int = 0

    @property
    def orders_per_s(self) -> float:
        return len(self.numbers) / self.seconds if self.numbers else 0.0

    def add(self, wave: Outcome) -> None:
        """A further wave of the same sale."""
        self.numbers += wave.numbers
        self.delays += wave.delays
        self.seconds += wave.seconds
        self.resent += wave.resent
        for code, count in wave.refusals.items():
            self.refusals[code] = self.refusals.get(code, 0) + count


class Crowd:
    """Keeps the requests of one sale in flight over any kind of line."""

    def __init__(self, *, in_flight: int, requests: int, on_confirmed: Callable[[int], None] | None = None) -> None:
        self.outcome = Outcome()
        self._in_flight = in_flight
        self._waiting = deque(Request(str(uuid.uuid4())) for _ in range(requests))
        self._left = requests
        self._idle: deque[Any] = deque()
        self._flying = 0
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        self._on_confirmed = on_confirmed

    async def sell(self, lines: Sequence[Any]) -> Outcome:
        """Send everything and wait for every answer. ``lines`` have ``send(request)`` and were joined."""
        self._idle.extend(lines)
        self.outcome.started_at = time.perf_counter()
        self.fill()
        before = -1
        while not self._done.is_set():
            try:
                await asyncio.wait_for(self._done.wait(), STALL_SECONDS)
            except TimeoutError:
                if self._left == before:
                    raise OperationError(f"{self._left} buyers have waited {STALL_SECONDS:.0f} seconds") from None
                before = self._left
        return self.outcome

    def fill(self) -> None:
        """Let go as many requests as may fly and find a free line."""
        while self._waiting and self._idle and self._flying < self._in_flight:
            line = self._idle.popleft()
            request = self._waiting.popleft()
            if not request.tries:
                request.sent_at = time.perf_counter()
            request.tries += 1
            self._flying += 1
            line.send(request)

    def free(self, line: Any) -> None:
        """A line may carry the next request."""
        self._idle.append(line)

    def answered(self, request: Request, number: str | None, code: str) -> None:
        """A request has its answer: an order's number, or a refusal's code."""
        if number is None and code in AGAIN:
            self.again(request)
            return
        self._flying -= 1
        outcome = self.outcome
        if number is None:
            outcome.refusals[code] = outcome.refusals.get(code, 0) + 1
        else:
            now = time.perf_counter()
            outcome.numbers.append(number)
            outcome.seconds = now - outcome.started_at
            outcome.delays.append(now - request.sent_at)
            if self._on_confirmed is not None:
                self._on_confirmed(len(outcome.numbers))
        self._left -= 1
        if not self._left:
            self._done.set()

    def lost(self, request: Request) -> None:
        """The line broke before the answer came: whether there is an order, the key will tell."""
        self.again(request)

    def again(self, request: Request) -> None:
        """Later. Until then it counts as in flight: its buyer waits, and nobody else jumps in."""
        self.outcome.resent += 1
        self._loop.call_later(AGAIN_SECONDS, self._send_again, request)

    def _send_again(self, request: Request) -> None:
        self._flying -= 1
        self._waiting.appendleft(request)
        self.fill()


# --- the room's WebSocket -------------------------------------------------------------------------


class RoomLine(asyncio.Protocol):
    """A viewer's WebSocket. Frames are masked with zeros, which is lawful and costs nothing."""

    def __init__(self, ticket: str, host: str) -> None:
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.crowd: Crowd | None = None
        self.variant = 0
        self._ticket = ticket
        self._host = host
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._is_upgraded = False
        self._request: Request | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        key = base64.b64encode(os.urandom(16)).decode()
        self._write(
            f"GET /gateway/room?ticket={quote(self._ticket)} HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if not self.joined.done():
            self.joined.set_exception(ConnectionError(str(error or "closed")))
        if self._request is not None and self.crowd is not None:
            request, self._request = self._request, None
            self.crowd.lost(request)

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    def send(self, request: Request) -> None:
        """Press the button."""
        self._request = request
        self._frame(b'{"type":"buy","id":1,"key":"%s","variant":%d}' % (request.key.encode(), self.variant))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._is_upgraded and not self._upgrade():
            return
        while (frame := _cut_frame(buffer)) is not None:
            self._take(*frame)

    def _upgrade(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        if not self._buffer.startswith(b"HTTP/1.1 101"):
            if not self.joined.done():
                self.joined.set_exception(OperationError(f"a viewer was sent away: {bytes(self._buffer[:300])!r}"))
            return False
        del self._buffer[: end + 4]
        self._is_upgraded = True
        self._frame(b'{"type":"hello"}')
        return True

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == 0x1:
            if payload.startswith((b'{"type":"reply"', b'{"type":"error"')):
                self._answer(payload)
            elif payload.startswith(b'{"type":"snapshot"') and not self.joined.done():
                self.joined.set_result(None)
        elif kind == 0x9:
            self._frame(payload, kind=0xA)
        elif kind == 0x8:
            self.close()

    def _answer(self, payload: bytes) -> None:
        request, self._request = self._request, None
        if request is None or self.crowd is None:
            return
        crowd = self.crowd
        crowd.free(self)
        start = payload.find(b'"number":"')
        if start >= 0:
            start += 10
            crowd.answered(request, payload[start : payload.index(b'"', start)].decode(), "")
        else:
            crowd.answered(request, None, msgspec.json.decode(payload)["code"])
        crowd.fill()

    def _frame(self, payload: bytes, kind: int = 0x1) -> None:
        if len(payload) < 126:
            head = struct.pack("!BB", 0x80 | kind, 0x80 | len(payload))
        else:
            head = struct.pack("!BBH", 0x80 | kind, 0x80 | 126, len(payload))
        self._write(head + b"\0\0\0\0" + payload)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _cut_frame(buffer: bytearray) -> tuple[int, bytes] | None:
    """(opcode, payload) of a whole unmasked frame at the start of the buffer, which is cut off."""
    if len(buffer) < 2:
        return None
    length, start = buffer[1] & 0x7F, 2
    if length == 126:
        if len(buffer) < 4:
            return None
        length, start = int.from_bytes(buffer[2:4], "big"), 4
    elif length == 127:
        if len(buffer) < 10:
            return None
        length, start = int.from_bytes(buffer[2:10], "big"), 10
    if len(buffer) < start + length:
        return None
    kind, payload = buffer[0] & 0x0F, bytes(buffer[start : start + length])
    del buffer[: start + length]
    return kind, payload


async def join_room(url: str, tickets: Sequence[str]) -> list[RoomLine]:
    """Seat a viewer for each ticket."""
    lines: list[RoomLine] = []
    for start in range(0, len(tickets), JOINS_AT_ONCE):
        lines.extend(await asyncio.gather(*(_join(url, one) for one in tickets[start : start + JOINS_AT_ONCE])))
    return lines


async def _join(url: str, ticket: str) -> RoomLine:
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    loop = asyncio.get_running_loop()
    _, line = await loop.create_connection(lambda: RoomLine(ticket, f"{host}:{port}"), host, port)
    await asyncio.wait_for(line.joined, STALL_SECONDS)
    return line


async def sell_in_room(
    url: str,
    tickets: Sequence[str],
    *,
    variant: int,
    in_flight: int,
    requests: int,
    counting: AbstractContextManager[None],
) -> Outcome:
    """A sale through the room, in waves: a person may order ten times at once, then others take the seats.

    ``counting`` is entered while a wave buys, not while it comes in.
    """
    whole = Outcome()
    for start in range(0, len(tickets), SEATS):
        seated = tickets[start : start + SEATS]
        lines = await join_room(url, seated)
        crowd = Crowd(in_flight=in_flight, requests=min(requests, ORDERS_A_PERSON * len(seated)))
        requests -= ORDERS_A_PERSON * len(seated)
        for line in lines:
            line.crowd, line.variant = crowd, variant
        with counting:
            whole.add(await crowd.sell(lines))
        for line in lines:
            line.close()
        if requests <= 0:
            break
    return whole


async def sell_through_restarts(
    url: str,
    tickets: Sequence[str],
    *,
    variant: int,
    in_flight: int,
    requests: int,
    on_confirmed: Callable[[int], None],
) -> Outcome:
    """A sale whose viewers come back when their line breaks."""
    crowd = Crowd(in_flight=in_flight, requests=requests, on_confirmed=on_confirmed)
    lines = await join_room(url, tickets)
    for line in lines:
        line.crowd, line.variant = crowd, variant
    keeper = asyncio.create_task(_come_back(url, dict(zip(tickets, lines, strict=True)), crowd, variant))
    try:
        return await crowd.sell(lines)
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        for line in lines:
            line.close()


async def _come_back(url: str, lines: dict[str, RoomLine], crowd: Crowd, variant: int) -> None:
    while True:
        for ticket, line in list(lines.items()):
            if line.is_open:
                continue
            try:
                fresh = await _join(url, ticket)
            except (OSError, OperationError, TimeoutError):
                break  # the gateway is away
            fresh.crowd, fresh.variant = crowd, variant
            lines[ticket] = fresh
            crowd.free(fresh)
            crowd.fill()
        await asyncio.sleep(0.1)


# --- HTTP -----------------------------------------------------------------------------------------


class HttpLine(asyncio.Protocol):
    """A kept-alive HTTP connection of somebody with a room ticket."""

    def __init__(self, ticket: str, host: str, crowd: Crowd, variant: int) -> None:
        self._head = (
            f"POST /api/orders HTTP/1.1\r\nHost: {host}\r\nAuthorization: Ticket {ticket}\r\n"
            "Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: "
        ).encode()
        self._crowd = crowd
        self._variant = variant
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._request: Request | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        if self._request is not None:
            raise OperationError(f"the web process closed a connection: {error}")

    def send(self, request: Request) -> None:
        self._request = request
        body = b'{"key":"%s","lines":[{"variant":%d,"quantity":1}]}' % (request.key.encode(), self._variant)
        assert self._transport is not None
        self._transport.write(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)

    def close(self) -> None:
        self._request = None
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(buffer[:end]).lower()
        start = head.find(b"content-length:")
        length = int(head[start + 15 : head.find(b"\r\n", start) if b"\r\n" in head[start:] else len(head)])
        if len(buffer) < end + 4 + length:
            return
        body = bytes(buffer[end + 4 : end + 4 + length])
        buffer.clear()
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        request, self._request = self._request, None
        assert request is not None
        self._crowd.free(self)
        answer = msgspec.json.decode(body)
        if "error" in answer:
            self._crowd.answered(request, None, answer["error"]["code"])
        else:
            self._crowd.answered(request, answer["number"], "")
        self._crowd.fill()


async def sell_over_http(url: str, tickets: Sequence[str], *, variant: int, in_flight: int, requests: int) -> Outcome:
    """A sale through ``POST /api/orders``, one connection for each request in flight."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    crowd = Crowd(in_flight=in_flight, requests=requests)
    loop = asyncio.get_running_loop()
    lines = []
    for ticket in tickets[:in_flight]:
        make_line = partial(HttpLine, ticket, f"{host}:{port}", crowd, variant)
        _, line = await loop.create_connection(make_line, host, port)
        lines.append(line)
    try:
        return await crowd.sell(lines)
    finally:
        for line in lines:
            line.close()
