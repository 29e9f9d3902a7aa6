"""Which kind of answer a request wants."""

from __future__ import annotations

from django.http import HttpRequest


def wants_json(request: HttpRequest) -> bool:
    """Did a script ask, rather than a person's form?"""
    return "application/json" in request.headers.get("accept", "") or request.content_type == "application/json"
