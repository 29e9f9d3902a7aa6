"""One JSON line an event, from every process, on standard output; the supervisor keeps them in ``data/logs``.

Whatever writes a log record (silkroom's own code through structlog, Django, aiohttp, granian, procrastinate through the
standard library) leaves through the same handler, so a line always has ``at``, ``process``, ``level`` and ``event``.
Secrets do not get this far by intent; if one does, ``hide_secrets`` blanks it.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import structlog

from silkroom.config.env import Environment

HIDDEN = "***"

SECRET_NAMES = re.compile(r"passw|secret|token|ticket|authorization|cookie|csrf|signature|api_key|session_key", re.I)

URL_CREDENTIALS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/@?#]+@", re.I)

QUERY_SECRETS = re.compile(r"(?P<name>\b(?:ticket|token|key|signature|password|code)=)[^\s&\"'#]+", re.I)

PATH_SECRETS = re.compile(
    r"(?P<before>/(?:password/reset/key|workbench/invitations|accounts/confirm-email|login/code/confirm)/)"
    r"(?!done/)[^\s/?#\"'<>]+",
    re.I,
)
"""Links that let in whoever has them: what follows is the secret."""

NOISY_LIBRARIES = {
    "asyncio": "WARNING",
    "botocore": "WARNING",
    "aiobotocore": "WARNING",
    "fsspec": "WARNING",
    # "Conflict: /api/orders", "Not Found: …": the line of the request has its status already.
    "django.request": "ERROR",
}


def hide_in_text(text: str) -> str:
    """``text`` without credentials in URLs, tickets and tokens in queries, and the secret part of links in mails."""
    text = QUERY_SECRETS.sub(rf"\g<name>{HIDDEN}", URL_CREDENTIALS.sub(rf"\g<scheme>{HIDDEN}@", text))
    return PATH_SECRETS.sub(rf"\g<before>{HIDDEN}", text)


def _hide(name: str, value: Any) -> Any:
    if SECRET_NAMES.search(name):
        return HIDDEN
    if isinstance(value, str):
        return hide_in_text(value)
    if isinstance(value, dict):
        return {inner: _hide(str(inner), one) for inner, one in value.items()}
    if isinstance(value, list | tuple):
        return [_hide("", one) for one in value]
    return value


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: blank whatever is named or looks like a secret."""
    for name, value in event.items():
        event[name] = _hide(name, value)
    return event


def _line(event: Any, **_options: Any) -> str:
    return json.dumps(event, ensure_ascii=False, default=str, separators=(",", ":"))


def configure_logging(process_name: str, environment: Environment) -> None:
    """Send every log record of this process to standard output as one JSON line. Call once, first thing in ``main``.

    Django must not configure logging after it: the settings carry ``LOGGING_CONFIG = None``.
    """

    def name_process(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process_name
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        name_process,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                hide_secrets,
                structlog.processors.JSONRenderer(serializer=_line),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(environment.log_level)
    for library, level in NOISY_LIBRARIES.items():
        logging.getLogger(library).setLevel(level)
    logging.captureWarnings(True)


# --- what the supervisor does with its children's output ----------------------------------------

FILE_BYTES = 20_000_000
KEPT_FILES = 3

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}

FOREIGN_LINE = re.compile(
    r"^(?:\[\d+\] \[(?P<nats>[A-Z]{3})\] |(?P<postgres>[A-Z]+\d?): +)?(?P<text>.*)$",
)

FOREIGN_LEVELS = {
    "DBG": "debug",
    "TRC": "debug",
    "WRN": "warning",
    "ERR": "error",
    "FTL": "critical",
    "LOG": "info",
    "NOTICE": "info",
    "HINT": "info",
    "WARNING": "warning",
    # A refused statement is the business of whoever sent it, and is told to them; PostgreSQL itself is well.
    "ERROR": "info",
    "FATAL": "error",
    "PANIC": "critical",
}


@dataclass(frozen=True)
class LogLine:
    """One event of a process, as it is kept (``kept``, JSON) and as a person reads it (``text``).

    ``is_told``: said by the supervisor about the process, not by the process.
    """

    process: str
    level: str
    text: str
    kept: str
    is_told: bool = False

    @classmethod
    def of(cls, process: str, level: str, text: str, *, is_told: bool = False) -> LogLine:
        """An event from a plain text."""
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        text = hide_in_text(text)
        kept = _line({"event": text, "level": level, "at": at, "process": process})
        return cls(process, level, text, kept, is_told)


def read_line(process: str, line: str) -> LogLine:
    """Understand a line of a child's output: one of ours is JSON already, others are wrapped."""
    if line.startswith("{"):
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if isinstance(event, dict) and "event" in event:
            return LogLine(process, str(event.get("level", "info")), _readable(event), line)
    found = FOREIGN_LINE.match(line)
    assert found is not None
    level = FOREIGN_LEVELS.get(found["nats"] or found["postgres"] or "", "info")
    is_known = found["nats"] or found["postgres"] in FOREIGN_LEVELS
    return LogLine.of(process, level, found["text"] if is_known else line)


def _readable(event: dict[str, Any]) -> str:
    hidden = {"event", "level", "logger", "at", "process", "exception", "stack"}
    details = ", ".join(f"{name} {value}" for name, value in event.items() if name not in hidden)
    text = f"{event['event']}: {details}" if details else str(event["event"])
    trace = str(event.get("exception", "")).strip().splitlines()
    return f"{text} ({trace[-1]})" if trace else text


class LogFiles:
    """``<folder>/<process>.log``, one event a line; a full file is kept as ``.log.1`` and so on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._files: dict[str, IO[str]] = {}
        self._lock = threading.Lock()

    def write(self, line: LogLine) -> None:
        with self._lock:
            file = self._files.get(line.process)
            if file is None:
                file = self._open(line.process)
            file.write(line.kept + "\n")
            file.flush()
            if file.tell() >= FILE_BYTES:
                file.close()
                self._rotate(line.process)

    def close(self) -> None:
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()

    def _open(self, process: str) -> IO[str]:
        file = (self._folder / f"{process}.log").open("a", encoding="utf-8")
        self._files[process] = file
        return file

    def _rotate(self, process: str) -> None:
        names = [self._folder / f"{process}.log{f'.{number}' if number else ''}" for number in range(KEPT_FILES + 1)]
        for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
            if newer.exists():
                newer.replace(older)
        del self._files[process]
