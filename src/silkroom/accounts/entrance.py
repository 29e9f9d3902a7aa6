"""Who may open a page at all: members for merchant pages, any person (guests too) for buyer pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

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
