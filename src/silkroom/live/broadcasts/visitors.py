"""Which browser this is, and who has been in it: a signed cookie of rooms.

It follows a browser through names: who signs out and takes another name is the same visitor. Whoever throws it away, or
takes another browser, is somebody new; nothing here claims to know better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from silkroom.kit.ids import make_code

COOKIE: Final = "silkroom_visitor"
SALT: Final = "silkroom.visitor"
KEPT_SECONDS: Final = 180 * 24 * 60 * 60
KEY_LENGTH: Final = 16

MOST_PEOPLE: Final = 8
"""The last people of a browser; a family's computer has fewer."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """``key`` names the browser; ``people`` are the codes of who it was, the latest last."""

    key: str
    people: tuple[str, ...] = ()

    def now_is(self, code: str) -> Visitor:
        """The same browser as somebody, perhaps somebody else than before."""
        return replace(self, people=(*(one for one in self.people if one != code), code)[-MOST_PEOPLE:])


def visitor_of(request: HttpRequest) -> Visitor:
    """The browser behind a request; a new one if it brings no cookie of ours."""
    signed = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=KEPT_SECONDS)
    if not signed:
        return Visitor(make_code(KEY_LENGTH))
    key, *people = signed.split(".")
    return Visitor(key, tuple(people))


def keep_visitor(response: HttpResponse, visitor: Visitor) -> None:
    """Let the browser remember."""
    response.set_signed_cookie(
        COOKIE,
        ".".join([visitor.key, *visitor.people]),
        salt=SALT,
        max_age=KEPT_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
