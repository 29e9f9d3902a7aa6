"""Moderation of the studio page."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from silkroom.accounts.models import Person
from silkroom.live.broadcasts.queries import Studio
from silkroom.live.room.edge import studio_verb

from . import services


class WordsBody(msgspec.Struct):
    n: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]


class PersonBody(msgspec.Struct):
    person: Annotated[str, msgspec.Meta(min_length=1, max_length=10)]


@studio_verb(WordsBody)
def pin(studio: Studio, body: WordsBody, by: Person) -> int | None:
    return services.pin_words(broadcast=studio.broadcast, number=body.n, by=by)


@studio_verb()
def unpin(studio: Studio, body: Any, by: Person) -> int | None:
    return services.unpin_words(broadcast=studio.broadcast, by=by)


@studio_verb(WordsBody)
def hide(studio: Studio, body: WordsBody, by: Person) -> int | None:
    return services.hide_words(broadcast=studio.broadcast, number=body.n, by=by)


@studio_verb(WordsBody)
def unhide(studio: Studio, body: WordsBody, by: Person) -> int | None:
    return services.unhide_words(broadcast=studio.broadcast, number=body.n, by=by)


@studio_verb(PersonBody)
def mute(studio: Studio, body: PersonBody, by: Person) -> int | None:
    return services.mute_person(broadcast=studio.broadcast, code=body.person, by=by)


@studio_verb(PersonBody)
def unmute(studio: Studio, body: PersonBody, by: Person) -> int | None:
    return services.unmute_person(broadcast=studio.broadcast, code=body.person, by=by)
