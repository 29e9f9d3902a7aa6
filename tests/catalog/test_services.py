"""Styles in the database: words, grid, stock, pictures, chart, label, showing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from silkroom.catalog.errors import (
    ArticleTaken,
    EanTaken,
    NamedTwice,
    NotPublishable,
    PictureUnusable,
    QuantityUnusable,
    SkuTaken,
    TooManyPictures,
    WordsUnusable,
)
from silkroom.catalog.models import Colour, Measure, Picture, Size, Style, Variant
from silkroom.catalog.queries import (
    cards_of_shop,
    cards_on_sale,
    find_colour_of,
    get_picture_of,
    get_style_for,
    get_style_page,
    get_variant_for,
    size_chart,
    style_page,
    style_pictures,
    styles_for_tray,
)
from silkroom.catalog.rules import ColourRow, Grid, GridCell, SizeColumn, Turn
from silkroom.catalog.services import (
    FILES_KEPT,
    MeasureRow,
    StyleWords,
    add_picture,
    change_style,
    create_style,
    describe_picture,
    enter_grid,
    enter_size_chart,
    forget_files,
    order_pictures,
    publish_style,
    remove_picture,
    restore_picture,
    turn_picture,
    withdraw_style,
)
from silkroom.catalog.states import StyleState
from silkroom.inventory.models import Item, Movement
from silkroom.inventory.queries import sellable_quantities
from silkroom.journal.models import Entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from tests.house import House, make_house, make_picture, make_published, make_style, make_variants, picture_bytes

pytestmark = pytest.mark.django_db

RIGHT_EAN = "6901234567892"


@pytest.fixture(autouse=True)
def own_storage(settings: Any, tmp_path: Path) -> Path:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, storage_url=str(tmp_path))
    return tmp_path


@pytest.fixture
def house() -> House:
    return make_house()


@pytest.fixture
def counted() -> Iterator[CaptureQueriesContext]:
    with CaptureQueriesContext(connection) as queries:
        yield queries


def grid(*cells: GridCell, colours: tuple[str, ...] = ("Red", "Blue"), sizes: tuple[str, ...] = ("S", "M")) -> Grid:
    return Grid([ColourRow(name) for name in colours], [SizeColumn(label) for label in sizes], cells)


def test_an_article_number_is_used_once_in_a_shop(house: House) -> None:
    style = make_style(house)
    with pytest.raises(ArticleTaken):
        make_style(house)
    other = make_style(make_house("Other"))
    assert other.article == style.article
    second = make_style(house, "SR-2")
    with pytest.raises(ArticleTaken), transaction.atomic():
        change_style(style=second, words=StyleWords("SR-1", "Renamed"))
    second.refresh_from_db()
    assert (second.article, second.name) == ("SR-2", "Silk shirt")


def test_words_are_cleaned_and_changing_them_keeps_the_state(house: House) -> None:
    style = make_published(house)
    stale = Style.objects.get(pk=style.pk)
    withdraw_style(style=style)
    change_style(style=stale, words=StyleWords(" SR-9 ", "New\u202e name", description="one\r\ntwo"))
    style.refresh_from_db()
    assert (style.article, style.name, style.description) == ("SR-9", "New name", "one\ntwo")
    assert style.state == StyleState.WITHDRAWN
    with pytest.raises(WordsUnusable):
        create_style(shop=house.shop, words=StyleWords("", "No number"))


def test_the_grid_makes_variants_items_and_stock(house: House) -> None:
    style = make_style(house)
    opening = {house.warehouse.pk: 7, house.store.pk: 2}
    variants = make_variants(house, style, at=opening)
    assert [(one.colour.name, one.size.label, one.sku) for one in variants] == [
        ("月白", "S", "SR-1-MOON-WHITE-S"),
        ("月白", "M", "SR-1-MOON-WHITE-M"),
        ("Mulberry", "S", "SR-1-MULBERRY-S"),
        ("Mulberry", "M", "SR-1-MULBERRY-M"),
    ]
    items = [one.item_id for one in variants]
    assert sellable_quantities(item_ids=items) == dict.fromkeys(items, 7), "only the warehouse sells online"
    places = [house.warehouse.pk, house.store.pk]
    assert sellable_quantities(item_ids=items, place_ids=places) == dict.fromkeys(items, 9)
    assert Movement.objects.count() == 8
    assert set(Movement.objects.values_list("source", "person")) == {(f"opening:{style.code}", house.owner.pk)}


def test_the_same_grid_again_changes_nothing(house: House) -> None:
    style = make_style(house)
    first = make_variants(house, style)
    second = make_variants(house, style)
    assert [one.pk for one in first] == [one.pk for one in second]
    assert (Variant.objects.count(), Item.objects.count(), Movement.objects.count()) == (4, 4, 4)
    assert (Colour.objects.count(), Size.objects.count()) == (2, 2)


def test_what_the_grid_leaves_out_is_no_longer_sold_and_can_come_back(house: House) -> None:
    style = make_style(house)
    make_variants(house, style, pieces=5)
    enter_grid(style=style, grid=grid(GridCell(0, 0, 100), colours=("月白",), sizes=("S",)), person=house.owner)
    sold = Variant.objects.filter(is_sold=True)
    assert [(one.colour.name, one.size.label, one.price_minor) for one in sold] == [("月白", "S", 100)]
    assert Variant.objects.count() == 4
    make_variants(house, style, pieces=5)
    assert Variant.objects.filter(is_sold=True).count() == 4
    assert Movement.objects.count() == 4, "opening stock is received once"


def test_colours_and_sizes_can_be_renamed_and_swapped(house: House) -> None:
    style = make_style(house)
    make_variants(house, style)
    white, red = Colour.objects.filter(style=style)
    small, middle = Size.objects.filter(style=style)
    swapped = Grid(
        [ColourRow("Mulberry", id=white.pk), ColourRow("月白", id=red.pk)],
        [SizeColumn("M", id=small.pk), SizeColumn("L", id=middle.pk)],
        [GridCell(0, 0, 100), GridCell(1, 1, 100)],
    )
    enter_grid(style=style, grid=swapped, person=house.owner)
    assert dict(Colour.objects.values_list("pk", "name")) == {white.pk: "Mulberry", red.pk: "月白"}
    assert dict(Size.objects.values_list("pk", "label")) == {small.pk: "M", middle.pk: "L"}


def test_two_variants_swap_their_skus_and_eans(house: House) -> None:
    style = make_style(house)
    cells = (GridCell(0, 0, 100, "A", RIGHT_EAN), GridCell(0, 1, 100, "B", "4006381333931"))
    first = enter_grid(style=style, grid=grid(*cells, colours=("Red",)), person=house.owner)
    swapped = (GridCell(0, 0, 100, "B", "4006381333931"), GridCell(0, 1, 100, "A", RIGHT_EAN))
    second = enter_grid(style=style, grid=grid(*swapped, colours=("Red",)), person=house.owner)
    assert [one.pk for one in first] == [one.pk for one in second]
    assert [(one.sku, one.ean) for one in second] == [("B", "4006381333931"), ("A", RIGHT_EAN)]


def test_a_sku_or_ean_of_another_style_is_refused_with_its_cell(house: House) -> None:
    cells = (GridCell(0, 0, 100, "TAKEN", RIGHT_EAN),)
    enter_grid(style=make_style(house), grid=grid(*cells), person=house.owner)
    second = make_style(house, "SR-2")
    with pytest.raises(SkuTaken) as refused, transaction.atomic():
        enter_grid(style=second, grid=grid(GridCell(0, 0, 100), GridCell(0, 1, 100, "taken")), person=house.owner)
    assert refused.value.data == {"sku": "TAKEN", "cell": 1}
    with pytest.raises(EanTaken), transaction.atomic():
        enter_grid(style=second, grid=grid(GridCell(0, 0, 100, "", RIGHT_EAN)), person=house.owner)
    assert (second.variants.count(), second.colours.count(), Item.objects.count()) == (0, 0, 1)
    other = make_house("Other")
    enter_grid(style=make_style(other), grid=grid(*cells), person=other.owner)


def test_a_colour_of_another_style_is_not_taken_over(house: House) -> None:
    foreign = make_style(house)
    make_variants(house, foreign)
    colour = Colour.objects.filter(style=foreign).first()
    assert colour is not None
    style = make_style(house, "SR-2")
    stolen = Grid([ColourRow("Mine", id=colour.pk)], [SizeColumn("S")], [GridCell(0, 0, 100)])
    (variant,) = enter_grid(style=style, grid=stolen, person=house.owner)
    colour.refresh_from_db()
    assert colour.style == foreign
    assert variant.colour.pk != colour.pk


@pytest.mark.parametrize("quantity", [-1, 1_000_001])
def test_opening_stock_is_bounded_and_refused_whole(house: House, quantity: int) -> None:
    style = make_style(house)
    with pytest.raises(QuantityUnusable), transaction.atomic():
        make_variants(house, style, at={house.warehouse.pk: quantity})
    assert (Variant.objects.count(), Movement.objects.count()) == (0, 0)


def test_stock_never_goes_to_a_foreign_or_outside_place(house: House) -> None:
    other = make_house("Other")
    for place in (other.warehouse, house.shop.places.get(kind="customer")):
        with pytest.raises(NotFound), transaction.atomic():
            make_variants(house, make_style(house), at={place.pk: 5})
    assert Movement.objects.count() == 0


def test_pictures_come_in_order_move_and_go_with_their_files(house: House, own_storage: Path) -> None:
    style = make_style(house)
    first, second, third = (make_picture(style) for _ in range(3))
    assert style_pictures(style) == [first, second, third]
    order_pictures(style=style, picture_ids=[third.pk, first.pk])
    assert style_pictures(style) == [third, first, second]
    with pytest.raises(NotFound):
        order_pictures(style=style, picture_ids=[make_picture(make_style(house, "SR-2")).pk])
    removed = remove_picture(picture=third)
    assert style_pictures(style) == [first, second]
    assert [one.position for one in style_pictures(style)] == [0, 1]
    assert default_storage.exists(removed.name), "it may be asked back"
    job = ProcrastinateJob.objects.get(task_name="catalog.forget_files")
    assert job.args == {"name": removed.name}
    assert job.scheduled_at is not None
    assert job.scheduled_at > now() + FILES_KEPT - timedelta(minutes=1)
    forget_files(name=removed.name)
    assert not default_storage.exists(removed.name)
    with pytest.raises(NotFound):
        restore_picture(style=style, removed=removed)
    with pytest.raises(NotFound):
        remove_picture(picture=third)


def test_a_picture_that_came_back_keeps_its_files(house: House, own_storage: Path) -> None:
    style = make_style(house)
    first, second = make_picture(style), make_picture(style)
    back = restore_picture(style=style, removed=remove_picture(picture=first))
    assert style_pictures(style) == [back, second]
    forget_files(name=back.file.name)
    assert default_storage.exists(back.file.name)
    make_picture(style)
    assert [one.position for one in style_pictures(style)] == [0, 1, 2]


def test_a_picture_becomes_the_cover_or_goes_one_place(house: House, own_storage: Path) -> None:
    style = make_style(house)
    first, second, third = (make_picture(style) for _ in range(3))
    turn_picture(picture=third, turn=Turn.COVER)
    assert style_pictures(style) == [third, first, second]
    turn_picture(picture=third, turn=Turn.FRONT)
    turn_picture(picture=second, turn=Turn.END)
    assert style_pictures(style) == [third, first, second]
    turn_picture(picture=second, turn=Turn.FRONT)
    assert style_pictures(style) == [third, second, first]


def test_the_database_refuses_two_covers(house: House, own_storage: Path) -> None:
    style = make_style(house)
    first, second = make_picture(style), make_picture(style)
    with pytest.raises(IntegrityError, match="one_picture_a_position"), transaction.atomic():
        Picture.objects.filter(pk=second.pk).update(position=first.position)
    with pytest.raises(IntegrityError, match="pictures_count_from_0"), transaction.atomic():
        Picture.objects.filter(pk=second.pk).update(position=-1)
    make_picture(make_style(house, "SR-2"))


def test_a_refused_picture_leaves_neither_row_nor_file(house: House, own_storage: Path) -> None:
    style = make_style(house)
    with pytest.raises(PictureUnusable):
        add_picture(style=style, data=b"no picture")
    with pytest.raises(WordsUnusable):
        add_picture(style=style, data=picture_bytes(), alt="x" * 121)
    foreign = make_style(house, "SR-2")
    make_variants(house, foreign)
    with pytest.raises(NotFound):
        add_picture(style=style, data=picture_bytes(), colour=foreign.colours.first())
    assert Picture.objects.count() == 0
    assert [path for path in own_storage.rglob("*") if path.is_file()] == []


def test_a_style_has_a_bounded_number_of_pictures(house: House) -> None:
    style = make_style(house)
    Picture.objects.bulk_create(
        Picture(style=style, file=f"pictures/{number}-1600.webp", position=number) for number in range(30)
    )
    with pytest.raises(TooManyPictures):
        make_picture(style)
    assert Picture.objects.count() == 30


def test_a_picture_shows_a_colour_of_its_own_style(house: House) -> None:
    style, foreign = make_style(house), make_style(house, "SR-2")
    make_variants(house, style)
    make_variants(house, foreign)
    picture = make_picture(style)
    describe_picture(picture=picture, alt=" From the\u202e side ", colour=style.colours.first())
    assert Picture.objects.get().alt == "From the side"
    with pytest.raises(NotFound):
        describe_picture(picture=picture, alt="", colour=foreign.colours.first())
    with pytest.raises(NotFound):
        get_picture_of(foreign, picture.pk)
    with pytest.raises(NotFound):
        find_colour_of(style, foreign.colours.first().pk)  # type: ignore[union-attr]


def test_the_size_chart_is_replaced_whole(house: House) -> None:
    style = make_style(house)
    make_variants(house, style)
    small, middle = style.sizes.all()
    enter_size_chart(style=style, rows=[MeasureRow("Chest", "Chest", {small.pk: 900, middle.pk: 940})])
    enter_size_chart(style=style, rows=[MeasureRow("衣长", "Length", {middle.pk: 615})])
    (line,) = size_chart(style, [small, middle])
    assert (line.name, line.name_en, line.millimetres) == ("衣长", "Length", [None, 615])
    foreign = make_style(house, "SR-2")
    make_variants(house, foreign)
    with pytest.raises(NotFound), transaction.atomic():
        enter_size_chart(style=style, rows=[MeasureRow("Chest", "", {foreign.sizes.first().pk: 1})])  # type: ignore[union-attr]
    with pytest.raises(NamedTwice), transaction.atomic():
        enter_size_chart(style=style, rows=[MeasureRow("Chest", "", {small.pk: 1})] * 2)
    assert Measure.objects.count() == 1


def test_a_style_is_shown_when_it_can_be_bought_and_seen(house: House) -> None:
    style = make_style(house)
    with pytest.raises(NotPublishable) as refused:
        publish_style(style=style)
    assert refused.value.data == {"missing": ["variant", "picture"]}
    make_variants(house, style)
    with pytest.raises(NotPublishable):
        publish_style(style=style)
    style.refresh_from_db()
    assert style.state == StyleState.DRAFT
    with pytest.raises(NotFound):
        get_style_page(style.code)
    make_picture(style)
    publish_style(style=style)
    assert get_style_page(style.code).left == 20
    withdraw_style(style=style)
    with pytest.raises(NotFound):
        get_style_page(style.code)
    publish_style(style=style)
    kinds = Entry.objects.filter(kind__in=("style.published", "style.withdrawn")).values_list("kind", flat=True)
    assert sorted(kinds) == ["style.published", "style.published", "style.withdrawn"]


def test_every_change_that_buyers_see_is_told_to_the_journal(house: House) -> None:
    style = make_style(house)
    make_variants(house, style)
    picture = make_picture(style)
    order_pictures(style=style, picture_ids=[picture.pk])
    enter_size_chart(style=style, rows=[])
    change_style(style=style, words=StyleWords("SR-1", "Other"))
    told = Entry.objects.filter(kind="style.changed")
    assert told.count() == 5
    assert set(told.values_list("shop", "data__style")) == {(house.shop.pk, style.pk)}


def test_objects_of_another_shop_are_not_found(house: House) -> None:
    other = make_house("Other")
    style = make_style(house)
    (variant, *_) = make_variants(house, style)
    with pytest.raises(NotFound):
        get_style_for(other.shop, style.code)
    with pytest.raises(NotFound):
        get_variant_for(other.shop, variant.pk)
    assert get_style_for(house.shop, style.code) == style
    assert get_variant_for(house.shop, variant.pk) == variant


def test_lists_take_the_same_number_of_queries_for_one_style_and_for_many(house: House) -> None:
    make_published(house, "SR-0")
    with CaptureQueriesContext(connection) as one:
        assert len(cards_on_sale(house.shop)) == 1
    for number in range(1, 5):
        make_published(house, f"SR-{number}")
    with CaptureQueriesContext(connection) as many:
        assert len(cards_on_sale(house.shop)) == 5
    assert (len(one), len(many)) == (5, 5)


def test_a_page_takes_a_fixed_number_of_queries(house: House, django_assert_num_queries: Any) -> None:
    style = make_published(house)
    with django_assert_num_queries(7):
        page = get_style_page(style.code)
    assert page.shop == house.shop
    assert [line.millimetres for line in page.chart] == [[900, 900]]
    assert [symbol.name for symbol in page.care] == ["wash-hand"]
    assert page.parts == [("", [("Mulberry silk", 100)])]
    assert (page.lowest_minor, page.highest_minor, page.left) == (39_900, 39_900, 20)


def test_variants_that_are_not_sold_are_on_no_page(house: House) -> None:
    style = make_published(house)
    Variant.objects.filter(style=style, colour__name="Mulberry").update(is_sold=False)
    page = style_page(style)
    assert [colour.name for colour in page.colours] == ["月白"]
    assert len(page.cells) == 2
    (card,) = cards_on_sale(house.shop)
    assert (card.variants, card.left, card.swatches) == (2, 10, ["#e9e4d4"])


def test_the_list_filters_by_name_article_and_sku(house: House) -> None:
    make_published(house, "SR-1", "Moonlight shirt")
    make_style(house, "SR-2", "Slip dress")
    make_published(make_house("Other"), "SR-1", "Moonlight shirt")

    def found(words: str, **options: str) -> list[str]:
        return [card.style.article for card in cards_of_shop(house.shop, words=words, **options)]

    assert found("") == ["SR-2", "SR-1"]
    assert found("moonlight") == ["SR-1"]
    assert found("moon-white") == ["SR-1"]
    assert found("SR slip") == ["SR-2"]
    assert found("nothing") == []
    assert found("", state="draft") == ["SR-2"]
    assert found("%") == []


def test_the_tray_lists_published_styles_as_the_room_reads_them(house: House, django_assert_num_queries: Any) -> None:
    first, second, draft = make_published(house), make_published(house, "SR-2"), make_style(house, "SR-3")
    make_variants(house, draft)
    with django_assert_num_queries(1), connection.cursor() as cursor:
        tray = styles_for_tray(cursor, [second.pk, draft.pk, first.pk])
    assert [(one["style"], one["position"], one["code"]) for one in tray] == [
        (second.pk, 1, second.code),
        (first.pk, 2, first.code),
    ]
    style = tray[1]
    assert style["picture"] == style_pictures(first)[0].small_url
    assert (style["name"], style["name_en"], style["currency"], style["price_minor"]) == (
        "Silk shirt", "Silk shirt", "CNY", 39_900,
    )  # fmt: skip
    assert [(one["name"], one["name_en"], one["swatch"]) for one in style["colours"]] == [
        ("月白", "Moon white", "#e9e4d4"),
        ("Mulberry", "Mulberry", "#5b2a4a"),
    ]
    assert [one["label"] for one in style["sizes"]] == ["S", "M"]
    assert [set(one) for one in style["variants"]] == [{"variant", "colour", "size", "price_minor", "item"}] * 4
