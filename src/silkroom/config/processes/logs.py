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
from collections.abc import MutableMapping
from typing import Any

import structlog

from silkroom.config.env import Environment

HIDDEN = "***"

SECRET_NAMES = re.compile(r"passw|secret|token|ticket|authorization|cookie|csrf|signature|api_key|session_key", re.I)

URL_CREDENTIALS = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/@?#]+@", re.I)

QUERY_SECRETS = re.compile(r"(?P<name>\b(?:ticket|token|key|signature|password|code)=)[^\s&\"'#]+", re.I)

NOISY_LIBRARIES = {"asyncio": "WARNING", "botocore": "WARNING", "aiobotocore": "WARNING", "fsspec": "WARNING"}


def hide_in_text(text: str) -> str:
    """``text`` without credentials in URLs and without tickets and tokens in queries."""
    return QUERY_SECRETS.sub(rf"\g<name>{HIDDEN}", URL_CREDENTIALS.sub(rf"\g<scheme>{HIDDEN}@", text))


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
