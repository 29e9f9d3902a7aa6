"""Reading shows. `get_studio_for` is the door to everything a shop's staff do in a show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet

from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.shops.queries import find_role

from .models import Broadcast
from .rules import RoomRole, may_assist, may_lead, room_role
from .states import RUNNING, BroadcastState


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
