"""Codes: short, of unmistakable signs, not to be guessed."""

from __future__ import annotations

from collections import Counter

from silkroom.kit.ids import ALPHABET, make_code, make_codes


def test_codes_have_their_length_and_only_clear_signs() -> None:
    codes = [*make_codes(500), *(make_code() for _ in range(50))]
    assert {len(code) for code in codes} == {10}
    assert set("".join(codes)) <= set(ALPHABET)
    assert not set(ALPHABET) & set("01OILU")
    assert [len(code) for code in make_codes(3, length=4)] == [4, 4, 4]
    assert make_codes(0) == []


def test_codes_do_not_repeat() -> None:
    assert len(set(make_codes(20_000))) == 20_000


def test_every_sign_is_about_as_frequent_as_every_other() -> None:
    """Of 100,000 signs, 16 of the 30 come 3,516 times and the others 3,125 times, with standard deviations below 60."""
    counts = Counter("".join(make_codes(10_000)))
    assert len(counts) == 30
    assert min(counts.values()) > 2_800
    assert max(counts.values()) < 3_850
