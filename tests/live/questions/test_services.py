"""Questions: kept beside their events, answered once."""

from __future__ import annotations

import pytest
from django.db import connection

from silkroom.accounts.models import Person
from silkroom.journal.models import Entry
from silkroom.kit.clock import now, to_milliseconds
from silkroom.kit.errors import NotFound
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.questions.models import Question
from silkroom.live.questions.services import keep_questions, mark_answered
from silkroom.live.room import services as room
from silkroom.live.room.errors import ShowEnded
from silkroom.live.room.services import Ask, Comment, Likes, Speaker, say_in_room
from tests.live.conftest import room_of
from tests.live.stage import Stage, guest


def speaker(person: Person) -> Speaker:
    return Speaker(person.pk, person.code, person.name)


def ask(show: Broadcast, person: Person, text: str = "会皱吗", style: int | None = None) -> int:
    words = Ask(speaker(person), text, 412, style)
    with connection.cursor() as cursor:
        (event,) = say_in_room(cursor, show.pk, [words])
        keep_questions(cursor, show.pk, [(event.sequence, words)])
    return event.sequence


def test_words_get_numbers_in_the_order_they_came(show: Broadcast):
    person = guest()
    words = [Comment(speaker(person), "一"), Ask(speaker(person), "二", None, None), Likes(3)]
    with connection.cursor() as cursor:
        events = say_in_room(cursor, show.pk, words)
    assert [event.kind for event in events] == ["comment", "question", "likes"]
    assert [one["text"] for one in room_of(show)["comments"]] == ["一", "二"]
    assert room_of(show)["likes"] == 3


def test_nobody_speaks_after_the_end(stage: Stage, show: Broadcast):
    room.end_show(broadcast=show, by=stage.owner)
    with connection.cursor() as cursor, pytest.raises(ShowEnded):
        say_in_room(cursor, show.pk, [Comment(speaker(guest()), "晚了")])
    assert room_of(show)["comments"] == []


def test_a_question_is_kept(stage: Stage, show: Broadcast):
    asker = guest()
    number = ask(show, asker, style=stage.garments[0].style.pk)
    row = Question.objects.get(broadcast=show, sequence=number)
    assert (row.person_id, row.name, row.text, row.delay_ms, row.style_id, row.answered_at) == (
        asker.pk, asker.name, "会皱吗", 412, stage.garments[0].style.pk, None
    )  # fmt: skip


def test_a_style_that_is_gone_is_left_out(show: Broadcast):
    number = ask(show, guest(), style=2**40)
    assert Question.objects.get(broadcast=show, sequence=number).style_id is None


def test_answering_once(stage: Stage, show: Broadcast):
    asker = guest()
    number = ask(show, asker)
    spoken_ms = to_milliseconds(now()) - 300
    assert mark_answered(broadcast=show, number=number, media_ms=spoken_ms, by=stage.assistant) is not None
    row = Question.objects.get()
    started_ms = to_milliseconds(show.started_at)
    assert (row.answered_media_ms, row.answered_by_id) == (max(0, spoken_ms - started_ms), stage.assistant.pk)
    shown = room_of(show)["questions"][0]
    assert (shown["state"], shown["answered_at_ms"], shown["answered_media_ms"]) == (
        "answered", to_milliseconds(row.answered_at), row.answered_media_ms
    )  # fmt: skip
    told = Entry.objects.get(kind="question.answered").data
    assert (told["person"], told["by"], told["question"]) == (asker.code, stage.assistant.code, number)
    assert mark_answered(broadcast=show, number=number, media_ms=None, by=stage.owner) is None
    assert Question.objects.get().answered_by_id == stage.assistant.pk


@pytest.mark.parametrize("media_ms", [None, 0, 2**50])
def test_a_moment_that_cannot_be_means_now(stage: Stage, show: Broadcast, media_ms: int | None):
    mark_answered(broadcast=show, number=ask(show, guest()), media_ms=media_ms, by=stage.owner)
    row = Question.objects.get()
    assert row.answered_media_ms == to_milliseconds(row.answered_at) - to_milliseconds(show.started_at)


def test_before_the_show_there_is_no_moment_in_it(stage: Stage, planned: Broadcast):
    mark_answered(broadcast=planned, number=ask(planned, guest()), media_ms=None, by=stage.owner)
    assert Question.objects.get().answered_media_ms is None


def test_a_question_of_another_show_is_not_found(stage: Stage, show: Broadcast):
    number = ask(show, guest())
    with pytest.raises(NotFound):
        mark_answered(broadcast=stage.on_air(), number=number, media_ms=None, by=stage.owner)
    assert Question.objects.get().answered_at is None
