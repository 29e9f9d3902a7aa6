"""What viewers say. A gateway gathers a burst and writes it in one transaction, through its own cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from silkroom.journal.queries import Cursor
from silkroom.live.broadcasts.rules import RoomRole
from silkroom.live.broadcasts.states import OVER
from silkroom.live.fanout.door import Event

from ..errors import ShowEnded
from ..rules import Data
from ..states import EventKind
from .events import Draft, append_events, lock_room


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who said it, as the room sees them."""

    person_id: int
    code: str
    name: str
    role: RoomRole = RoomRole.VIEWER


@dataclass(frozen=True, slots=True)
class Comment:
    """Clean words of a viewer (`rules.clean_words`)."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A question. ``delay_ms``: how far the asker's picture was behind the host's; ``style``: what it is about."""

    speaker: Speaker
    text: str
    delay_ms: int | None
    style: int | None


@dataclass(frozen=True, slots=True)
class Likes:
    """Hearts of many, counted together."""

    count: int


Words = Comment | Ask | Likes


def say_in_room(cursor: Cursor, broadcast_id: int, words: Sequence[Words]) -> list[Event]:
    """Write words in the order they came; event i belongs to word i. Raises ShowEnded, NotFound."""
    _, state = lock_room(cursor, broadcast_id)
    if state in OVER:
        raise ShowEnded
    return append_events(cursor, broadcast_id, [_draft(word) for word in words])


def _draft(word: Words) -> Draft:
    match word:
        case Likes(count):
            return Draft(EventKind.LIKES, {"count": count})
        case Comment(speaker, text):
            return Draft(EventKind.COMMENT, _said(speaker, text))
        case Ask(speaker, text, delay_ms, style):
            return Draft(EventKind.QUESTION, {**_said(speaker, text), "delay_ms": delay_ms, "style": style})


def _said(speaker: Speaker, text: str) -> Data:
    return {"name": speaker.name, "text": text, "person": speaker.code, "role": speaker.role.value}
