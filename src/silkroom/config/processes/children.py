"""Child processes of one supervisor: each in a group of its own, its output kept, none of them left behind.

A child is a whole process group: granian's workers and PostgreSQL's helpers go when their parent goes. Groups are also
named to the watchman, which ends them when this process dies without doing so.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from silkroom.config.processes import watchman

STOP_SECONDS = 12.0
"""How long a child may take to stop by itself before it is killed."""

LineTaker = Callable[[str, str], None]
"""Called with (name of the process, one line of its output without the newline), from the child's reader thread."""


@dataclass
class Child:
    """A running child; ``name`` is what logs and the terminal call it."""

    name: str
    process: subprocess.Popen[bytes]
    stop_signal: int
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=30))
    reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def signal_group(self, number: int) -> None:
        """Send a signal to the child and everything it started; nothing happens when all are gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def stopped_because(self) -> str:
        """In words, how the child ended."""
        code = self.process.poll()
        if code is None:
            return "still running"
        if code < 0:
            return f"ended by {signal.Signals(-code).name}"
        return f"ended with code {code}"


class Children:
    """Starts, stops and remembers the children of this process."""

    def __init__(self, take_line: LineTaker) -> None:
        self._take_line = take_line
        self._lock = threading.Lock()
        self._watchman: subprocess.Popen[bytes] | None = None
        self._running: dict[int, Child] = {}

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        stop_signal: int = signal.SIGTERM,
        folder: Path | None = None,
        user: int | None = None,
        group: int | None = None,
    ) -> Child:
        """Start ``command`` in a process group of its own. ``user`` and ``group`` (numbers) only as root."""
        process = subprocess.Popen(
            list(command),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
        )
        child = Child(name=name, process=process, stop_signal=stop_signal)
        with self._lock:
            self._running[child.pid] = child
            self._tell(f"+ {child.pid} {int(stop_signal)}\n")
        assert process.stdout is not None
        child.reader = threading.Thread(
            target=self._read, args=(child, process.stdout), name=f"output of {name}", daemon=True
        )
        child.reader.start()
        return child

    def wait(self, child: Child, timeout: float | None = None) -> bool:
        """Wait for the end of the child; sweep up what its group left. False when ``timeout`` passed first."""
        try:
            child.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        self._forget(child)
        return True

    def stop(self, child: Child, timeout: float = STOP_SECONDS) -> None:
        """Ask the child to stop, wait, and kill it when it does not."""
        if child.is_running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                child.process.send_signal(child.stop_signal)
        if not self.wait(child, timeout):
            self.kill(child)

    def kill(self, child: Child) -> None:
        """SIGKILL for the child and its whole group, at once."""
        child.signal_group(signal.SIGKILL)
        self.wait(child)

    def signal_all(self, number: int) -> None:
        """Send a signal to every child's group, newest first, without waiting."""
        for child in reversed(list(self._running.values())):
            child.signal_group(number)

    def close(self) -> None:
        """Stop whatever still runs, newest first, and let the watchman go."""
        for child in reversed(list(self._running.values())):
            self.stop(child)
        with self._lock:
            guard, self._watchman = self._watchman, None
        if guard is not None:
            assert guard.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                guard.stdin.close()
            guard.wait()

    def _forget(self, child: Child) -> None:
        with self._lock:
            if self._running.pop(child.pid, None) is None:
                return
        # Workers that outlived their parent would keep its port and its files.
        child.signal_group(signal.SIGKILL)
        if child.reader is not None:
            child.reader.join(timeout=2)
        with self._lock:
            self._tell(f"- {child.pid}\n")

    def _tell(self, line: str) -> None:
        """Write to the watchman, which is started with the first line and again when somebody ended it."""
        if self._watchman is not None and self._watchman.poll() is None and self._write(line):
            return
        if not line.startswith("+"):
            return
        self._start_watchman()
        for child in self._running.values():
            self._write(f"+ {child.pid} {int(child.stop_signal)}\n")

    def _start_watchman(self) -> None:
        if self._watchman is not None:
            assert self._watchman.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._watchman.stdin.close()
            self._watchman.wait()
        self._watchman = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(watchman.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def _write(self, line: str) -> bool:
        assert self._watchman is not None and self._watchman.stdin is not None
        try:
            self._watchman.stdin.write(line.encode())
            self._watchman.stdin.flush()
        except (BrokenPipeError, ValueError):
            return False
        return True

    def _read(self, child: Child, output: IO[bytes]) -> None:
        with output:
            for raw in output:
                line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
                if line:
                    child.last_lines.append(line)
                    self._take_line(child.name, line)


MOST_OPEN_FILES = 1_048_576


def allow_many_files() -> int:
    """Raise this process's limit of open files (its children inherit it) as far as it may; returns the limit.

    Each watcher of a room is a socket, and shells start programs with a limit of 1024 or even 256.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS names no limit and still refuses more than its kernel's own.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: float = 0.05) -> bool:
    """Ask ``condition`` again and again; True as soon as it holds, False when ``seconds`` have passed."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True
