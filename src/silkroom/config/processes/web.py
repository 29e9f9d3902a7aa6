"""The web process: Django behind granian, one master with worker processes of many threads each."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import structlog
from django.utils.module_loading import import_string
from granian.constants import Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server import Server

from silkroom.config.env import Environment
from silkroom.config.processes.certificates import check_given
from silkroom.config.processes.logs import configure_logging
from silkroom.config.processes.memory import leave_program_alone

APPLICATION = "silkroom.config.wsgi.application"

PAGES = "silkroom.config.processes.pages.Pages"

TICKS = "silkroom.config.processes.ticks.tick_after_orders"
"""Both loaded by name, as they need the tables' modules, which load only after Django's settings."""

MOST_CONNECTIONS = 8192
"""Of one worker process. An open connection, be it idle or slow, takes a place here and no thread."""

SWITCH_SECONDS = 0.0005
"""How long busy threads keep the event loop from taking in the next request, at most. Python's own is 5 ms."""

QUIET_PATHS = ("/health", "/static/")
"""Requests that say nothing about what people do, and would be most of the log."""

LOG_CONFIG: dict[str, Any] = {
    # granian's own handlers off: its records leave through the one handler of the process.
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "handlers": {},
    "loggers": {
        "_granian": {"handlers": [], "level": "WARNING", "propagate": True},
        "granian.access": {"handlers": [], "level": "INFO", "propagate": True},
    },
}

REQUEST_LINE = "%(method)s %(path)s %(status)d"

log = structlog.get_logger("silkroom.web")


def main(environment: Environment) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first."""
    configure_logging("web", environment)
    check_given(environment.tls_certificate, environment.tls_key)
    scheme = "https" if environment.tls_certificate else "http"
    log.info("starting", address=f"{scheme}://{environment.host}:{environment.web_port}", pages=APPLICATION)
    server = Server(
        APPLICATION,
        address=environment.host,
        port=environment.web_port,
        interface=Interfaces.RSGI,
        workers=environment.web_workers,
        websockets=False,
        backpressure=MOST_CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
        log_dictconfig=LOG_CONFIG,
        log_access=True,
        log_access_format=REQUEST_LINE,
        ssl_cert=Path(environment.tls_certificate) if environment.tls_certificate else None,
        ssl_key=Path(environment.tls_key) if environment.tls_key else None,
        ssl_protocol_min=SSLProtocols.tls12,
    )
    server.serve(target_loader=load_application, wrap_loader=False)
    log.info("stopped")


def load_application() -> Any:
    """Called by granian in each worker process, which on some systems starts with nothing of the master's state."""
    environment = Environment.read()
    configure_logging("web", environment)
    sys.setswitchinterval(SWITCH_SECONDS)
    logging.getLogger("granian.access").addFilter(_says_something)
    application = import_string(APPLICATION)
    import_string(TICKS)()
    leave_program_alone()
    return import_string(PAGES)(application, environment.web_threads)


def _says_something(record: logging.LogRecord) -> bool:
    values = record.args
    return not (isinstance(values, dict) and str(values.get("path", "")).startswith(QUIET_PATHS))
