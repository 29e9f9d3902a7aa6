"""Which files of the storage are public, and where they are read: at the gateway, whose slow readers hold no thread.

Their addresses begin with ``/gateway/``. Behind a proxy that joins both processes under one name they lead there; alone
on a machine, where the gateway has a port of its own, the pages' port sends the browser on.
"""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from silkroom.kit.errors import NotFound
from silkroom.live.broadcasts.addresses import gateway_url

PUBLIC_FOLDERS = ("pictures", "covers", "shops", "recordings")

LONGEST_NAME = 200

LONGEST_RANGE = 40
"""Two numbers of 19 digits and the dash: no file is longer, and Python reads no number of thousands of digits."""

KNOWN_SECONDS = 3600
"""How long a browser remembers where the gateway is."""


def is_public(name: str) -> bool:
    """Whether everybody may read the file of this name. No name of a public file leads out of its folder."""
    folder, *rest = name.split("/")
    if folder not in PUBLIC_FOLDERS or not rest or len(name) > LONGEST_NAME or not name.isprintable():
        return False
    return all(part.strip(".") for part in rest)


@require_safe
def show_the_way(request: HttpRequest, name: str) -> HttpResponse:
    """Sends the browser to the gateway. Raises NotFound for what is not public, and where this is the gateway's name:
    a proxy that brings the gateway's addresses here would be asked for ever."""
    gateway = gateway_url(request)
    if not is_public(name) or gateway == f"{request.scheme}://{request.get_host()}":
        raise NotFound
    response = HttpResponseRedirect(f"{gateway}{settings.MEDIA_URL}{quote(name)}")
    response["Cache-Control"] = f"public, max-age={KNOWN_SECONDS}"
    return response


def parse_range(header: str, size: int) -> tuple[int, int] | tuple[()] | None:
    """(first, last) of a single ``bytes=`` range; () if it cannot be satisfied; None if there is none to obey."""
    unit, _, spec = header.partition("=")
    start, dash, end = spec.partition("-")
    if unit != "bytes" or not dash or "," in spec or not (start.isdecimal() or start == "") or not (start or end):
        return None
    if (end and not end.isdecimal()) or len(spec) > LONGEST_RANGE:
        return None
    first = int(start) if start else max(0, size - int(end))
    last = min(int(end), size - 1) if start and end else size - 1
    return (first, last) if first <= last else ()
