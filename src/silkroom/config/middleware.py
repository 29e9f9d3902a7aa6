"""What surrounds every request: its bounds, the content security policy, and refusals turned into answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse, parse_cookie
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import get_language_from_request, gettext, override

from silkroom.kit.addresses import client_address
from silkroom.kit.errors import BodyTooLarge, LengthMissing, Refusal
from silkroom.live.broadcasts.addresses import gateway_url

Answer = Callable[[HttpRequest], HttpResponse]


class ClientAddressMiddleware:
    """Makes REMOTE_ADDR the client's address where proxies stand in front: limits, allauth's too, count by it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Taken away, so that nobody behind reads what a client may have written itself.
        forwarded_for = request.META.pop("HTTP_X_FORWARDED_FOR", "")
        peer = request.META.get("REMOTE_ADDR", "")
        request.META["REMOTE_ADDR"] = client_address(peer, forwarded_for, settings.TRUSTED_PROXIES)
        return self.answer(request)


class KnownHostMiddleware:
    """A request for a host that is not ours is answered plainly. Everything behind builds addresses from the host, and
    Django would take each such request for an error worth a trace in the log."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            return HttpResponse("unknown host\n", status=400, content_type="text/plain; charset=utf-8")
        return self.answer(request)


MOST_BYTES = 1024**2
MOST_UPLOADED_BYTES = 32 * 1024**2

UPLOAD_PAGES = frozenset(
    {"workbench:style-pictures", "workbench:show-new", "workbench:show-change", "workbench:logo", "live:studio-cover"}
)
"""Pages with a field for files. The admin has some too."""

SIGN_IN_PAGES = frozenset({"admin:login"})

NOT_TAKEN = "silkroom.body_not_taken"
"""In the request's environ: the refusal with which the server did not take the body in, or not whole."""


class BodyLimitMiddleware:
    """Refuses a body that is too large or came too slowly, or does not say how large it is, before anything reads it.

    It stands before sessions and the CSRF check, which would parse the body: so it finds the language by itself.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refusal = self._refusal(request)
        if refusal is None:
            return self.answer(request)
        with override(get_language_from_request(request)):
            if wants_json(request):
                return JsonResponse({"error": refusal.as_json(gettext)}, status=refusal.status)
            sentence = refusal.sentence(gettext)
        return HttpResponse(sentence, status=refusal.status, content_type="text/plain; charset=utf-8")

    def _refusal(self, request: HttpRequest) -> Refusal | None:
        if NOT_TAKEN in request.META:
            refusal: Refusal = request.META[NOT_TAKEN]
            return refusal
        if "transfer-encoding" in request.headers:
            return LengthMissing()
        # Compared as text first: Python refuses to read a number of thousands of digits.
        length = request.headers.get("content-length", "").strip().lstrip("0")
        if not length.isdecimal() or (len(length) <= len(str(MOST_BYTES)) and int(length) <= MOST_BYTES):
            return None
        if len(length) > len(str(MOST_UPLOADED_BYTES)) or int(length) > most_bytes(request.META):
            return BodyTooLarge()
        return None


def most_bytes(environ: Mapping[str, Any]) -> int:
    """Bytes of a body that the page takes. Files are for people who have signed in: without a session, no page has any.

    Whose session it is, and whether it is one, shows later; what is spooled meanwhile has a bound of its own.
    """
    if settings.SESSION_COOKIE_NAME not in parse_cookie(environ.get("HTTP_COOKIE", "")):
        return MOST_BYTES
    try:
        page = resolve(environ["PATH_INFO"].encode("latin-1").decode())
    except (Resolver404, UnicodeError):
        return MOST_BYTES
    takes_files = page.view_name in UPLOAD_PAGES or page.app_name == "admin"
    return MOST_UPLOADED_BYTES if takes_files and page.view_name not in SIGN_IN_PAGES else MOST_BYTES


class HeadMiddleware:
    """HEAD is answered wherever GET is: views see a GET, and the server leaves the body out."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "HEAD":
            return self.answer(request)
        request.method = "GET"
        response = self.answer(request)
        request.method = "HEAD"
        return response


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
                f"img-src 'self' data: blob: {gateway}",
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
