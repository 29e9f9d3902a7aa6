"""Guests at the entrance: who only chose a name is signed in for the room, but nobody yet for the sign-in pages."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

ENTRANCE = "/accounts/"
WAY_OUT = "/accounts/logout/"


class GuestEntranceMiddleware:
    """Under /accounts/ a guest counts as anonymous, so that they may sign in; ``request.guest`` remembers them."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponse]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.guest = None  # type: ignore[attr-defined]
        at_entrance = request.path.startswith(ENTRANCE) and not request.path.startswith(WAY_OUT)
        if at_entrance and getattr(request.user, "is_guest", False):
            request.guest = request.user  # type: ignore[attr-defined]
            request.user = AnonymousUser()
        return self.answer(request)
