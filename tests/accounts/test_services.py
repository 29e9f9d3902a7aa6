"""People in the database."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Q

from silkroom.accounts import jobs, services
from silkroom.accounts.errors import ContactTaken, NameUnusable, TooManyAddresses
from silkroom.accounts.jobs import clear_away
from silkroom.accounts.models import Address, Person, Submission
from silkroom.accounts.queries import find_person_by_phone, get_address_for, is_member
from silkroom.accounts.services import (
    add_address,
    do_once,
    forget_submissions,
    make_guest,
    register_person,
    remove_address,
    retire_guest,
)
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.sales.orders.models import Order
from silkroom.shops.models import Staff
from silkroom.shops.services import add_staff, open_shop
from silkroom.shops.states import PlaceKind, Role
from tests.house import PASSWORD, WEST_LAKE, make_person


@pytest.mark.django_db
def test_a_guest_has_a_name_and_no_way_to_sign_in() -> None:
    guest = make_guest(name=" Mei\u202e ")
    assert (guest.name, guest.is_guest, guest.email, guest.phone) == ("Mei", True, None, None)
    assert not guest.has_usable_password()
    assert not is_member(guest)


@pytest.mark.django_db
def test_a_guest_name_fits_the_comments_of_a_phone() -> None:
    with pytest.raises(NameUnusable):
        make_guest(name="x" * 21)
    assert Person.objects.count() == 0


@pytest.mark.django_db
def test_a_contact_belongs_to_one_person() -> None:
    register_person(name="One", password=PASSWORD, email="One@Example.com")
    with pytest.raises(ContactTaken):
        register_person(name="Two", password=PASSWORD, email="one@example.com ")
    register_person(name="Three", password=PASSWORD, phone="13800138000", verified=True)
    with pytest.raises(ContactTaken):
        register_person(name="Four", password=PASSWORD, phone="+86 138 0013 8000")
    assert sorted(Person.objects.values_list("name", flat=True)) == ["One", "Three"]


@pytest.mark.django_db
def test_nobody_squats_on_anothers_phone() -> None:
    squatter = register_person(name="Squatter", password=PASSWORD, phone="13800138000")
    assert find_person_by_phone("+8613800138000") == squatter
    Person.objects.filter(pk=squatter.pk).update(joined_at=now() - timedelta(hours=2))
    assert find_person_by_phone("+8613800138000") is None
    owner = register_person(name="Owner", password=PASSWORD, phone="13800138000")
    assert list(Person.objects.filter(phone="+8613800138000")) == [owner]


@pytest.mark.django_db
def test_a_confirmed_phone_is_kept_for_ever() -> None:
    owner = register_person(name="Owner", password=PASSWORD, phone="13800138000", verified=True)
    Person.objects.filter(pk=owner.pk).update(joined_at=now() - timedelta(days=900))
    with pytest.raises(ContactTaken):
        register_person(name="Other", password=PASSWORD, phone="13800138000")
    assert find_person_by_phone("+8613800138000") == owner


@pytest.mark.django_db
def test_a_retired_guest_cannot_come_back_but_a_member_cannot_be_retired() -> None:
    guest, member = make_guest(name="Mei"), make_person()
    retire_guest(guest=guest)
    retire_guest(guest=member)
    guest.refresh_from_db()
    member.refresh_from_db()
    assert (guest.is_active, member.is_active) == (False, True)


@pytest.mark.django_db
def test_addresses_are_ones_own_and_bounded() -> None:
    person, stranger = make_person(), make_person()
    for number in range(20):
        add_address(person=person, recipient="Lin", phone="13800138000", line=f"Lake road {number}")
    with pytest.raises(TooManyAddresses):
        add_address(person=person, recipient="Lin", phone="13800138000", line="one too many")
    assert Address.objects.count() == 20
    own = Address.objects.filter(person=person).first()
    assert own is not None
    with pytest.raises(NotFound):
        get_address_for(stranger, own.pk)
    with pytest.raises(NotFound):
        remove_address(person=stranger, address_id=own.pk)
    remove_address(person=person, address_id=own.pk)
    assert Address.objects.count() == 19


@pytest.mark.django_db
def test_a_form_sent_twice_is_carried_out_once() -> None:
    person, key, calls = make_person(), uuid.uuid4(), []

    def act() -> str:
        calls.append("x")
        return f"K{len(calls)}"

    answers = [do_once(person=person, purpose="open shop", key=key, act=act) for _ in range(3)]
    assert answers == ["K1", "K1", "K1"]
    assert do_once(person=person, purpose="create style", key=key, act=act) == "K2"
    assert do_once(person=make_person(), purpose="open shop", key=key, act=act) == "K3"


@pytest.mark.django_db
def test_a_failed_try_leaves_the_key_free() -> None:
    person, key = make_person(), uuid.uuid4()

    def fail() -> str:
        raise NameUnusable(longest=1)

    with pytest.raises(NameUnusable):
        do_once(person=person, purpose="open shop", key=key, act=fail)
    assert Submission.objects.count() == 0
    assert do_once(person=person, purpose="open shop", key=key, act=lambda: "K") == "K"


@pytest.mark.django_db(transaction=True)
def test_two_sendings_at_the_same_moment_make_one_thing() -> None:
    person, key = make_person(), uuid.uuid4()
    inside, go_on = threading.Event(), threading.Event()
    made: list[str] = []
    answers: dict[str, str] = {}

    def slow() -> str:
        made.append("slow")
        inside.set()
        assert go_on.wait(10)
        return "first"

    def quick() -> str:
        made.append("quick")
        return "second"

    def send(name: str, act: object) -> None:
        try:
            with transaction.atomic():
                answers[name] = do_once(person=person, purpose="open shop", key=key, act=act)  # type: ignore[arg-type]
        finally:
            connection.close()

    first = threading.Thread(target=send, args=("first", slow))
    second = threading.Thread(target=send, args=("second", quick))
    first.start()
    assert inside.wait(10)
    second.start()
    second.join(0.3)
    assert second.is_alive(), "the repeat waits for the first"
    go_on.set()
    first.join(10)
    second.join(10)
    assert answers == {"first": "first", "second": "first"}
    assert made == ["slow"]


@pytest.mark.django_db
def test_keys_of_forms_are_forgotten_after_a_while() -> None:
    person = make_person()
    old, fresh = uuid.uuid4(), uuid.uuid4()
    for key in (old, fresh):
        do_once(person=person, purpose="open shop", key=key, act=lambda: "K")
    Submission.objects.filter(key=old).update(at=now() - timedelta(days=8))
    assert forget_submissions(older_than=timedelta(days=7)) == 1
    assert [one.key for one in Submission.objects.all()] == [fresh]


@pytest.mark.django_db
def test_the_nightly_job_clears_away_what_has_run_out_and_nothing_else() -> None:
    moment = now()
    old, fresh = moment - timedelta(days=40), moment - timedelta(hours=1)
    for key, end in (("old", old), ("fresh", moment + timedelta(days=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=end)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_counters VALUES ('old', '', now() - interval '1 second'),"
            " ('fresh', '', now() + interval '1 hour')"
        )
        job_ids = []
        for status, at in (("failed", old), ("failed", fresh), ("todo", old), ("cancelled", old)):
            cursor.execute("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('x', 'x') RETURNING id")
            job_ids.append(cursor.fetchone()[0])
            for step in () if status == "todo" else ("doing", status):
                cursor.execute("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", [step, job_ids[-1]])
            cursor.execute("UPDATE procrastinate_events SET at = %s WHERE job_id = %s", [at, job_ids[-1]])
    member = make_person()
    for contact, joined in (("old@example.com", old), ("fresh@example.com", fresh), ("13800138000", old)):
        kind = "email" if "@" in contact else "phone"
        person = register_person(name="Lin", password=PASSWORD, **{kind: contact})
        if person.email:
            EmailAddress.objects.create(user=person, email=person.email, primary=True)
        Person.objects.filter(pk=person.pk).update(joined_at=joined)
    Person.objects.filter(pk=member.pk).update(joined_at=old)
    do_once(person=member, purpose="x", key=uuid.uuid4(), act=lambda: "old")
    Submission.objects.update(at=old)
    do_once(person=member, purpose="x", key=uuid.uuid4(), act=lambda: "fresh")

    clear_away(timestamp=0)

    assert list(Session.objects.values_list("session_key", flat=True)) == ["fresh"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM accounts_counters")
        assert cursor.fetchall() == [("fresh",)]
        cursor.execute("SELECT id FROM procrastinate_jobs ORDER BY id")
        assert [row[0] for row in cursor.fetchall()] == [job_ids[1], job_ids[2]]
    assert set(Person.objects.values_list("email", flat=True)) == {member.email, "fresh@example.com"}
    assert [one.result for one in Submission.objects.all()] == ["fresh"]


@pytest.fixture
def house_of_old() -> dict[str, Person]:
    """People as the admin makes them (nothing proven, never signed in) and one sign-up that nobody came back to."""
    people = {
        "operator": Person.objects.create_superuser("op@example.com", PASSWORD, phone="+8613800138000"),
        "operator by phone": Person.objects.create_user(phone="+8613800138004", is_staff=True),
        "reachable": Person.objects.create_user("lin@example.com", PASSWORD, phone="+8613800138001"),
        "clerk": Person.objects.create_user(phone="+8613800138002"),
        "clerk by e-mail": Person.objects.create_user("clerk@example.com", PASSWORD),
        "abandoned": register_person(name="Gone", password=PASSWORD, phone="13800138003"),
    }
    # Somebody who was made by an operator and has begun to sign in.
    EmailAddress.objects.create(user=people["clerk by e-mail"], email="clerk@example.com", primary=True)
    shop = open_shop(
        person=make_person(), name="Silk", name_en="Silk", region_code=WEST_LAKE, places={PlaceKind.WAREHOUSE: "W"}
    )
    for name in ("clerk", "clerk by e-mail"):
        add_staff(shop=shop, person=people[name], role=Role.CLERK)
    Person.objects.update(joined_at=now() - timedelta(days=400))
    return people


@pytest.mark.django_db
def test_nobody_who_works_here_or_can_be_reached_is_cleared_away(house_of_old: dict[str, Person]) -> None:
    clear_away(timestamp=0)
    left = set(Person.objects.all())
    assert [name for name, person in house_of_old.items() if person not in left] == ["abandoned"]
    assert Staff.objects.filter(person=house_of_old["clerk"]).exists()
    # Nor does a sign-up with their number put them out.
    with pytest.raises(ContactTaken):
        register_person(name="Two", password=PASSWORD, phone="13800138002")


@pytest.mark.django_db
def test_one_who_cannot_be_deleted_keeps_nobody_else(
    house_of_old: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Staff.objects.filter(person=house_of_old["clerk"]).get().shop
    Order.objects.create(
        person=house_of_old["reachable"], shop=shop, number="A", key=uuid.uuid4(), currency="CNY", goods_minor=1,
        total_minor=1, channel="web", holds_until=now(),
    )  # fmt: skip
    wrong = Q(pk__in=[house_of_old["reachable"].pk, house_of_old["abandoned"].pk])
    monkeypatch.setattr(services, "abandoned_sign_ups", lambda: wrong)
    clear_away(timestamp=0)
    assert house_of_old["reachable"] in Person.objects.all()
    assert house_of_old["abandoned"] not in Person.objects.all()


@pytest.mark.django_db
def test_a_part_that_fails_stops_no_other(house_of_old: dict[str, Person], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise RuntimeError

    monkeypatch.setattr(jobs, "forget_sessions", fail)
    with pytest.raises(jobs.NotCleared, match="sessions"):
        clear_away(timestamp=0)
    assert house_of_old["abandoned"] not in Person.objects.all()
