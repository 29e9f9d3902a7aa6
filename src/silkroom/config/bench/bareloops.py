"""Loops without anything around them, which a room is measured against: C when there is a compiler, else Python."""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

PAUSE_SECONDS = 0.0005
"""As in the C reader, and for its reason."""

SOURCE = Path(__file__).with_name("bareloops.c")


class BareLoops(Protocol):
    """The loops; ``kind`` says what they are made of."""

    kind: str

    def send_rounds(self, fds: Sequence[int], frame: bytes, rounds: int) -> int:
        """Send ``frame`` to every socket, ``rounds`` times; the number of deliveries."""

    def read_bytes(self, poller: int, count: int, stall_seconds: float) -> int:
        """Read from an epoll's sockets until ``count`` bytes have come; how many are missing."""

    def read_delays(self, poller: int, count: int, stall_seconds: float, length: int, stamp: slice) -> list[float]:
        """Read ``count`` messages of ``length`` bytes from an epoll's sockets; ``stamp`` is where each tells its moment
        in nanoseconds of the monotonic clock. Their delays in milliseconds, fewer if nothing came for long."""


class PythonLoops:
    """About a microsecond a send above the C loop."""

    kind = "Python os.write loop"

    def send_rounds(self, fds: Sequence[int], frame: bytes, rounds: int) -> int:
        deliveries = 0
        for _ in range(rounds):
            for fd in fds:
                rest = frame
                while rest:
                    try:
                        rest = rest[os.write(fd, rest) :]
                    except BlockingIOError:
                        time.sleep(0)
                deliveries += 1
        return deliveries

    def read_bytes(self, poller: int, count: int, stall_seconds: float) -> int:
        room = bytearray(1 << 18)
        with select.epoll.fromfd(os.dup(poller)) as epoll:
            while count > 0 and (ready := epoll.poll(stall_seconds, 1024)):
                for fd, _ in ready:
                    got = os.readv(fd, [room])
                    if not got:
                        return count
                    count -= got
                time.sleep(PAUSE_SECONDS)
        return count

    def read_delays(self, poller: int, count: int, stall_seconds: float, length: int, stamp: slice) -> list[float]:
        delays: list[float] = []
        with select.epoll.fromfd(os.dup(poller)) as epoll:
            while len(delays) < count and (ready := epoll.poll(stall_seconds, 1024)):
                for fd, _ in ready:
                    message = _read_whole(fd, length)
                    if not message:
                        return delays
                    delays.append((time.monotonic_ns() - int(message[stamp])) / 1e6)
        return delays


def _read_whole(fd: int, length: int) -> bytes:
    message = b""
    while len(message) < length:
        try:
            chunk = os.read(fd, length - len(message))
        except BlockingIOError:
            time.sleep(0)
            continue
        if not chunk:
            return b""
        message += chunk
    return message


class CLoops:
    """The machine's limit, or near it."""

    kind = "C send() loop"

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.send_rounds.restype = library.read_bytes.restype = library.read_delays.restype = ctypes.c_long

    def send_rounds(self, fds: Sequence[int], frame: bytes, rounds: int) -> int:
        array = (ctypes.c_int * len(fds))(*fds)
        return int(self._library.send_rounds(array, len(fds), frame, ctypes.c_long(len(frame)), rounds))

    def read_bytes(self, poller: int, count: int, stall_seconds: float) -> int:
        return int(self._library.read_bytes(poller, ctypes.c_long(count), int(stall_seconds * 1000)))

    def read_delays(self, poller: int, count: int, stall_seconds: float, length: int, stamp: slice) -> list[float]:
        delays = (ctypes.c_double * count)()
        stall_ms, digits = int(stall_seconds * 1000), stamp.stop - stamp.start
        where = (ctypes.c_long(length), ctypes.c_long(stamp.start), digits)
        found = self._library.read_delays(poller, ctypes.c_long(count), stall_ms, *where, delays)
        return [one / 1e6 for one in delays[:found]]


def find_loops() -> BareLoops:
    """C, compiled now; Python where that is not possible."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return PythonLoops()
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "bareloops.so"
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            return PythonLoops()
        return CLoops(ctypes.CDLL(str(library)))
