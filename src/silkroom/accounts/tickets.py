"""Tickets: short signed leaves that one process gives and another believes, without a session or a query.

A ticket is made for one purpose and cannot be used for another (the purpose is part of the signature's salt). Short
keys that departments agree on, since a ticket travels in addresses and headers:

    p   id of the person, or null: somebody who only watches
    s   id of the shop
    c   channel that an order placed with it comes from, such as ``broadcast:K7…``

A ticket with p, s and c can place orders (`silkroom.sales.checkout.api`). Departments add keys of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.core import signing

from silkroom.kit.clock import now, to_milliseconds
from silkroom.kit.errors import Refusal

EXPIRES: Final = "x"
"""Key of the moment of expiry, milliseconds since 1970."""

LONGEST_TICKET: Final = 2048
"""Characters; a longer text is not ours and is refused before any signature is computed."""


class TicketInvalid(Refusal):
    """Not signed by this installation, or for another purpose."""

    code = "ticket_invalid"
    status = 403
    text = "This ticket is not valid here. Please reload the page."


class TicketExpired(Refusal):
    """Rightly signed, but its time is over: fetch a new one."""

    code = "ticket_expired"
    status = 403
    text = "This ticket has expired. Please reload the page."


def issue_ticket(purpose: str, payload: Mapping[str, Any], *, lifetime: timedelta) -> str:
    """A ticket that carries ``payload`` (JSON-able) until ``lifetime`` has passed; safe in an address."""
    expires_at_ms = to_milliseconds(now() + lifetime)
    return signing.dumps({**payload, EXPIRES: expires_at_ms}, salt=_salt(purpose))


def read_ticket(purpose: str, text: str) -> dict[str, Any]:
    """What the ticket carries, with `EXPIRES`. Raises TicketInvalid, TicketExpired."""
    if len(text) > LONGEST_TICKET:
        raise TicketInvalid
    try:
        payload = signing.loads(text, salt=_salt(purpose))
    except (signing.BadSignature, ValueError):
        raise TicketInvalid from None
    if not isinstance(payload, dict) or type(payload.get(EXPIRES)) is not int:
        raise TicketInvalid
    if payload[EXPIRES] <= to_milliseconds(now()):
        raise TicketExpired
    return payload


def _salt(purpose: str) -> str:
    return f"silkroom.ticket.{purpose}"
