"""Reads of tills. A device reaches its own till only, staff their shop's."""

from __future__ import annotations

from dataclasses import dataclass

from silkroom.accounts.models import Person
from silkroom.accounts.queries import is_member
from silkroom.accounts.tickets import TicketExpired, TicketInvalid, read_ticket
from silkroom.kit.errors import NotFound
from silkroom.shops.models import Place, Shop
from silkroom.shops.queries import find_role, inside_places
from silkroom.shops.rules import Task, may_do
from silkroom.shops.states import PlaceKind, Role

from .errors import ClerkMissing, TillNotPaired
from .models import Device, Shift, Till

TICKET_PURPOSE = "till"
DEVICE = "d"
"""Key of the device's id in its token."""

SHIFTS_ON_A_PAGE = 30


@dataclass(frozen=True)
class Clerk:
    """Somebody at a till, and as what."""

    person: Person
    role: Role


def get_device(token: str) -> Device:
    """The device that a token was given to, while it is the till. Raises TillNotPaired."""
    try:
        number = read_ticket(TICKET_PURPOSE, token).get(DEVICE)
    except (TicketInvalid, TicketExpired):
        raise TillNotPaired from None
    device = (
        Device.objects.select_related("till__shop", "till__place").filter(pk=number, revoked_at=None).first()
        if type(number) is int
        else None
    )
    if device is None:
        raise TillNotPaired
    return device


def find_clerk(person: object, till: Till) -> Clerk | None:
    """The person as a clerk of this till; None for everybody else."""
    role = find_role(person, till.shop_id)
    if role is None or not may_do(role, Task.TILL) or not is_member(person):
        return None
    return Clerk(person, role)


def get_clerk(person: object, till: Till) -> Clerk:
    """As `find_clerk`. Raises ClerkMissing."""
    clerk = find_clerk(person, till)
    if clerk is None:
        raise ClerkMissing
    return clerk


def tills_of(shop: Shop) -> list[Till]:
    """The shop's tills with their places, in their order. 1 SQL query."""
    return list(Till.objects.filter(shop=shop).select_related("place", "shop").order_by("number"))


def get_till_of(shop: Shop, code: str) -> Till:
    """A till of this shop. Raises NotFound."""
    till = Till.objects.select_related("shop", "place").filter(shop=shop, code=code).first()
    if till is None:
        raise NotFound
    return till


def stores_of(shop: Shop) -> list[Place]:
    """Where tills may stand."""
    return [place for place in inside_places(shop) if place.kind == PlaceKind.STORE]


def find_device(till: Till) -> Device | None:
    """The device that is the till now."""
    return Device.objects.filter(till=till, revoked_at=None).first()


def find_open_shift(till: Till) -> Shift | None:
    """The shift that is open."""
    return Shift.objects.select_related("opened_by").filter(till=till, closed_at=None).first()


def shifts_of(till: Till) -> list[Shift]:
    """The latest shifts, newest first."""
    shifts = Shift.objects.filter(till=till).select_related("opened_by", "closed_by")
    return list(shifts.order_by("-opened_at", "-id")[:SHIFTS_ON_A_PAGE])


def get_shift_of(shop: Shop, shift_id: int) -> Shift:
    """A shift at a till of this shop. Raises NotFound."""
    shift = (
        Shift.objects.select_related("till__shop", "opened_by", "closed_by")
        .filter(till__shop=shop, pk=shift_id)
        .first()
    )
    if shift is None:
        raise NotFound
    return shift
