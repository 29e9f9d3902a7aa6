"""Money as pages write it and as people type it."""

from __future__ import annotations

import pytest

from silkroom.kit.money import Money, parse_minor


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (128_000, "CNY", "¥1,280"),
        (128_050, "CNY", "¥1,280.50"),
        (128_005, "CNY", "¥1,280.05"),
        (0, "CNY", "¥0"),
        (5, "EUR", "€0.05"),
        (1_280, "JPY", "¥1,280"),
    ],
)
def test_fen_are_written_only_where_there_are_some(minor: int, currency: str, shown: str) -> None:
    assert str(Money(minor, currency)) == shown


@pytest.mark.parametrize("minor", [1, 99, 100, 19_900, 128_050, 10**9])
def test_what_is_written_reads_back(minor: int) -> None:
    assert parse_minor(str(Money(minor, "CNY")), "CNY") == minor
