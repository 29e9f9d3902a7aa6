"""Ends the children of a supervisor that died without being able to end them itself (kill -9, out of memory).

Started once by each supervisor, in a session of its own, with the read end of a pipe as standard input. The supervisor
writes ``+ group signal`` for a child it started and ``- group`` for one that is gone. End of file means that the
supervisor is gone: every group left is asked to stop with its signal, newest first, and killed when it does not.
A pipe works on every POSIX system; Linux' PR_SET_PDEATHSIG follows the thread, not the process, that started a child.

Imports nothing but the standard library: it is started with ``python -I`` and must be up before the first child.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE_SECONDS = 10.0
"""As long as the supervisor itself waits; PostgreSQL's fast shutdown writes a checkpoint within it."""


def _ask(group: int, number: int) -> bool:
    """Signal the group; False when nobody of it is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    return True


def end_all(groups: dict[int, int]) -> None:
    """Stop each group (its id -> the signal that stops it), one after the other, newest first."""
    for group, number in reversed(list(groups.items())):
        if not _ask(group, number):
            continue
        deadline = time.monotonic() + GRACE_SECONDS
        while _ask(group, 0) and time.monotonic() < deadline:
            time.sleep(0.02)
        _ask(group, signal.SIGKILL)


def watch() -> None:
    """Follow the pipe on standard input until its end, then end what is left."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        match line.split():
            case ["+", group, number]:
                groups[int(group)] = int(number)
            case ["-", group]:
                groups.pop(int(group), None)
    end_all(groups)


if __name__ == "__main__":
    watch()
