"""Writing shops: opening, places, staff and invitations. Callers fetched the shop through an access query."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction

from silkroom.accounts.errors import NameUnusable
from silkroom.accounts.models import Person
from silkroom.accounts.rules import clean_name
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.kit.ids import make_code

from .errors import (
    AlreadyStaff,
    ContactUnusable,
    CurrencyUnknown,
    InvitationOver,
    LastOwner,
    MembersOnly,
    NameMissing,
    NoPlace,
    PlaceNameTaken,
    RegionUnknown,
    TimeZoneUnknown,
    TooManyInvitations,
    TooManyPlaces,
    TooManyShops,
)
from .models import Invitation, Place, Shop, Staff
from .queries import hash_secret, open_invitations
from .regions import find_region
from .rules import (
    LONGEST_CONTACT,
    MOST_PLACES,
    MOST_SHOPS,
    is_currency,
    is_time_zone,
    kind_that_sells_online,
    slug_candidates,
    slug_of,
)
from .states import OUTSIDE_KINDS, PlaceKind, Role

LONGEST_SHOP_NAME = 60
TOLD_WHOLE = frozenset({"name", "currency", "time_zone"})
"""Of these the journal also keeps what they were."""

INVITATION_LASTS = timedelta(days=7)
MOST_OPEN_INVITATIONS = 30
MOST_INVITATIONS_AN_HOUR = 20

OUTSIDE_NAMES = {
    PlaceKind.SUPPLIER: "(supplier)",
    PlaceKind.WORK_IN_PROGRESS: "(work in progress)",
    PlaceKind.CUSTOMER: "(customer)",
    PlaceKind.SCRAP: "(scrap)",
    PlaceKind.COUNT_DIFFERENCE: "(count difference)",
}
"""Names of rows that people never name; pages show the kind, translated."""


def open_shop(
    *,
    person: Person,
    name: str,
    region_code: str,
    places: Mapping[PlaceKind, str] | Sequence[PlaceKind] = (PlaceKind.WAREHOUSE,),
    name_en: str = "",
    about: str = "",
    currency: str = "CNY",
    time_zone: str = "Asia/Shanghai",
) -> Shop:
    """Open a shop with the person as its owner, the chosen places (kind, or kind and name) and all that lies outside.

    Raises MembersOnly, NameMissing, RegionUnknown, NoPlace, PlaceNameTaken, TooManyShops.
    """
    if person.is_guest:
        raise MembersOnly
    # The person's row is the lock of the bound.
    Person.objects.select_for_update().get(pk=person.pk)
    if Staff.objects.filter(person=person, role=Role.OWNER).count() >= MOST_SHOPS:
        raise TooManyShops(most=MOST_SHOPS)
    if find_region(region_code) is None:
        raise RegionUnknown
    named = places if isinstance(places, Mapping) else {kind: kind.value for kind in places}
    if not named:
        raise NoPlace
    shop = _insert_shop(
        Shop(
            name=_name(name),
            name_en=_name(name_en) if name_en.strip() else "",
            about=about.strip()[:2000],
            region_code=region_code,
            currency=currency,
            time_zone=time_zone,
        )
    )
    sells_online = kind_that_sells_online(named)
    for priority, (kind, place_name) in enumerate(named.items()):
        _insert_place(shop, kind, place_name, sells_online=kind == sells_online, priority=priority)
    Place.objects.bulk_create(
        Place(shop=shop, kind=kind, name=OUTSIDE_NAMES[kind], is_outside=True) for kind in OUTSIDE_KINDS
    )
    Staff.objects.create(shop=shop, person=person, role=Role.OWNER)
    append_entry(kind="shop.opened", shop_id=shop.pk, data={"shop": shop.slug, "person": person.code})
    return shop


def _name(text: str) -> str:
    try:
        return clean_name(text, longest=LONGEST_SHOP_NAME)
    except NameUnusable:
        raise NameMissing(longest=LONGEST_SHOP_NAME) from None


def _insert_shop(shop: Shop) -> Shop:
    """Insert under the first free address. The constraint decides, so two openers cannot both have it."""
    candidates = list(slug_candidates(slug_of(shop.name_en, shop.name), make_code(8)))
    for slug in candidates:
        shop.slug = slug
        try:
            with transaction.atomic():
                shop.save(force_insert=True)
        except IntegrityError:
            shop.pk = None
            if slug == candidates[-1]:
                raise
        else:
            return shop
    raise AssertionError("the last candidate either was inserted or raised")


def change_shop(
    *, shop: Shop, name: str, name_en: str, about: str, region_code: str, contact: str, time_zone: str
) -> Shop:
    """Correct how a shop presents itself and whose clock it goes by; its address stays.

    Raises NameMissing, RegionUnknown, ContactUnusable, TimeZoneUnknown.
    """
    if find_region(region_code) is None:
        raise RegionUnknown
    if not is_time_zone(time_zone):
        raise TimeZoneUnknown
    line = " ".join(contact.split())
    if len(line) > LONGEST_CONTACT:
        raise ContactUnusable(longest=LONGEST_CONTACT)
    _set(
        shop,
        name=_name(name),
        name_en=_name(name_en) if name_en.strip() else "",
        about=about.strip()[:2000],
        region_code=region_code,
        contact=line,
        time_zone=time_zone,
    )
    return shop


def set_currency(*, shop: Shop, currency: str) -> None:
    """In which currency prices are written; `sales.orders` says when it may change. Raises CurrencyUnknown."""
    if not is_currency(currency):
        raise CurrencyUnknown
    _set(shop, currency=currency)


def set_logo(*, shop: Shop, name: str) -> str:
    """The shop's mark: a stored picture, "" for none. Returns the name of the one before."""
    former = shop.logo.name or ""
    if former != name:
        shop.logo.name = name
        shop.save(update_fields=["logo"])
        _tell_shop(shop, ["logo"])
    return former


def _set(shop: Shop, **values: str) -> None:
    """Write what differs, and say which it was."""
    changed = [field for field, value in values.items() if getattr(shop, field) != value]
    if not changed:
        return
    before = {field: getattr(shop, field) for field in changed if field in TOLD_WHOLE}
    for field in changed:
        setattr(shop, field, values[field])
    shop.save(update_fields=changed)
    _tell_shop(shop, changed, before=before, after={field: values[field] for field in before})


def _tell_shop(shop: Shop, changed: Sequence[str], **more: object) -> None:
    append_entry(kind="shop.changed", shop_id=shop.pk, data={"shop": shop.slug, "changed": list(changed), **more})


def add_place(*, shop: Shop, kind: PlaceKind, name: str, sells_online: bool = False) -> Place:
    """A workshop, warehouse or store of the shop. Raises NameMissing, PlaceNameTaken, TooManyPlaces."""
    if kind in OUTSIDE_KINDS:
        raise ValueError(f"{kind} lies outside; every shop has it already")
    Shop.objects.select_for_update().get(pk=shop.pk)
    count = Place.objects.filter(shop=shop, is_outside=False).count()
    if count >= MOST_PLACES:
        raise TooManyPlaces(most=MOST_PLACES)
    place = _insert_place(shop, kind, name, sells_online=sells_online, priority=count)
    _tell_place(place, "shop.place_added", ["name", "sells_online"])
    return place


def _insert_place(shop: Shop, kind: PlaceKind, name: str, *, sells_online: bool, priority: int) -> Place:
    return _save_place(Place(shop=shop, kind=kind, name=_name(name), sells_online=sells_online, priority=priority))


def change_place(*, place: Place, name: str, sells_online: bool) -> Place:
    """Rename an inside place, or change whether web and show sell from it. Raises NameMissing, PlaceNameTaken.

    Running rooms hear of it: what may be sold there changes with it.
    """
    wanted = {"name": _name(name), "sells_online": sells_online}
    changed = [field for field, value in wanted.items() if getattr(place, field) != value]
    if changed:
        place.name, place.sells_online = _name(name), sells_online
        _save_place(place)
        _tell_place(place, "shop.place_changed", changed)
    return place


def _tell_place(place: Place, kind: str, changed: Sequence[str]) -> None:
    values = {field: getattr(place, field) for field in changed}
    append_entry(kind=kind, shop_id=place.shop_id, data={"place": place.code, **values})


def _save_place(place: Place) -> Place:
    try:
        with transaction.atomic():
            place.save()
    except IntegrityError as error:
        raise PlaceNameTaken(name=place.name) from error
    return place


@dataclass(frozen=True)
class Invited:
    """An invitation and its secret, which exists only in this answer and in the link."""

    invitation: Invitation
    secret: str


def invite_staff(*, shop: Shop, by: Person, role: Role, contact: str) -> Invited:
    """Make a link that is good once, for 7 days. ``contact``: for whom. Raises NameUnusable, TooManyInvitations."""
    Shop.objects.select_for_update().get(pk=shop.pk)
    moment = now()
    lately = Invitation.objects.filter(shop=shop, created_at__gt=moment - timedelta(hours=1)).count()
    if lately >= MOST_INVITATIONS_AN_HOUR:
        raise TooManyInvitations(most=MOST_INVITATIONS_AN_HOUR)
    if open_invitations(shop).count() >= MOST_OPEN_INVITATIONS:
        raise TooManyInvitations(most=MOST_OPEN_INVITATIONS)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        shop=shop,
        role=role,
        contact=clean_name(contact, longest=254),
        secret_hash=hash_secret(secret),
        invited_by=by,
        expires_at=moment + INVITATION_LASTS,
    )
    append_entry(kind="staff.invited", shop_id=shop.pk, data={"role": role, "by": by.code})
    return Invited(invitation, secret)


def withdraw_invitation(*, shop: Shop, invitation_id: int) -> None:
    """The link is good no more. Raises NotFound."""
    changed = open_invitations(shop).filter(pk=invitation_id).update(expires_at=now())
    if not changed:
        raise NotFound
    append_entry(kind="staff.invitation_withdrawn", shop_id=shop.pk, data={"invitation": invitation_id})


def accept_invitation(*, secret: str, person: Person) -> Staff:
    """Join the shop. Raises InvitationOver, AlreadyStaff, MembersOnly; a refused try leaves the invitation open."""
    if person.is_guest:
        raise MembersOnly
    # The row lock makes the second of two openers wait, and then see that it is used.
    invitation = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("shop")
        .filter(secret_hash=hash_secret(secret), accepted_at=None, expires_at__gt=now())
        .first()
    )
    if invitation is None:
        raise InvitationOver
    staff = Staff(shop=invitation.shop, person=person, role=invitation.role)
    try:
        with transaction.atomic():
            staff.save()
    except IntegrityError as error:
        raise AlreadyStaff from error
    invitation.accepted_at = now()
    invitation.accepted_by = person
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    append_entry(
        kind="staff.joined", shop_id=invitation.shop_id, data={"person": person.code, "role": str(invitation.role)}
    )
    return staff


def add_staff(*, shop: Shop, person: Person, role: Role) -> Staff:
    """Give a person a role directly (commands, the demo). Raises AlreadyStaff, MembersOnly."""
    if person.is_guest:
        raise MembersOnly
    staff = Staff(shop=shop, person=person, role=role)
    try:
        with transaction.atomic():
            staff.save()
    except IntegrityError as error:
        raise AlreadyStaff from error
    append_entry(kind="staff.joined", shop_id=shop.pk, data={"person": person.code, "role": str(role)})
    return staff


def restore_staff(*, shop: Shop, person_id: int, role: Role) -> Staff:
    """Somebody who was just removed works here again. Raises NotFound when the person is gone, AlreadyStaff."""
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise NotFound
    return add_staff(shop=shop, person=person, role=role)


def change_role(*, shop: Shop, staff_id: int, role: Role) -> Staff:
    """Give a member of staff another role. Raises NotFound, LastOwner."""
    staff = _lock_staff(shop, staff_id, loses_owner=role != Role.OWNER)
    staff.role = role
    staff.save(update_fields=["role"])
    append_entry(kind="staff.role_changed", shop_id=shop.pk, data={"person": staff.person.code, "role": str(role)})
    return staff


def remove_staff(*, shop: Shop, staff_id: int) -> None:
    """Somebody no longer works here; leaving is removing oneself. Raises NotFound, LastOwner."""
    staff = _lock_staff(shop, staff_id, loses_owner=True)
    append_entry(kind="staff.left", shop_id=shop.pk, data={"person": staff.person.code, "role": str(staff.role)})
    staff.delete()


def leave_shop(*, shop: Shop, person: Person) -> None:
    """Give up one's own role. Raises NotFound, LastOwner."""
    own = Staff.objects.filter(shop=shop, person=person).values_list("pk", flat=True).first()
    if own is None:
        raise NotFound
    remove_staff(shop=shop, staff_id=own)


def _lock_staff(shop: Shop, staff_id: int, *, loses_owner: bool) -> Staff:
    """The member of staff, locked together with all owners: two owners cannot both leave as "not the last"."""
    rows = list(Staff.objects.select_for_update(of=("self",)).select_related("person").filter(shop=shop).order_by("id"))
    staff = next((row for row in rows if row.pk == staff_id), None)
    if staff is None:
        raise NotFound
    owners = sum(row.role == Role.OWNER for row in rows)
    if loses_owner and staff.role == Role.OWNER and owners == 1:
        raise LastOwner
    return staff
