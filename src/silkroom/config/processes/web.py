"""The web process: Django under granian, one master with worker processes of many threads each."""

from __future__ import annotations

import logging
from collections.abc import Callable
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

APPLICATION = "silkroom.config.wsgi.application"

TICKS = "silkroom.config.processes.ticks.tick_after_orders"
"""Loaded by name, as it needs the tables' modules, which load only after Django's settings."""

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
    logging.getLogger("_granian").addFilter(_is_news)
    check_given(environment.tls_certificate, environment.tls_key)
    scheme = "https" if environment.tls_certificate else "http"
    log.info("starting", address=f"{scheme}://{environment.host}:{environment.web_port}", pages=APPLICATION)
    server = Server(
        APPLICATION,
        address=environment.host,
        port=environment.web_port,
        interface=Interfaces.WSGI,
        workers=environment.web_workers,
        blocking_threads=environment.web_threads,
        # As many requests wait in granian as would otherwise wait in the kernel, where nobody sees them.
        backpressure=environment.web_threads * 4,
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


def load_application() -> Callable[..., Any]:
    """Called by granian in each worker process, which on some systems starts with nothing of the master's state."""
    configure_logging("web", Environment.read())
    logging.getLogger("granian.access").addFilter(_says_something)
    application: Callable[..., Any] = import_string(APPLICATION)
    import_string(TICKS)()
    return application


def _is_news(record: logging.LogRecord) -> bool:
    # Threads here wait for the database most of the time: more of them than cores is the point, and no warning.
    return "Python threads, which seems quite high" not in record.getMessage()


def _says_something(record: logging.LogRecord) -> bool:
    values = record.args
    return not (isinstance(values, dict) and str(values.get("path", "")).startswith(QUIET_PATHS))
