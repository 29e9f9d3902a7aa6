"""Who gets in where: every address of the installation, tried by everybody who has no business there.

Each address must be listed here with its guard: a new one fails the first test until somebody decides who may open it.
Strangers get 404 (or the sign-in page if nobody is signed in), never an answer and never a crash.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from silkroom.accounts.models import Person
from silkroom.accounts.services import add_address, make_guest
from silkroom.kit.clock import now
from silkroom.live.deals.rules import Terms
from silkroom.live.deals.services import prepare_deal
from silkroom.live.room.services import plan_show
from silkroom.pos.queries import Clerk
from silkroom.pos.services import make_till, open_shift
from silkroom.sales.orders.models import Order
from silkroom.sales.payments.models import (
    Difference,
    MerchantAccount,
    Payment,
    Refund,
    SandboxCharge,
    Statement,
)
from silkroom.shops.models import Staff
from silkroom.shops.rules import ROLES_OF_TASK, Task
from silkroom.shops.services import invite_staff
from silkroom.shops.states import Role
from tests.house import House, make_house, make_person, make_published
from tests.pos.counter import make_shortfall

pytestmark = pytest.mark.django_db

PUBLIC = "anybody"
MEMBER = "any member"
OWN = "the person whose it is"
SECRET = "whoever knows the unguessable word in the address"
STUDIO = "owner, host, assistant"
LEAD = "owner, host"
OPERATOR = "operators"

POS_API = ("pos:api-state", "pos:api-receipts", "pos:api-shift-open", "pos:api-shift-close")
"""The device's own token opens these; tests/pos tries them without one, with a forged and with a revoked one."""

WHO: dict[str, str | Task] = {
    "health": PUBLIC, "words": PUBLIC, "media": PUBLIC, "design": PUBLIC, "set_language": PUBLIC,
    "storefront:home": PUBLIC, "storefront:shop": PUBLIC, "storefront:style": PUBLIC,
    "storefront:orders": OWN, "storefront:account": OWN, "storefront:name": OWN, "storefront:address-new": OWN,
    "storefront:address": OWN, "storefront:address-remove": OWN,
    "sales:api-orders": OWN, "sales:checkout": OWN, "sales:order": OWN, "sales:order-state": OWN,
    "sales:order-address": OWN, "sales:pay": OWN, "sales:cancel": OWN, "sales:sandbox": SECRET, "sales:notify": SECRET,
    "sales:paying": OWN, "sales:paying-stop": OWN, "sales:account-notify": SECRET,
    "live:room": PUBLIC, "live:ticket": PUBLIC, "live:name": PUBLIC,
    "live:studio": STUDIO, "live:studio-spotlight": STUDIO, "live:studio-deal": STUDIO,
    "live:studio-deal-withdraw": STUDIO, "live:studio-prepared": STUDIO, "live:studio-prepared-remove": STUDIO,
    "live:studio-answered": STUDIO, "live:studio-pin": STUDIO, "live:studio-unpin": STUDIO, "live:studio-hide": STUDIO,
    "live:studio-unhide": STUDIO,
    "live:studio-mute": STUDIO, "live:studio-unmute": STUDIO,
    "live:studio-title": LEAD, "live:studio-order": LEAD, "live:studio-cover": LEAD, "live:studio-rehearse": LEAD,
    "live:studio-go-live": LEAD, "live:studio-end": LEAD,
    "pos:till": PUBLIC, "pos:worker": PUBLIC, "pos:manifest": PUBLIC, "pos:api-pair": SECRET,
    **dict.fromkeys(POS_API, SECRET),
    "workbench:tills": Task.TILL, "workbench:till-new": Task.STAFF, "workbench:till": Task.TILL,
    "workbench:till-change": Task.STAFF, "workbench:till-pair": Task.STAFF, "workbench:till-revoke": Task.STAFF,
    "workbench:shift": Task.TILL, "workbench:shortfalls": Task.TILL, "workbench:shortfall-settle": Task.TILL,
    "workbench:home": MEMBER, "workbench:open-shop": MEMBER, "workbench:regions": PUBLIC,
    "workbench:invitation": SECRET,
    "workbench:shop": Task.LOOK, "workbench:leave": Task.LOOK,
    "workbench:settings": Task.STAFF, "workbench:place-new": Task.STAFF, "workbench:place-change": Task.STAFF,
    "workbench:logo": Task.STAFF, "workbench:logo-remove": Task.STAFF, "workbench:currency": Task.STAFF,
    "workbench:payments": Task.STAFF, "workbench:payments-save": Task.STAFF, "workbench:payments-check": Task.STAFF,
    "workbench:payments-off": Task.STAFF, "workbench:payments-came": Task.STAFF, "workbench:payments-sent": Task.STAFF,
    "workbench:payments-settled": Task.STAFF,
    "workbench:staff": Task.STAFF, "workbench:invite": Task.STAFF, "workbench:staff-role": Task.STAFF,
    "workbench:staff-remove": Task.STAFF, "workbench:invitation-withdraw": Task.STAFF,
    "workbench:styles": Task.STYLES, "workbench:style-new": Task.STYLES, "workbench:style": Task.STYLES,
    "workbench:style-publish": Task.STYLES, "workbench:style-withdraw": Task.STYLES,
    "workbench:style-grid": Task.STYLES,
    "workbench:style-pictures": Task.STYLES, "workbench:picture-change": Task.STYLES,
    "workbench:picture-remove": Task.STYLES, "workbench:picture-move": Task.STYLES,
    "workbench:style-sizes": Task.STYLES,
    "workbench:style-label": Task.STYLES,
    "workbench:stock": Task.STOCK, "workbench:movements": Task.STOCK, "workbench:stock-cell": Task.COUNT,
    "workbench:stock-count": Task.COUNT, "workbench:move-choose": Task.COUNT, "workbench:move": Task.COUNT,
    "workbench:undo": Task.LOOK,
    "workbench:orders": Task.ORDERS, "workbench:order": Task.ORDERS,
    "workbench:order-refund": Task.REFUNDS, "workbench:order-refund-again": Task.REFUNDS,
    "workbench:shows": Task.SHOWS, "workbench:show-new": Task.SHOWS, "workbench:show": Task.SHOWS,
    "workbench:show-change": Task.SHOWS, "workbench:show-cancel": Task.SHOWS,
    "workbench:deal-new": Task.SHOWS, "workbench:deal-remove": Task.SHOWS,
}  # fmt: skip

SHOW_PAGES = ("show", "show-change", "show-cancel", "deal-new", "deal-remove")

TILL_PAGES = ("till", "till-change", "till-pair", "till-revoke")

STUDIO_ROLES = {STUDIO: ROLES_OF_TASK[Task.SHOWS], LEAD: frozenset({Role.OWNER, Role.HOST})}

ENTRANCE = "account_"
"""django-allauth's own addresses; what they let in is tested in tests/accounts."""


def addresses() -> Iterator[tuple[str, str]]:
    """(name, pattern) of everything that answers, but the admin."""

    def walk(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[tuple[str, str]]:
        for one in resolver.url_patterns:
            pattern = prefix + str(one.pattern)
            if isinstance(one, URLPattern):
                yield namespace + (one.name or ""), pattern
            else:
                inner = f"{namespace}{one.namespace}:" if one.namespace else namespace
                yield from walk(one, pattern, inner)

    for name, pattern in walk(get_resolver(), "", ""):
        if not name.startswith(("admin:", ENTRANCE)):
            yield name, pattern


def roles_for(name: str) -> frozenset[Role]:
    who = WHO[name]
    return ROLES_OF_TASK[who] if isinstance(who, Task) else STUDIO_ROLES[who]


MERCHANT = sorted(name for name, who in WHO.items() if isinstance(who, Task) or who in STUDIO_ROLES)


@dataclass
class World:
    """A house with one of everything, and the words that name them in addresses."""

    house: House
    other: House
    buyer: Person
    words: dict[str, dict[str, Any]]

    def address(self, name: str, **instead: Any) -> str:
        pattern = dict(addresses())[name]
        place = "live" if name.startswith("live:") else name.split(":")[0]
        known = {**self.words["any"], **self.words.get(place, {}), **self.words.get(name, {}), **instead}
        wanted = {word: value for word, value in known.items() if f":{word}>" in pattern}
        return reverse(name, kwargs=wanted)


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, storage_url=str(tmp_path))
    house, other, buyer = make_house(), make_house("Other House"), make_person("Bo")
    for role in Role:
        house.hire(role)
    style = make_published(house)
    show = plan_show(shop=house.shop, host=house.owner, title="Evening", style_ids=[style.pk], by=house.owner)
    terms = Terms(style_id=style.pk, price_minor=100, seconds=60, cap=1, per_person=1)
    deal = prepare_deal(broadcast=show, terms=terms)
    invitation = invite_staff(shop=house.shop, by=house.owner, role=Role.HOST, contact="x").invitation
    order = Order.objects.create(
        shop=house.shop, number="K2345678", person=buyer, key=uuid.uuid4(), channel="web", currency="CNY",
        goods_minor=100, total_minor=100, holds_until=now() + timedelta(minutes=15),
    )  # fmt: skip
    charge = SandboxCharge.objects.create(
        reference="REF1", amount_minor=1, currency="CNY", subject="x", expires_at=now() + timedelta(minutes=5)
    )
    account = MerchantAccount.objects.create(shop=house.shop, provider="bank", code="CODE", details={"days": "3"})
    payment = Payment.objects.create(
        order=order, provider="bank", account=account, reference="BANK1", amount_minor=100, currency="CNY",
        state="succeeded", expires_at=now(),
    )  # fmt: skip
    refund = Refund.objects.create(payment=payment, key="shop:BANK1", amount_minor=1, reason="shop")
    statement = Statement.objects.create(account=account, day=now().date())
    difference = Difference.objects.create(statement=statement, kind="unknown_here", reference="X", currency="CNY")
    own = add_address(person=buyer, recipient="Bo", phone="13800138000", line="Lake road 1")
    variant = style.variants.first()
    picture = style.pictures.first()
    assert variant
    assert picture
    till = make_till(shop=house.shop, place=house.store, name="Till", clerk_discount_percent=10, kept_pieces=1)
    shift = open_shift(till=till, clerk=Clerk(house.owner, Role.OWNER), float_minor=0)
    shortfall = make_shortfall(till, shift, variant)
    words: dict[str, dict[str, Any]] = {
        "any": {
            "slug": house.shop.slug, "code": style.code, "number": order.number, "variant_id": variant.pk,
            "place_id": house.warehouse.pk, "picture_id": picture.pk, "prepared_id": deal.pk, "secret": "unknown",
            "shift_id": shift.pk, "shortfall_id": shortfall.pk,
            "staff_id": Staff.objects.get(person=house.hire(Role.CLERK)).pk, "invitation_id": invitation.pk,
            "payment_id": payment.pk, "refund_id": refund.pk, "difference_id": difference.pk,
            "address_id": own.pk, "reference": charge.reference, "provider": "sandbox", "name": "pictures/none.webp",
        },
        "live": {"code": show.code},
        "workbench": {"provider": "stripe"},
        **{f"workbench:{page}": {"code": show.code} for page in SHOW_PAGES},
        **{f"workbench:{page}": {"code": till.code} for page in TILL_PAGES},
    }  # fmt: skip
    return World(house, other, buyer, words)


def client_of(person: Person | None) -> Client:
    client = Client(raise_request_exception=False, headers={"accept-language": "en"})
    if person is not None:
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def both(client: Client, address: str) -> dict[str, HttpResponseBase]:
    """GET and POST of an address, each undone afterwards."""
    if address.endswith(("/pay", "/paying/stop")):
        # Its transactions must be the outermost ones; it changes nothing that the others need.
        return {"GET": client.get(address), "POST": client.post(address, {})}
    answers: dict[str, HttpResponseBase] = {}
    for method in ("GET", "POST"):
        with transaction.atomic():
            answers[method] = client.get(address) if method == "GET" else client.post(address, {})
            transaction.set_rollback(True)
    return answers


def is_closed(answer: HttpResponseBase) -> bool:
    # The address form of an order stands on the order's own page, which is closed itself.
    to_order = answer.status_code == 302 and answer["Location"].startswith("/orders/")
    return answer.status_code in {404, 405} or to_order


def test_every_address_has_a_guard() -> None:
    names = {name for name, _ in addresses()}
    assert "" not in names, "an address without a name"
    assert names == set(WHO)


def sent_to_entrance(answer: HttpResponseBase) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")


def codes(answers: dict[str, HttpResponseBase]) -> dict[str, int]:
    return {method: answer.status_code for method, answer in answers.items()}


def test_merchant_pages_are_closed_to_everybody_outside(world: World) -> None:
    open_doors = []
    for who, person in {"a buyer": world.buyer, "staff of another shop": world.other.owner}.items():
        client = client_of(person)
        for name in MERCHANT:
            answers = both(client, world.address(name))
            if not all(is_closed(answer) for answer in answers.values()) or set(codes(answers).values()) == {405}:
                open_doors.append((who, name, codes(answers)))
    assert open_doors == []


def test_guests_and_the_unknown_are_sent_to_the_entrance_or_find_nothing(world: World) -> None:
    open_doors = []
    for who, person in {"a guest": make_guest(name="Mei"), "nobody": None}.items():
        client = client_of(person)
        for name in MERCHANT:
            answers = both(client, world.address(name))
            if not all(is_closed(answer) or sent_to_entrance(answer) for answer in answers.values()):
                open_doors.append((who, name, codes(answers)))
    assert open_doors == []


@pytest.mark.parametrize("role", list(Role))
def test_the_wrong_role_finds_nothing_and_the_right_one_gets_in(world: World, role: Role) -> None:
    client = client_of(world.house.hire(role))
    wrong = []
    for name in MERCHANT:
        answers = both(client, world.address(name))
        found = set(codes(answers).values())
        gets_in = not found & {404, 500} and found != {405}
        finds_nothing = all(is_closed(answer) for answer in answers.values())
        if not (gets_in if role in roles_for(name) else finds_nothing):
            wrong.append((name, codes(answers)))
    assert wrong == []


def test_objects_of_another_shop_are_not_reached_through_ones_own(world: World) -> None:
    """The address names one's own shop, and something that belongs to another."""
    client = client_of(world.other.owner)
    tried, open_doors = 0, []
    for name, pattern in addresses():
        # A provider is nobody's: with the own slug the page is the own one.
        if name in MERCHANT and "<slug:slug>" in pattern and pattern.count("<") > 1 and ":provider>" not in pattern:
            tried += 1
            answers = both(client, world.address(name, slug=world.other.shop.slug))
            if not all(is_closed(answer) for answer in answers.values()):
                open_doors.append((name, codes(answers)))
    assert open_doors == []
    assert tried > 15


OWN_THINGS = ("sales:order", "sales:order-state", "sales:order-address", "sales:pay", "sales:cancel",
              "sales:paying", "sales:paying-stop",
              "storefront:address", "storefront:address-remove")  # fmt: skip


def test_orders_and_addresses_are_their_owners_alone(world: World) -> None:
    open_doors = []
    for person in (world.other.owner, world.house.owner, make_person("Another"), make_guest(name="Mei"), None):
        client = client_of(person)
        for name in OWN_THINGS:
            for method, answer in both(client, world.address(name)).items():
                unknown = person is None or person.is_guest
                if not is_closed(answer) and not (unknown and sent_to_entrance(answer)):
                    open_doors.append((str(person), name, method, answer.status_code))
    assert open_doors == []
    own = client_of(world.buyer)
    for name in OWN_THINGS:
        answers = both(own, world.address(name))
        assert not set(codes(answers).values()) & {404, 500}, (name, codes(answers))


def test_no_address_breaks_whoever_asks(world: World) -> None:
    broken = []
    for person in (None, make_guest(name="Mei"), world.buyer, world.other.owner, world.house.owner):
        client = client_of(person)
        for name, who in WHO.items():
            if who in {PUBLIC, OWN, MEMBER, SECRET}:
                answers = both(client, world.address(name))
                if any(answer.status_code >= 500 for answer in answers.values()):
                    broken.append((str(person), name, codes(answers)))
    assert broken == []


def test_unknown_words_in_addresses_are_not_found(world: World) -> None:
    client = client_of(world.house.owner)
    for name, pattern in addresses():
        # The way to a public file is shown to the gateway, which says whether there is one.
        if "<" not in pattern or name in {"sales:notify", "media"}:
            continue
        strange = {
            "slug": "no-such", "code": "NOSUCH2345", "number": "NOSUCH", "secret": "no-such", "reference": "NOSUCH",
            "shift_id": 10**12, "shortfall_id": 10**12, "address_id": 10**12, "place_id": 10**12, "variant_id": 10**12,
            "payment_id": 10**12, "refund_id": 10**12, "difference_id": 10**12,
            "picture_id": 10**12, "prepared_id": 10**12, "staff_id": 10**12, "invitation_id": 10**12,
            "provider": "none",
        }  # fmt: skip
        answers = both(client, world.address(name, **strange))
        assert all(is_closed(answer) for answer in answers.values()), (
            name,
            {m: a.status_code for m, a in answers.items()},
        )


@pytest.mark.parametrize("number", ["99999999999999999999999", "-1", "0", "x"])
def test_numbers_that_no_row_can_have_are_not_found(world: World, number: str) -> None:
    client = client_of(world.house.owner)
    slug = world.house.shop.slug
    for address in (
        f"/workbench/{slug}/stock/{number}/{number}/",
        f"/workbench/{slug}/settings/places/{number}/",
        f"/account/addresses/{number}/",
        f"/workbench/{slug}/staff/{number}/remove/",
    ):
        assert all(is_closed(answer) for answer in both(client, address).values()), address
    movements = client.get(f"/workbench/{slug}/stock/movements/?variant={number}&before={number}")
    assert movements.status_code in {200, 404}


def test_drafts_are_seen_by_those_who_may_change_them(world: World) -> None:
    style = world.house.shop.styles.get()
    style.state = "draft"
    style.save()
    address = reverse("storefront:style", args=[style.code])
    seen = {role: client_of(world.house.hire(role)).get(address).status_code for role in Role}
    assert {role for role, code in seen.items() if code == 200} == {Role.OWNER, Role.ASSISTANT}
    for person in (None, world.buyer, world.other.owner):
        assert client_of(person).get(address).status_code == 404


def test_the_admin_is_for_operators(world: World) -> None:
    for person in (None, world.buyer, world.house.owner, make_guest(name="Mei")):
        client = client_of(person)
        for name in ("admin:index", "admin:accounts_person_changelist", "admin:sales_order_changelist"):
            assert client.get(reverse(name)).status_code in {302, 403}, name


def test_head_is_answered_as_get_is_without_the_body(world: World) -> None:
    different, found = [], 0
    for person in (None, world.buyer, world.house.owner):
        client = client_of(person)
        for name, _ in addresses():
            address = world.address(name)
            with transaction.atomic():
                get = client.get(address)
                transaction.set_rollback(True)
            with transaction.atomic():
                head = client.head(address)
                transaction.set_rollback(True)
            found += get.status_code == 200
            if (head.status_code, head.content) != (get.status_code, b""):
                different.append((str(person), name, get.status_code, head.status_code))
    assert different == []
    assert found > 50
