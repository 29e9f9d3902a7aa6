"""Who may open a page at all: members for merchant pages, any person (guests too) for buyer pages."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase

from silkroom.kit.errors import TooMany

from .queries import is_member

View = Callable[..., HttpResponseBase]


def members_only(view: View) -> View:
    """Anonymous people and guests are sent to the sign-in page and come back afterwards."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_member(request.user):
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return checked


def person_of(request: HttpRequest) -> Any:
    """The person behind a request that a guard above has let through."""
    return request.user


MOST_NEW_GUESTS = 600
NEW_GUESTS_SECONDS = 600
"""New guests of one address: a whole office or a provider's net may come in through one, a script comes in faster."""


def refuse_flood_of_guests(request: HttpRequest) -> None:
    """Count somebody who is about to become a guest. Raises TooMany."""
    address = get_adapter().get_client_ip(request)
    _count(f"guests:{address}", MOST_NEW_GUESTS, NEW_GUESTS_SECONDS)


MOST_PICTURES = 200
PICTURES_SECONDS = 600
"""Pictures that one person sends: twenty styles of ten; each is a moment's full work of a core."""


def refuse_flood_of_pictures(request: HttpRequest) -> None:
    """Count a picture that is about to be decoded. Outside a transaction, which would take the count back with it.
    Raises TooMany."""
    _count(f"pictures:{request.user.pk}", MOST_PICTURES, PICTURES_SECONDS)


def _count(what: str, most: int, seconds: int) -> None:
    key = f"{what}:{int(time.time()) // seconds}"
    cache.add(key, 0, timeout=2 * seconds)
    if cache.incr(key) > most:
        raise TooMany
