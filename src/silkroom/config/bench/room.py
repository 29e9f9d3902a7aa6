"""``bench room``: one room, many watchers, beside a bare send() loop on the same sockets.

The server (`room_server`) is a process of its own with the real engine; this process is all the watchers: it reads as
fast as it can and counts bytes (every message has the same length), or takes the delay from the moment in each message.

Deliveries per second come from a saturated room: the next event as soon as the one before is on all wires, engine and
bare loop in turns, several times, the median of each. Delays come from a quiet one, a few events a second.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from silkroom.config.bench.bareloops import find_loops
from silkroom.config.bench.room_server import FRAME, MESSAGE_BYTES, STAMP, raise_file_limit
from silkroom.config.errors import OperationError

SOURCES = Path(__file__).resolve().parents[3]
FILES_BESIDE_WATCHERS = 100
STALL_SECONDS = 30.0
JOINS_IN_FLIGHT = 200
DELIVERIES_A_TRIAL = 100_000
TRIALS = 5
QUICK_DELIVERIES_A_TRIAL = 50_000
QUICK_TRIALS = 3

REQUEST = (
    b"GET /gateway/room HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2lsa3Jvb20tYmVuY2gtIQ==\r\n\r\n"
)


class Server:
    """The process under test."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "silkroom.config.bench.room_server"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            process_group=0,  # Ctrl-C ends this process, and the server with its stdin
        )
        self.addresses = [(host, port) for host, port in self.answer()["addresses"]]

    def order(self, **order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise OperationError("the server of the measurement ended early")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, **order: Any) -> dict[str, Any]:
        self.order(**order)
        return self.answer()

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Crowd:
    """All the watchers, read through one poller."""

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}
        self._epoll = select.epoll()
        self._loops = find_loops()

    def __len__(self) -> int:
        return len(self._sockets)

    def close(self) -> None:
        self._epoll.close()
        for one in self._sockets.values():
            one.close()

    def join(self, addresses: list[tuple[str, int]], count: int) -> None:
        """Seat ``count`` more watchers: shake hands and read the snapshot."""
        for start in range(0, count, JOINS_IN_FLIGHT):
            arriving = {}
            for number in range(start, min(start + JOINS_IN_FLIGHT, count)):
                one = socket.create_connection(addresses[number % len(addresses)], timeout=STALL_SECONDS)
                one.sendall(REQUEST)
                arriving[one.fileno()] = one
            for one in arriving.values():
                self._take_seat(one)
            self._sockets.update(arriving)

    def _take_seat(self, one: socket.socket) -> None:
        greeting = b""
        while not _has_snapshot(greeting):
            chunk = one.recv(4096)
            if not chunk:
                raise OperationError(f"a watcher was sent away: {greeting[:200]!r}")
            greeting += chunk
        one.setblocking(False)
        self._epoll.register(one.fileno(), select.EPOLLIN)

    def count(self, deliveries: int) -> int:
        """Read so many messages; the moment of the last, in nanoseconds."""
        missing = self._loops.read_bytes(self._epoll.fileno(), deliveries * len(FRAME), STALL_SECONDS)
        if missing > 0:
            raise OperationError(f"a watcher was dropped, or nothing came for {STALL_SECONDS:.0f} seconds")
        return time.monotonic_ns()

    def delays(self, deliveries: int) -> list[float]:
        """Read so many messages; their delays in milliseconds."""
        found = self._loops.read_delays(self._epoll.fileno(), deliveries, STALL_SECONDS, len(FRAME), STAMP)
        if len(found) < deliveries:
            raise OperationError(f"a watcher was dropped, or nothing came for {STALL_SECONDS:.0f} seconds")
        return found


def _has_snapshot(greeting: bytes) -> bool:
    head, _, frame = greeting.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 101") and len(frame) > 2 and frame[0] == 0x81 and len(frame) >= frame[1] + 2


def _trial(server: Server, crowd: Crowd, what: str, rounds: int) -> tuple[float, float]:
    """(deliveries per second, CPU microseconds of the server per delivery)."""
    deliveries = rounds * len(crowd)
    server.order(do=what, rounds=rounds)
    ended = crowd.count(deliveries)
    answer = server.answer()
    if answer.get("dropped"):
        raise OperationError("watchers were dropped: the reading side is too slow for this measurement")
    return deliveries / (ended - answer["began_ns"]) * 1e9, answer["cpu_seconds"] / deliveries * 1e6


def _measure(watchers: int, *, trials: int, deliveries: int, paced: int, per_second: float) -> dict[str, Any]:
    with contextlib.ExitStack() as stack:
        server = Server()
        stack.callback(server.close)
        crowd = Crowd()
        stack.callback(crowd.close)
        _progress(f"{watchers} watchers take their seats")
        crowd.join(server.addresses, 20)  # what the first connections load is not counted as theirs
        before = server.ask(do="memory")
        crowd.join(server.addresses, watchers - len(crowd))
        after = server.ask(do="memory")
        server.ask(do="settle")
        rounds = max(1, deliveries // watchers)
        _progress(f"{watchers} watchers: saturated, engine and bare loop in turns")
        for what in ("engine", "limit"):
            _trial(server, crowd, what, max(1, rounds // 10))
        engine, limit = [], []
        for _ in range(trials):
            engine.append(_trial(server, crowd, "engine", rounds))
            limit.append(_trial(server, crowd, "limit", rounds))
        _progress(f"{watchers} watchers: {per_second:g} messages a second")
        server.order(do="pace", count=paced, per_second=per_second)
        delays = crowd.delays(paced * watchers)
        server.answer()
        kib = (after["kib"] - before["kib"]) / (after["watchers"] - before["watchers"])
        return _figures(watchers, engine, limit, delays, kib, after["limit_kind"])


def _figures(
    watchers: int,
    engine: list[tuple[float, float]],
    limit: list[tuple[float, float]],
    delays: list[float],
    kib: float,
    limit_kind: str,
) -> dict[str, Any]:
    percentiles = statistics.quantiles(delays, n=100)
    pairs = list(zip(engine, limit, strict=True))
    return {
        "watchers": watchers,
        "deliveries_per_s": round(statistics.median(rate for rate, _ in engine)),
        "limit_deliveries_per_s": round(statistics.median(rate for rate, _ in limit)),
        "ratio": round(statistics.median(ours / bare for (ours, _), (bare, _) in pairs), 3),
        "limit_kind": limit_kind,
        "p50_ms": round(percentiles[49], 2),
        "p99_ms": round(percentiles[98], 2),
        "kib_per_watcher": round(kib, 1),
        "cpu_us_per_delivery": round(statistics.median(cpu for _, cpu in engine), 2),
        "limit_cpu_us_per_delivery": round(statistics.median(cpu for _, cpu in limit), 2),
        "cpu_ratio": round(statistics.median(bare / ours for (_, ours), (_, bare) in pairs), 3),
    }


def run(quick: bool) -> dict[str, Any]:
    """Measure; the figures of the largest room on top, every room under ``runs``. Raises OperationError."""
    if not hasattr(select, "epoll"):
        raise OperationError("bench room reads its watchers through epoll: run it on Linux")
    files = raise_file_limit()
    if quick:
        plans = [{"watchers": 1000, "trials": QUICK_TRIALS, "deliveries": QUICK_DELIVERIES_A_TRIAL, "paced": 20}]
    else:
        plans = [
            {"watchers": 1000, "trials": TRIALS, "deliveries": DELIVERIES_A_TRIAL, "paced": 50},
            {"watchers": 10_000, "trials": TRIALS, "deliveries": DELIVERIES_A_TRIAL, "paced": 20},
        ]
    runs = {}
    for plan in plans:
        wanted = plan["watchers"]
        plan["watchers"] = min(wanted, files - FILES_BESIDE_WATCHERS)
        if plan["watchers"] < wanted:
            _progress(f"only {plan['watchers']} watchers: this user may open {files} files (ulimit -n)")
        runs[str(plan["watchers"])] = _measure(**plan, per_second=10 if wanted <= 1000 else 2)
    largest = list(runs.values())[-1]
    return {**largest, "message_bytes": MESSAGE_BYTES, "runs": runs}


ROWS = (
    ("deliveries/s, engine", "deliveries_per_s", "{:,}"),
    ("deliveries/s, limit", "limit_deliveries_per_s", "{:,}"),
    ("engine of the limit", "ratio", "{:.0%}"),
    ("CPU microseconds a delivery, engine", "cpu_us_per_delivery", "{:.1f}"),
    ("CPU microseconds a delivery, limit", "limit_cpu_us_per_delivery", "{:.1f}"),
    ("delay p50, ms", "p50_ms", "{:.1f}"),
    ("delay p99, ms", "p99_ms", "{:.1f}"),
    ("KiB a watcher", "kib_per_watcher", "{:.1f}"),
)


def table(figures: dict[str, Any]) -> str:
    """The figures for a person."""
    runs = list(figures["runs"].values())
    head = f"{'One room, ' + str(figures['message_bytes']) + '-byte messages':<38}"
    lines = [head + "".join(f"{run['watchers']:>12,} watchers" for run in runs)]
    for label, key, form in ROWS:
        lines.append(f"{label:<38}" + "".join(f"{form.format(run[key]):>21}" for run in runs))
    lines.append(f"limit: {figures['limit_kind']} on the same sockets, in turns with the engine; one process each side")
    return "\n".join(lines)


def _progress(text: str) -> None:
    sys.stderr.write(f"bench room: {text}\n")
