"""The reducer: each kind, exactly; and what holds for all logs."""

from __future__ import annotations

import copy
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silkroom.live.room.errors import WordsUnusable
from silkroom.live.room.rules import (
    COMMENTS_KEPT,
    MUTED_KEPT,
    QUESTIONS_KEPT,
    RoomFact,
    apply_event,
    bounded_delay,
    changed_deals,
    changed_stock,
    clean_words,
    empty_state,
    fold,
    what_was_hidden,
)
from silkroom.live.room.states import EventKind

from .logs import facts, show

TRAY: list[dict[str, Any]] = [
    {
        "style": 11,
        "variants": [{"variant": 110, "left": 3}, {"variant": 111, "left": 0}],
    },
    {"style": 12, "variants": [{"variant": 120, "left": 7}]},
]

DEAL = {
    "deal": 5,
    "offer": 50,
    "style": 11,
    "price_minor": 9900,
    "cap": 10,
    "taken": 0,
    "per_person": 2,
    "starts_at_ms": 2000,
    "ends_at_ms": 60_000,
}


def event(number: int, kind: EventKind, data: dict[str, Any], at: int | None = None) -> RoomFact:
    return RoomFact(number, kind.value, 1000 + number if at is None else at, data)


def opened() -> dict[str, Any]:
    return apply_event(empty_state(), event(1, EventKind.OPENED, {"broadcast": show(), "tray": TRAY}))


def said(text: str, person: str = "K7AAAAAAAA") -> dict[str, Any]:
    return {"name": "阿宁", "text": text, "person": person}


def test_opening_starts_from_nothing():
    before = fold(opened(), [event(2, EventKind.LIKES, {"count": 4})])
    assert apply_event(before, event(3, EventKind.OPENED, {"broadcast": show(), "tray": TRAY})) == {
        **empty_state(),
        "broadcast": show(),
        "tray": TRAY,
    }


def test_show_changes_only_what_is_said():
    state = apply_event(opened(), event(2, EventKind.SHOW_CHANGED, {"state": "on_air", "started_at_ms": 7}))
    assert state["broadcast"] == {**show(), "state": "on_air", "started_at_ms": 7}


def test_spotlight_falls_only_on_what_is_in_the_tray():
    lit = apply_event(opened(), event(2, EventKind.SPOTLIGHT, {"style": 12}))
    assert lit["spotlight"] == 12
    assert apply_event(lit, event(3, EventKind.SPOTLIGHT, {"style": 99}))["spotlight"] is None
    assert apply_event(lit, event(3, EventKind.SPOTLIGHT, {"style": None}))["spotlight"] is None


def test_spotlight_goes_with_its_style():
    lit = apply_event(opened(), event(2, EventKind.SPOTLIGHT, {"style": 12}))
    assert apply_event(lit, event(3, EventKind.TRAY_CHANGED, {"tray": TRAY}))["spotlight"] == 12
    assert apply_event(lit, event(3, EventKind.TRAY_CHANGED, {"tray": TRAY[:1]}))["spotlight"] is None


def test_stock_is_absolute():
    state = apply_event(opened(), event(2, EventKind.STOCK, {"left": [[110, 2], [111, 1], [999, 5]]}))
    assert [[one["left"] for one in style["variants"]] for style in state["tray"]] == [[2, 1], [7]]


def test_deal_is_launched_changed_and_withdrawn():
    launched = apply_event(opened(), event(2, EventKind.DEAL_LAUNCHED, DEAL))
    assert launched["deals"] == [DEAL]
    changed = apply_event(launched, event(3, EventKind.DEAL_CHANGED, {"deal": 5, "taken": 4}))
    assert changed["deals"] == [{**DEAL, "taken": 4}]
    assert apply_event(changed, event(4, EventKind.DEAL_WITHDRAWN, {"deal": 5}))["deals"] == []


def test_a_new_deal_sweeps_out_those_that_ended():
    first = apply_event(opened(), event(2, EventKind.DEAL_LAUNCHED, DEAL))
    second = {**DEAL, "deal": 6, "ends_at_ms": 90_000}
    at_its_end = apply_event(first, event(3, EventKind.DEAL_LAUNCHED, second, at=60_000))
    assert at_its_end["deals"] == [second]
    before_its_end = apply_event(first, event(3, EventKind.DEAL_LAUNCHED, second, at=59_999))
    assert before_its_end["deals"] == [DEAL, second]


def test_comments_keep_the_last():
    events = [event(number, EventKind.COMMENT, said(f"好看 {number}")) for number in range(2, 62)]
    comments = fold(opened(), events)["comments"]
    assert len(comments) == COMMENTS_KEPT
    assert comments[-1] == {
        "n": 61, "at": 1061, "name": "阿宁", "text": "好看 61", "person": "K7AAAAAAAA", "role": "viewer",
        "question": False,
    }  # fmt: skip
    assert comments[0]["n"] == 12


def test_question_stands_in_both_lists_until_it_is_answered():
    question = {**said("多大码？"), "delay_ms": 412, "style": 11}
    asked = apply_event(opened(), event(2, EventKind.QUESTION, question))
    assert asked["comments"][-1]["question"] is True
    assert asked["questions"] == [
        {
            "n": 2, "at": 1002, "name": "阿宁", "text": "多大码？", "person": "K7AAAAAAAA", "role": "viewer",
            "delay_ms": 412, "style": 11, "state": "asked", "answered_at_ms": None, "answered_media_ms": None,
        }
    ]  # fmt: skip
    answer = {"question": 2, "answered_at_ms": 9000, "answered_media_ms": 7000}
    answered = apply_event(asked, event(3, EventKind.ANSWERED, answer))["questions"][0]
    assert (answered["state"], answered["answered_at_ms"], answered["answered_media_ms"]) == ("answered", 9000, 7000)


def test_questions_keep_the_last():
    asked = {**said("?"), "delay_ms": None, "style": None}
    questions = fold(opened(), [event(n, EventKind.QUESTION, asked) for n in range(2, 250)])["questions"]
    assert [one["n"] for one in questions] == list(range(250 - QUESTIONS_KEPT, 250))


def test_hiding_takes_words_from_everywhere():
    state = fold(
        opened(),
        [
            event(2, EventKind.QUESTION, {**said("?"), "delay_ms": None, "style": None}),
            event(3, EventKind.COMMENT, said("好")),
            event(4, EventKind.PINNED, {"n": 2, "name": "阿宁", "text": "?"}),
        ],
    )
    hidden = apply_event(state, event(5, EventKind.HIDDEN, {"n": 2}))
    assert [one["n"] for one in hidden["comments"]] == [3]
    assert hidden["questions"] == []
    assert hidden["pinned"] is None
    other = apply_event(state, event(5, EventKind.HIDDEN, {"n": 3}))
    assert other["pinned"] == {"n": 2, "name": "阿宁", "text": "?"}


def test_words_carry_the_role_of_who_said_them():
    host = {**said("欢迎"), "role": "host"}
    state = fold(
        opened(),
        [
            event(2, EventKind.COMMENT, host),
            event(3, EventKind.QUESTION, {**host, "role": "assistant", "delay_ms": None, "style": None}),
            event(4, EventKind.COMMENT, said("从前的")),
        ],
    )
    assert [one["role"] for one in state["comments"]] == ["host", "assistant", "viewer"]
    assert state["questions"][0]["role"] == "assistant"


def test_hidden_words_come_back_to_their_place():
    asked = event(3, EventKind.QUESTION, {**said("?"), "role": "assistant", "delay_ms": 412, "style": 11})
    answer = event(5, EventKind.ANSWERED, {"question": 3, "answered_at_ms": 9000, "answered_media_ms": 7000})
    words = [event(2, EventKind.COMMENT, said("一")), asked, event(4, EventKind.COMMENT, said("三")), answer]
    before = fold(opened(), words)
    hidden = apply_event(before, event(6, EventKind.HIDDEN, {"n": 3}))
    assert (len(hidden["comments"]), hidden["questions"]) == (2, [])
    back = event(7, EventKind.UNHIDDEN, what_was_hidden(asked, answer))
    assert apply_event(hidden, back) == before
    # Said twice, or of words that are there, it changes nothing.
    assert apply_event(apply_event(hidden, back), back) == before


def test_what_has_left_the_list_meanwhile_does_not_come_back():
    first = event(2, EventKind.COMMENT, said("一"))
    hidden = fold(opened(), [first, event(3, EventKind.HIDDEN, {"n": 2})])
    full = fold(hidden, [event(n, EventKind.COMMENT, said("好")) for n in range(4, 4 + COMMENTS_KEPT)])
    assert apply_event(full, event(99, EventKind.UNHIDDEN, what_was_hidden(first, None))) == full


def test_unpinning():
    pinned = apply_event(opened(), event(2, EventKind.PINNED, {"n": 1, "name": "a", "text": "b"}))
    assert apply_event(pinned, event(3, EventKind.UNPINNED, {}))["pinned"] is None


def test_muted_people_stand_once_and_the_list_is_bounded():
    state = fold(opened(), [event(n, EventKind.MUTED, {"person": f"P{n}"}) for n in range(2, 700)])
    assert len(state["muted"]) == MUTED_KEPT
    again = apply_event(state, event(800, EventKind.MUTED, {"person": "P600"}))
    assert again["muted"].count("P600") == 1
    assert again["muted"][-1] == "P600"
    assert "P600" not in apply_event(again, event(801, EventKind.UNMUTED, {"person": "P600"}))["muted"]


def test_likes_add_up():
    events = [event(n, EventKind.LIKES, {"count": n}) for n in (2, 3, 4)]
    assert fold(opened(), events)["likes"] == 9


def test_an_unknown_kind_changes_nothing():
    state = opened()
    assert apply_event(state, RoomFact(2, "fireworks", 5, {})) is state


@given(facts())
def test_no_state_is_changed_in_place(log: list[RoomFact]):
    states = [empty_state()]
    for one in log:
        held = states[-1]
        copied = copy.deepcopy(held)
        states.append(apply_event(held, one))
        assert held == copied


@given(facts(), st.integers(0, 40))
def test_a_fold_may_stop_and_go_on_anywhere(log: list[RoomFact], cut: int):
    whole = fold(empty_state(), log)
    assert fold(fold(empty_state(), log[:cut]), log[cut:]) == whole


def test_every_kind_has_a_reducer():
    for kind in EventKind:
        assert kind.value in fold.__globals__["_REDUCERS"]


# Words


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("  好看\n\n吗 \t? ", "好看 吗 ?"),
        ("a\u202eb\u0000c\u200bd", "ab cd"),
        ("👩\u200d🧵", "👩\u200d🧵"),
        ("e\u0301", "é"),
        ("Z" + "\u0336" * 40, "Z" + "\u0336" * 4),
    ],
)
def test_words_are_cleaned(written: str, clean: str):
    assert clean_words(written, longest=20) == clean


@pytest.mark.parametrize("written", ["", "   \n", "\u200d", "\u202e", "x" * 21])
def test_words_that_cannot_be_used(written: str):
    with pytest.raises(WordsUnusable):
        clean_words(written, longest=20)


@given(st.text(max_size=60))
def test_clean_words_stay_clean(written: str):
    try:
        clean = clean_words(written, longest=60)
    except WordsUnusable:
        return
    assert clean_words(clean, longest=60) == clean
    assert not any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in clean)


@pytest.mark.parametrize(("told", "kept"), [(None, None), (0, 0), (412, 412), (-1, None), (600_001, None)])
def test_delay_is_bounded(told: int | None, kept: int | None):
    assert bounded_delay(told) == kept


# What the ledger changed


def test_only_changed_numbers_are_told():
    state = opened()
    assert changed_stock(state, {110: 3, 111: 0, 120: 6}) == [[120, 6]]
    assert changed_stock(state, {110: 3, 120: 7}) == []
    assert changed_stock(state, {110: 0, 999: 4}) == [[110, 0]]
    assert changed_stock(state, {}) == []


def test_only_changed_deals_are_told():
    state = apply_event(opened(), event(2, EventKind.DEAL_LAUNCHED, DEAL))
    assert changed_deals(state, {50: 3, 51: 9}) == [{"deal": 5, "taken": 3}]
    assert changed_deals(state, {50: 0}) == []
    assert changed_deals(state, {}) == []
