"""Writing one frame to many watchers.

Frames go straight to the transports under the WebSockets: every write hands over a whole frame, so control frames of
the WebSocket library (pings, pongs, its own close) fall between them and keep working, as long as compression was not
negotiated. Nothing here waits: a transport that cannot send keeps what it was given, and a watcher whose unsent bytes
pass its limit is dropped with `TOO_SLOW` and may resume by number.

`Turns` keeps the event loop free: all rooms of a process share slices of ``slice_watchers`` writes, and between two
slices the loop serves everything else (pings, joins, other doors). Measured on 2 cores, aiohttp on uvloop: a write
takes about 10 microseconds, nearly all of it in the kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

from silkroom.live.fanout.core import Limits
from silkroom.live.fanout.errors import FrameTooLarge
from silkroom.live.fanout.frames import close_frame, text_frame

GOING_AWAY: Final = 4503
TOO_SLOW: Final = 4508

UNSENT_IN_KERNEL: Final = 64 * 1024
"""The kernel would take megabytes for a watcher who does not read, out of sight of the backlog limit."""


def _keep_kernel_queue_short(transport: asyncio.Transport) -> None:
    sock = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if sock is not None and option is not None:
        with contextlib.suppress(OSError):  # not TCP, or already gone
            sock.setsockopt(socket.IPPROTO_TCP, option, UNSENT_IN_KERNEL)


class Watcher:
    """One seat in a room. Made by ``Room.join``; its owner calls `leave` when the connection ends."""

    __slots__ = ("__weakref__", "_backlog_bytes", "_forget", "_limits", "close_code", "gone", "transport")

    def __init__(self, transport: asyncio.Transport, limits: Limits, forget: Callable[[Watcher], None]) -> None:
        self.transport = transport
        self.gone = False
        """No longer in the room, whoever ended it."""
        self.close_code: int | None = None
        """Why the engine ended it; None if the watcher left or is still here."""
        self._limits = limits
        self._backlog_bytes = limits.backlog_bytes
        self._forget = forget
        _keep_kernel_queue_short(transport)

    def send(self, message: bytes) -> bool:
        """Send one text message (UTF-8 JSON) to this watcher alone, at once, in order with the room's frames.
        False if the watcher is gone or was dropped for being slow. Raises FrameTooLarge."""
        if len(message) > self._limits.message_bytes:
            raise FrameTooLarge(limit=self._limits.message_bytes)
        return self.write(text_frame(message))

    def write(self, frame: bytes) -> bool:
        """Hand whole frames to the transport, or drop the watcher if too much is unsent."""
        transport = self.transport
        if self.gone:
            return False
        if transport.is_closing():
            self.leave()
            return False
        if transport.get_write_buffer_size() > self._backlog_bytes:
            self.close(TOO_SLOW, "too slow")
            return False
        try:
            transport.write(frame)
        except RuntimeError:  # the handle was closed under the transport
            self.leave()
            return False
        return True

    def write_snapshot(self, frame: bytes) -> bool:
        """Like `write`; a large snapshot on a thin line is not held against the watcher."""
        self._backlog_bytes = self._limits.backlog_bytes + len(frame)
        return self.write(frame)

    def leave(self) -> None:
        """Give up the seat. Writes nothing, may be called twice."""
        if not self.gone:
            self.gone = True
            self._forget(self)

    def close(self, code: int, reason: str = "") -> None:
        """Take the seat away: a close frame behind what is still unsent; the connection is cut if the other side has
        not ended it within ``grace_seconds``."""
        if self.gone:
            return
        self.close_code = code
        self.leave()
        if self.transport.is_closing():
            return
        with contextlib.suppress(RuntimeError):
            self.transport.write(close_frame(code, reason))
        asyncio.get_running_loop().call_later(self._limits.grace_seconds, self.transport.abort)


class Seats:
    """Who is in a room, by transport: a delivery of ten thousand writes touches nothing else of them.

    A watcher who is *ahead* has events that were not sent yet (from its snapshot, or from another gateway); it is left
    out of the deliveries until they pass its number.
    """

    def __init__(self) -> None:
        self._watchers: dict[asyncio.Transport, Watcher] = {}
        self._ahead: dict[asyncio.Transport, int] = {}
        self._level: list[asyncio.Transport] | None = []
        self.departures = 0

    def __len__(self) -> int:
        return len(self._watchers)

    def __contains__(self, transport: asyncio.Transport) -> bool:
        return transport in self._watchers

    def find(self, transport: asyncio.Transport) -> Watcher | None:
        return self._watchers.get(transport)

    def take(self, watcher: Watcher, ahead_until: int | None) -> None:
        """Seat a watcher; ``ahead_until`` is its number if it is ahead."""
        self._watchers[watcher.transport] = watcher
        if ahead_until is not None:
            self._ahead[watcher.transport] = ahead_until
        self._level = None

    def give_back(self, watcher: Watcher) -> bool:
        """False if the watcher has no seat."""
        if self._watchers.pop(watcher.transport, None) is None:
            return False
        self._ahead.pop(watcher.transport, None)
        self.departures += 1
        self._level = None
        return True

    def everyone(self) -> list[asyncio.Transport]:
        return list(self._watchers)

    def level(self) -> list[asyncio.Transport]:
        """All who are not ahead. Do not change the list: it is made anew only after somebody came or left."""
        if self._level is None:
            self._level = [one for one in self._watchers if one not in self._ahead] if self._ahead else self.everyone()
        return self._level

    def overtaken_by(self, sequence: int) -> list[tuple[Watcher, int]]:
        """Those ahead whose number is not above ``sequence``, with it; they are level from now on."""
        found = [(self._watchers[one], number) for one, number in self._ahead.items() if number <= sequence]
        for watcher, _ in found:
            del self._ahead[watcher.transport]
            self._level = None
        return found


class Delivery:
    """One frame on its way to those who were there when it began."""

    __slots__ = ("_at", "_backlog_bytes", "_departures", "_done", "_frame", "_seats", "_transports")

    def __init__(
        self,
        frame: bytes,
        transports: list[asyncio.Transport],
        seats: Seats,
        backlog_bytes: int,
        done: Callable[[], None],
    ) -> None:
        self._frame = frame
        self._transports = transports
        self._seats = seats
        self._departures = seats.departures
        self._backlog_bytes = backlog_bytes
        self._at = 0
        self._done = done

    def run(self, budget: int) -> int:
        """Write to at most ``budget`` watchers; returns how many it was."""
        if self._departures != self._seats.departures:
            self._leave_out_who_left()
        start, self._at = self._at, min(self._at + budget, len(self._transports))
        frame, backlog_bytes = self._frame, self._backlog_bytes
        for transport in self._transports[start : self._at]:
            # A closing transport takes the bytes in silence; its owner gives the seat back.
            if transport.get_write_buffer_size() > backlog_bytes:
                self._write_or_drop(transport)
                continue
            try:
                transport.write(frame)
            except RuntimeError:
                self._write_or_drop(transport)
        return self._at - start

    def _write_or_drop(self, transport: asyncio.Transport) -> None:
        watcher = self._seats.find(transport)
        if watcher is not None:
            watcher.write(self._frame)

    def _leave_out_who_left(self) -> None:
        self._departures = self._seats.departures
        self._transports = [one for one in self._transports[self._at :] if one in self._seats]
        self._at = 0

    @property
    def is_over(self) -> bool:
        return self._at >= len(self._transports)

    def finish(self) -> None:
        self._done()


class Turns:
    """Deliveries of all rooms take turns, slice by slice, one slice per turn of the event loop."""

    def __init__(self, slice_watchers: int) -> None:
        self._slice_watchers = slice_watchers
        self._deliveries: deque[Delivery] = deque()
        self._is_scheduled = False
        self.written = 0
        """Writes since the start."""

    def add(self, delivery: Delivery) -> None:
        self._deliveries.append(delivery)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled and self._deliveries:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._is_scheduled = False
        budget = self._slice_watchers
        while budget > 0 and self._deliveries:
            delivery = self._deliveries.popleft()
            count = delivery.run(budget)
            budget -= count
            self.written += count
            if delivery.is_over:
                delivery.finish()
                budget -= 1  # a turn ends although finished rooms without watchers begin again at once
            else:
                self._deliveries.append(delivery)
        self._schedule()
