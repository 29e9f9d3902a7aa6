"""Children of a supervisor: stopped, killed and swept up with everything they started, also when it dies first."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest

from silkroom.config.env import Environment, program_environment
from silkroom.config.processes.children import Children, wait_until

# Starts a child of its own, says both numbers, and waits.
PARENT = """
import os, subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), inner.pid, flush=True)
time.sleep(600)
"""

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""

# A supervisor in a process of its own, to be killed.
SUPERVISOR = f"""
import sys, time, os
from silkroom.config.processes.children import Children
children = Children(lambda name, line: print(line, flush=True))
children.start("a", [sys.executable, "-c", {PARENT!r}], environment=os.environ)
time.sleep(600)
"""


FEW_FILES = """
import resource
from silkroom.config.processes.children import allow_many_files
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
print(allow_many_files())
"""


class Lines:
    """Collects output; a test waits for as many lines as it needs."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self._changed = threading.Condition()

    def take(self, _name: str, line: str) -> None:
        with self._changed:
            self.got.append(line)
            self._changed.notify_all()

    def wait(self, count: int) -> list[str]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.got) >= count, timeout=20), self.got
            return self.got[:count]


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def children(lines: Lines) -> Iterator[Children]:
    made = Children(lines.take)
    yield made
    made.close()


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def start(children: Children, program: str):  # type: ignore[no-untyped-def]
    return children.start("a", [sys.executable, "-c", program], environment=program_environment(Environment()))


def test_output_is_taken_line_by_line_and_the_end_is_told(children: Children, lines: Lines) -> None:
    child = start(children, "print('one'); print('zwei: ü'); raise SystemExit(3)")
    assert children.wait(child, timeout=20)
    assert lines.got == ["one", "zwei: ü"]
    assert child.stopped_because() == "ended with code 3"


@pytest.mark.parametrize("verb", ["stop", "kill"])
def test_what_a_child_started_goes_with_it(children: Children, lines: Lines, verb: str) -> None:
    child = start(children, PARENT)
    pids = [int(pid) for pid in lines.wait(1)[0].split()]
    getattr(children, verb)(child)
    assert wait_until(lambda: all(is_gone(pid) for pid in pids), seconds=10)


def test_workers_of_a_child_that_was_killed_from_outside_are_swept_up(children: Children, lines: Lines) -> None:
    child = start(children, PARENT)
    pid, worker = (int(pid) for pid in lines.wait(1)[0].split())
    os.kill(pid, signal.SIGKILL)
    assert children.wait(child, timeout=20)
    assert wait_until(lambda: is_gone(worker), seconds=10)


def test_one_that_does_not_listen_is_killed(children: Children, lines: Lines) -> None:
    child = start(children, STUBBORN)
    lines.wait(1)
    children.stop(child, timeout=0.2)
    assert child.stopped_because() == "ended by SIGKILL"


def test_closing_leaves_neither_children_nor_watchman() -> None:
    lines = Lines()
    before = set(psutil.Process().children(recursive=True))
    children = Children(lines.take)
    start(children, PARENT)
    pids = [int(pid) for pid in lines.wait(1)[0].split()]
    children.close()
    assert all(is_gone(pid) for pid in pids)
    assert set(psutil.Process().children(recursive=True)) - before == set()


def test_kill_9_of_the_supervisor_leaves_nothing() -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR],
        env=program_environment(Environment()),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert supervisor.stdout is not None
    pids = [int(pid) for pid in supervisor.stdout.readline().split()]
    assert len(pids) == 2
    started = psutil.Process(supervisor.pid).children(recursive=True)
    assert len(started) == 3, "the child, its own child, and the watchman"
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    _gone, alive = psutil.wait_procs(started, timeout=15)
    assert alive == []


def test_a_child_may_open_as_many_files_as_the_system_allows() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FEW_FILES],
        env=program_environment(Environment()),
        capture_output=True,
        text=True,
        check=True,
    )
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert int(done.stdout) == (1_048_576 if hard == resource.RLIM_INFINITY else min(hard, 1_048_576))


def test_a_watchman_that_was_killed_is_replaced_with_the_next_child(children: Children, lines: Lines) -> None:
    before = set(psutil.Process().children())
    start(children, PARENT)
    lines.wait(1)
    watchman = next(
        one for one in psutil.Process().children() if one not in before and "watchman" in str(one.cmdline())
    )
    watchman.kill()
    watchman.wait()
    start(children, PARENT)
    lines.wait(2)
    assert any(
        "watchman" in str(one.cmdline()) for one in psutil.Process().children() if one not in before and one != watchman
    )
