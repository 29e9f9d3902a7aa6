"""An installation whose processes may be killed: its own PostgreSQL and NATS, two gateways."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings
from pytest_django.plugin import DjangoDbBlocker

from silkroom.config.env import Environment
from silkroom.config.processes.supervisor import Stack
from tests.conftest import make_data_dir
from tests.servers import database_of


@pytest.fixture(scope="module")
def sturdy_stack() -> Iterator[Stack]:
    """One for all tests of a module; each leaves everything running."""
    folder = make_data_dir()
    # Few buyers buy everything: more each than a person may leave unpaid.
    environment = Environment(secret_key=settings.SECRET_KEY, sandbox_payments=True, most_unpaid_orders=1000)
    try:
        with Stack(folder, environment=environment, any_ports=True, purpose="tests", durable_setup=False) as running:
            running.start_processes(gateways=2)
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sturdy_database(sturdy_stack: Stack, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Points Django in this process at the database of ``sturdy_stack``."""
    with database_of(sturdy_stack, django_db_blocker):
        yield sturdy_stack.database_url
