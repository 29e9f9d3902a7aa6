"""How many connections one person, one browser and one address may hold open on this gateway.

A person comes with a phone, a desk and a page that was just loaded anew; a script would come with thousands. An address
may be an office or a provider's whole net, so its bound is generous and can be set. Nothing is shared between gateways.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

from aiohttp import web
from django.conf import settings

from silkroom.kit.addresses import client_address, counted_address, is_loopback
from silkroom.live.broadcasts.tickets import Ticket
from silkroom.live.relay.door import TooManyOpen

MOST_OF_ONE = 8
"""Connections of one kind (room, picture) of one person or browser."""

MOST_REQUESTS_OF_ONE = 32
"""Requests for HLS under way at a time: a player asks for three or four at once, and waits for the next piece."""


class Places:
    """Counts one kind of connection."""

    def __init__(self, *, most_of_one: int, most_of_address: int) -> None:
        self._most_of_one = most_of_one
        self._most_of_address = most_of_address
        self._of_one: Counter[str] = Counter()
        self._of_address: Counter[str] = Counter()

    @contextlib.contextmanager
    def taken(self, holder: str, address: str) -> Iterator[None]:
        """Count a connection while it is open; an empty word is not counted. Raises TooManyOpen."""
        if self._of_one[holder] >= self._most_of_one or self._of_address[address] >= self._most_of_address:
            raise TooManyOpen
        held = [(counts, word) for counts, word in ((self._of_one, holder), (self._of_address, address)) if word]
        for counts, word in held:
            counts[word] += 1
        try:
            yield
        finally:
            for counts, word in held:
                counts[word] -= 1
                if counts[word] == 0:
                    del counts[word]


def holder_of(ticket: Ticket) -> str:
    """The person, or the browser of somebody without a name."""
    return f"person {ticket.person_id}" if ticket.person_id is not None else ticket.visitor


def address_of(request: web.BaseRequest) -> str:
    """Where the client is, as the web process sees it: behind a trusted proxy what the proxy says. "" on this machine
    itself: that is a proxy which nobody told of, or ourselves."""
    forwarded_for = ",".join(request.headers.getall("X-Forwarded-For", []))
    address = client_address(request.remote or "", forwarded_for, settings.TRUSTED_PROXIES)
    return "" if address and is_loopback(address) else counted_address(address)
