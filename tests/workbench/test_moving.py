"""Moving pieces between places, and the key that takes things back."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from silkroom.catalog.models import Picture, Style, Variant
from silkroom.catalog.queries import style_pictures
from silkroom.inventory.models import Movement
from silkroom.inventory.queries import stock_of_items
from silkroom.journal.models import Entry
from silkroom.shops.models import Shop, Staff
from silkroom.shops.queries import find_role
from silkroom.shops.services import add_place, open_shop
from silkroom.shops.states import PlaceKind, Role
from silkroom.workbench import undo
from tests.house import (
    WEST_LAKE,
    House,
    make_person,
    make_picture,
    make_published,
    make_style,
    make_variants,
    signed_in,
)

pytestmark = pytest.mark.django_db


def key() -> str:
    return str(uuid.uuid4())


def on_hand(house: House, variant: Variant) -> dict[str, int]:
    names = {place.pk: place.name for place in house.shop.places.all()}
    stock = stock_of_items(shop_id=house.shop.pk, item_ids=[variant.item_id])
    return {names[one.place_id]: one.on_hand for one in stock}


def take_back(client: Client, house: House, page: str) -> Any:
    """Press the key of the notice on this page."""
    offer = client.get(page).context["offer"]
    assert offer is not None, "the page offers nothing to take back"
    return client.post(f"/workbench/{house.shop.slug}/undo/", {"token": offer.token}, follow=True)


def move_page(house: House, style: Style) -> str:
    return f"/workbench/{house.shop.slug}/stock/move/{style.code}/"


def test_a_grid_of_pieces_moves_at_once_and_only_once(house: House, owner: Client) -> None:
    style = make_style(house)
    first, second, *_ = make_variants(house, style, pieces=5)
    data = {
        "key": key(), "start": house.warehouse.pk, "end": house.store.pk,
        f"pieces-{first.pk}": "5", f"pieces-{second.pk}": "2",
    }  # fmt: skip
    for _ in range(2):
        answer = owner.post(move_page(house, style), data)
        assert answer.status_code == 302
    assert on_hand(house, first) == {"Main warehouse": 0, "Lake store": 5}
    assert on_hand(house, second) == {"Main warehouse": 3, "Lake store": 2}
    rows = Movement.objects.filter(source=f"move:{data['key']}")
    assert [row.person_id for row in rows] == [house.owner.pk] * 2
    assert Entry.objects.filter(kind="stock.moved").count() == 1
    movements = owner.get(f"/workbench/{house.shop.slug}/stock/movements/").context["rows"]
    assert (str(movements[0]["because"]), movements[0]["end"]) == ("Moved between places", "Lake store")


def test_a_move_is_offered_for_taking_back(house: House, owner: Client) -> None:
    style = make_style(house)
    first, *_ = make_variants(house, style, pieces=5)
    data = {"key": key(), "start": house.warehouse.pk, "end": house.store.pk, f"pieces-{first.pk}": "1"}
    page = owner.post(move_page(house, style), data)["Location"]
    offer = owner.get(page).context["offer"]
    assert offer.sentence == "1 piece went from Main warehouse to Lake store."
    assert owner.get(page).context["offer"] is None, "a notice is shown once"
    wrong = owner.post(f"/workbench/{house.shop.slug}/undo/", {"token": "x"}, follow=True)
    assert "can no longer be taken back" in wrong.content.decode()
    assert on_hand(house, first) == {"Main warehouse": 4, "Lake store": 1}
    done = owner.post(f"/workbench/{house.shop.slug}/undo/", {"token": offer.token}, follow=True)
    assert "Taken back." in done.content.decode()
    assert on_hand(house, first) == {"Main warehouse": 5, "Lake store": 0}
    owner.post(f"/workbench/{house.shop.slug}/undo/", {"token": offer.token})
    assert on_hand(house, first) == {"Main warehouse": 5, "Lake store": 0}


def test_a_move_sent_again_says_what_became_of_it(house: House, owner: Client) -> None:
    style = make_style(house)
    first, *_ = make_variants(house, style, pieces=5)
    data = {"key": key(), "start": house.warehouse.pk, "end": house.store.pk, f"pieces-{first.pk}": "1"}
    page = owner.post(move_page(house, style), data)["Location"]
    again = owner.post(move_page(house, style), {**data, f"pieces-{first.pk}": "3"}, follow=True)
    assert "This move was carried out before. Nothing more has moved." in again.content.decode()
    assert again.context["offer"].sentence == "1 piece went from Main warehouse to Lake store."
    owner.post(f"/workbench/{house.shop.slug}/undo/", {"token": again.context["offer"].token})
    owner.get(page)
    again = owner.post(move_page(house, style), data, follow=True)
    assert "This move was taken back. Nothing has moved now." in again.content.decode()
    assert again.context["offer"] is None
    assert on_hand(house, first) == {"Main warehouse": 5, "Lake store": 0}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("6", "Only 5 are free here."),
        ("-1", "Enter a whole number."),
        ("1.5", "Enter a whole number."),
        ("9" * 18, "Enter a whole number."),
        ("", "Enter how many pieces move."),
        ("0", "Enter how many pieces move."),
    ],
)
def test_what_cannot_move_is_said_beside_its_number_and_nothing_is_lost(
    house: House, owner: Client, typed: str, said: str
) -> None:
    style = make_style(house)
    first, second, *_ = make_variants(house, style, pieces=5)
    other = {f"pieces-{second.pk}": "3"} if typed not in {"", "0"} else {}
    data = {"key": key(), "start": house.warehouse.pk, "end": house.store.pk, f"pieces-{first.pk}": typed, **other}
    answer = owner.post(move_page(house, style), data)
    assert answer.status_code == 422
    sheet = answer.context["sheet"]
    said_there = {cell.variant.pk: cell.error for cell in sheet.cells if cell.error} or {None: sheet.error}
    assert said_there in ({first.pk: said}, {None: said})
    assert [cell.typed for cell in sheet.cells[:2]] == [typed, other.get(f"pieces-{second.pk}", "")]
    assert Movement.objects.exclude(source__startswith="opening").count() == 0


def test_a_place_does_not_move_to_itself(house: House, owner: Client) -> None:
    style = make_style(house)
    first, *_ = make_variants(house, style)
    data = {"key": key(), "start": house.store.pk, "end": house.store.pk, f"pieces-{first.pk}": "1"}
    answer = owner.post(move_page(house, style), data)
    assert list(answer.context["form"].errors) == ["end"]
    assert on_hand(house, first) == {"Main warehouse": 5}


def test_another_place_shows_its_own_pieces_and_keeps_what_was_typed(house: House, owner: Client) -> None:
    style = make_style(house)
    first, *_ = make_variants(house, style, at={house.store.pk: 2, house.warehouse.pk: 7})
    sheet = owner.get(move_page(house, style)).context["sheet"]
    assert (sheet.start, sheet.end) == (house.warehouse, house.store)
    assert sheet.cells[0].free == 7
    data = {"key": key(), "start": house.store.pk, "end": house.warehouse.pk, f"pieces-{first.pk}": "1", "look": "1"}
    answer = owner.post(move_page(house, style), data, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    sheet = answer.context["sheet"]
    assert (sheet.start, sheet.cells[0].free, sheet.cells[0].there, sheet.cells[0].typed) == (house.store, 2, 7, "1")
    assert Movement.objects.exclude(source__startswith="opening").count() == 0


@pytest.mark.parametrize("kept", ["start", "end"])
def test_a_place_chosen_twice_makes_the_other_one_give_way(house: House, owner: Client, kept: str) -> None:
    style = make_style(house)
    make_variants(house, style)
    data = {"key": key(), "start": house.store.pk, "end": house.store.pk, "look": "1"}
    asked = {"HX-Request": "true", "HX-Trigger-Name": kept}
    sheet = owner.post(move_page(house, style), data, headers=asked).context["sheet"]
    assert (sheet.start, sheet.end)[kept == "end"] == house.store
    assert (sheet.start, sheet.end)[kept != "end"] == house.warehouse


def test_the_choice_says_where_each_garment_lies(house: House, owner: Client) -> None:
    make_variants(house, make_style(house), at={house.store.pk: 2, house.warehouse.pk: 7})
    make_style(house, "SR-2", "Without sizes")
    rows = owner.get(f"/workbench/{house.shop.slug}/stock/move/").context["rows"]
    lies = [(row.card.style.article, [(place.name, count) for place, count in row.lies]) for row in rows]
    assert lies == [("SR-1", [("Main warehouse", 28), ("Lake store", 8)])]
    assert owner.get(f"/workbench/{house.shop.slug}/stock/move/?q=nothing").context["rows"] == []


def test_a_shop_of_one_place_is_told_how_to_get_another() -> None:
    person = make_person()
    shop = open_shop(person=person, name="One Room", region_code=WEST_LAKE)
    house = House(person, shop, {Role.OWNER: person})
    style = make_style(house)
    make_variants(house, style)
    client = signed_in(person)
    for address in (f"/workbench/{shop.slug}/stock/move/", move_page(house, style)):
        assert "Add a place" in client.get(address).content.decode()
    add_place(shop=shop, kind=PlaceKind.STORE, name="Store")
    assert client.get(move_page(house, style)).context["sheet"].free == 20


# --- taking back ----------------------------------------------------------------------------------


def test_a_style_taken_off_sale_comes_back(house: House, owner: Client) -> None:
    style = make_published(house)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/"
    owner.post(f"{page}withdraw/")
    style.refresh_from_db()
    assert style.state == "withdrawn"
    take_back(owner, house, page)
    style.refresh_from_db()
    assert style.state == "published"


def test_a_removed_picture_comes_back_where_it_stood(house: House, owner: Client) -> None:
    style = make_style(house)
    make_variants(house, style)
    first, second, third = (make_picture(style) for _ in range(3))
    Picture.objects.filter(pk=first.pk).update(alt="Collar", colour=style.colours.first())
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/pictures/"
    owner.post(f"{page}{first.pk}/remove/")
    assert style_pictures(style) == [second, third]
    take_back(owner, house, page)
    back, *others = style_pictures(style)
    assert others == [second, third]
    assert (back.file.name, back.alt, back.colour, back.position) == (
        first.file.name,
        "Collar",
        style.colours.first(),
        0,
    )
    assert default_storage.exists(back.file.name)


def test_somebody_removed_from_the_staff_comes_back_with_the_role(house: House, owner: Client) -> None:
    host = house.hire(Role.HOST)
    page = f"/workbench/{house.shop.slug}/staff/"
    owner.post(f"{page}{Staff.objects.get(person=host).pk}/remove/")
    assert find_role(host, house.shop.pk) is None
    take_back(owner, house, page)
    assert find_role(host, house.shop.pk) == Role.HOST


def test_a_changed_role_goes_back(house: House, owner: Client) -> None:
    staff = Staff.objects.get(person=house.hire(Role.CLERK))
    page = f"/workbench/{house.shop.slug}/staff/"
    owner.post(f"{page}{staff.pk}/role/", {f"s{staff.pk}-role": "host"})
    assert find_role(staff.person, house.shop.pk) == Role.HOST
    answer = take_back(owner, house, page)
    assert answer.redirect_chain == [(page, 302)]
    assert find_role(staff.person, house.shop.pk) == Role.CLERK


def test_who_removes_oneself_is_led_out(house: House, owner: Client) -> None:
    second = house.hire(Role.HOST)
    Staff.objects.filter(person=second).update(role=Role.OWNER)
    own = Staff.objects.get(person=house.owner).pk
    assert owner.post(f"/workbench/{house.shop.slug}/staff/{own}/remove/")["Location"] == "/workbench/"


def test_an_offer_ends_and_belongs_to_its_shop_and_to_the_role(
    house: House, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    style = make_published(house)
    page = f"/workbench/{house.shop.slug}/styles/{style.code}/"
    assistant = signed_in(house.hire(Role.ASSISTANT))
    assistant.post(f"{page}withdraw/")
    offer = assistant.get(page).context["offer"]
    address = f"/workbench/{house.shop.slug}/undo/"
    owner.post(address, {"token": offer.token})
    assert Style.objects.get().state == "withdrawn", "what another person did is not offered to the owner"
    Staff.objects.filter(role=Role.ASSISTANT).update(role=Role.CLERK)
    assert assistant.post(address, {"token": offer.token}).status_code == 404
    assert Style.objects.get().state == "withdrawn"
    owner.post(f"{page}publish/")
    monkeypatch.setattr(undo, "LASTS_SECONDS", -1)
    owner.post(f"{page}withdraw/")
    take_back(owner, house, page)
    assert Style.objects.get().state == "withdrawn", "the offer was over"
    assert Shop.objects.count() == 1
