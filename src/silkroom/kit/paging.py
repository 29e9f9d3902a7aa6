"""Paging by key: the next page starts after the last row seen, so rows that arrive meanwhile shift nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows and whether more follow."""

    rows: Sequence[Row]
    has_more: bool


def cut_page(rows: Sequence[Row], size: int) -> Page[Row]:
    """``rows`` holds up to size + 1 rows; the extra one only tells that there is more."""
    return Page(rows[:size], len(rows) > size)
