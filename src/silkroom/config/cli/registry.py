"""Which module does what, loaded when its command is called.

The one place of the code base that imports while it runs: Django, granian and PyAV take seconds to load, and neither
``--help`` nor ``run gateway`` needs all of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

COMMANDS = {
    "up": "silkroom.config.cli.up:up",
    "demo": "silkroom.config.cli.up:demo",
    "test": "silkroom.config.cli.checks:check",
    "manage": "silkroom.config.cli.manage:manage",
    "bench": "silkroom.config.cli.bench:bench",
    "doctor": "silkroom.config.cli.doctor:doctor",
    "backup": "silkroom.config.cli.backup:backup",
    "restore": "silkroom.config.cli.backup:restore",
}

PROCESSES = {
    "web": "silkroom.config.processes.web:main",
    "gateway": "silkroom.config.processes.gateway:main",
    "jobs": "silkroom.config.processes.jobs:main",
    "prepare": "silkroom.config.processes.prepare:main",
}

BENCHES = {
    "desk": "silkroom.config.bench.desk",
    "room": "silkroom.config.bench.room",
    "video": "silkroom.config.bench.video",
}

DEMO = "silkroom.config.demo.main:run"


def load(place: str) -> Any:
    """The module ``a.b`` or the object ``a.b:name``."""
    module_name, _, name = place.partition(":")
    module = importlib.import_module(module_name)
    return getattr(module, name) if name else module


def command(name: str) -> Callable[..., None]:
    """The function behind a command."""
    found: Callable[..., None] = load(COMMANDS[name])
    return found
