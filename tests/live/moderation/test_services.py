"""Moderation: what it does to the room, and that it is recorded with who did it."""

from __future__ import annotations

import pytest
from django.db import connection

from silkroom.journal.models import Entry
from silkroom.kit.errors import NotFound
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.moderation.errors import StaffStaysHeard
from silkroom.live.moderation.models import Mute
from silkroom.live.moderation.services import (
    hide_words,
    mute_person,
    pin_words,
    unhide_words,
    unmute_person,
    unpin_words,
)
from silkroom.live.questions.services import keep_questions, mark_answered
from silkroom.live.room.queries import codes_of_muted
from silkroom.live.room.services import Ask, Comment, Speaker, say_in_room
from tests.live.conftest import room_of
from tests.live.stage import Stage, guest, make_stage


@pytest.fixture
def said(show: Broadcast) -> int:
    """Number of a comment."""
    person = guest("阿宁")
    with connection.cursor() as cursor:
        return say_in_room(cursor, show.pk, [Comment(Speaker(person.pk, person.code, person.name), "好看")])[0].sequence


def recorded() -> list[tuple[str, str]]:
    rows = Entry.objects.filter(kind__startswith="room.").order_by("id")
    return [(row.kind, row.data["by"]) for row in rows]


def test_muting_and_lifting(stage: Stage, show: Broadcast):
    noisy = guest()
    assert mute_person(broadcast=show, code=noisy.code, by=stage.assistant) is not None
    assert mute_person(broadcast=show, code=noisy.code, by=stage.owner) is None
    assert room_of(show)["muted"] == [noisy.code]
    with connection.cursor() as cursor:
        assert codes_of_muted(cursor, show.pk) == [noisy.code]
    assert unmute_person(broadcast=show, code=noisy.code, by=stage.owner) is not None
    assert unmute_person(broadcast=show, code=noisy.code, by=stage.owner) is None
    assert room_of(show)["muted"] == []
    mute_person(broadcast=show, code=noisy.code, by=stage.owner)
    assert Mute.objects.filter(person=noisy).count() == 2
    assert recorded() == [
        ("room.muted", stage.assistant.code), ("room.unmuted", stage.owner.code), ("room.muted", stage.owner.code)
    ]  # fmt: skip


def test_staff_cannot_be_muted(stage: Stage, show: Broadcast):
    for person in (stage.owner, stage.assistant):
        with pytest.raises(StaffStaysHeard):
            mute_person(broadcast=show, code=person.code, by=stage.owner)
    assert not Mute.objects.exists()


def test_nobody_is_not_found(stage: Stage, show: Broadcast):
    for verb in (mute_person, unmute_person):
        with pytest.raises(NotFound):
            verb(broadcast=show, code="NOSUCHNAME", by=stage.owner)


def test_pinning(stage: Stage, show: Broadcast, said: int):
    assert pin_words(broadcast=show, number=said, by=stage.assistant) is not None
    assert room_of(show)["pinned"] == {"n": said, "name": "阿宁", "text": "好看"}
    assert pin_words(broadcast=show, number=said, by=stage.assistant) is None
    assert unpin_words(broadcast=show, by=stage.owner) is not None
    assert unpin_words(broadcast=show, by=stage.owner) is None
    assert room_of(show)["pinned"] is None
    assert [kind for kind, _ in recorded()] == ["room.pinned", "room.unpinned"]


def test_hiding(stage: Stage, show: Broadcast, said: int):
    pin_words(broadcast=show, number=said, by=stage.owner)
    assert hide_words(broadcast=show, number=said, by=stage.assistant) is not None
    state = room_of(show)
    assert (state["comments"], state["pinned"]) == ([], None)
    assert hide_words(broadcast=show, number=said, by=stage.assistant) is None
    with pytest.raises(NotFound):
        pin_words(broadcast=show, number=said, by=stage.owner)


def test_hiding_is_undone(stage: Stage, show: Broadcast, said: int):
    before = room_of(show)
    assert unhide_words(broadcast=show, number=said, by=stage.owner) is None
    for _ in range(2):
        hide_words(broadcast=show, number=said, by=stage.assistant)
        assert unhide_words(broadcast=show, number=said, by=stage.assistant) is not None
        assert room_of(show) == before
        assert unhide_words(broadcast=show, number=said, by=stage.assistant) is None
    assert pin_words(broadcast=show, number=said, by=stage.owner) is not None
    assert [kind for kind, _ in recorded()] == [*["room.hidden", "room.unhidden"] * 2, "room.pinned"]


def test_a_question_that_was_hidden_comes_back_as_it_stood(stage: Stage, show: Broadcast):
    person = guest()
    asked = Ask(Speaker(person.pk, person.code, person.name), "会皱吗？", 412, None)
    with connection.cursor() as cursor:
        (event,) = say_in_room(cursor, show.pk, [asked])
        keep_questions(cursor, show.pk, [(event.sequence, asked)])
    mark_answered(broadcast=show, number=event.sequence, media_ms=None, by=stage.owner)
    before = room_of(show)
    assert before["questions"][0]["state"] == "answered"
    hide_words(broadcast=show, number=event.sequence, by=stage.owner)
    assert room_of(show)["questions"] == []
    unhide_words(broadcast=show, number=event.sequence, by=stage.owner)
    assert room_of(show) == before


@pytest.mark.parametrize("number", [1, 10**9])
def test_only_words_can_be_pinned(stage: Stage, show: Broadcast, number: int):
    """Event 1 is the opening."""
    with pytest.raises(NotFound):
        pin_words(broadcast=show, number=number, by=stage.owner)
    assert hide_words(broadcast=show, number=number, by=stage.owner) is None
    assert unhide_words(broadcast=show, number=number, by=stage.owner) is None


def test_words_of_another_room_are_not_found(show: Broadcast, said: int):
    other = make_stage()
    elsewhere = other.on_air()
    with pytest.raises(NotFound):
        pin_words(broadcast=elsewhere, number=said, by=other.owner)
