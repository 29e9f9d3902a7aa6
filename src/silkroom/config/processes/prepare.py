"""What must be done once before the processes of a release serve: translations, tables, static files."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
import time
from importlib.metadata import version
from pathlib import Path

import django
import psycopg
import structlog
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from silkroom.config.env import Environment
from silkroom.config.processes.logs import configure_logging
from silkroom.config.translations import compile_translations

MIGRATION_LOCK = 7_453_001
"""The advisory lock under which tables change: of two machines that start together one waits for the other."""

APPLIED = re.compile(r"Applying (?P<name>\S+)\.\.\.")

SETTLE = "silkroom.journal.services.settle_on_this_server"
"""By name: departments can be imported only once Django is set up, which happens in ``main``."""

TELL_SECONDS = 1.0

log = structlog.get_logger("silkroom.prepare")


def main(environment: Environment) -> None:
    """Compile translations, bring the tables up to date, collect static files where they changed."""
    configure_logging("prepare", environment)
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    for file in compile_translations():
        log.info("compiled", file=file.name, language=file.parents[1].name)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "silkroom.config.settings")
    django.setup()
    migrate(environment.database_url)
    collect_static()


def migrate(database_url: str) -> int:
    """Bring the tables up to date; returns how many steps that took. Each step is an event."""
    # A connection of its own: the lock lives with it, whatever the migrations do to Django's.
    with psycopg.connect(database_url, autocommit=True) as guard:
        guard.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        executor = MigrationExecutor(connection)
        total = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if total:
            call_command("migrate", interactive=False, verbosity=1, no_color=True, stdout=_Steps(total))
        with transaction.atomic(), connection.cursor() as cursor:
            if import_string(SETTLE)(cursor=cursor):
                log.info("settled a journal that came from another database server")
        connections.close_all()
    log.info("tables are up to date", steps=total)
    return total


class _Steps(io.StringIO):
    """Takes what Django's migrate writes for a person; tells now and then how far it is, and which step takes long."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self._total = total
        self._done = 0
        self._told_at = 0.0

    def write(self, text: str) -> int:
        found = APPLIED.search(text)
        if found is not None:
            self._done += 1
            if time.monotonic() - self._told_at >= TELL_SECONDS:
                self._told_at = time.monotonic()
                log.info("changing tables", step=f"{self._done} of {self._total}", name=found["name"])
        return len(text)


def collect_static() -> bool:
    """Collect static files unless the ones collected are those of now; True when it had to."""
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".stamp"
    now = _static_fingerprint()
    if stamp.exists() and stamp.read_text(encoding="ascii") == now:
        return False
    call_command("collectstatic", interactive=False, verbosity=0, clear=root.exists())
    stamp.write_text(now, encoding="ascii")
    log.info("collected static files", folder=str(root))
    return True


def _static_fingerprint() -> str:
    found = hashlib.sha256()
    for package in ("django", "django-unfold", "django-allauth", "django-htmx", "whitenoise"):
        found.update(f"{package} {version(package)}\n".encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            status = Path(storage.path(path)).stat()
            found.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()
