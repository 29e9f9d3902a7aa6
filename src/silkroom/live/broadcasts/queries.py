"""Reading shows. `get_studio_for` is the door to everything a shop's staff do in a show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet

from silkroom.journal.queries import Cursor
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.shops.queries import find_role

from .models import Broadcast
from .rules import RoomRole, may_assist, may_lead, room_role
from .states import RUNNING, BroadcastState
from .tickets import Ticket


@dataclass(frozen=True)
class Studio:
    """A show as a member of its staff holds it."""

    broadcast: Broadcast
    role: RoomRole

    @property
    def may_lead(self) -> bool:
        return may_lead(self.role)


def get_show(code: str) -> Broadcast:
    """A show as anybody may see it. Raises NotFound."""
    broadcast = Broadcast.objects.select_related("shop", "host").filter(code=code).first()
    if broadcast is None:
        raise NotFound
    return broadcast


def role_in(broadcast: Broadcast, person: object) -> RoomRole:
    """What the person (or visitor) is in this room."""
    return room_role(find_role(person, broadcast.shop_id))


_ROLES = """
    SELECT staff.person_id, staff.shop_id, staff.role
    FROM unnest(%s::bigint[], %s::bigint[]) AS held(person, shop)
    JOIN shops_staff staff ON staff.person_id = held.person AND staff.shop_id = held.shop
    JOIN accounts_person person ON person.id = staff.person_id AND person.is_active
"""


def lapsed_tickets(cursor: Cursor, tickets: Iterable[Ticket]) -> set[Ticket]:
    """Those whose holder no longer has the role that they name: a ticket outlives a dismissal by minutes. Tickets of
    viewers name nothing that could be lost."""
    named = [ticket for ticket in tickets if may_assist(ticket.role)]
    if not named:
        return set()
    cursor.execute(_ROLES, ([one.person_id for one in named], [one.shop_id for one in named]))
    roles = {(person_id, shop_id): room_role(role) for person_id, shop_id, role in cursor.fetchall()}
    return {one for one in named if roles.get((one.person_id or 0, one.shop_id)) != one.role}


def get_studio_for(person: object, code: str) -> Studio:
    """The show, for those who help in it: owner, host, assistant. Raises NotFound for everybody else."""
    broadcast = get_show(code)
    role = role_in(broadcast, person)
    if not may_assist(role):
        raise NotFound
    return Studio(broadcast, role)


def get_studio_to_lead(person: object, code: str) -> Studio:
    """As `get_studio_for`, for owner and host alone."""
    studio = get_studio_for(person, code)
    if not studio.may_lead:
        raise NotFound
    return studio


def shows_of(shop_id: int) -> QuerySet[Broadcast]:
    """All shows of a shop, newest first."""
    return Broadcast.objects.select_related("host", "shop").filter(shop_id=shop_id).order_by("-created_at", "-id")


def shows_on_air() -> QuerySet[Broadcast]:
    """What can be watched now, latest first."""
    return Broadcast.objects.select_related("shop", "host").filter(state__in=RUNNING).order_by("-started_at", "-id")


def shows_to_come() -> QuerySet[Broadcast]:
    """Planned with a moment that has not long passed, soonest first."""
    return (
        Broadcast.objects.select_related("shop", "host")
        .filter(
            state__in=(BroadcastState.PLANNED, BroadcastState.REHEARSING),
            planned_at__gt=now() - timedelta(hours=2),
        )
        .order_by("planned_at", "id")
    )


def shows_past() -> QuerySet[Broadcast]:
    """Ended, latest first."""
    return (
        Broadcast.objects.select_related("shop", "host").filter(state=BroadcastState.ENDED).order_by("-ended_at", "-id")
    )
