"""The shop's settings: words, contact, clock, logo, currency, and what the journal keeps of each change."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from silkroom.journal.models import Entry
from silkroom.kit.clock import now
from silkroom.live.room.services import plan_show
from silkroom.sales.orders.models import Order
from silkroom.shops.models import Shop
from tests.house import House, make_published, make_style, make_variants, picture_bytes

pytestmark = pytest.mark.django_db


def words(shop: Shop, **changed: str) -> dict[str, str]:
    return {
        "name": shop.name, "name_en": shop.name_en, "about": shop.about, "contact": shop.contact,
        "province": shop.region_code[:2], "region_code": shop.region_code, "time_zone": shop.time_zone, **changed,
    }  # fmt: skip


def facts(house: House, kind: str = "shop.changed") -> list[dict[str, Any]]:
    return [one.data for one in Entry.objects.filter(kind=kind, shop=house.shop.pk).order_by("id")]


def make_order(house: House) -> Order:
    return Order.objects.create(
        shop=house.shop, number="K2345678", person=house.owner, key=uuid.uuid4(), channel="web", currency="CNY",
        goods_minor=100, total_minor=100, holds_until=now(),
    )  # fmt: skip


def upload(data: bytes, name: str = "logo.png") -> dict[str, SimpleUploadedFile]:
    return {"logo": SimpleUploadedFile(name, data, content_type="image/png")}


def test_what_changed_stands_in_the_journal_and_nothing_else(house: House, owner: Client) -> None:
    page = f"/workbench/{house.shop.slug}/settings/"
    owner.post(page, words(house.shop))
    assert facts(house) == []
    owner.post(page, words(house.shop, contact="  weixin:\u3000cloud-silk ", time_zone="Asia/Tokyo"))
    house.shop.refresh_from_db()
    assert (house.shop.contact, house.shop.time_zone) == ("weixin: cloud-silk", "Asia/Tokyo")
    assert facts(house) == [
        {
            "shop": house.shop.slug,
            "changed": ["contact", "time_zone"],
            "before": {"time_zone": "Asia/Shanghai"},
            "after": {"time_zone": "Asia/Tokyo"},
        }
    ]


@pytest.mark.parametrize(
    ("field", "value"), [("time_zone", "Mars/Olympus"), ("time_zone", "../../etc/passwd"), ("contact", "x" * 121)]
)
def test_a_refused_setting_changes_nothing(house: House, owner: Client, field: str, value: str) -> None:
    answer = owner.post(f"/workbench/{house.shop.slug}/settings/", words(house.shop, **{field: value}))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert facts(house) == []


def test_every_date_in_the_workbench_is_the_shops(house: House, owner: Client) -> None:
    show = plan_show(
        shop=house.shop, host=house.owner, title="Evening", style_ids=[make_published(house, "SR-2").pk],
        by=house.owner, planned_at=datetime(2030, 5, 1, 12, tzinfo=UTC),
    )  # fmt: skip
    address = f"/workbench/{house.shop.slug}/shows/{show.code}/"
    assert "1 May 2030, 20:00" in owner.get(address).content.decode()
    Shop.objects.update(time_zone="America/New_York")
    assert "1 May 2030, 08:00" in owner.get(address).content.decode()
    assert "1 May 2030, 08:00" in owner.get(f"/workbench/{house.shop.slug}/shows/").content.decode()


def test_a_logo_goes_through_the_pictures_pipeline_and_is_seen(
    house: House, owner: Client, django_capture_on_commit_callbacks: Any
) -> None:
    page = f"/workbench/{house.shop.slug}/settings/logo/"
    assert owner.post(page, upload(picture_bytes(900, 900, kind="PNG"))).status_code == 302
    house.shop.refresh_from_db()
    first = house.shop.logo.name
    assert first.endswith("-1600.webp")
    small = first.replace("-1600", "-400")
    assert default_storage.exists(small)
    assert small in Client().get(f"/shop/{house.shop.slug}/").content.decode()
    assert small in owner.get(f"/workbench/{house.shop.slug}/").content.decode()
    order = make_order(house)
    assert small in owner.get(f"/orders/{order.number}/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        owner.post(page, upload(picture_bytes(500, 500, colour="#ffffff")))
    house.shop.refresh_from_db()
    assert house.shop.logo.name != first
    assert not default_storage.exists(first)
    assert not default_storage.exists(small)
    with django_capture_on_commit_callbacks(execute=True):
        owner.post(f"{page}remove/")
    house.shop.refresh_from_db()
    assert house.shop.logo.name == ""
    assert [one["changed"] for one in facts(house)] == [["logo"]] * 3


@pytest.mark.parametrize("data", [b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b""])
def test_what_is_no_picture_becomes_no_logo(house: House, owner: Client, own_storage: Path, data: bytes) -> None:
    answer = owner.post(f"/workbench/{house.shop.slug}/settings/logo/", upload(data))
    assert answer.status_code == 422
    assert list(answer.context["logo_form"].errors) == ["logo"]
    house.shop.refresh_from_db()
    assert house.shop.logo.name == ""
    assert [path for path in own_storage.rglob("*") if path.is_file()] == []


def test_the_contact_stands_on_the_shops_page_and_on_orders(house: House, owner: Client) -> None:
    Shop.objects.update(contact="weixin: cloud-silk")
    order = make_order(house)
    for address in (f"/shop/{house.shop.slug}/", f"/orders/{order.number}/"):
        assert "Contact: weixin: cloud-silk" in owner.get(address).content.decode()


def test_the_currency_changes_until_the_first_order(house: House, owner: Client) -> None:
    make_variants(house, make_style(house), price_minor=39_900)
    page = f"/workbench/{house.shop.slug}/settings/currency/"
    assert owner.post(page, {"currency": "EUR"}).status_code == 302
    house.shop.refresh_from_db()
    assert house.shop.currency == "EUR"
    assert facts(house)[-1] == {
        "shop": house.shop.slug,
        "changed": ["currency"],
        "before": {"currency": "CNY"},
        "after": {"currency": "EUR"},
    }
    make_order(house)
    answer = owner.post(page, {"currency": "USD"})
    assert answer.status_code == 422
    assert answer.context["currency_form"].errors["currency"] == [
        "This shop has orders in EUR. From its first order on it keeps its currency."
    ]
    house.shop.refresh_from_db()
    assert house.shop.currency == "EUR"
    assert "because your shop has orders" in owner.get(f"/workbench/{house.shop.slug}/settings/").content.decode()
    assert len(facts(house)) == 1


def test_prices_with_cents_do_not_become_prices_without(house: House, owner: Client) -> None:
    page = f"/workbench/{house.shop.slug}/settings/currency/"
    assert owner.post(page, {"currency": "JPY"}).status_code == 302
    make_variants(house, make_style(house), price_minor=39_900)
    assert list(owner.post(page, {"currency": "CNY"}).context["currency_form"].errors) == ["currency"]
    assert owner.post(page, {"currency": "KRW"}).status_code == 302
    assert owner.post(page, {"currency": "XXX"}).status_code == 422
    house.shop.refresh_from_db()
    assert house.shop.currency == "KRW"


def test_changes_of_places_stand_in_the_journal(house: House, owner: Client) -> None:
    store = house.store
    page = f"/workbench/{house.shop.slug}/settings/places/{store.pk}/"
    prefix = f"p{store.pk}"
    owner.post(page, {f"{prefix}-name": store.name})
    assert facts(house, "shop.place_changed") == []
    owner.post(page, {f"{prefix}-name": store.name, f"{prefix}-sells_online": "on"})
    owner.post(page, {f"{prefix}-name": "Bridge store", f"{prefix}-sells_online": "on"})
    assert facts(house, "shop.place_changed") == [
        {"place": store.code, "sells_online": True},
        {"place": store.code, "name": "Bridge store"},
    ]
