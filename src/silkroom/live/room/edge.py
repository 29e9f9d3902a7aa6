"""JSON in and out of the live views: bounded bodies of a declared shape, one access query, one transaction."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from silkroom.kit.errors import BodyTooLarge, Malformed
from silkroom.live.broadcasts.queries import Studio, get_studio_for, get_studio_to_lead

LARGEST_BODY = 16 * 1024

Body = TypeVar("Body", bound=msgspec.Struct)
Verb = Callable[[Studio, Any, Any], "dict[str, Any] | int | None"]
View = Callable[..., HttpResponse]


class Nothing(msgspec.Struct):
    """A body without fields."""


def decode_body(request: HttpRequest, shape: type[Body]) -> Body:
    """The request's JSON as ``shape``; an empty body is ``{}``. Raises BodyTooLarge, Malformed (names the place)."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        raise BodyTooLarge
    body = request.body
    if len(body) > LARGEST_BODY:
        raise BodyTooLarge
    try:
        return msgspec.json.decode(body or b"{}", type=shape)
    except msgspec.ValidationError as error:
        raise Malformed(field=_field_of(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed(field="body") from None


def _field_of(message: str) -> str:
    """The place in a message such as "Expected `int`, got `str` - at `$.style`"."""
    found = re.search(r"at `\$\.?([^`]+)`", message) or re.search(r"field `([^`]+)`", message)
    return found.group(1) if found else "body"


def studio_verb(shape: type[msgspec.Struct] = Nothing, *, lead: bool = False) -> Callable[[Verb], View]:
    """A studio POST: 404 for strangers, the body as ``shape``, the verb in one transaction, ``{n}`` or a dict back."""

    def wrap(verb: Verb) -> View:
        @require_POST
        @wraps(verb)
        def view(request: HttpRequest, code: str) -> HttpResponse:
            studio = (get_studio_to_lead if lead else get_studio_for)(request.user, code)
            body = decode_body(request, shape)
            with transaction.atomic():
                answer = verb(studio, body, request.user)
            return JsonResponse(answer if isinstance(answer, dict) else {"n": answer})

        return view

    return wrap
