"""Buyers' pages: what is shown, by how many queries, and what a guest takes along."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from silkroom.accounts.models import Address, Person
from silkroom.accounts.services import make_guest
from silkroom.catalog.models import Variant
from silkroom.catalog.services import withdraw_style
from silkroom.kit.clock import now
from silkroom.live.broadcasts.states import BroadcastState
from silkroom.live.room.services import cancel_show, plan_show
from silkroom.sales.orders.models import Order
from silkroom.shops.models import Shop
from silkroom.storefront import sign_in
from tests.house import PASSWORD, House, make_house, make_person, make_published, make_style, make_variants

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path) -> None:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, storage_url=str(tmp_path))


@pytest.fixture
def house() -> House:
    return make_house()


def visitor(person: Person | None = None) -> Client:
    client = Client(headers={"accept-language": "en"})
    if person:
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def make_order(shop: Shop, person: Person, number: str, **fields: Any) -> Order:
    return Order.objects.create(
        shop=shop, number=number, person=person, key=uuid.uuid4(), currency="CNY", goods_minor=100, total_minor=100,
        holds_until=now() + timedelta(minutes=15), **{"channel": "web", **fields},
    )  # fmt: skip


def test_an_empty_installation_offers_to_open_a_shop() -> None:
    html = visitor().get("/").content.decode()
    assert "/workbench/open/" in html


def test_the_first_page_shows_what_is_on_air_coming_and_new(house: House) -> None:
    style, draft = make_published(house), make_style(house, "SR-2", "Secret draft")
    empty = make_house("Empty house")
    planned = plan_show(
        shop=house.shop, host=house.owner, title="Tomorrow", style_ids=[style.pk], planned_at=now() + timedelta(days=1)
    )
    on_air = plan_show(shop=house.shop, host=house.owner, title="Now", style_ids=[style.pk])
    on_air.state, on_air.started_at = BroadcastState.ON_AIR, now()
    on_air.save()
    plan_show(shop=house.shop, host=house.owner, title="Not announced", style_ids=[])
    gone = plan_show(
        shop=house.shop, host=house.owner, title="Called off", style_ids=[style.pk], planned_at=planned.planned_at
    )
    cancel_show(broadcast=gone, by=house.owner)
    answer = visitor().get("/")
    assert answer.context["on_air"] == [on_air]
    assert answer.context["planned"] == [planned]
    assert [card.style for card in answer.context["cards"]] == [style]
    assert answer.context["shops"] == [house.shop]
    html = answer.content.decode()
    assert draft.name not in html
    assert empty.shop.name not in html
    assert "Not announced" not in html
    for address in ("/", f"/shop/{house.shop.slug}/", f"/style/{style.code}/"):
        assert "Called off" not in visitor().get(address).content.decode()


def test_pages_take_the_same_number_of_queries_however_much_there_is(house: House) -> None:
    def queries(address: str, client: Client) -> int:
        with CaptureQueriesContext(connection) as context:
            assert client.get(address).status_code == 200
        return len(context)

    buyer = make_person()
    client = visitor(buyer)
    style = make_published(house)
    make_order(house.shop, buyer, "K1")
    plan_show(shop=house.shop, host=house.owner, title="A", style_ids=[style.pk], planned_at=now() + timedelta(days=1))
    pages = ("/", f"/shop/{house.shop.slug}/", f"/style/{style.code}/", "/orders/", "/account/")
    before = {page: queries(page, client) for page in pages}
    for number in range(3):
        other = make_published(house, f"SR-1{number}")
        make_published(make_house(f"Other {number}"))
        make_order(house.shop, buyer, f"KA{number}")
        plan_show(
            shop=house.shop, host=house.owner, title="B", style_ids=[style.pk, other.pk],
            planned_at=now() + timedelta(days=2),
        )  # fmt: skip
    assert {page: queries(page, client) for page in pages} == before
    assert max(before.values()) <= 13, before


def test_a_garment_shows_each_variant_with_what_is_left(house: House) -> None:
    style = make_published(house, pieces=3)
    gone = Variant.objects.filter(style=style).first()
    assert gone
    gone.item.sellable.update(held=3)
    page = visitor().get(f"/style/{style.code}/")
    rows = page.context["rows"]
    assert [[cell.left for cell in row.cells] for row in rows] == [[0, 3], [3, 3]]
    html = page.content.decode()
    assert f'name="variant" value="{gone.pk}"' in html
    assert html.count("disabled") >= 1
    assert "Mulberry silk 100 %" in html
    assert "Wash by hand" in html
    assert str(page.context["key"]) in html


def test_each_page_brings_its_own_key(house: House) -> None:
    style = make_published(house)
    keys = {visitor().get(f"/style/{style.code}/").context["key"] for _ in range(3)}
    assert len(keys) == 3


def test_a_garment_names_its_shows_but_not_the_secret_ones(house: House) -> None:
    style = make_published(house)
    secret = plan_show(shop=house.shop, host=house.owner, title="Secret rehearsal", style_ids=[style.pk])
    assert visitor().get(f"/style/{style.code}/").context["shown_in"] == []
    secret.state = BroadcastState.REHEARSING
    secret.save()
    assert visitor().get(f"/style/{style.code}/").context["shown_in"] == []
    secret.state, secret.started_at = BroadcastState.ON_AIR, now()
    secret.save()
    answer = visitor().get(f"/style/{style.code}/")
    assert answer.context["shown_in"] == [secret]
    assert f"/live/{secret.code}/" in answer.content.decode()


def test_what_is_withdrawn_is_gone_from_all_pages(house: House) -> None:
    style = make_published(house, name="Moonlight")
    withdraw_style(style=style)
    assert visitor().get(f"/style/{style.code}/").status_code == 404
    for page in ("/", f"/shop/{house.shop.slug}/"):
        assert "Moonlight" not in visitor().get(page).content.decode()


def test_hostile_words_are_shown_as_words(house: House) -> None:
    evil = "<script>alert(1)</script>"
    style = make_published(house, name=evil)
    style.description = evil
    style.save()
    for page in ("/", f"/shop/{house.shop.slug}/", f"/style/{style.code}/"):
        html = visitor().get(page).content.decode()
        assert evil not in html
        assert "&lt;script&gt;" in html


def test_orders_are_listed_newest_first_page_by_page(house: House) -> None:
    buyer = make_person()
    for number in range(35):
        make_order(house.shop, buyer, f"K{number:03d}")
    make_order(house.shop, make_person(), "FOREIGN")
    first = visitor(buyer).get("/orders/")
    assert [order.number for order in first.context["orders"].rows][:2] == ["K034", "K033"]
    second = visitor(buyer).get(first.context["next_url"])
    numbers = [order.number for answer in (first, second) for order in answer.context["orders"].rows]
    assert numbers == [f"K{number:03d}" for number in reversed(range(35))]
    assert second.context["next_url"] == ""
    assert visitor(buyer).get("/orders/?before=x").status_code == 200


def test_name_and_addresses_are_changed_by_their_owner() -> None:
    person = make_person("Old name")
    client = visitor(person)
    assert client.post("/account/name/", {"name": "\u200b"}).status_code == 422
    client.post("/account/name/", {"name": " New  name "})
    person.refresh_from_db()
    assert person.name == "New name"
    data = {"recipient": "Bo", "phone": "13800138000", "line": "Lake road 1"}
    for wrong in ({"phone": "1"}, {"line": ""}, {"recipient": "\u202e"}):
        answer = client.post("/account/addresses/new/", {**data, **wrong})
        assert answer.status_code == 422
        assert list(answer.context["address_form"].errors) == list(wrong)
    client.post("/account/addresses/new/", data)
    address = Address.objects.get()
    assert (address.person, address.phone) == (person, "+8613800138000")
    client.post(f"/account/addresses/{address.pk}/", {**data, "line": "Hill road 2"})
    address.refresh_from_db()
    assert address.line == "Hill road 2"
    client.post(f"/account/addresses/{address.pk}/remove/")
    assert Address.objects.count() == 0


def test_a_guest_who_signs_up_or_in_keeps_their_orders(house: House) -> None:
    for address, data in (
        ("/accounts/signup/", {"name": "Mei", "contact": "mei@example.com", "password1": PASSWORD}),
        ("/accounts/login/", {"login": make_person(email="bo@example.com").email, "password": PASSWORD}),
    ):
        guest = make_guest(name="Mei")
        order = make_order(house.shop, guest, f"G{guest.pk}")
        client = visitor(guest)
        assert client.get(f"/orders/{order.number}/").status_code == 200
        assert client.post(address, data).status_code == 302
        order.refresh_from_db()
        guest.refresh_from_db()
        assert not order.person.is_guest
        assert order.person.pk == int(client.session["_auth_user_id"])
        assert not guest.is_active, "nobody can be this guest again"
        assert client.get(f"/orders/{order.number}/").status_code == 200


def test_a_failed_sign_in_leaves_the_guest_as_they_are(house: House) -> None:
    make_person(email="bo@example.com")
    guest = make_guest(name="Mei")
    order = make_order(house.shop, guest, "G1")
    client = visitor(guest)
    client.post("/accounts/login/", {"login": "bo@example.com", "password": "wrong-one"})
    order.refresh_from_db()
    assert order.person == guest
    assert client.get(f"/orders/{order.number}/").status_code == 200


def test_a_guest_whose_orders_cannot_be_handed_over_keeps_them(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    make_person(email="bo@example.com")
    guest = make_guest(name="Mei")
    order = make_order(house.shop, guest, "G1")
    client = visitor(guest)

    def fail(**_: Any) -> int:
        raise OperationalError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(sign_in, "hand_over_orders", fail)
        client.raise_request_exception = False
        answer = client.post("/accounts/login/", {"login": "bo@example.com", "password": PASSWORD})
        assert answer.status_code == 500
    assert client.get(f"/orders/{order.number}/").status_code == 200, "the guest's session is still there"
    assert client.post("/accounts/login/", {"login": "bo@example.com", "password": PASSWORD}).status_code == 302
    order.refresh_from_db()
    assert not order.person.is_guest


def test_a_style_without_variants_on_sale_still_has_a_page(house: House) -> None:
    style = make_published(house)
    Variant.objects.filter(style=style).update(is_sold=False)
    html = visitor().get(f"/style/{style.code}/").content.decode()
    assert "Sold out" in html
    make_variants(house, style)
    assert "Sold out" not in visitor().get(f"/style/{style.code}/").content.decode()
