"""The gateway process: room WebSockets, media relay, LL-HLS, the WebSocket order door. No ORM, no template."""

from __future__ import annotations

import os
import resource
import sys
from importlib import import_module

import django
import uvloop

from silkroom.config.env import Environment
from silkroom.config.processes.logs import configure_logging
from silkroom.config.processes.memory import leave_program_alone

SWITCH_SECONDS = 0.0005
"""How long a busy event loop keeps the order desk's thread from running. Python's own 5 ms is a commit's time: with 256
buyers in flight, 0.5 ms measured a fifth more orders and half the 99th percentile."""


def main(environment: Environment) -> None:
    """Serve until SIGTERM or SIGINT."""
    configure_logging("gateway", environment)
    sys.setswitchinterval(SWITCH_SECONDS)
    _allow_many_connections()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "silkroom.config.settings")
    # Settings, signatures and translations only. What follows imports models, which need them.
    django.setup()
    process = import_module("silkroom.config.processes.gateway.process")
    leave_program_alone()
    uvloop.run(process.serve(environment))


def _allow_many_connections() -> None:
    """Each watcher is an open file; many systems start a process with leave for a thousand and allow it far more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else 1_048_576
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
