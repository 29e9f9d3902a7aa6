"""Whether staff in rooms and behind pictures still are staff: a ticket outlives a dismissal, its use must not.

Each gateway asks for the people it serves itself: one query a second, none where no staff is connected. No message can
get lost on the way, and a role that is taken by hand in the database is noticed as well.
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from silkroom.live.broadcasts.queries import lapsed_tickets
from silkroom.live.broadcasts.tickets import Ticket
from silkroom.live.relay.door import Relay

from .house import House
from .store import UNREACHABLE, Store

CHECK_SECONDS = 1.0
EXPIRED = 4401
"""The page fetches a new ticket, which names the role that its person has now."""

log = structlog.get_logger("silkroom.gateway")


class Roles:
    """Ends connections whose ticket names a role that its holder has lost."""

    def __init__(self, house: House, relay: Relay, store: Store) -> None:
        self._house = house
        self._relay = relay
        self._store = store

    async def run_forever(self) -> None:
        while True:
            with contextlib.suppress(*UNREACHABLE):
                await self._check()
            await asyncio.sleep(CHECK_SECONDS)

    async def _check(self) -> None:
        held = {seat.ticket for seats in self._house.staff.values() for seat in seats}
        held |= {holder for holder in self._relay.holders() if isinstance(holder, Ticket)}
        if not held:
            return
        lapsed = await self._store.run(lambda cursor: lapsed_tickets(cursor, held))
        if not lapsed:
            return
        for ticket in lapsed:
            log.info("a role has ended", broadcast=ticket.broadcast_id, person=ticket.person_code, role=ticket.role)
        self._relay.send_away(lapsed)
        for seat in [one for seats in self._house.staff.values() for one in seats if one.ticket in lapsed]:
            seat.close(EXPIRED, "another role")
