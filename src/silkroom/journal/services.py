"""Writing to the journal. The caller's transaction is the entry's transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .models import Entry
from .queries import Cursor

_INSERT = """
    INSERT INTO journal_entry (kind, shop, data)
    SELECT kind, shop, data::jsonb FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS new(kind, shop, data)
"""


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
