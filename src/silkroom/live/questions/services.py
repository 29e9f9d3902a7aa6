"""Keeping questions, and marking them answered."""

from __future__ import annotations

from collections.abc import Sequence

from silkroom.accounts.models import Person
from silkroom.journal.queries import Cursor
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now, to_milliseconds
from silkroom.kit.errors import NotFound
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.room.services import Ask, Draft, tell_room
from silkroom.live.room.states import EventKind

from .models import Question

LONGEST_LAG_MS = 60_000
"""Between the picture a host speaks of and the press of the key."""

_KEEP = """
    INSERT INTO live_question (broadcast_id, sequence, person_id, name, text, style_id, delay_ms)
    SELECT %s, ask.sequence, ask.person, ask.name, ask.text, style.id, ask.delay_ms
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::integer[])
         AS ask(sequence, person, name, text, style, delay_ms)
    LEFT JOIN catalog_style style ON style.id = ask.style
"""


def keep_questions(cursor: Cursor, broadcast_id: int, asked: Sequence[tuple[int, Ask]]) -> None:
    """Keep (event number, question) pairs, in the transaction that wrote the events (the gateway's)."""
    if not asked:
        return
    numbers = [number for number, _ in asked]
    asks = [ask for _, ask in asked]
    cursor.execute(
        _KEEP,
        (
            broadcast_id,
            numbers,
            [ask.speaker.person_id for ask in asks],
            [ask.speaker.name for ask in asks],
            [ask.text for ask in asks],
            [ask.style for ask in asks],
            [ask.delay_ms for ask in asks],
        ),
    )


def mark_answered(*, broadcast: Broadcast, number: int, media_ms: int | None, by: Person) -> int | None:
    """The host has answered question ``number`` aloud. None if it was marked before. Raises NotFound.

    ``media_ms``: the relay's moment (milliseconds since 1970) of the picture that was on air then. None, or one that
    is far from now, means now.
    """
    question = (
        Question.objects.select_for_update(of=("self",), no_key=True)
        .select_related("person")
        .filter(broadcast=broadcast, sequence=number)
        .first()
    )
    if question is None:
        raise NotFound
    if question.answered_at is not None:
        return None
    question.answered_at = now()
    question.answered_media_ms = _moment_of_show(broadcast, media_ms, to_milliseconds(question.answered_at))
    question.answered_by = by
    question.save(update_fields=["answered_at", "answered_media_ms", "answered_by"])
    append_entry(
        kind="question.answered",
        shop_id=broadcast.shop_id,
        data={
            "broadcast": broadcast.code,
            "question": number,
            "person": question.person.code,
            "media_ms": question.answered_media_ms,
            "by": by.code,
        },
    )
    answer = {
        "question": number,
        "answered_at_ms": to_milliseconds(question.answered_at),
        "answered_media_ms": question.answered_media_ms,
    }
    return tell_room(broadcast.pk, Draft(EventKind.ANSWERED, answer))


def _moment_of_show(broadcast: Broadcast, media_ms: int | None, now_ms: int) -> int | None:
    """Milliseconds since the show went on air; None before that."""
    if broadcast.started_at is None:
        return None
    spoken_ms = media_ms if media_ms is not None and abs(media_ms - now_ms) <= LONGEST_LAG_MS else now_ms
    return max(0, spoken_ms - to_milliseconds(broadcast.started_at))
