"""The reducer of a room: state and event in, state out. ``static/live/state.js`` is its twin; README.md is their law.

Nothing is changed in place: a state that somebody holds (a snapshot being encoded, a checkpoint) stays what it was.
Events come in order and once; that is the log's business. A state is plain JSON, so that it travels as it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .errors import WordsUnusable
from .states import EventKind, QuestionState

State = dict[str, Any]
Data = dict[str, Any]

COMMENTS_KEPT = 50
QUESTIONS_KEPT = 200
MUTED_KEPT = 500

VIEWER = "viewer"
"""The role of a speaker, in events from before roles were told."""


@dataclass(frozen=True, slots=True)
class RoomFact:
    """One event of the log. ``at_ms`` is Unix time in milliseconds."""

    sequence: int
    kind: str
    at_ms: int
    data: Data


def empty_state() -> State:
    """What a room is before its first event."""
    return {
        "broadcast": None,
        "tray": [],
        "spotlight": None,
        "deals": [],
        "pinned": None,
        "comments": [],
        "questions": [],
        "likes": 0,
        "muted": [],
    }


def apply_event(state: State, event: RoomFact) -> State:
    """The state after ``event``. An unknown kind, or an event about something that is gone, changes nothing."""
    reduce = _REDUCERS.get(event.kind)
    return {**state, **reduce(state, event)} if reduce else state


def fold(state: State, events: Iterable[RoomFact]) -> State:
    """Apply events in order."""
    for event in events:
        state = apply_event(state, event)
    return state


def _opened(state: State, event: RoomFact) -> Data:
    return {**empty_state(), "broadcast": event.data["broadcast"], "tray": event.data["tray"]}


def _show_changed(state: State, event: RoomFact) -> Data:
    return {"broadcast": {**(state["broadcast"] or {}), **event.data}}


def _tray_changed(state: State, event: RoomFact) -> Data:
    tray = event.data["tray"]
    return {"tray": tray, "spotlight": _if_in_tray(tray, state["spotlight"])}


def _spotlight(state: State, event: RoomFact) -> Data:
    return {"spotlight": _if_in_tray(state["tray"], event.data["style"])}


def _if_in_tray(tray: list[Data], style: int | None) -> int | None:
    return style if any(one["style"] == style for one in tray) else None


def _stock(state: State, event: RoomFact) -> Data:
    left = dict(event.data["left"])
    return {"tray": [_with_stock(style, left) for style in state["tray"]]}


def _with_stock(style: Data, left: dict[int, int]) -> Data:
    if not any(one["variant"] in left for one in style["variants"]):
        return style
    variants = [{**one, "left": left.get(one["variant"], one["left"])} for one in style["variants"]]
    return {**style, "variants": variants}


def _deal_launched(state: State, event: RoomFact) -> Data:
    kept = [one for one in state["deals"] if one["deal"] != event.data["deal"] and one["ends_at_ms"] > event.at_ms]
    return {"deals": [*kept, event.data]}


def _deal_changed(state: State, event: RoomFact) -> Data:
    return {"deals": [{**one, **event.data} if one["deal"] == event.data["deal"] else one for one in state["deals"]]}


def _deal_withdrawn(state: State, event: RoomFact) -> Data:
    return {"deals": [one for one in state["deals"] if one["deal"] != event.data["deal"]]}


def _comment(state: State, event: RoomFact) -> Data:
    return {"comments": [*state["comments"], _said(event, is_question=False)][-COMMENTS_KEPT:]}


def _said(event: RoomFact, *, is_question: bool) -> Data:
    return {
        "n": event.sequence,
        "at": event.at_ms,
        "name": event.data["name"],
        "text": event.data["text"],
        "person": event.data["person"],
        "role": event.data.get("role", VIEWER),
        "question": is_question,
    }


def _question(state: State, event: RoomFact) -> Data:
    question = {
        "n": event.sequence,
        "at": event.at_ms,
        "name": event.data["name"],
        "text": event.data["text"],
        "person": event.data["person"],
        "role": event.data.get("role", VIEWER),
        "delay_ms": event.data["delay_ms"],
        "style": event.data["style"],
        "state": QuestionState.ASKED.value,
        "answered_at_ms": None,
        "answered_media_ms": None,
    }
    return {
        "comments": [*state["comments"], _said(event, is_question=True)][-COMMENTS_KEPT:],
        "questions": [*state["questions"], question][-QUESTIONS_KEPT:],
    }


def _answered(state: State, event: RoomFact) -> Data:
    answer = {
        "state": QuestionState.ANSWERED.value,
        "answered_at_ms": event.data["answered_at_ms"],
        "answered_media_ms": event.data["answered_media_ms"],
    }
    number = event.data["question"]
    return {"questions": [{**one, **answer} if one["n"] == number else one for one in state["questions"]]}


def _pinned(state: State, event: RoomFact) -> Data:
    return {"pinned": {"n": event.data["n"], "name": event.data["name"], "text": event.data["text"]}}


def _unpinned(state: State, event: RoomFact) -> Data:
    return {"pinned": None}


def _hidden(state: State, event: RoomFact) -> Data:
    number = event.data["n"]
    pinned = state["pinned"]
    return {
        "comments": [one for one in state["comments"] if one["n"] != number],
        "questions": [one for one in state["questions"] if one["n"] != number],
        "pinned": None if pinned and pinned["n"] == number else pinned,
    }


def _unhidden(state: State, event: RoomFact) -> Data:
    comment, question = event.data["comment"], event.data["question"]
    questions = _put_back(state["questions"], question) if question else state["questions"]
    return {
        "comments": _put_back(state["comments"], comment)[-COMMENTS_KEPT:],
        "questions": questions[-QUESTIONS_KEPT:],
    }


def _put_back(entries: list[Data], one: Data) -> list[Data]:
    """At its place by number, once."""
    before = [entry for entry in entries if entry["n"] < one["n"]]
    return [*before, one, *(entry for entry in entries if entry["n"] > one["n"])]


def what_was_hidden(words: RoomFact, answer: RoomFact | None) -> Data:
    """The data of `unhidden`: what a comment or question would be in the state now."""
    state = fold(empty_state(), [words, answer] if answer else [words])
    return {
        "n": words.sequence,
        "comment": state["comments"][0],
        "question": state["questions"][0] if state["questions"] else None,
    }


def _muted(state: State, event: RoomFact) -> Data:
    others = [one for one in state["muted"] if one != event.data["person"]]
    return {"muted": [*others, event.data["person"]][-MUTED_KEPT:]}


def _unmuted(state: State, event: RoomFact) -> Data:
    return {"muted": [one for one in state["muted"] if one != event.data["person"]]}


def _likes(state: State, event: RoomFact) -> Data:
    return {"likes": state["likes"] + event.data["count"]}


_REDUCERS: dict[str, Callable[[State, RoomFact], Data]] = {
    EventKind.OPENED: _opened,
    EventKind.SHOW_CHANGED: _show_changed,
    EventKind.TRAY_CHANGED: _tray_changed,
    EventKind.SPOTLIGHT: _spotlight,
    EventKind.STOCK: _stock,
    EventKind.DEAL_LAUNCHED: _deal_launched,
    EventKind.DEAL_CHANGED: _deal_changed,
    EventKind.DEAL_WITHDRAWN: _deal_withdrawn,
    EventKind.COMMENT: _comment,
    EventKind.QUESTION: _question,
    EventKind.ANSWERED: _answered,
    EventKind.PINNED: _pinned,
    EventKind.UNPINNED: _unpinned,
    EventKind.HIDDEN: _hidden,
    EventKind.UNHIDDEN: _unhidden,
    EventKind.MUTED: _muted,
    EventKind.UNMUTED: _unmuted,
    EventKind.LIKES: _likes,
}


# Words of viewers

LONGEST_COMMENT = 200
LONGEST_QUESTION = 300
LONGEST_DELAY_MS = 600_000
"""A picture more than ten minutes behind is a clock gone wrong; the delay is then not known."""

_MOST_MARKS = 4
"""Combining marks kept on one letter, so that nobody writes over the neighbouring lines."""


def clean_words(text: str, *, longest: int) -> str:
    """What a viewer wrote, on one line, composed, without control and direction signs. Raises WordsUnusable."""
    kept: list[str] = []
    marks = 0
    for sign in unicodedata.normalize("NFC", text):
        category = unicodedata.category(sign)
        if category in {"Cc", "Zl", "Zp", "Zs"}:
            sign = " "
        elif category in {"Cs", "Co", "Cn"} or (category == "Cf" and sign != "\u200d"):
            continue
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks <= _MOST_MARKS:
            kept.append(sign)
    words = " ".join("".join(kept).split()).strip("\u200d ")
    if not 1 <= len(words) <= longest:
        raise WordsUnusable(longest=longest)
    return words


def bounded_delay(delay_ms: int | None) -> int | None:
    """The delay if it can be one."""
    return delay_ms if delay_ms is not None and 0 <= delay_ms <= LONGEST_DELAY_MS else None


# What to tell a room about the ledger


def changed_stock(state: State, left: dict[int, int]) -> list[list[int]]:
    """[variant, left] of those whose number in the room differs from the true one; ``left`` names who is looked at."""
    return [
        [one["variant"], left[one["variant"]]]
        for style in state["tray"]
        for one in style["variants"]
        if one["variant"] in left and one["left"] != left[one["variant"]]
    ]


def changed_deals(state: State, taken: dict[int, int]) -> list[Data]:
    """``deal_changed`` data of deals whose count of pieces differs; ``taken`` by offer."""
    return [
        {"deal": one["deal"], "taken": taken[one["offer"]]}
        for one in state["deals"]
        if one["offer"] in taken and one["taken"] != taken[one["offer"]]
    ]
