"""Serving files of the storage. In production a CDN or the proxy in front may do it; the addresses stay."""

from __future__ import annotations

import mimetypes

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from silkroom.kit.errors import NotFound

PUBLIC_FOLDERS = ("pictures/", "covers/", "shops/", "recordings/")
CHUNK = 256 * 1024
LONGEST_RANGE = 40
"""Two numbers of 19 digits and the dash: no file is longer, and Python reads no number of thousands of digits."""


def serve_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """A public file, whole or the byte range asked for (players seek by ranges). 404 for all else."""
    if not name.startswith(PUBLIC_FOLDERS) or ".." in name.split("/") or not default_storage.exists(name):
        raise NotFound
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    size = default_storage.size(name)
    span = parse_range(request.headers.get("range", ""), size)
    response: HttpResponseBase
    if span is None:
        response = FileResponse(default_storage.open(name), content_type=kind)
    elif not span:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    else:
        first, last = span
        response = StreamingHttpResponse(_slice(name, first, last), status=206, content_type=kind)
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
        response["Content-Length"] = str(last - first + 1)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "public, max-age=86400"
    response["X-Content-Type-Options"] = "nosniff"
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


def _slice(name: str, first: int, last: int):  # type: ignore[no-untyped-def]
    with default_storage.open(name) as file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
