"""The gateway's way to PostgreSQL: a small pool behind a few threads. No ORM; the SQL stands in live and sales."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

T = TypeVar("T")

CONNECTIONS = 6
"""One transaction a room at a time, and rooms that talk at once are few."""

UNREACHABLE = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
"""PostgreSQL is away or busy; what was asked may be asked again."""

SESSION = "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=20s"


class Store:
    """Runs functions that take a cursor, each in a transaction of its own, in a thread."""

    def __init__(self, conninfo: str) -> None:
        self._pool = ConnectionPool(
            conninfo,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=5.0,
            reconnect_timeout=30.0,
            open=False,
            check=ConnectionPool.check_connection,
            kwargs={"application_name": "silkroom gateway", "options": SESSION, "connect_timeout": 5},
            name="gateway",
        )
        self._threads = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="store")

    def open(self) -> None:
        self._pool.open()

    async def run(self, work: Callable[[psycopg.Cursor[tuple[Any, ...]]], T]) -> T:
        """``work(cursor)`` in a transaction: committed when it returns, undone when it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)

    def _run(self, work: Callable[[psycopg.Cursor[tuple[Any, ...]]], T]) -> T:
        with self._pool.connection() as connection, connection.cursor() as cursor:
            return work(cursor)

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._pool.close(timeout=2.0)
