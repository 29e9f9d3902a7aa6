"""Tickets of a show: who may enter its room, watch its picture, or send it.

Keys p, s and c have the meaning of `silkroom.accounts.tickets`, so that a room ticket also opens the HTTP order door.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from silkroom.accounts import tickets
from silkroom.accounts.tickets import TicketInvalid

from .rules import RoomRole

LIFETIME: Final = timedelta(minutes=10)
CHANNEL: Final = "broadcast:"


class Purpose(StrEnum):
    """What a ticket is for; one for another purpose is refused."""

    ROOM = "room"
    WATCH = "watch"
    INGEST = "ingest"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A read ticket. ``person_id`` None: watches without a name. ``visitor``: the browser (`visitors`), for the
    gateway alone: no room ever tells it."""

    broadcast_id: int
    broadcast_code: str
    shop_id: int
    person_id: int | None
    person_code: str
    name: str
    role: RoomRole
    expires_at_ms: int
    visitor: str = ""

    @property
    def channel(self) -> str:
        """Where orders placed with it come from."""
        return channel_of(self.broadcast_code)

    @property
    def may_speak(self) -> bool:
        """Has a person and a name."""
        return self.person_id is not None and self.name != ""


def channel_of(broadcast_code: str) -> str:
    """The channel of orders and offers of a show."""
    return CHANNEL + broadcast_code


def issue_ticket(
    purpose: Purpose,
    *,
    broadcast_id: int,
    broadcast_code: str,
    shop_id: int,
    person_id: int | None,
    person_code: str,
    name: str,
    role: RoomRole,
    visitor: str = "",
    lifetime: timedelta = LIFETIME,
) -> str:
    """Sign a ticket."""
    payload = {
        "b": broadcast_id,
        "c": channel_of(broadcast_code),
        "s": shop_id,
        "p": person_id,
        "k": person_code,
        "n": name,
        "r": role.value,
        "v": visitor,
    }
    return tickets.issue_ticket(purpose.value, payload, lifetime=lifetime)


def read_ticket(purpose: Purpose, text: str) -> Ticket:
    """Check and read a ticket. Raises TicketInvalid, TicketExpired."""
    payload = tickets.read_ticket(purpose.value, text)
    try:
        return Ticket(
            broadcast_id=int(payload["b"]),
            broadcast_code=str(payload["c"]).removeprefix(CHANNEL),
            shop_id=int(payload["s"]),
            person_id=None if payload["p"] is None else int(payload["p"]),
            person_code=str(payload["k"]),
            name=str(payload["n"]),
            role=RoomRole(payload["r"]),
            expires_at_ms=int(payload[tickets.EXPIRES]),
            visitor=str(payload["v"]),
        )
    except (KeyError, ValueError, TypeError):
        raise TicketInvalid from None
