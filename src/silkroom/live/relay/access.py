"""Who may send and watch: questions the relay asks, answered by whoever composes the gateway.

The relay knows neither people nor shows. The gateway passes in callables that read tickets and look shows up.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from aiohttp import web

from silkroom.live.relay.errors import MediaForbidden, NoSuchStream

INGEST = "ingest"
WATCH = "watch"
HLS = "hls"

REMEMBERED_SECONDS = 2.0
"""A player asks for ten parts and playlists a second; so long is one answer good for all of them."""
MAX_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Grant:
    """What a valid ticket says. ``serial`` grows with each newly issued ticket of a broadcast (its expiry will do).
    ``holder``: whose leave may be taken back while the connection is open (`Relay.holders`); ``person``: whose
    connection it is; both in the gateway's terms."""

    broadcast_id: str
    serial: int = 0
    holder: Hashable = None
    person: str = ""


def _same_host(request: web.BaseRequest) -> bool:
    """Browsers state the page's origin; programs that are no browser state none and carry no cookies to abuse."""
    origin = request.headers.get("Origin")
    return origin is None or origin.split("://", 1)[-1] == request.host


def _no_translation(_request: web.BaseRequest) -> Callable[[str], str]:
    return str


async def _no_beginning(_broadcast_id: str, _grant: Grant | None) -> int:
    return 0


def _no_bound(_kind: str, _request: web.BaseRequest, _grant: Grant | None) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Access:
    """``read_ticket(purpose, ticket)`` raises a MediaRefusal. ``may_watch(broadcast_id, grant or None)``: None asks
    whether the show is public now. ``may_connect`` checks the Origin header before an upgrade. ``since(broadcast_id,
    grant)`` gives the relay time before which nothing is for this viewer (0: all is). ``place(kind, request, grant)``
    counts a connection or an HLS request while it is open; raises a MediaRefusal when it is one too many."""

    read_ticket: Callable[[str, str], Awaitable[Grant]]
    may_watch: Callable[[str, Grant | None], Awaitable[bool]]
    may_connect: Callable[[web.BaseRequest], bool] = _same_host
    translate: Callable[[web.BaseRequest], Callable[[str], str]] = _no_translation
    since: Callable[[str, Grant | None], Awaitable[int]] = _no_beginning
    place: Callable[[str, web.BaseRequest, Grant | None], AbstractContextManager[None]] = _no_bound


@dataclass(slots=True)
class WatchAccess:
    """Remembers for a moment whether somebody may watch."""

    access: Access
    _known: dict[tuple[str, str], tuple[float, bool, Grant | None]] = field(default_factory=dict)

    async def check(self, broadcast_id: str, ticket: str) -> Grant | None:
        """What the ticket grants. Raises a MediaRefusal; without a ticket (None) the show must be public."""
        key = (broadcast_id, ticket)
        now = time.monotonic()
        until, allowed, grant = self._known.get(key, (0.0, False, None))
        if now >= until:
            allowed, grant = await self._ask(broadcast_id, ticket)
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[key] = (now + REMEMBERED_SECONDS, allowed, grant)
        if not allowed:
            # a private show and none at all answer alike
            raise NoSuchStream()
        return grant

    async def _ask(self, broadcast_id: str, ticket: str) -> tuple[bool, Grant | None]:
        grant = None
        if ticket:
            grant = await self.access.read_ticket(WATCH, ticket)
            if grant.broadcast_id != broadcast_id:
                raise MediaForbidden()
        return await self.access.may_watch(broadcast_id, grant), grant
