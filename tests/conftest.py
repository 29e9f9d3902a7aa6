"""The two real servers under every test: PostgreSQL and nats-server, started once per run in a folder of their own.

They start before Django reads its settings, since the settings name them, and stop at the end with nothing left behind.
A run that already has SILKROOM_DATABASE_URL and SILKROOM_NATS_URL uses those servers and starts none.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import psycopg
import pytest
from django.conf import settings
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from silkroom.config.env import Environment
from silkroom.config.processes.supervisor import Stack
from silkroom.config.translations import compile_translations
from tests.quick_flush import quick_flush  # noqa: F401 - a fixture
from tests.servers import RunningServers, database_of, start_servers


def _start() -> RunningServers:
    # Short, and open to the user that PostgreSQL runs as when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="silkroom-tests-"))
    folder.chmod(0o711)
    running = start_servers(folder)
    os.environ["SILKROOM_DATA_DIR"] = str(folder)
    os.environ["SILKROOM_DATABASE_URL"] = running.database_url
    os.environ["SILKROOM_NATS_URL"] = running.nats_url
    return running


def _stop(running: RunningServers) -> None:
    running.stop()
    shutil.rmtree(running.folder, ignore_errors=True)


def _prepare() -> None:
    """Start the servers and point Django at them. While this file is imported, since the conftest files of the folders
    below come next, before any hook, and name tables."""
    if settings.configured:
        raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests start their own servers and then name them.")
    os.environ["DJANGO_SETTINGS_MODULE"] = "silkroom.config.settings"
    os.environ.setdefault("SILKROOM_SANDBOX_PAYMENTS", "yes")
    given = os.environ.get("SILKROOM_DATABASE_URL") and os.environ.get("SILKROOM_NATS_URL")
    if not given and not {"--help", "-h", "--version", "--collect-only", "--co"} & set(sys.argv):
        atexit.register(_stop, _start())
    compile_translations()
    django.setup()


_prepare()


@pytest.fixture(scope="session")
def database_url() -> str:
    """The server's own database (not Django's test database); its user may create databases."""
    return os.environ["SILKROOM_DATABASE_URL"]


@pytest.fixture(scope="session")
def nats_url() -> str:
    return os.environ["SILKROOM_NATS_URL"]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty data folder that also the unprivileged user of the servers can reach (pytest's own is closed)."""
    folder = make_data_dir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def make_data_dir() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="silkroom-data-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="session")
def stack(database_url: str) -> Iterator[Stack]:
    """All processes as in production (web, two gateways, jobs), on a database of their own in the run's PostgreSQL.

    NATS is their own too: its subjects carry numbers of broadcasts, which begin at 1 in every database.
    """
    name = f"stack_{uuid.uuid4().hex[:12]}"
    folder = make_data_dir()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = database_url.rsplit("/", 1)[0] + "/" + name
    # The same key as in this process: what a test signs, such as a ticket, is good there.
    environment = Environment(database_url=url, secret_key=settings.SECRET_KEY, sandbox_payments=True)
    try:
        with Stack(folder, environment=environment, any_ports=True, purpose="tests") as running:
            running.start_processes(gateways=2)
            yield running
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make_stack() -> Iterator[Callable[..., Stack]]:
    """Starts a whole installation with its own PostgreSQL and NATS, for tests that kill them.

    ``make_stack(gateways=1, web=1, jobs=1, **settings)``; settings are those of Environment.
    """
    started: list[tuple[Stack, Path]] = []

    def make(*, gateways: int = 1, web: int = 1, jobs: int = 1, **values: Any) -> Stack:
        folder = make_data_dir()
        environment = Environment(**{"secret_key": settings.SECRET_KEY, "sandbox_payments": True, **values})
        running = Stack(folder, environment=environment, any_ports=True, purpose="tests", durable_setup=False)
        started.append((running, folder))
        running.start_processes(gateways=gateways, web=web, jobs=jobs)
        return running

    yield make
    for running, folder in started:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def stack_database(stack: Stack, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Points this process's Django at the database of ``stack``, so that a test prepares and looks with our own code.

    For a stack from ``make_stack`` use ``database_of(stack, django_db_blocker)`` of tests.servers.
    """
    with database_of(stack, django_db_blocker):
        yield stack.database_url


@pytest.fixture(scope="session", autouse=True)
def plain_static_files() -> Iterator[None]:
    """Pages rendered in the test process name static files without the manifest that ``up`` collects."""
    storages = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    # WhiteNoise warns of a folder that is not there, and warnings are errors.
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    with override_settings(STORAGES=storages):
        yield
