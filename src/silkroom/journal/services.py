"""Writing to the journal. The caller's transaction is the entry's transaction."""

from __future__ import annotations

from typing import Any

from .models import Entry


def append_entry(*, kind: str, data: dict[str, Any], shop_id: int | None = None) -> None:
    """Record a fact. ``kind`` is ``department.fact`` in the past tense, such as ``order.paid``."""
    Entry.objects.create(kind=kind, shop=shop_id, data=data)
