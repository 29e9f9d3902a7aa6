"""Questions of the studio page."""

from __future__ import annotations

from typing import Annotated

import msgspec

from silkroom.accounts.models import Person
from silkroom.live.broadcasts.queries import Studio
from silkroom.live.room.edge import studio_verb

from . import services


class AnsweredBody(msgspec.Struct):
    question: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
    media_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)] | None = None


@studio_verb(AnsweredBody)
def answered(studio: Studio, body: AnsweredBody, by: Person) -> int | None:
    return services.mark_answered(broadcast=studio.broadcast, number=body.question, media_ms=body.media_ms, by=by)
