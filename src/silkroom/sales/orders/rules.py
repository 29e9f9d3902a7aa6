"""Pure rules of orders."""

from __future__ import annotations

SOURCE_PREFIX = "order:"


def hold_source(number: str) -> str:
    """How an order names itself in the ledger."""
    return f"{SOURCE_PREFIX}{number}"


def number_of(source: str) -> str:
    """The reverse of `hold_source`."""
    return source.removeprefix(SOURCE_PREFIX)
