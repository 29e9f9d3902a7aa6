"""The embedded servers of the run itself answer."""

from __future__ import annotations

import psycopg


def test_postgres_keeps_what_it_confirms(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}").fetchone()[0]
            for name in ("fsync", "synchronous_commit", "full_page_writes", "server_encoding", "listen_addresses")
        }
    assert shown == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "127.0.0.1",
    }
