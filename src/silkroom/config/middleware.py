"""What surrounds every request: the content security policy, and refusals turned into answers."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext

from silkroom.kit.errors import Refusal
from silkroom.live.broadcasts.addresses import gateway_url

Answer = Callable[[HttpRequest], HttpResponse]


class ContentSecurityMiddleware:
    """Scripts only from this host, connections only to it and to the gateway. The admin's own scripts need more."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.answer(request)
        if "Content-Security-Policy" not in response:
            response["Content-Security-Policy"] = self._policy(request)
        response["Permissions-Policy"] = "camera=(self), microphone=(self), geolocation=()"
        return response

    def _policy(self, request: HttpRequest) -> str:
        gateway = gateway_url(request)
        socket = gateway.replace("http", "ws", 1)
        script = "'self' 'unsafe-inline' 'unsafe-eval'" if request.path.startswith("/admin/") else "'self'"
        return "; ".join(
            [
                "default-src 'self'",
                f"script-src {script}",
                "style-src 'self' 'unsafe-inline'",
                "img-src 'self' data: blob:",
                f"media-src 'self' blob: {gateway}",
                f"connect-src 'self' {gateway} {socket}",
                "worker-src 'self' blob:",
                "object-src 'none'",
                "base-uri 'self'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            ]
        )


class RefusalMiddleware:
    """Turns a `Refusal` into JSON for programs and a page for people, in their language."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Refusal):
            return None
        if wants_json(request):
            return JsonResponse({"error": error.as_json(gettext)}, status=error.status)
        template = "404.html" if error.status == 404 else "refusal.html"
        return render(request, template, {"refusal": error, "sentence": error.sentence(gettext)}, status=error.status)


def wants_json(request: HttpRequest) -> bool:
    """Did a program ask, or a page's script?"""
    return "application/json" in request.headers.get("accept", "") or request.content_type == "application/json"


def origin_of(url: str) -> str:
    """scheme://host:port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
