"""The loops that a room is measured against do what they are said to do."""

from __future__ import annotations

import select
import shutil
import socket
import threading
import time

import pytest

from silkroom.config.bench.bareloops import BareLoops, PythonLoops, find_loops

LOOPS = [find_loops(), PythonLoops()]


@pytest.mark.parametrize("loops", LOOPS, ids=lambda loops: loops.kind)
def test_every_socket_gets_every_round_and_the_reader_counts_them(loops: BareLoops) -> None:
    pairs = [socket.socketpair() for _ in range(20)]
    with select.epoll() as poller:
        for near, far in pairs:
            near.setblocking(False)
            far.setblocking(False)
            poller.register(far.fileno(), select.EPOLLIN)
        frame = b"0123456789" * 500
        rounds = 400  # two megabytes a socket: more than it holds, so the sender must wait for the reader
        sent: list[int] = []
        sender = threading.Thread(
            target=lambda: sent.append(loops.send_rounds([near.fileno() for near, _ in pairs], frame, rounds))
        )
        sender.start()
        missing = loops.read_bytes(poller.fileno(), len(pairs) * rounds * len(frame), 10)
        sender.join()
        assert (sent, missing) == ([len(pairs) * rounds], 0)
        for near, far in pairs:
            with pytest.raises(BlockingIOError):
                far.recv(1)
            near.close()
            far.close()


@pytest.mark.parametrize("loops", LOOPS, ids=lambda loops: loops.kind)
def test_the_reader_ends_with_what_is_missing_when_a_connection_ends(loops: BareLoops) -> None:
    near, far = socket.socketpair()
    with select.epoll() as poller, far:
        poller.register(far.fileno(), select.EPOLLIN)
        near.sendall(b"abc")
        assert loops.read_bytes(poller.fileno(), 3, 10) == 0
        near.sendall(b"defg")
        near.close()
        assert loops.read_bytes(poller.fileno(), 10, 10) == 6


@pytest.mark.parametrize("loops", LOOPS, ids=lambda loops: loops.kind)
def test_delays_are_taken_from_the_moment_in_each_message(loops: BareLoops) -> None:
    near, far = socket.socketpair()
    far.setblocking(False)
    with select.epoll() as poller, near, far:
        poller.register(far.fileno(), select.EPOLLIN)
        sent_at = time.monotonic_ns()
        for age_ms in (0, 5_000, 60_000):
            near.sendall(b"at=%020d;" % (sent_at - age_ms * 1_000_000))
        delays = loops.read_delays(poller.fileno(), 3, 10, 24, slice(3, 23))
        took = (time.monotonic_ns() - sent_at) / 1e6
        for delay, age_ms in zip(delays, (0, 5_000, 60_000), strict=True):
            assert age_ms <= delay <= age_ms + took + 0.001


def test_the_limit_is_measured_in_c_where_a_compiler_is() -> None:
    has_compiler = any(map(shutil.which, ("cc", "gcc", "clang")))
    assert find_loops().kind == ("C send() loop" if has_compiler else "Python os.write loop")
