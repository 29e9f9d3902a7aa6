"""LL-HLS over HTTP: playlists with blocking reload, initialisation segments, parts and segments, fit for a CDN."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web

from silkroom.live.relay.access import HLS, WatchAccess
from silkroom.live.relay.core.segments import TARGET_DURATION_SECONDS
from silkroom.live.relay.core.shelf import Shelf
from silkroom.live.relay.errors import BadReload, NoSuchStream, ReloadTimeout
from silkroom.live.relay.stream import Stream

PLAYLIST = "application/vnd.apple.mpegurl"
MEDIA = "video/mp4"

FIRST_PART_SECONDS = 6.0
"""A player that comes before the first part, or to a gateway that must first fetch the stream, waits so long."""
RELOAD_SECONDS = 3.0 * TARGET_DURATION_SECONDS

Answer = Callable[[web.Request, Stream, str], Awaitable[web.StreamResponse]]

_FILE = re.compile(r"(?:(init)-(\d{1,16})|(segment)-(\d{1,16})|(part)-(\d{1,16})-(\d{1,5}))\.mp4")


class HlsDoor:
    """Handlers under ``/gateway/hls/<broadcast>/``."""

    def __init__(
        self,
        access: WatchAccess,
        find_stream: Callable[[str], Awaitable[Stream]],
        clock_us: Callable[[], int],
    ) -> None:
        self._access = access
        self._clock_us = clock_us
        self._find_stream = find_stream
        self.requests = 0

    async def master(self, request: web.Request) -> web.StreamResponse:
        return await self._enter(request, self._master)

    async def media(self, request: web.Request) -> web.StreamResponse:
        return await self._enter(request, self._media)

    async def file(self, request: web.Request) -> web.StreamResponse:
        if _FILE.fullmatch(request.match_info["name"]) is None:
            raise NoSuchStream()
        return await self._enter(request, self._file)

    async def _enter(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        self.requests += 1
        broadcast_id = request.match_info["broadcast"]
        ticket = request.query.get("ticket", "")
        if len(ticket) > 2048:
            raise BadReload()
        grant = await self._access.check(broadcast_id, ticket)
        with self._access.access.place(HLS, request, grant):
            stream = await self._find_stream(broadcast_id)
            stream.open_from(await self._access.access.since(broadcast_id, grant))
            return await answer(request, stream, ticket)

    async def _master(self, _request: web.Request, stream: Stream, ticket: str) -> web.StreamResponse:
        await _wait(stream, FIRST_PART_SECONDS, lambda: bool(stream.shelf.segments), NoSuchStream)
        text = stream.shelf.master_playlist(_query(ticket))
        return _answer(text.encode(), PLAYLIST, ticket, "max-age=2")

    async def _media(self, request: web.Request, stream: Stream, ticket: str) -> web.StreamResponse:
        shelf = stream.shelf
        number, part = _reload(request)
        await _wait(stream, FIRST_PART_SECONDS, lambda: bool(shelf.segments), NoSuchStream)
        if number is None:
            answer = _answer(shelf.media_playlist(_query(ticket)).encode(), PLAYLIST, ticket, "max-age=1")
            # players that have no WebSocket measure their delay by this
            answer.headers["X-Now-Ms"] = str(self._clock_us() // 1000)
            return answer
        if shelf.is_too_far(number, part):
            raise BadReload()
        wanted = number
        await _wait(stream, RELOAD_SECONDS, lambda: shelf.has(wanted, part), ReloadTimeout)
        # the address names one state of the list, so a CDN may keep it as long as players ask for it
        age = 6 * TARGET_DURATION_SECONDS
        return _answer(shelf.media_playlist(_query(ticket)).encode(), PLAYLIST, ticket, f"max-age={age}")

    async def _file(self, request: web.Request, stream: Stream, ticket: str) -> web.StreamResponse:
        match = _FILE.fullmatch(request.match_info["name"])
        assert match is not None
        await _wait(stream, FIRST_PART_SECONDS, lambda: bool(stream.shelf.segments), NoSuchStream)
        kind = match[1] or match[3] or match[5]
        if kind == "part":
            data = await _part(stream, int(match[6]), int(match[7]))
        else:
            data = _whole(stream.shelf, kind, int(match[2] or match[4]))
        return _answer(data, MEDIA, ticket, "max-age=3600, immutable")


def _reload(request: web.Request) -> tuple[int | None, int | None]:
    """The delivery directives ``_HLS_msn`` and ``_HLS_part`` (6.2.5.2)."""
    numbers: list[int | None] = []
    for name in ("_HLS_msn", "_HLS_part"):
        raw = request.query.get(name)
        if raw is None:
            numbers.append(None)
        elif raw.isascii() and raw.isdigit() and len(raw) <= 16:
            numbers.append(int(raw))
        else:
            raise BadReload()
    number, part = numbers
    if number is None and part is not None:
        raise BadReload()
    return number, part


async def _part(stream: Stream, number: int, index: int) -> bytes:
    """A part; the one that the preload hint names is waited for."""
    shelf = stream.shelf
    if shelf.is_awaited_part(number, index):
        await _wait(stream, RELOAD_SECONDS, lambda: not shelf.is_awaited_part(number, index), ReloadTimeout)
    part = shelf.part(number, index)
    if part is None:
        raise NoSuchStream()
    return part.data


def _whole(shelf: Shelf, kind: str, number: int) -> bytes:
    if kind == "init":
        init = shelf.inits.get(number)
        if init is None:
            raise NoSuchStream()
        return init.data
    segment = shelf.segment(number)
    if segment is None or not segment.complete:
        raise NoSuchStream()
    return segment.data()


async def _wait(
    stream: Stream,
    seconds: float,
    done: Callable[[], bool],
    otherwise: type[NoSuchStream] | type[ReloadTimeout],
) -> None:
    if done():
        return
    try:
        async with asyncio.timeout(seconds):
            while not done():
                await stream.wait_for_change()
    except TimeoutError:
        raise otherwise() from None


def _query(ticket: str) -> str:
    return f"?ticket={quote(ticket)}" if ticket else ""


def _answer(body: bytes, kind: str, ticket: str, keep: str) -> web.Response:
    """Anything behind a ticket is private; a public show may be kept by any CDN."""
    control = f"public, {keep}"
    if ticket:
        control = "private, no-store" if kind == PLAYLIST else f"private, {keep}"
    return web.Response(body=body, content_type=kind, headers={"Cache-Control": control, **CROSS_ORIGIN})


CROSS_ORIGIN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-Now-Ms"}
