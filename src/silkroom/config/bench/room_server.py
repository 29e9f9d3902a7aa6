"""The server side of ``bench room``: a process with the real engine and a gateway's handler, but no database.

Told what to do by lines of JSON on stdin, answers each with a line on stdout. The limit is measured on the very sockets
of the watchers, in C when there is a compiler, so both sides of the comparison share kernel, sockets and receiver.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web

from silkroom.config.bench.bareloops import find_loops
from silkroom.live.fanout.door import (
    Event,
    FanOut,
    Limits,
    LocalBus,
    Room,
    Snapshot,
    Watcher,
    encode_event,
    event_frames,
)

SHOW = 1
MESSAGE_BYTES = 200
STAMP_DIGITS = 20
ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")
"""Several, so that the client does not run out of ports; systems with one loopback address use the first."""


def raise_file_limit() -> int:
    """As many open files as this user may have; returns the number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 65536)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def make_event(sequence: int, stamp_ns: int) -> Event:
    """An event whose message has exactly 200 bytes and ends in its moment."""

    def data(filler: int) -> bytes:
        return b'{"text":"%b","t":"%0*d"}' % (b"." * filler, STAMP_DIGITS, stamp_ns)

    around = len(b'{"type":"events","events":[]}') + len(encode_event(sequence, "comment", 0, data(0)))
    return Event(sequence, "comment", 0, data(MESSAGE_BYTES - around))


FRAME = event_frames([make_event(1, 0).encoded()], MESSAGE_BYTES)
STAMP = slice(len(FRAME) - 5 - STAMP_DIGITS, len(FRAME) - 5)
"""Where a frame tells its moment."""


def resident_kib() -> int:
    """Memory of this process in user space."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


class LastNumber:
    """The room's state: nothing but the number it has come to."""

    def __init__(self) -> None:
        self.sequence = 0
        self._snapshot = Snapshot(0, b"{}")

    def apply(self, events: Sequence[Event]) -> None:
        self.sequence = events[-1].sequence

    def snapshot(self) -> Snapshot:
        if self._snapshot.sequence != self.sequence:
            state = {"type": "snapshot", "sequence": self.sequence, "state": {}}
            self._snapshot = Snapshot(self.sequence, json.dumps(state).encode())
        return self._snapshot


async def no_log(broadcast_id: int | str, after: int, upto: int | None) -> Sequence[Event]:
    return ()


class RoomServer:
    """The gateway under test and its orders."""

    def __init__(self) -> None:
        # Without gathering every event is a frame of its own, as in the loop it is compared with.
        limits = Limits(watchers=200_000, room_watchers=200_000, gather_ms=0, urgent_ms=0)
        self._fan = FanOut(LocalBus(), no_log, limits=limits)
        self._watchers: set[Watcher] = set()
        self._sequence = 0
        self._loops = find_loops()

    async def listen(self) -> list[tuple[str, int]]:
        app = web.Application()
        app.router.add_get("/gateway/room", self._handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        for address in ADDRESSES:
            with contextlib.suppress(OSError):
                await web.TCPSite(runner, address, 0, backlog=4096).start()
        return [one[:2] for one in runner.addresses]

    async def _open(self) -> Room:
        async def make_keeper() -> LastNumber:
            return LastNumber()

        return await self._fan.open(SHOW, make_keeper)

    async def _handle(self, request: web.Request) -> web.WebSocketResponse:
        room = await self._open()
        ws = web.WebSocketResponse(compress=False, heartbeat=60, max_msg_size=4096)
        await ws.prepare(request)
        assert request.transport is not None
        watcher = await room.join(request.transport)
        self._watchers.add(watcher)
        try:
            async for _ in ws:
                pass
        finally:
            self._watchers.discard(watcher)
            watcher.leave()
        return ws

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = await getattr(self, f"do_{order.pop('do')}")(**order)
        return answer

    async def do_memory(self) -> dict[str, Any]:
        gc.collect()
        return {"kib": resident_kib(), "watchers": len(self._watchers), "limit_kind": self._loops.kind}

    async def do_settle(self) -> dict[str, Any]:
        """What lives long is not looked at again by the garbage collector; a gateway does the same after its start."""
        gc.collect()
        gc.freeze()
        return {}

    async def do_engine(self, rounds: int) -> dict[str, Any]:
        """Event after event, each as soon as the one before is on all wires."""
        room = await self._open()
        began, cpu = time.monotonic_ns(), time.process_time()
        for _ in range(rounds):
            self._offer(room)
            while not room.is_quiet:  # noqa: ASYNC110 (a turn of the loop is the unit of its work)
                await asyncio.sleep(0)
        return {"began_ns": began, "cpu_seconds": time.process_time() - cpu, "dropped": self._fan.dropped}

    async def do_limit(self, rounds: int) -> dict[str, Any]:
        fds = [watcher.transport.get_extra_info("socket").fileno() for watcher in self._watchers]
        began, cpu = time.monotonic_ns(), time.process_time()
        deliveries = self._loops.send_rounds(fds, FRAME, rounds)
        return {"began_ns": began, "cpu_seconds": time.process_time() - cpu, "deliveries": deliveries}

    async def do_pace(self, count: int, per_second: float) -> dict[str, Any]:
        """One event now and then, as in a talking room; the delay is of the path, not of a queue."""
        room = await self._open()
        loop = asyncio.get_running_loop()
        at, cpu = loop.time(), time.process_time()
        for _ in range(count):
            self._offer(room)
            at += 1 / per_second
            await asyncio.sleep(max(0.0, at - loop.time()))
        return {"cpu_seconds": time.process_time() - cpu, "dropped": self._fan.dropped}

    def _offer(self, room: Room) -> None:
        self._sequence += 1
        room.offer([make_event(self._sequence, time.monotonic_ns())])


async def serve() -> None:
    server = RoomServer()
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    answer(addresses=await server.listen())
    while line := await orders.readline():
        answer(**await server.obey(json.loads(line)))


def answer(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise_file_limit()
    uvloop.run(serve())
    os._exit(0)  # ten thousand connections need no farewell
