"""Shops in the database: opening, places, staff, invitations, and who gets in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from silkroom.accounts.models import Person
from silkroom.accounts.services import make_guest
from silkroom.journal.models import Entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.shops.errors import (
    AlreadyStaff,
    InvitationOver,
    LastOwner,
    MembersOnly,
    NameMissing,
    NoPlace,
    PlaceNameTaken,
    RegionUnknown,
    TooManyInvitations,
    TooManyShops,
)
from silkroom.shops.models import Invitation, Place, Shop, Staff
from silkroom.shops.queries import (
    find_role,
    get_open_invitation,
    get_place_for,
    get_shop_for,
    inside_places,
    roles_of,
    staff_of,
)
from silkroom.shops.services import (
    accept_invitation,
    add_place,
    change_role,
    invite_staff,
    leave_shop,
    open_shop,
    remove_staff,
    withdraw_invitation,
)
from silkroom.shops.states import OUTSIDE_KINDS, PlaceKind, Role
from tests.house import WEST_LAKE, House, make_house, make_person


def opened(person: Person, name: str = "Cloud Silk", **options: object) -> Shop:
    return open_shop(person=person, name=name, **{"region_code": WEST_LAKE, **options})  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_shop_begins_with_owner_places_and_the_world_outside() -> None:
    person = make_person()
    shop = opened(person, places={PlaceKind.WORKSHOP: "Sewing room", PlaceKind.STORE: "Lake store"})
    assert shop.slug == "cloud-silk"
    assert [(place.name, place.kind, place.sells_online) for place in inside_places(shop)] == [
        ("Lake store", "store", True),
        ("Sewing room", "workshop", False),
    ]
    outside = Place.objects.filter(shop=shop, is_outside=True)
    assert {place.kind for place in outside} == set(OUTSIDE_KINDS)
    assert not outside.filter(sells_online=True).exists()
    assert [(one.person, one.role) for one in staff_of(shop)] == [(person, "owner")]
    assert list(Entry.objects.filter(shop=shop.pk).values_list("kind", flat=True)) == ["shop.opened"]


@pytest.mark.django_db
def test_each_shop_has_an_address_of_its_own() -> None:
    person = make_person()
    slugs = [opened(person).slug for _ in range(3)]
    assert slugs == ["cloud-silk", "cloud-silk-2", "cloud-silk-3"]
    assert opened(person, "云裳").slug.startswith("shop-")
    assert opened(person, "云裳", name_en="Yun Shang").slug == "yun-shang"
    assert opened(person, "Open").slug.startswith("open-")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"name": " \u200b "}, NameMissing),
        ({"name": "x" * 61}, NameMissing),
        ({"region_code": "330100"}, RegionUnknown),
        ({"region_code": "999999"}, RegionUnknown),
        ({"places": {}}, NoPlace),
        ({"places": {PlaceKind.STORE: "Here", PlaceKind.WAREHOUSE: "Here"}}, PlaceNameTaken),
    ],
)
def test_a_refused_opening_leaves_nothing(options: dict[str, object], refusal: type[Exception]) -> None:
    person = make_person()
    with pytest.raises(refusal), transaction.atomic():
        opened(person, **options)  # type: ignore[arg-type]
    assert (Shop.objects.count(), Place.objects.count(), Staff.objects.count()) == (0, 0, 0)


@pytest.mark.django_db
def test_guests_open_no_shop_and_members_a_bounded_number() -> None:
    with pytest.raises(MembersOnly):
        opened(make_guest(name="Mei"))
    person = make_person()
    for _ in range(20):
        opened(person)
    with pytest.raises(TooManyShops):
        opened(person)
    assert Shop.objects.count() == 20


@pytest.mark.django_db
def test_strangers_and_wrong_roles_find_no_shop() -> None:
    house, other = make_house(), make_house("Other")
    clerk = house.hire(Role.CLERK)
    assert get_shop_for(clerk, house.shop.slug) == house.shop
    assert get_shop_for(clerk, house.shop.slug, Role.CLERK, Role.HOST) == house.shop
    assert get_shop_for(house.owner, house.shop.slug, Role.HOST) == house.shop
    for person, roles in ((clerk, (Role.HOST,)), (other.owner, ()), (make_guest(name="Mei"), ()), (None, ())):
        with pytest.raises(NotFound):
            get_shop_for(person, house.shop.slug, *roles)
    with pytest.raises(NotFound):
        get_shop_for(house.owner, "no-such-shop")
    assert find_role(other.owner, house.shop.pk) is None
    assert find_role(clerk, house.shop.pk) is Role.CLERK
    assert [(desk.shop, desk.role) for desk in roles_of(clerk)] == [(house.shop, Role.CLERK)]
    with pytest.raises(NotFound):
        get_place_for(other.shop, house.warehouse.pk)


@pytest.mark.django_db
def test_places_have_names_of_their_own_and_the_outside_is_not_added() -> None:
    house = make_house()
    add_place(shop=house.shop, kind=PlaceKind.STORE, name="Second store")
    with pytest.raises(PlaceNameTaken):
        add_place(shop=house.shop, kind=PlaceKind.STORE, name="Second store")
    with pytest.raises(ValueError, match="outside"):
        add_place(shop=house.shop, kind=PlaceKind.SCRAP, name="Bin")
    assert inside_places(house.shop).count() == 3


@pytest.mark.django_db
def test_an_invitation_is_good_once_for_seven_days_and_keeps_no_secret() -> None:
    house, guest = make_house(), make_person("New host")
    made = invite_staff(shop=house.shop, by=house.owner, role=Role.HOST, contact="New host")
    assert made.secret not in str(Invitation.objects.filter(pk=made.invitation.pk).values().get())
    assert timedelta(days=6, hours=23) < made.invitation.expires_at - now() <= timedelta(days=7)
    assert get_open_invitation(made.secret).shop == house.shop
    assert accept_invitation(secret=made.secret, person=guest).role == Role.HOST
    for person in (guest, make_person("Second")):
        with pytest.raises(InvitationOver):
            accept_invitation(secret=made.secret, person=person)
    assert {one.person for one in staff_of(house.shop)} == {house.owner, guest}


@pytest.mark.django_db
def test_an_old_withdrawn_or_invented_invitation_opens_nothing() -> None:
    house, person = make_house(), make_person()
    old = invite_staff(shop=house.shop, by=house.owner, role=Role.HOST, contact="a")
    Invitation.objects.filter(pk=old.invitation.pk).update(expires_at=now())
    gone = invite_staff(shop=house.shop, by=house.owner, role=Role.HOST, contact="b")
    withdraw_invitation(shop=house.shop, invitation_id=gone.invitation.pk)
    for secret in (old.secret, gone.secret, "invented", "", gone.invitation.secret_hash):
        with pytest.raises(InvitationOver):
            get_open_invitation(secret)
        with pytest.raises(InvitationOver):
            accept_invitation(secret=secret, person=person)
    with pytest.raises(NotFound):
        withdraw_invitation(shop=make_house("Other").shop, invitation_id=old.invitation.pk)
    assert staff_of(house.shop).count() == 1


@pytest.mark.django_db
def test_a_refused_acceptance_leaves_the_invitation_open() -> None:
    house = make_house()
    made = invite_staff(shop=house.shop, by=house.owner, role=Role.HOST, contact="a")
    with pytest.raises(AlreadyStaff), transaction.atomic():
        accept_invitation(secret=made.secret, person=house.owner)
    with pytest.raises(MembersOnly), transaction.atomic():
        accept_invitation(secret=made.secret, person=make_guest(name="Mei"))
    assert find_role(house.owner, house.shop.pk) is Role.OWNER
    assert accept_invitation(secret=made.secret, person=make_person()).role == Role.HOST


@pytest.mark.django_db
def test_invitations_are_bounded_by_the_hour() -> None:
    house = make_house()
    for number in range(20):
        invite_staff(shop=house.shop, by=house.owner, role=Role.CLERK, contact=f"no {number}")
    with pytest.raises(TooManyInvitations):
        invite_staff(shop=house.shop, by=house.owner, role=Role.CLERK, contact="one more")
    assert Invitation.objects.count() == 20


@pytest.mark.django_db
def test_the_last_owner_stays() -> None:
    house = make_house()
    own = Staff.objects.get(shop=house.shop, person=house.owner)
    with pytest.raises(LastOwner):
        change_role(shop=house.shop, staff_id=own.pk, role=Role.HOST)
    with pytest.raises(LastOwner):
        leave_shop(shop=house.shop, person=house.owner)
    with pytest.raises(LastOwner):
        remove_staff(shop=house.shop, staff_id=own.pk)
    assert find_role(house.owner, house.shop.pk) is Role.OWNER
    host = Staff.objects.get(person=house.hire(Role.HOST))
    change_role(shop=house.shop, staff_id=host.pk, role=Role.OWNER)
    leave_shop(shop=house.shop, person=house.owner)
    assert [(one.person, one.role) for one in staff_of(house.shop)] == [(host.person, "owner")]


@pytest.mark.django_db
def test_staff_of_another_shop_cannot_be_touched() -> None:
    house, other = make_house(), make_house("Other")
    foreign = Staff.objects.get(person=other.hire(Role.CLERK))
    with pytest.raises(NotFound):
        change_role(shop=house.shop, staff_id=foreign.pk, role=Role.OWNER)
    with pytest.raises(NotFound):
        remove_staff(shop=house.shop, staff_id=foreign.pk)
    with pytest.raises(NotFound):
        leave_shop(shop=house.shop, person=other.owner)
    assert find_role(foreign.person, other.shop.pk) is Role.CLERK


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run each in a thread and transaction of its own; "done" or the name of the refusal, sorted."""
    answers: list[str] = []
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        try:
            ready.wait(10)
            with transaction.atomic():
                act()
            answers.append("done")
        except Exception as error:
            answers.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(answers)


@pytest.fixture
def two_owners(transactional_db: None) -> tuple[House, Person]:
    with transaction.atomic():
        house = make_house()
        second = house.hire(Role.HOST)
        change_role(shop=house.shop, staff_id=Staff.objects.get(person=second).pk, role=Role.OWNER)
    return house, second


def test_two_owners_who_leave_at_once_leave_one(two_owners: tuple[House, Person]) -> None:
    house, second = two_owners
    answers = at_once(
        lambda: leave_shop(shop=house.shop, person=house.owner), lambda: leave_shop(shop=house.shop, person=second)
    )
    assert answers == ["LastOwner", "done"]
    assert staff_of(house.shop).filter(role=Role.OWNER).count() == 1


def test_two_who_open_the_same_link_at_once_make_one_member(two_owners: tuple[House, Person]) -> None:
    house, _ = two_owners
    with transaction.atomic():
        made = invite_staff(shop=house.shop, by=house.owner, role=Role.CLERK, contact="whoever")
    people = [make_person(f"Person {number}") for number in range(4)]
    answers = at_once(*[lambda p=person: accept_invitation(secret=made.secret, person=p) for person in people])
    assert answers == ["InvitationOver", "InvitationOver", "InvitationOver", "done"]
    assert staff_of(house.shop).filter(role=Role.CLERK).count() == 1


def test_shops_opened_at_once_under_one_name_have_different_addresses(two_owners: tuple[House, Person]) -> None:
    people = [make_person(f"Person {number}") for number in range(4)]
    assert at_once(*[lambda p=person: opened(p, "Same Name") for person in people]) == ["done"] * 4
    slugs = set(Shop.objects.filter(name="Same Name").values_list("slug", flat=True))
    assert slugs == {"same-name", "same-name-2", "same-name-3", "same-name-4"}
