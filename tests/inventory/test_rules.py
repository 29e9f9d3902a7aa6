"""Which lots and places pieces come from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silkroom.inventory.rules import choose_place, spread_over_lots


def test_oldest_lot_is_used_up_first() -> None:
    assert spread_over_lots([5], [(None, 1), (7, 3), (8, 10)]) == [[(None, 1), (7, 3), (8, 1)]]


def test_wants_take_turns_over_the_same_lots() -> None:
    assert spread_over_lots([2, 2], [(7, 3), (8, 1)]) == [[(7, 2)], [(7, 1), (8, 1)]]


def test_more_than_there_is_cannot_be_spread() -> None:
    with pytest.raises(ValueError, match="1 pieces lie in no lot"):
        spread_over_lots([3, 1], [(7, 3)])


@given(
    st.lists(st.integers(1, 20), max_size=6),
    st.lists(st.integers(1, 30), max_size=6),
)
def test_every_piece_comes_from_one_lot_and_no_lot_gives_more_than_it_has(wants: list[int], lots: list[int]) -> None:
    named = list(enumerate(lots))
    if sum(wants) > sum(lots):
        with pytest.raises(ValueError):
            spread_over_lots(wants, named)
        return
    parts = spread_over_lots(wants, named)
    assert [sum(pieces for _, pieces in one) for one in parts] == wants
    given_away = [sum(pieces for one in parts for lot, pieces in one if lot == number) for number, _ in named]
    assert all(given <= lot for given, lot in zip(given_away, lots, strict=True))
    untouched = [number for number, pieces in enumerate(given_away) if pieces == 0]
    touched = [number for number, pieces in enumerate(given_away) if pieces]
    assert not touched or not untouched or max(touched) < min(untouched)


def test_preferred_place_is_kept_when_it_has_enough() -> None:
    assert choose_place(2, [(1, 5), (2, 2)], preferred=2) == 2


def test_first_place_that_has_enough_serves() -> None:
    assert choose_place(3, [(1, 2), (2, 3), (3, 9)], preferred=1) == 2


def test_pieces_are_not_gathered_from_two_places() -> None:
    assert choose_place(4, [(1, 3), (2, 3)]) is None
