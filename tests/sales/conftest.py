"""A desk on the test database. Loaded before Django is set up: our modules are imported by name when they are used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from silkroom.sales.desk.door import Desk


@pytest.fixture
def desk(transactional_db: None) -> Iterator[Desk]:
    """An order desk of its own; what it commits is really committed."""
    conninfo = import_string("silkroom.sales.checkout.services.database_conninfo")()
    running = import_string("silkroom.sales.desk.door.Desk")(conninfo, hold_seconds=900)
    yield running
    running.close()


@pytest.fixture
def web_desk(transactional_db: None) -> Iterator[None]:
    """The desk that the web process's threads share, closed after the test."""
    yield
    import_string("silkroom.sales.checkout.services.close_shared_desk")()
