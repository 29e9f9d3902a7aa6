"""The two real servers under every test: PostgreSQL and nats-server, started once per run in a folder of their own.

They start before Django reads its settings, since the settings name them, and stop at the end with nothing left behind.
A run that already has SILKROOM_DATABASE_URL and SILKROOM_NATS_URL uses those servers and starts none.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.test import override_settings

from tests.servers import RunningServers, start_servers

SERVERS = pytest.StashKey[RunningServers]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the servers and point Django at them, before pytest-django looks whether Django is set up."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "silkroom.config.settings")
    if config.option.help or config.option.version:
        return
    given = os.environ.get("SILKROOM_DATABASE_URL") and os.environ.get("SILKROOM_NATS_URL")
    if not given and not config.option.collectonly:
        _start(config)
    django.setup()


def _start(config: pytest.Config) -> None:
    # Short, and open to the user that PostgreSQL runs as when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="silkroom-tests-"))
    folder.chmod(0o711)
    running = start_servers(folder)
    config.stash[SERVERS] = running
    os.environ["SILKROOM_DATA_DIR"] = str(folder)
    os.environ["SILKROOM_DATABASE_URL"] = running.database_url
    os.environ["SILKROOM_NATS_URL"] = running.nats_url


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    running = config.stash.get(SERVERS, None)
    if running is not None:
        running.stop()
        shutil.rmtree(running.folder, ignore_errors=True)


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
    folder = Path(tempfile.mkdtemp(prefix="silkroom-data-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def plain_static_files() -> Iterator[None]:
    """Pages rendered in the test process name static files without the manifest that ``up`` collects."""
    storages = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(STORAGES=storages):
        yield
