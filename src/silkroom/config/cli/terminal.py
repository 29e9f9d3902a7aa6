"""What a person at the terminal sees: short lines, progress on standard error, results on standard output."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from silkroom.config.processes.logs import LEVELS, LogLine


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


def report(line: LogLine) -> None:
    """An event of the stack: its own, the steps of preparing, and whatever went wrong; the rest is in the log files."""
    is_wrong = LEVELS.get(line.level, 20) >= LEVELS["warning"]
    if not (line.is_told or is_wrong or line.process == "prepare"):
        return
    mark = f"{line.level}: " if is_wrong else ""
    say(f"{time.strftime('%H:%M:%S')}  {line.process:<10} {mark}{line.text}")


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Say what is being done, then that it is done and how long it took."""
    print(f"{text} ...", end="", file=sys.stderr, flush=True)
    started_at = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", file=sys.stderr, flush=True)
        raise
    print(f" {time.monotonic() - started_at:.1f} s", file=sys.stderr, flush=True)


def size(number: int) -> str:
    """Bytes as a person reads them."""
    value = float(number)
    for unit in ("bytes", "KB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"


def shown(path: Path) -> str:
    """A path, relative to the folder one is in where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
