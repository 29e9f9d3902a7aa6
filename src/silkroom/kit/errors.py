"""How silkroom says no.

A `Refusal` is an expected answer of the trade ("sold out", "not yours"): it has a stable code for programs, a sentence
for people and an HTTP status, and it pages nobody. Every department's ``errors.py`` derives from it. The sentence is an
English msgid with ``%(name)s`` places; whoever stands at the edge (view, gateway) translates it and fills it in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar


class Refusal(Exception):
    """Base of all expected refusals. Subclasses set ``code``, ``status`` and ``text``; ``data`` is JSON-able."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400
    text: ClassVar[str] = "This cannot be done."
    field_names: ClassVar[Mapping[str, str]] = {}
    """How the sentence calls the field that ``data["field"]`` names, msgids by code. Others go by their code."""

    def __init__(self, **data: Any) -> None:
        super().__init__(self.code)
        self.data = data

    def sentence(self, translate: Callable[[str], str] = str) -> str:
        """The text for a person. ``translate`` is gettext of the person's language."""
        places = dict(self.data)
        if name := self.field_names.get(str(places.get("field"))):
            places["field"] = translate(name)
        return translate(self.text) % places

    def as_json(self, translate: Callable[[str], str] = str) -> dict[str, Any]:
        """The body of an error answer: ``{"code", "text", "data"}``."""
        return {"code": self.code, "text": self.sentence(translate), "data": self.data}


class NotFound(Refusal):
    """The object does not exist or is not this person's: both answer alike, so nobody can probe."""

    code = "not_found"
    status = 404
    text = "This does not exist, or it is not yours to see."


class Malformed(Refusal):
    """The input is not of the agreed form. ``field`` names the place."""

    code = "malformed"
    status = 400
    text = "The field “%(field)s” cannot be read. Please check it and send again."


class TooMany(Refusal):
    """A rate or count limit was reached."""

    code = "too_many"
    status = 429
    text = "That was too much at once. Please wait a moment and try again."


class BodyTooLarge(Refusal):
    """The body of a request is larger than the page takes."""

    code = "body_too_large"
    status = 413
    text = "This is too large. Please send less at once."


class BodyTooSlow(Refusal):
    """The body of a request did not come in time."""

    code = "body_too_slow"
    status = 408
    text = "This came too slowly to be taken. Please try again where the connection is better."


class Busy(Refusal):
    """More is under way here than this machine takes on at once."""

    code = "busy"
    status = 503
    text = "A great deal is being sent here just now. Please try again in a moment."


class LengthMissing(Refusal):
    """A request whose body does not say its length."""

    code = "length_missing"
    status = 411
    text = "This request does not say how long it is. Please send it with its length."
