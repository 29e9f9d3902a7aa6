"""Emptying the tables after a test that commits: DELETE instead of Django's TRUNCATE.

TRUNCATE makes a new file for every table and index, and Django then writes all permissions anew: together a second a
test. Most tables are empty or hold a few rows, and deleting those takes milliseconds. Foreign keys and the append-only
triggers are off meanwhile; what migrations wrote stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management.commands import flush
from django.db.backends.postgresql.operations import DatabaseOperations

KEPT = {"django_content_type", "auth_permission"}

UNMANAGED = ("procrastinate_events", "procrastinate_periodic_defers", "procrastinate_jobs")
"""Tables that Django does not count as its own: jobs that a test left behind would surprise the next."""


def delete_all(self: DatabaseOperations, style: Any, tables: list[str], **_: Any) -> list[str]:
    """The statements of `DatabaseOperations.sql_flush`."""
    if not tables:
        return []
    deletes = [f"DELETE FROM {self.quote_name(table)};" for table in (*tables, *UNMANAGED) if table not in KEPT]
    return ["SET session_replication_role = replica;", *deletes, "SET session_replication_role = origin;"]


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """In force for the whole run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", delete_all)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
        yield
