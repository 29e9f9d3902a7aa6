"""Who may connect, watch and send: origin and ticket, both checked before the upgrade."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from django.utils import translation
from django.utils.translation import gettext

from silkroom.accounts.tickets import TicketExpired, TicketInvalid
from silkroom.config.env import Environment
from silkroom.journal.queries import Cursor
from silkroom.kit.errors import Refusal
from silkroom.live.broadcasts.queries import lapsed_tickets
from silkroom.live.broadcasts.rules import may_assist, may_lead
from silkroom.live.broadcasts.states import OVER
from silkroom.live.broadcasts.tickets import Purpose, Ticket, read_ticket
from silkroom.live.relay import errors as relay_errors
from silkroom.live.relay.door import HLS, INGEST, WATCH, Access, Grant
from silkroom.live.room.queries import last_sequences

from .places import MOST_OF_ONE, MOST_REQUESTS_OF_ONE, Places, address_of, holder_of
from .public import PublicShows
from .store import UNREACHABLE, Store

LANGUAGES = ("zh-hans", "en")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Origins:
    """Pages of this installation: those of its public address, and those of the host that the gateway is called by."""

    public: str
    hosts: frozenset[str]

    @classmethod
    def of(cls, environment: Environment) -> Origins:
        public = urlsplit(environment.public_url)
        origin = f"{public.scheme}://{public.netloc}" if public.netloc else ""
        return cls(origin.lower(), frozenset(host.lower() for host in environment.allowed_hosts))

    def allow(self, request: web.BaseRequest) -> bool:
        """Browsers always name the page's origin; programs that name none carry no cookies to abuse."""
        origin = request.headers.get("Origin")
        if origin is None:
            return True
        if self.public and origin.lower() == self.public:
            return True
        named = _host_of(origin)
        return named != "" and (named == _host_of(f"//{request.host}") or named in self.hosts)


def _host_of(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


@lru_cache(maxsize=2048)
def translated(language: str, text: str) -> str:
    """A sentence of the code in a language. Kept: when a sale is over, thousands are told the same at once."""
    with translation.override(language):
        return gettext(text)


def translator(language: str) -> Callable[[str], str]:
    """gettext of one language, for any later moment."""
    return partial(translated, language)


def language_of(request: web.BaseRequest) -> str:
    """zh-hans or en, by what the browser prefers."""
    preferred = request.headers.get("Accept-Language", "")[:200].lower()
    for part in preferred.split(","):
        word = part.split(";")[0].strip()
        if word.startswith("en"):
            return "en"
        if word.startswith("zh"):
            return "zh-hans"
    return LANGUAGES[0]


def refused(request: web.Request, refusal: Refusal) -> web.Response:
    """The answer of a door of the gateway that says no."""
    body = {"error": refusal.as_json(translator(language_of(request)))}
    return web.json_response(body, status=refusal.status, headers={"Cache-Control": "no-store"})


class MediaAccess:
    """Answers the relay's questions from tickets and the show's state."""

    def __init__(self, store: Store, origins: Origins, public: PublicShows, *, max_per_address: int) -> None:
        self._store = store
        self._public = public
        connections = Places(most_of_one=MOST_OF_ONE, most_of_address=max_per_address)
        requests = Places(most_of_one=MOST_REQUESTS_OF_ONE, most_of_address=max_per_address)
        self._places = {WATCH: connections, INGEST: connections, HLS: requests}
        self.access = Access(
            read_ticket=self._read_ticket,
            may_watch=self._may_watch,
            may_connect=origins.allow,
            translate=lambda request: translator(language_of(request)),
            since=self._since,
            place=self._place,
        )

    async def _read_ticket(self, purpose: str, text: str) -> Grant:
        try:
            ticket = read_ticket(Purpose(purpose), text)
        except TicketExpired:
            raise relay_errors.TicketExpired from None
        except TicketInvalid:
            raise relay_errors.MediaForbidden from None
        if purpose == Purpose.INGEST:
            await self._check_sender(ticket)
        holder = ticket if may_assist(ticket.role) else None
        return Grant(str(ticket.broadcast_id), ticket.expires_at_ms, holder, holder_of(ticket))

    def _place(self, kind: str, request: web.BaseRequest, grant: Grant | None) -> AbstractContextManager[None]:
        return self._places[kind].taken(grant.person if grant else "", address_of(request))

    async def _check_sender(self, ticket: Ticket) -> None:
        """A sender that comes back after the end would begin a second recording."""
        state = await self._state(ticket.broadcast_id)
        if not may_lead(ticket.role) or state in (None, *OVER) or await self._is_lapsed(ticket):
            raise relay_errors.MediaForbidden

    async def _may_watch(self, broadcast_id: str, grant: Grant | None) -> bool:
        """Whoever has a ticket was judged when it was issued, staff is judged again; without one, the show must be
        public."""
        if grant is not None:
            return not isinstance(grant.holder, Ticket) or not await self._is_lapsed(grant.holder)
        if not broadcast_id.isdecimal():
            return False
        try:
            return await self._public.has(int(broadcast_id))
        except UNREACHABLE:
            raise relay_errors.GatewayFull from None

    async def _since(self, broadcast_id: str, grant: Grant | None) -> int:
        """Staff may see the rehearsal that went before; nobody else, not even its last seconds."""
        if not broadcast_id.isdecimal() or (grant is not None and isinstance(grant.holder, Ticket)):
            return 0
        try:
            return await self._public.since(int(broadcast_id))
        except UNREACHABLE:
            raise relay_errors.GatewayFull from None

    async def _state(self, broadcast_id: int) -> str | None:
        known = await self._ask(lambda cursor: last_sequences(cursor, [broadcast_id]))
        return known[broadcast_id][1] if broadcast_id in known else None

    async def _is_lapsed(self, ticket: Ticket) -> bool:
        return bool(await self._ask(lambda cursor: lapsed_tickets(cursor, [ticket])))

    async def _ask(self, query: Callable[[Cursor], T]) -> T:
        try:
            return await self._store.run(query)
        except UNREACHABLE:
            raise relay_errors.GatewayFull from None
