"""Pictures and recordings over HTTP: whole, in ranges, or "you have it already". A slow reader holds no thread.

A thread is taken only while one chunk is read from the storage; between chunks the reader's own pace is waited for by
the event loop. One way for folders and object stores: both are read through Django's storage.

A reader costs the memory of one chunk and of what the socket has not taken. So readers are counted, in all and of each
address, and who reads more slowly than any player plays is let go.
"""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from email.utils import format_datetime
from functools import partial

import structlog
from aiohttp import web
from django.core.files.storage import default_storage

from silkroom.config.media import is_public, parse_range
from silkroom.config.storage import FsspecStorage, StoredFile
from silkroom.live.relay.door import TooManyOpen

from .access import refused
from .places import Places, address_of

CHUNK_BYTES = 64 * 1024

READING_THREADS = 8
"""A folder answers within a millisecond, an object store within some fifty: reads of eight at once."""

PATIENCE_SECONDS = 120.0
"""A reader that takes nothing for so long is gone or holds the connection only; a player that was paused asks again."""

SLOWEST_BYTES = 8 * 1024
"""So many bytes taken give a second of patience back: below what a phone gets at the edge of a cell, and far below any
recording's own pace."""

MOST_READERS = 2048
"""Files on their way at a time: some 200 MB where nobody takes anything. A picture is on its way for milliseconds."""

HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "public, max-age=86400",
    # Whatever a file says it is: it runs nothing, and pages on the other port may show it.
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}

log = structlog.get_logger("silkroom.gateway")


class Files:
    """Answers for the public files of the storage."""

    def __init__(
        self,
        storage: FsspecStorage | None = None,
        *,
        max_per_address: int,
        most_readers: int = MOST_READERS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._storage = storage
        self._patience_seconds = patience_seconds
        self._places = Places(most_of_one=most_readers, most_of_address=max_per_address)
        self._threads = ThreadPoolExecutor(READING_THREADS, thread_name_prefix="files")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """``GET`` and ``HEAD`` of a file. 404 for all that is not public."""
        try:
            # All readers hold the same word: their bound is that of the gateway.
            with self._places.taken("all", address_of(request)):
                return await self._answer(request)
        except TooManyOpen as refusal:
            return refused(request, refusal)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        found = await self._find(name) if is_public(name) else None
        if found is None:
            return web.Response(status=404, text="not found\n")
        headers = {**HEADERS, "ETag": f'"{found.tag}"', "Last-Modified": _http_date(found.modified_at)}
        if _is_known(request, found):
            return web.Response(status=304, headers=headers)
        span = parse_range(request.headers.get("Range", ""), found.size) if _range_holds(request, found) else None
        if span == ():
            return web.Response(status=416, headers={"Content-Range": f"bytes */{found.size}"})
        first, last = span or (0, found.size - 1)
        if span:
            headers["Content-Range"] = f"bytes {first}-{last}/{found.size}"
        response = web.StreamResponse(status=206 if span else 200, headers=headers)
        response.content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        response.content_length = last - first + 1
        await response.prepare(request)
        if request.method != "HEAD":
            # Who goes in the middle of a file is no event.
            with contextlib.suppress(ConnectionError):
                await self._send(request, response, name, first, last)
        return response

    async def _send(self, request: web.Request, response: web.StreamResponse, name: str, first: int, last: int) -> None:
        at, patience = first, self._patience_seconds
        while at <= last:
            chunk = await self._read(name, at, min(CHUNK_BYTES, last + 1 - at))
            if not chunk:
                log.warning("a file became shorter while it was read", file=name)
                _hang_up(request)
                return
            at += len(chunk)
            begun_at = time.monotonic()
            try:
                await asyncio.wait_for(response.write(chunk), patience)
            except TimeoutError:
                _hang_up(request)
                return
            patience += len(chunk) / SLOWEST_BYTES - (time.monotonic() - begun_at)
            patience = min(patience, self._patience_seconds)

    async def _find(self, name: str) -> StoredFile | None:
        work = partial(self._kept_in.find, name)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _read(self, name: str, first: int, length: int) -> bytes:
        work = partial(self._kept_in.read_part, name, first, length)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @property
    def _kept_in(self) -> FsspecStorage:
        return self._storage or default_storage  # type: ignore[return-value]


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _is_known(request: web.Request, found: StoredFile) -> bool:
    """Whether the browser's copy is the file of now; a tag that it names goes before the moment."""
    tags = request.if_none_match
    if tags is not None:
        return any(tag.value in {found.tag, "*"} for tag in tags)
    since = request.if_modified_since
    return since is not None and _seconds(found.modified_at) <= _seconds(since)


def _range_holds(request: web.Request, found: StoredFile) -> bool:
    """A range of the copy that the browser began; of another file it would get the pieces mixed."""
    asked = request.headers.get("If-Range")
    return asked is None or asked in {f'"{found.tag}"', _http_date(found.modified_at)}


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _http_date(moment: datetime) -> str:
    return format_datetime(moment.replace(microsecond=0), usegmt=True)
