"""Reading shops. `get_shop_for` is the door to all merchant data: every page of a shop goes through it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.db.models import QuerySet

from silkroom.accounts.queries import is_member
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound

from .errors import InvitationOver
from .models import Invitation, Place, Shop, Staff
from .rules import ROLES_OF_TASK, Task
from .states import Role


@dataclass(frozen=True)
class Desk:
    """A shop that a person works in, and as what."""

    shop: Shop
    role: Role

    def may(self, task: Task) -> bool:
        return self.role in ROLES_OF_TASK[task]


def get_shop_for(person: object, slug: str, *roles: Role) -> Shop:
    """The shop, if the person has one of ``roles`` there (none: any). Owners may do everything. Raises NotFound."""
    return get_desk_for(person, slug, *roles).shop


def get_desk_for(person: object, slug: str, *roles: Role) -> Desk:
    """As `get_shop_for`, with the person's role. Raises NotFound."""
    if not is_member(person):
        raise NotFound
    staff = Staff.objects.select_related("shop").filter(person=person, shop__slug=slug).first()
    if staff is None or (roles and staff.role not in {*roles, Role.OWNER}):
        raise NotFound
    return Desk(staff.shop, Role(staff.role))


def get_shop_for_task(person: object, slug: str, task: Task) -> Desk:
    """The shop, if the person's role there includes the task. Raises NotFound."""
    return get_desk_for(person, slug, *ROLES_OF_TASK[task])


def find_role(person: object, shop_id: int) -> Role | None:
    """The person's role in a shop; None for strangers."""
    if not is_member(person):
        return None
    role = Staff.objects.filter(person=person, shop_id=shop_id).values_list("role", flat=True).first()
    return Role(role) if role else None


def roles_of(person: object) -> list[Desk]:
    """All shops that the person works in, oldest first."""
    if not is_member(person):
        return []
    rows = Staff.objects.select_related("shop").filter(person=person).order_by("joined_at", "id")
    return [Desk(row.shop, Role(row.role)) for row in rows]


def find_shop(slug: str) -> Shop | None:
    """A shop as anybody may see it."""
    return Shop.objects.filter(slug=slug).first()


def inside_places(shop: Shop) -> QuerySet[Place]:
    """Where the shop keeps goods: those that sell online first."""
    return Place.objects.filter(shop=shop, is_outside=False).order_by("-sells_online", "priority", "id")


def get_place_for(shop: Shop, place_id: int) -> Place:
    """An inside place of this shop. Raises NotFound."""
    place = Place.objects.filter(shop=shop, is_outside=False, pk=place_id).first()
    if place is None:
        raise NotFound
    return place


def get_outside_place(shop: Shop, kind: str) -> Place:
    """The shop's own "supplier", "customer", … Every shop has each once."""
    return Place.objects.get(shop=shop, is_outside=True, kind=kind)


def staff_of(shop: Shop) -> QuerySet[Staff]:
    """Who works in the shop."""
    return Staff.objects.select_related("person").filter(shop=shop).order_by("joined_at", "id")


def is_name_of_shop(shop: Shop, name: str, *, by: object = None) -> bool:
    """Is this clean name what the shop, or somebody who works there, is called? Nobody else goes by it; ``by`` who
    works there may."""
    people = [one.person for one in staff_of(shop)]
    if by in people:
        return False
    taken = [shop.name, shop.name_en, *(one.name for one in people)]
    return name.casefold() in {one.strip().casefold() for one in taken}


def get_staff_of(shop: Shop, staff_id: int) -> Staff:
    """A member of this shop's staff. Raises NotFound."""
    staff = Staff.objects.select_related("person").filter(shop=shop, pk=staff_id).first()
    if staff is None:
        raise NotFound
    return staff


def open_invitations(shop: Shop) -> QuerySet[Invitation]:
    """Invitations that can still be accepted."""
    return Invitation.objects.filter(shop=shop, accepted_at=None, expires_at__gt=now()).order_by("-created_at", "-id")


def hash_secret(secret: str) -> str:
    """What is kept of an invitation's secret. The secret has 256 bits of its own, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def get_open_invitation(secret: str) -> Invitation:
    """The invitation that a link names, while it can be accepted. Raises InvitationOver."""
    invitation = (
        Invitation.objects.select_related("shop", "invited_by")
        .filter(secret_hash=hash_secret(secret), accepted_at=None, expires_at__gt=now())
        .first()
    )
    if invitation is None:
        raise InvitationOver
    return invitation
