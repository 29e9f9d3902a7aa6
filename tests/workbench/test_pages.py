"""Merchant pages through their forms: what is kept on errors, what a repeat does, what stands where."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from silkroom.accounts import entrance
from silkroom.catalog.models import Picture, Style, Variant
from silkroom.inventory.models import Movement
from silkroom.inventory.queries import sellable_quantities
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.deals.models import PreparedDeal
from silkroom.live.room.services import plan_show
from silkroom.sales.orders.models import Order
from silkroom.shops.models import Invitation, Place, Shop, Staff
from silkroom.shops.queries import find_role
from silkroom.shops.states import Role
from tests.house import (
    WEST_LAKE,
    House,
    make_house,
    make_person,
    make_picture,
    make_published,
    make_style,
    make_variants,
    picture_bytes,
    signed_in,
)

pytestmark = pytest.mark.django_db


def key() -> str:
    return str(uuid.uuid4())


OPEN = {
    "name": "云裳", "name_en": "Cloud Silk", "province": "33", "region_code": WEST_LAKE, "has_warehouse": "on",
    "name_warehouse": "大仓", "name_store": "Store", "name_workshop": "Workshop",
}  # fmt: skip


def test_a_shop_is_opened_on_one_page_and_only_once() -> None:
    client, data = signed_in(make_person()), {**OPEN, "key": key()}
    first, again = (client.post("/workbench/open/", data) for _ in range(2))
    assert first["Location"] == again["Location"] == "/workbench/cloud-silk/styles/new/"
    shop = Shop.objects.get()
    assert list(Place.objects.filter(shop=shop, is_outside=False).values_list("name", "kind")) == [
        ("大仓", "warehouse")
    ]
    client.post("/workbench/open/", {**data, "key": key()})
    assert Shop.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"region_code": "330100"}, "region_code"),
        ({"region_code": ""}, "region_code"),
        ({"province": "99"}, "province"),
        ({"has_warehouse": ""}, "has_warehouse"),
    ],
)
def test_an_error_stands_beside_its_field_and_nothing_typed_is_lost(change: dict[str, str], field: str) -> None:
    client = signed_in(make_person())
    answer = client.post(
        "/workbench/open/", {**OPEN, "key": key(), **{n: v for n, v in change.items() if v or n != field}, **change}
    )
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert "大仓" in answer.content.decode()
    assert Shop.objects.count() == 0


def test_districts_follow_the_province_also_without_a_script() -> None:
    client = signed_in(make_person())
    answer = client.post("/workbench/open/", {**OPEN, "key": key(), "region_code": ""})
    assert "西湖区" in answer.content.decode()
    found = client.get("/workbench/regions/", {"q": "西湖 杭州"}).json()["regions"]
    assert [(one["code"], one["full"]) for one in found] == [("330106", "浙江省杭州市西湖区")]
    assert len(client.get("/workbench/regions/", {"province": "33"}).json()["regions"]) > 80
    assert client.get("/workbench/regions/", {"province": "x"}).json()["regions"] == []


def test_home_leads_to_the_only_shop_to_a_choice_or_to_the_first_one(house: House, owner: Client) -> None:
    assert owner.get("/workbench/")["Location"] == f"/workbench/{house.shop.slug}/"
    assert signed_in(make_person()).get("/workbench/")["Location"] == "/workbench/open/"
    owner.post("/workbench/open/", {**OPEN, "key": key()})
    assert [desk.shop.name for desk in owner.get("/workbench/").context["desks"]] == ["Cloud Silk", "云裳"]


def test_today_says_what_to_do_next(house: House, owner: Client) -> None:
    page = f"/workbench/{house.shop.slug}/"

    def steps() -> list[str]:
        return [str(step.title) for step in owner.get(page).context["steps"]]

    assert steps() == ["Enter your first garment"]
    style = make_style(house)
    assert steps() == ["Finish your drafts"]
    make_variants(house, style, pieces=0)
    make_picture(style)
    owner.post(f"{page}styles/{style.code}/publish/")
    assert steps() == ["Nothing can be bought", "Plan your first show"]
    clerk = signed_in(house.hire(Role.CLERK))
    assert clerk.get(page).context["steps"] == [], "a clerk neither counts nor plans"


def test_today_takes_a_bounded_number_of_queries(
    house: House, owner: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        make_published(house, f"SR-{number}")
    with django_assert_max_num_queries(16):
        owner.get(f"/workbench/{house.shop.slug}/")


def grid_data(style: Style, house: House, **change: str) -> dict[str, str]:
    place = house.warehouse.pk
    data = {
        "colour-0-name": "月白", "colour-0-name_en": "Moon white", "colour-0-swatch": "#e9e4d4",
        "size-0-label": "S", "size-0-code": "155/80A", "size-1-label": "M",
    }  # fmt: skip
    for size in (0, 1):
        data |= {
            f"cell-0-{size}-price": "399", f"cell-0-{size}-stock-{place}": "5", f"cell-0-{size}-sold": "on",
            f"cell-0-{size}-sku": "", f"cell-0-{size}-ean": "",
        }  # fmt: skip
    return {**data, **change}


def test_the_grid_makes_variants_and_leads_to_the_pictures(house: House, owner: Client) -> None:
    style = make_style(house)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/"
    assert owner.get(f"{page}grid/").status_code == 200
    answer = owner.post(f"{page}grid/", grid_data(style, house))
    assert answer["Location"] == f"{page}pictures/"
    assert list(Variant.objects.values_list("sku", "price_minor")) == [
        ("SR-1-MOON-WHITE-S", 39_900),
        ("SR-1-MOON-WHITE-M", 39_900),
    ]
    assert sum(sellable_quantities(item_ids=list(Variant.objects.values_list("item", flat=True))).values()) == 10


def test_the_grid_shown_and_sent_back_unchanged_changes_nothing(house: House, owner: Client) -> None:
    style = make_style(house)
    make_variants(house, style)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/grid/"
    html = owner.get(page).content.decode().split("<template")[0]
    fields = {}
    for tag in re.findall(r"<input[^>]*>", html):
        name = re.search(r'name="((?:colour|size|cell)-[^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or "checked" in tag):
            fields[name[1]] = value[1] if value else "on"
    before = list(Variant.objects.order_by("pk").values())
    assert len(before) == 4
    assert owner.post(page, fields)["Location"] == page
    assert list(Variant.objects.order_by("pk").values()) == before
    assert Movement.objects.count() == 4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cell-0-1-price": "free"}, "Enter a price, such as 399."),
        ({"cell-0-1-price": "0"}, "A price must be more than 0"),
        ({"cell-0-1-price": "399.999"}, "Enter a price, such as 399."),
        ({"cell-0-1-ean": "6901234567890"}, "is not an EAN-13"),
        ({"cell-0-1-sku": "丝"}, "Letters, digits and . _ / - only."),
        ({"cell-0-0-sku": "A", "cell-0-1-sku": "a"}, "The SKU A is used twice"),
        ({"colour-0-name": ""}, "Give this colour a name."),
        ({"size-1-label": ""}, "Give this size a name."),
        ({"size-1-label": "s"}, "appears twice"),
        ({"cell-0-0-sold": "", "cell-0-1-sold": ""}, None),
    ],
)
def test_a_slip_in_the_grid_is_said_where_it_is_and_nothing_is_lost(
    house: House, owner: Client, change: dict[str, str], sentence: str | None
) -> None:
    style = make_style(house)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/grid/"
    data = {
        name: value for name, value in grid_data(style, house, **change).items() if not (value == "" and "sold" in name)
    }
    answer = owner.post(page, data)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert (sentence or "Enter at least one colour and one size.") in html
    assert 'value="Moon white"' in html
    assert 'value="5"' in html
    assert (Variant.objects.count(), Movement.objects.count()) == (0, 0)


def test_stock_in_the_grid_must_be_a_whole_number(house: House, owner: Client) -> None:
    style = make_style(house)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/grid/"
    for typed in ("-1", "1.5", "many", "9" * 20):
        answer = owner.post(page, grid_data(style, house, **{f"cell-0-0-stock-{house.warehouse.pk}": typed}))
        assert (answer.status_code, "Enter a whole number." in answer.content.decode()) == (422, True)
    assert Variant.objects.count() == 0


def test_rows_can_be_added_without_a_script(house: House, owner: Client) -> None:
    style = make_style(house)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/grid/"
    answer = owner.post(page, {**grid_data(style, house), "add": "colour"})
    assert answer.status_code == 200
    assert [len(rows) for _, rows in answer.context["grid"].groups] == [2, 2]
    answer = owner.post(page, {**grid_data(style, house), "add": "size"})
    assert [len(rows) for _, rows in answer.context["grid"].groups] == [3]
    assert Variant.objects.count() == 0


def test_a_hostile_grid_is_bounded(house: House, owner: Client) -> None:
    style = make_style(house)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/grid/"
    many = {f"colour-{number}-name": f"c{number}" for number in range(400)}
    many |= {f"size-{number}-label": f"s{number}" for number in range(400)}
    assert owner.post(page, many).status_code == 422
    assert owner.post(page, {"colour-0-name": "x" * 100_000, "size-0-label": "S"}).status_code == 422
    assert owner.post(page, {"colour-999999-name": "x"}).status_code == 422
    assert Variant.objects.count() == 0


def test_pictures_are_taken_or_refused_one_by_one(house: House, owner: Client) -> None:
    style = make_style(house)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/pictures/"
    files = [
        SimpleUploadedFile("good.jpg", picture_bytes(), "image/jpeg"),
        SimpleUploadedFile("evil.svg", b"<svg onload='alert(1)'/>", "image/jpeg"),
        SimpleUploadedFile("../../etc/passwd.png", picture_bytes(kind="PNG"), "image/png"),
    ]
    answer = owner.post(page, {"pictures": files})
    assert answer.status_code == 422
    assert "evil.svg: This file is not a JPEG" in answer.content.decode()
    names = list(Picture.objects.values_list("file", flat=True))
    assert len(names) == 2
    assert all(re.fullmatch(r"pictures/[0-9A-Z]{12}-1600\.webp", name) for name in names)
    assert owner.post(page, {"pictures": SimpleUploadedFile("big.jpg", b"0" * (10 * 1024**2 + 1))}).status_code == 422
    assert owner.post(page, {}).status_code == 422
    assert Picture.objects.count() == 2


def test_one_person_sends_only_so_many_pictures(house: House, owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "MOST_PICTURES", 2)
    style = make_style(house)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/pictures/"
    files = [SimpleUploadedFile(f"{number}.jpg", picture_bytes(), "image/jpeg") for number in range(3)]
    answer = owner.post(page, {"pictures": files})
    assert "2.jpg: That was too much at once." in answer.content.decode()
    assert Picture.objects.count() == 2
    logo = SimpleUploadedFile("logo.png", picture_bytes(kind="PNG"), "image/png")
    assert owner.post(f"/workbench/{house.shop.slug}/settings/logo/", {"logo": logo}).status_code == 429


def test_pictures_move_get_words_and_go(house: House, owner: Client) -> None:
    style = make_style(house)
    make_variants(house, style)
    first, second = make_picture(style), make_picture(style)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/pictures/"
    owner.post(f"{page}{second.pk}/move/", {"to": "front"})
    assert list(Picture.objects.values_list("pk", flat=True)) == [second.pk, first.pk]
    owner.post(f"{page}{second.pk}/move/", {"to": "front"})
    assert list(Picture.objects.values_list("pk", flat=True)) == [second.pk, first.pk]
    colour = style.colours.first()
    assert colour
    owner.post(f"{page}{first.pk}/", {f"p{first.pk}-alt": "From the side", f"p{first.pk}-colour": str(colour.pk)})
    first.refresh_from_db()
    assert (first.alt, first.colour) == ("From the side", colour)
    owner.post(f"{page}{first.pk}/remove/")
    assert list(Picture.objects.all()) == [second]


def test_size_chart_and_label_keep_what_was_typed_on_errors(house: House, owner: Client) -> None:
    style = make_style(house)
    make_variants(house, style)
    small, middle = style.sizes.all()
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/"
    wrong = {"measure-0-name": "Chest", f"measure-0-{small.pk}": "90", f"measure-0-{middle.pk}": "ninety"}
    answer = owner.post(f"{page}sizes/", wrong)
    assert (answer.status_code, 'value="ninety"' in answer.content.decode()) == (422, True)
    assert owner.post(f"{page}sizes/", {**wrong, f"measure-0-{middle.pk}": "94.5"}).status_code == 302
    assert sorted(small.measures.values_list("millimetres", flat=True)) == [900]
    assert sorted(middle.measures.values_list("millimetres", flat=True)) == [945]

    label = {
        "fibre-0-fibre": "Silk", "fibre-0-percent": "90", "care_wash": "wash-hand", "care_iron": "iron-110",
        "safety_class": "B", "standard": "GB/T 18132",
    }  # fmt: skip
    answer = owner.post(f"{page}label/", label)
    assert (answer.status_code, "add up to 90 %" in answer.content.decode()) == (422, True)
    assert owner.post(f"{page}label/", {**label, "fibre-0-percent": "100%"}).status_code == 302
    style.refresh_from_db()
    assert style.composition == [{"part": "", "fibre": "Silk", "percent": 100}]
    assert (style.care, style.safety_class, style.standard) == (["wash-hand", "iron-110"], "B", "GB/T 18132")
    assert owner.post(f"{page}label/", {**label, "care_wash": "no-such"}).status_code == 422


def test_publishing_says_what_is_missing(house: House, owner: Client) -> None:
    style = make_style(house)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/"
    answer = owner.post(f"{page}publish/", follow=True)
    assert "Enter colours, sizes and a price. Add a picture." in answer.content.decode()
    make_variants(house, style)
    make_picture(style)
    assert "is on sale" in owner.post(f"{page}publish/", follow=True).content.decode()
    assert owner.get(f"/style/{style.code}/").status_code == 200
    owner.post(f"{page}withdraw/")
    assert Client().get(f"/style/{style.code}/").status_code == 404


def test_a_count_is_booked_once_and_can_be_undone(house: House, owner: Client) -> None:
    style = make_style(house)
    (variant, *_) = make_variants(house, style, pieces=5)
    page = f"/workbench/{house.shop.slug}/stock/{variant.pk}/{house.warehouse.pk}/"
    data = {"key": key(), "counted": "3"}
    for _ in range(2):
        assert owner.post(f"{page}count/", data, headers={"HX-Request": "true"}).status_code == 200
    assert sellable_quantities(item_ids=[variant.item_id]) == {variant.item_id: 3}
    answer = owner.post(f"{page}count/", {"key": key(), "arrived": "10"}, headers={"HX-Request": "true"})
    html = answer.content.decode()
    assert "+10 pieces" in html
    undo = re.search(r'name="token" value="([^"]+)"', html)
    assert undo
    back = owner.post(f"/workbench/{house.shop.slug}/undo/", {"token": undo[1]}, headers={"HX-Request": "true"})
    assert (back.status_code, back["HX-Refresh"]) == (204, "true")
    assert sellable_quantities(item_ids=[variant.item_id]) == {variant.item_id: 3}
    sources = [one.source.split(":")[0] for one in Movement.objects.filter(item=variant.item_id).order_by("id")]
    assert sources == ["opening", "count", "receipt", "undo"]


def test_a_count_says_why_it_differs(house: House, owner: Client) -> None:
    (variant, *_) = make_variants(house, make_style(house), pieces=5)
    page = f"/workbench/{house.shop.slug}/stock/{variant.pk}/{house.warehouse.pk}/"
    refused = owner.post(f"{page}count/", {"key": key(), "counted": "4", "reason": "order"})
    assert refused.status_code == 422, "a reason is one of the list, not the name of another kind of source"
    owner.post(f"{page}count/", {"key": key(), "counted": "4", "reason": "damaged"})
    movements = owner.get(f"/workbench/{house.shop.slug}/stock/movements/?variant={variant.pk}")
    assert [str(row["because"]) for row in movements.context["rows"]] == ["Damaged", "Opening stock"]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"counted": "-1"},
        {"counted": "1.5"},
        {"counted": "1", "arrived": "1"},
        {"arrived": "0"},
        {"counted": "9" * 12},
    ],
)
def test_a_count_that_cannot_be_is_refused(house: House, owner: Client, data: dict[str, str]) -> None:
    (variant, *_) = make_variants(house, make_style(house))
    page = f"/workbench/{house.shop.slug}/stock/{variant.pk}/{house.warehouse.pk}/count/"
    assert owner.post(page, {"key": key(), **data}).status_code == 422
    assert Movement.objects.count() == 4


def test_stock_is_found_by_name_colour_size_sku_and_ean(house: House, owner: Client) -> None:
    style = make_style(house)
    (variant, *_) = make_variants(house, style)
    Variant.objects.filter(pk=variant.pk).update(ean="6901234567892")
    other = make_house("Other")
    make_variants(other, make_style(other))
    page = f"/workbench/{house.shop.slug}/stock/"

    def found(words: str) -> int:
        return len(owner.get(page, {"q": words}).context["page"].rows)

    assert [found(words) for words in ("", "moon", "月白 white-m", "690123", "mulberry-s", "nothing")] == [
        4,
        2,
        1,
        1,
        1,
        0,
    ]


def test_stock_and_movements_take_a_fixed_number_of_queries(
    house: House, owner: Client, django_assert_num_queries: Any
) -> None:
    make_variants(house, make_style(house))
    counts = []
    for article in ("SR-2", "SR-3"):
        for page in ("stock/", "stock/movements/"):
            with django_assert_num_queries(7 if page == "stock/" else 6):
                owner.get(f"/workbench/{house.shop.slug}/{page}")
        counts.append(make_variants(house, make_style(house, article)))
    assert len(counts) == 2


def test_an_invitation_link_is_shown_once_and_works_once(house: House, owner: Client) -> None:
    page = f"/workbench/{house.shop.slug}/staff/"
    data = {"key": key(), "contact": "Zhou", "role": "host"}
    for _ in range(2):
        assert owner.post(f"{page}invite/", data).status_code == 302
    assert Invitation.objects.count() == 1
    link = owner.get(page).context["link"]
    assert re.fullmatch(r"http://testserver/workbench/invitations/[\w-]{43}/", link)
    assert owner.get(page).context["link"] == ""
    zhou = make_person("Zhou")
    client = signed_in(zhou)
    path = link.removeprefix("http://testserver")
    assert "Host" in client.get(path).content.decode()
    assert find_role(zhou, house.shop.pk) is None, "looking is not accepting"
    assert client.post(path)["Location"] == f"/workbench/{house.shop.slug}/"
    assert find_role(zhou, house.shop.pk) is Role.HOST
    assert signed_in(make_person()).get(path).status_code == 404
    assert Client().get(path)["Location"].startswith("/accounts/login/?next=/workbench/invitations/")


def test_the_last_owner_is_told_why_not(house: House, owner: Client) -> None:
    own = Staff.objects.get(person=house.owner)
    page = f"/workbench/{house.shop.slug}/staff/"
    for address, data in ((f"{own.pk}/role/", {f"s{own.pk}-role": "clerk"}), (f"{own.pk}/remove/", {}), ("leave/", {})):
        answer = owner.post(f"{page}{address}", data, follow=True)
        assert "This is the only owner" in answer.content.decode()
    assert find_role(house.owner, house.shop.pk) is Role.OWNER


def test_places_are_added_and_changed(house: House, owner: Client) -> None:
    page = f"/workbench/{house.shop.slug}/settings/"
    data = {"new-key": key(), "new-kind": "workshop", "new-name": "Sewing room"}
    for _ in range(2):
        assert owner.post(f"{page}places/new/", data).status_code == 302
    assert owner.post(f"{page}places/new/", {**data, "new-key": key()}).status_code == 422
    place = Place.objects.get(name="Sewing room")
    prefix = f"p{place.pk}"
    owner.post(f"{page}places/{place.pk}/", {f"{prefix}-name": "Cutting room", f"{prefix}-sells_online": "on"})
    place.refresh_from_db()
    assert (place.name, place.sells_online) == ("Cutting room", True)
    answer = owner.post(f"{page}places/{place.pk}/", {f"{prefix}-name": "Lake store"}, follow=True)
    assert "Two places have the name" in answer.content.decode()


def test_a_show_is_planned_once_in_the_shops_own_time(house: House, owner: Client) -> None:
    styles = [make_published(house, f"SR-{number}") for number in range(3)]
    ids = [styles[2].pk, styles[0].pk]
    page = f"/workbench/{house.shop.slug}/shows/"
    data = {"key": key(), "title": "秋夜", "planned_at": "2030-05-01T20:00", "styles": f"{ids[0]} {ids[1]}"}
    first, again = (owner.post(f"{page}new/", data) for _ in range(2))
    assert first["Location"] == again["Location"]
    show = Broadcast.objects.get()
    assert show.planned_at == datetime(2030, 5, 1, 12, tzinfo=UTC)
    assert list(show.running_order.values_list("style_id", flat=True)) == ids
    assert owner.get(first["Location"]).status_code == 200
    change = f"{page}{show.code}/change/"
    assert 'value="2030-05-01T20:00"' in owner.get(change).content.decode()
    owner.post(change, {**data, "key": key(), "title": "冬夜", "styles": str(styles[1].pk), "planned_at": ""})
    show.refresh_from_db()
    assert (show.title, show.planned_at) == ("冬夜", None)
    assert list(show.running_order.values_list("style_id", flat=True)) == [styles[1].pk]


def test_a_show_can_be_cancelled_until_it_is_on_air(house: House, owner: Client) -> None:
    style = make_published(house)
    show = plan_show(shop=house.shop, host=house.owner, title="Evening", style_ids=[style.pk])
    page = f"/workbench/{house.shop.slug}/shows/{show.code}/"
    form = f'action="{page}cancel/" data-confirm="Cancel this show?'
    assert form in owner.get(page).content.decode()
    assert signed_in(make_person()).post(f"{page}cancel/").status_code == 404
    assert owner.post(f"{page}cancel/").status_code == 302
    html = owner.get(page).content.decode()
    assert "Cancelled" in html
    assert form not in html
    assert f"{page}change/" not in html
    assert owner.get(f"/workbench/{house.shop.slug}/").context["figures"].next_show is None
    assert Client().get(f"/live/{show.code}/").context["room"]["state"]["broadcast"]["state"] == "cancelled"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": " "}, "title"),
        ({"planned_at": "soon"}, "planned_at"),
        ({"styles": "1;drop"}, "styles"),
        ({"styles": "999999"}, "styles"),
    ],
)
def test_a_show_that_cannot_be_planned_keeps_what_was_typed(
    house: House, owner: Client, change: dict[str, str], field: str
) -> None:
    style = make_published(house)
    data = {"key": key(), "title": "Evening", "planned_at": "", "styles": str(style.pk), **change}
    answer = owner.post(f"/workbench/{house.shop.slug}/shows/new/", data)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert Broadcast.objects.count() == 0


def test_styles_of_another_shop_cannot_be_shown(house: House, owner: Client) -> None:
    foreign = make_published(make_house("Other"))
    data = {"key": key(), "title": "Evening", "styles": str(foreign.pk)}
    assert owner.post(f"/workbench/{house.shop.slug}/shows/new/", data).status_code == 422
    assert Broadcast.objects.count() == 0


def test_a_deal_is_prepared_below_the_price_and_removed(house: House, owner: Client) -> None:
    style = make_published(house)
    page = f"/workbench/{house.shop.slug}/shows/"
    show = owner.post(f"{page}new/", {"key": key(), "title": "Evening", "styles": str(style.pk)})["Location"]
    deal = {"key": key(), "style": str(style.pk), "price": "299", "cap": "20", "per_person": "2", "minutes": "5"}
    for _ in range(2):
        assert owner.post(f"{show}deals/", deal).status_code == 302
    one = PreparedDeal.objects.get()
    assert (one.price_minor, one.piece_cap, one.person_limit, one.seconds) == (29_900, 20, 2, 300)
    for wrong in ({"price": "9999"}, {"price": "x"}, {"minutes": "0"}, {"cap": "-1"}, {"style": "999"}):
        assert owner.post(f"{show}deals/", {**deal, "key": key(), **wrong}).status_code == 422, wrong
    owner.post(f"{show}deals/{one.pk}/remove/")
    assert PreparedDeal.objects.count() == 0


def test_the_language_of_pages_is_the_browsers(house: House) -> None:
    client = signed_in(house.owner)
    page = f"/workbench/{house.shop.slug}/stock/"
    assert "<h1>Stock</h1>" in client.get(page, headers={"accept-language": "en"}).content.decode()
    assert 'lang="zh-hans"' in client.get(page, headers={"accept-language": "zh-CN"}).content.decode()


def test_orders_filter_by_state_show_and_words(house: House, owner: Client) -> None:
    style = make_published(house)
    show = plan_show(shop=house.shop, host=house.owner, title="Evening", style_ids=[style.pk])
    bo, other = make_person("Bo Chen"), make_house("Other")

    def order(number: str, channel: str, state: str, shop: Shop = house.shop) -> None:
        Order.objects.create(
            shop=shop, number=number, person=bo, key=uuid.uuid4(), channel=channel, state=state, currency="CNY",
            goods_minor=100, total_minor=100, holds_until=datetime.now(UTC), phone="+8613800138000",
            ended_at=None if state == "held" else datetime.now(UTC),
        )  # fmt: skip

    order("KWEB", "web", "held")
    order("KSHOW", f"broadcast:{show.code}", "paid")
    order("KOLD", "broadcast:OTHERSHOW", "lapsed")
    order("KFOREIGN", "web", "held", other.shop)
    page = f"/workbench/{house.shop.slug}/orders/"

    def found(**words: str) -> list[str]:
        return [row["order"].number for row in owner.get(page, words).context["rows"]]

    assert found() == ["KOLD", "KSHOW", "KWEB"]
    assert found(state="held") == ["KWEB"]
    assert found(state="invented") == ["KOLD", "KSHOW", "KWEB"]
    assert found(channel="web") == ["KWEB"]
    assert found(channel="show") == ["KOLD", "KSHOW"]
    assert found(channel=show.code) == ["KSHOW"]
    assert found(q="kw") == ["KWEB"]
    assert found(q="bo chen") == ["KOLD", "KSHOW", "KWEB"]
    assert found(q="8000 kshow") == ["KSHOW"]
    assert found(q="nobody") == []
    html = owner.get(page).content.decode()
    assert "Evening" in html
    assert owner.get(f"{page}KSHOW/").status_code == 200
    assert owner.get(f"{page}KFOREIGN/").status_code == 404


def test_a_part_and_its_page_are_told_apart_by_caches(house: House, owner: Client) -> None:
    page = f"/workbench/{house.shop.slug}/styles/"
    whole, part = owner.get(page), owner.get(page, headers={"HX-Request": "true"})
    assert "HX-Request" in whole["Vary"]
    assert "HX-Request" in part["Vary"]
    assert "<html" in whole.content.decode()
    assert "<html" not in part.content.decode()
