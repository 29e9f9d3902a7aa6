"""Reading the journal through any database cursor (Django's or psycopg's): the gateway has no ORM."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, Protocol


class Cursor(Protocol):
    """What both Django's and psycopg's cursors offer."""

    def execute(self, query: Any, params: Any = ...) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def fetchone(self) -> Any: ...


class Position(NamedTuple):
    """How far one has read: every entry up to and including this one."""

    transaction: int
    entry: int


class Fact(NamedTuple):
    """An entry as readers see it."""

    position: Position
    kind: str
    shop_id: int | None
    data: dict[str, Any]
    at: datetime


_AFTER = """
    SELECT transaction, id, kind, shop, data::text, at FROM journal_entry
    WHERE (transaction, id) > (%s, %s)
      AND transaction < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY transaction, id LIMIT %s
"""

_END = "SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint) - 1"


def entries_after(cursor: Cursor, position: Position, *, limit: int = 1000, decode: Any) -> list[Fact]:
    """Entries behind ``position`` that are final, oldest first. ``decode`` turns JSON text into a dict."""
    cursor.execute(_AFTER, (position.transaction, position.entry, limit))
    return [Fact(Position(row[0], row[1]), row[2], row[3], decode(row[4]), row[5]) for row in cursor.fetchall()]


def end_position(cursor: Cursor) -> Position:
    """The position behind all that is final now: where a reader that wants only news starts."""
    cursor.execute(_END)
    return Position(cursor.fetchone()[0], 2**62)


_READ = "SELECT transaction, entry FROM journal_reader WHERE name = %s"


def reader_position(cursor: Cursor, name: str) -> Position:
    """How far the reader has come; a new one begins with the first entry."""
    cursor.execute(_READ, (name,))
    row = cursor.fetchone()
    return Position(row[0], row[1]) if row else Position(0, 0)
