"""Writing to the journal. The caller's transaction is the entry's transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .models import Entry
from .queries import Cursor, Position

_INSERT = """
    INSERT INTO journal_entry (kind, shop, data)
    SELECT kind, shop, data::jsonb FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS new(kind, shop, data)
"""


_IS_FROM_ELSEWHERE = """
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint <=
        GREATEST((SELECT max(transaction) FROM journal_entry), (SELECT max(transaction) FROM journal_reader), 0)
"""

# Old order kept, all of it before any transaction of this server: entries take the ids that are there, in the order of
# (transaction, id), and transaction 0; readers move to the same place in that order.
_SETTLE = (
    """
    CREATE TEMPORARY TABLE journal_move ON COMMIT DROP AS
    SELECT before.id AS old, before.transaction, after.id AS new
    FROM (SELECT id, transaction, row_number() OVER (ORDER BY transaction, id) AS place FROM journal_entry) before
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM journal_entry) after USING (place)
    """,
    """
    UPDATE journal_reader AS reader SET transaction = 0, entry = COALESCE(
        (SELECT max(new) FROM journal_move AS move
         WHERE (move.transaction, move.old) <= (reader.transaction, reader.entry)), 0)
    """,
    "ALTER TABLE journal_entry DISABLE TRIGGER journal_entry_is_append_only",
    """
    UPDATE journal_entry AS entry SET id = -move.new FROM journal_move AS move
    WHERE move.old = entry.id AND move.old <> move.new
    """,
    "UPDATE journal_entry SET id = abs(id), transaction = 0 WHERE id < 0 OR transaction <> 0",
    "ALTER TABLE journal_entry ENABLE TRIGGER journal_entry_is_append_only",
)


@dataclass(frozen=True)
class News:
    """A fact to be recorded."""

    kind: str
    data: dict[str, Any]
    shop_id: int | None = None


def append_entry(*, kind: str, data: dict[str, Any], shop_id: int | None = None) -> None:
    """Record a fact. ``kind`` is ``department.fact`` in the past tense, such as ``order.paid``."""
    Entry.objects.create(kind=kind, shop=shop_id, data=data)


def append_entries(*, cursor: Cursor, news: Sequence[News]) -> None:
    """Record many facts in order, through any cursor: for writers without the ORM."""
    if news:
        cursor.execute(
            _INSERT,
            (
                [one.kind for one in news],
                [one.shop_id for one in news],
                [json.dumps(one.data, ensure_ascii=False) for one in news],
            ),
        )


def settle_on_this_server(*, cursor: Cursor) -> bool:
    """Make the journal readable after its tables were brought here from another PostgreSQL; True when it had to.

    Positions begin with transaction numbers, which every server counts from its own beginning: brought over from one
    that has counted further, entries would lie in this one's future, and readers would pass over everything new.
    Call inside a transaction, while nobody writes.
    """
    cursor.execute(_IS_FROM_ELSEWHERE)
    if not cursor.fetchone()[0]:
        return False
    for statement in _SETTLE:
        cursor.execute(statement)
    return True


_MOVE = """
    INSERT INTO journal_reader AS r (name, transaction, entry, moved_at) VALUES (%s, %s, %s, now())
    ON CONFLICT (name) DO UPDATE
    SET transaction = excluded.transaction, entry = excluded.entry, moved_at = excluded.moved_at
    WHERE (r.transaction, r.entry) < (excluded.transaction, excluded.entry)
"""


def move_reader(cursor: Cursor, name: str, position: Position) -> None:
    """The reader has taken in everything up to ``position``; it never moves back."""
    cursor.execute(_MOVE, (name, position.transaction, position.entry))
