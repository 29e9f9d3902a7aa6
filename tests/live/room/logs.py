"""Random logs of a room: every kind of event, about things that are there, that are gone, and that never were."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from silkroom.live.room.rules import RoomFact
from silkroom.live.room.services import Draft
from silkroom.live.room.states import EventKind

STYLES = (11, 12, 13)
NUMBERS = st.integers(1, 40)
PEOPLE = st.sampled_from(["K7AAAAAAAA", "K7BBBBBBBB", "K7CCCCCCCC"])
TEXTS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=12)
STYLE = st.sampled_from([*STYLES, 99])
MOMENTS = st.integers(1_700_000_000_000, 1_700_000_100_000)
OPTIONAL = st.none() | st.integers(1, 500)


def variants_of(style: int) -> tuple[int, int]:
    return style * 10, style * 10 + 1


VARIANTS = st.sampled_from([one for style in (*STYLES, 99) for one in variants_of(style)])


@st.composite
def tray_styles(draw: st.DrawFn) -> list[dict[str, Any]]:
    chosen = draw(st.lists(st.sampled_from(STYLES), unique=True, max_size=3))
    return [
        {
            "style": style,
            "code": f"S{style}",
            "position": position,
            "name": draw(TEXTS),
            "name_en": "Silk shirt",
            "picture": "",
            "price_minor": 19900,
            "currency": "CNY",
            "colours": [{"id": 1, "name": "月白", "name_en": "moon", "swatch": "#f0f0f0"}],
            "sizes": [{"id": 1, "label": "M"}, {"id": 2, "label": "L"}],
            "variants": [
                {"variant": one, "colour": 1, "size": number, "price_minor": 19900, "left": draw(st.integers(0, 9))}
                for number, one in enumerate(variants_of(style), start=1)
            ],
        }
        for position, style in enumerate(chosen, start=1)
    ]


def show() -> dict[str, Any]:
    return {
        "code": "SHOWSHOWSH",
        "title": "夜场",
        "state": "planned",
        "planned_at_ms": 1_700_000_050_000,
        "started_at_ms": None,
        "ended_at_ms": None,
        "host_name": "林",
        "cover": "",
        "shop": {"slug": "lin", "name": "林记"},
    }


DEALS = st.fixed_dictionaries(
    {
        "deal": st.integers(1, 4),
        "offer": st.integers(1, 4),
        "style": STYLE,
        "price_minor": st.integers(1, 10**9),
        "cap": OPTIONAL,
        "taken": st.integers(0, 5),
        "per_person": OPTIONAL,
        "starts_at_ms": MOMENTS,
        "ends_at_ms": MOMENTS,
    }
)

ROLES = st.sampled_from(["viewer", "host", "assistant"])
SAID = {"name": TEXTS, "text": TEXTS, "person": PEOPLE, "role": ROLES}
SAID_BEFORE_ROLES = {"name": TEXTS, "text": TEXTS, "person": PEOPLE}


@st.composite
def unhidden(draw: st.DrawFn) -> dict[str, Any]:
    """A comment that comes back, or a question in either state; also one that is there, and one that never was."""
    entry = {**draw(st.fixed_dictionaries({"n": NUMBERS, "at": MOMENTS, **SAID})), "question": draw(st.booleans())}
    if not entry["question"]:
        return {"n": entry["n"], "comment": entry, "question": None}
    answered = draw(st.booleans())
    question = {name: value for name, value in entry.items() if name != "question"} | {
        "delay_ms": draw(OPTIONAL),
        "style": draw(st.none() | STYLE),
        "state": "answered" if answered else "asked",
        "answered_at_ms": draw(MOMENTS) if answered else None,
        "answered_media_ms": draw(OPTIONAL) if answered else None,
    }
    return {"n": entry["n"], "comment": entry, "question": question}


DATA: dict[EventKind, st.SearchStrategy[dict[str, Any]]] = {
    EventKind.OPENED: st.fixed_dictionaries({"broadcast": st.builds(show), "tray": tray_styles()}),
    EventKind.SHOW_CHANGED: st.fixed_dictionaries(
        {},
        optional={
            "title": TEXTS,
            "planned_at_ms": st.none() | MOMENTS,
            "state": st.sampled_from(["on_air", "ended"]),
            "started_at_ms": MOMENTS,
        },
    ),
    EventKind.TRAY_CHANGED: st.fixed_dictionaries({"tray": tray_styles()}),
    EventKind.SPOTLIGHT: st.fixed_dictionaries({"style": st.none() | STYLE}),
    EventKind.STOCK: st.fixed_dictionaries(
        {
            "left": st.lists(st.tuples(VARIANTS, st.integers(0, 9)), max_size=4).map(
                lambda pairs: [list(pair) for pair in pairs]
            )
        }
    ),
    EventKind.DEAL_LAUNCHED: DEALS,
    EventKind.DEAL_CHANGED: st.fixed_dictionaries({"deal": st.integers(1, 5), "taken": st.integers(0, 9)}),
    EventKind.DEAL_WITHDRAWN: st.fixed_dictionaries({"deal": st.integers(1, 5)}),
    EventKind.COMMENT: st.fixed_dictionaries(SAID) | st.fixed_dictionaries(SAID_BEFORE_ROLES),
    EventKind.QUESTION: st.fixed_dictionaries({**SAID, "delay_ms": OPTIONAL, "style": st.none() | STYLE}),
    EventKind.ANSWERED: st.fixed_dictionaries(
        {"question": NUMBERS, "answered_at_ms": MOMENTS, "answered_media_ms": st.none() | st.integers(0, 9_000_000)}
    ),
    EventKind.PINNED: st.fixed_dictionaries({"n": NUMBERS, "name": TEXTS, "text": TEXTS}),
    EventKind.UNPINNED: st.just({}),
    EventKind.HIDDEN: st.fixed_dictionaries({"n": NUMBERS}),
    EventKind.UNHIDDEN: unhidden(),
    EventKind.MUTED: st.fixed_dictionaries({"person": PEOPLE}),
    EventKind.UNMUTED: st.fixed_dictionaries({"person": PEOPLE}),
    EventKind.LIKES: st.fixed_dictionaries({"count": st.integers(1, 500)}),
}


def drafts_of(kind: EventKind) -> st.SearchStrategy[Draft]:
    return DATA[kind].map(lambda data: Draft(kind, data))


DRAFTS = st.one_of([drafts_of(kind) for kind in EventKind])
FIRST = drafts_of(EventKind.OPENED)


@st.composite
def facts(draw: st.DrawFn, *, most: int = 40) -> list[RoomFact]:
    """A whole log, opened first, numbered from 1."""
    drafts = [draw(FIRST), *draw(st.lists(DRAFTS, max_size=most))]
    return [
        RoomFact(number, draft.kind.value, 1_700_000_000_000 + number * 1000, draft.data)
        for number, draft in enumerate(drafts, start=1)
    ]
