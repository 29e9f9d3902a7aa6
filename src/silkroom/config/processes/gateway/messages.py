"""What a room's page sends, and the small frames it gets back. src/silkroom/live/room/README.md is the contract."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from silkroom.sales.desk.door import MOST_PIECES

LARGEST_MESSAGE = 8 * 1024
"""Of one message from a page, in bytes."""

LARGEST_WHOLE = 2**53 - 1
"""What JavaScript holds exactly."""

Whole = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_WHOLE)]
Identity = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_WHOLE)]
MessageId = (
    Annotated[int, msgspec.Meta(ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)] | Annotated[str, msgspec.Meta(max_length=40)]
)
Text = Annotated[str, msgspec.Meta(max_length=2000)]
"""Cleaning makes it shorter; what is too long then is refused with a sentence."""


class Hello(msgspec.Struct, tag="hello", frozen=True):
    """First message. ``after``: the last event the page has; None wants a snapshot."""

    id: MessageId | None = None
    after: Whole | None = None
    language: Literal["zh-hans", "en"] = "zh-hans"


class Say(msgspec.Struct, tag="comment", frozen=True):
    text: Text
    id: MessageId | None = None


class AskAloud(msgspec.Struct, tag="ask", frozen=True):
    """``delay_ms`` outside of what can be counts as not known, so it is any number here."""

    text: Text
    id: MessageId | None = None
    style: Identity | None = None
    delay_ms: Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)] | None = None


class Like(msgspec.Struct, tag="like", frozen=True):
    count: Annotated[int, msgspec.Meta(ge=1, le=50)] = 1
    id: MessageId | None = None


class Buy(msgspec.Struct, tag="buy", frozen=True):
    """``price_minor`` and ``currency``: of one piece, as the buyer saw it."""

    key: UUID
    variant: Identity
    id: MessageId | None = None
    quantity: Annotated[int, msgspec.Meta(ge=1, le=MOST_PIECES)] = 1
    offer: Identity | None = None
    price_minor: Whole | None = None
    currency: Annotated[str, msgspec.Meta(max_length=3)] | None = None


class Renew(msgspec.Struct, tag="renew", frozen=True):
    ticket: Annotated[str, msgspec.Meta(max_length=4096)]
    id: MessageId | None = None


class Ping(msgspec.Struct, tag="ping", frozen=True):
    id: MessageId | None = None


ClientMessage = Hello | Say | AskAloud | Like | Buy | Renew | Ping

_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_encoder = msgspec.json.Encoder()


class _AnyId(msgspec.Struct):
    id: MessageId | None = None


class Unreadable(Exception):
    """Not JSON at all: the connection is closed."""


class Invalid(Exception):
    """JSON, but no message of the contract. ``message_id`` if it has one; ``field`` names the place."""

    def __init__(self, message_id: int | str | None, field: str) -> None:
        super().__init__(field)
        self.message_id = message_id
        self.field = field


def read_message(data: str) -> ClientMessage:
    """Raises Unreadable, Invalid."""
    try:
        return _decoder.decode(data)
    except msgspec.ValidationError as error:
        raise Invalid(_id_of(data), _place(str(error))) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Unreadable from None


def _id_of(data: str) -> int | str | None:
    try:
        return msgspec.json.decode(data, type=_AnyId).id
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _place(message: str) -> str:
    _, _, place = message.partition("`$.")
    return place.rstrip("`") or "type"


def encode(message: dict[str, Any]) -> bytes:
    """A frame for one watcher; ``id`` is left out when there is none."""
    if message.get("id", "") is None:
        del message["id"]
    return _encoder.encode(message)
