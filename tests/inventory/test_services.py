"""The ledger's verbs, one by one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction

from silkroom.inventory.errors import (
    CountBelowPromised,
    HoldEnded,
    ItemCodeTaken,
    ItemUnusable,
    NotEnoughStock,
    PlaceUnusable,
    QuantityUnusable,
    TakenBackAlready,
)
from silkroom.inventory.models import Balance, Hold, Movement, Sellable
from silkroom.inventory.queries import differences, outside_place, sellable_quantities, stock_of_items
from silkroom.inventory.services import (
    Count,
    HoldRequest,
    Pieces,
    convert_holds,
    create_item,
    create_lot,
    extend_for_payment,
    move_stock,
    receive_stock,
    record_count,
    release_hold,
    release_holds,
    take_back,
    take_hold,
    take_holds,
)
from silkroom.inventory.states import HoldState
from silkroom.journal.models import Entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.shops.states import PlaceKind
from tests.sales.stocked import StockedShop, make_shop, stock_row

pytestmark = pytest.mark.django_db


def told() -> list[list[int]]:
    return [entry.data["items"] for entry in Entry.objects.filter(kind="stock.changed").order_by("id")]


def later() -> object:
    return now() + timedelta(minutes=15)


def test_received_pieces_lie_where_they_were_put() -> None:
    stocked = make_shop(pieces=7)
    assert stock_row(stocked) == (7, 0)
    movement = Movement.objects.get()
    assert (movement.quantity, movement.from_place.kind, movement.to_place_id) == (
        7,
        PlaceKind.SUPPLIER,
        stocked.warehouse.pk,
    )
    assert told() == [[stocked.variant.item_id]]
    assert differences() == []


def test_pieces_at_a_place_that_sells_nothing_are_told_to_nobody() -> None:
    stocked = make_shop(pieces=0)
    receive_stock(shop=stocked.shop, place=stocked.workshop, pieces=[Pieces(stocked.variant.item_id, 3)], source="test")
    assert sellable_quantities(item_ids=[stocked.variant.item_id]) == {stocked.variant.item_id: 0}
    assert told() == []


def test_item_codes_are_unique_in_a_shop() -> None:
    stocked = make_shop()
    with pytest.raises(ItemCodeTaken) as refused:
        create_item(shop=stocked.shop, code="S1-0", name="another")
    assert refused.value.data == {"item_code": "S1-0"}


@pytest.mark.parametrize("quantity", [0, -1, 10**12 + 1])
def test_quantities_are_bounded(quantity: int) -> None:
    stocked = make_shop(pieces=1)
    with pytest.raises(QuantityUnusable):
        receive_stock(
            shop=stocked.shop,
            place=stocked.warehouse,
            pieces=[Pieces(stocked.variant.item_id, quantity)],
            source="test",
        )
    assert Movement.objects.count() == 1


def test_goods_of_one_shop_do_not_enter_another() -> None:
    ours, theirs = make_shop(pieces=1), make_shop(pieces=1)
    with pytest.raises(ItemUnusable):
        receive_stock(shop=ours.shop, place=ours.warehouse, pieces=[Pieces(theirs.variant.item_id, 1)], source="test")
    with pytest.raises(PlaceUnusable):
        receive_stock(shop=ours.shop, place=theirs.warehouse, pieces=[Pieces(ours.variant.item_id, 1)], source="test")
    assert Movement.objects.count() == 2


def test_goods_do_not_arrive_outside() -> None:
    stocked = make_shop(pieces=0)
    customer = outside_place(shop_id=stocked.shop.pk, kind=PlaceKind.CUSTOMER)
    with pytest.raises(PlaceUnusable):
        receive_stock(shop=stocked.shop, place=customer, pieces=[Pieces(stocked.variant.item_id, 1)], source="test")


def move(stocked: StockedShop, quantity: int) -> None:
    move_stock(
        shop=stocked.shop,
        from_place=stocked.warehouse,
        to_place=stocked.store,
        pieces=[Pieces(stocked.variant.item_id, quantity)],
        source="transfer:1",
    )


def test_free_pieces_move_between_places() -> None:
    stocked = make_shop(pieces=5)
    move(stocked, 2)
    assert (stock_row(stocked), stock_row(stocked, stocked.store)) == ((3, 0), (2, 0))
    assert sellable_quantities(item_ids=[stocked.variant.item_id]) == {stocked.variant.item_id: 5}


def test_held_pieces_do_not_move() -> None:
    stocked = make_shop(pieces=5)
    take_hold(item_id=stocked.variant.item_id, quantity=4, source="order:A", lapses_at=later())
    with pytest.raises(NotEnoughStock) as refused:
        move(stocked, 2)
    assert refused.value.data == {"item": stocked.variant.item_id, "left": 1}
    assert stock_row(stocked) == (5, 4)


def test_two_lines_of_one_move_count_together() -> None:
    stocked = make_shop(pieces=5)
    item = stocked.variant.item_id
    with pytest.raises(NotEnoughStock):
        move_stock(
            shop=stocked.shop,
            from_place=stocked.warehouse,
            to_place=stocked.store,
            pieces=[Pieces(item, 3), Pieces(item, 3)],
            source="transfer:1",
        )


def test_pieces_without_a_lot_leave_the_oldest_lot_first() -> None:
    stocked = make_shop(pieces=1)
    item = stocked.variant.item
    new = create_lot(item=item, code="new", made_on=now().date())
    old = create_lot(item=item, code="old", made_on=(now() - timedelta(days=30)).date())
    pieces = [Pieces(item.pk, 4, new.pk), Pieces(item.pk, 4, old.pk)]
    receive_stock(shop=stocked.shop, place=stocked.warehouse, pieces=pieces, source="test")
    move(stocked, 6)
    left = {row.lot_id: row.quantity for row in Balance.objects.filter(place=stocked.warehouse)}
    assert left == {None: 0, old.pk: 0, new.pk: 3}
    assert differences() == []


def test_a_named_lot_gives_no_more_than_it_has() -> None:
    stocked = make_shop(pieces=5)
    lot = create_lot(item=stocked.variant.item, code="1")
    one = Pieces(stocked.variant.item_id, 1, lot.pk)
    receive_stock(shop=stocked.shop, place=stocked.warehouse, pieces=[one], source="test")
    with pytest.raises(NotEnoughStock) as refused:
        move_stock(
            shop=stocked.shop, from_place=stocked.warehouse, to_place=stocked.store, pieces=[one, one], source="t:1"
        )
    assert refused.value.data["left"] == 0


def count(stocked: StockedShop, counted: int) -> dict[int, int]:
    return record_count(
        shop=stocked.shop,
        place=stocked.warehouse,
        counts=[Count(stocked.variant.item_id, counted)],
        source="count:1",
    )


@pytest.mark.parametrize(("counted", "difference"), [(9, 4), (2, -3), (0, -5)])
def test_a_count_corrects_by_a_movement(counted: int, difference: int) -> None:
    stocked = make_shop(pieces=5)
    assert count(stocked, counted) == {stocked.variant.item_id: difference}
    assert stock_row(stocked) == (counted, 0)
    movement = Movement.objects.latest("id")
    ends = (movement.from_place.kind, movement.to_place.kind)
    expected = (PlaceKind.COUNT_DIFFERENCE, PlaceKind.WAREHOUSE)
    assert ends == (expected if difference > 0 else expected[::-1])
    assert movement.quantity == abs(difference)
    assert differences() == []


def test_a_count_that_agrees_changes_nothing() -> None:
    stocked = make_shop(pieces=5)
    assert count(stocked, 5) == {stocked.variant.item_id: 0}
    assert Movement.objects.count() == 1
    assert len(told()) == 1


def test_a_first_count_starts_from_nothing() -> None:
    stocked = make_shop(pieces=0)
    assert count(stocked, 3) == {stocked.variant.item_id: 3}
    assert stock_row(stocked) == (3, 0)


def test_a_count_cannot_take_what_is_promised() -> None:
    stocked = make_shop(pieces=5)
    take_hold(item_id=stocked.variant.item_id, quantity=4, source="order:A", lapses_at=later())
    with pytest.raises(CountBelowPromised) as refused:
        count(stocked, 3)
    assert refused.value.data == {"item": stocked.variant.item_id, "promised": 4}
    assert stock_row(stocked) == (5, 4)


def test_an_item_is_counted_whole_or_by_lots() -> None:
    stocked = make_shop(pieces=5)
    lot = create_lot(item=stocked.variant.item, code="1")
    item = stocked.variant.item_id
    with pytest.raises(ItemUnusable):
        record_count(
            shop=stocked.shop, place=stocked.warehouse, counts=[Count(item, 5), Count(item, 0, lot.pk)], source="c:1"
        )


def test_a_lot_is_counted_by_itself() -> None:
    stocked = make_shop(pieces=5)
    lot = create_lot(item=stocked.variant.item, code="1")
    item = stocked.variant.item_id
    record_count(shop=stocked.shop, place=stocked.warehouse, counts=[Count(item, 2, lot.pk)], source="c:1")
    assert stock_row(stocked) == (7, 0)
    assert Balance.objects.get(lot=lot).quantity == 2


def test_a_hold_keeps_pieces_and_gives_them_back() -> None:
    stocked = make_shop(pieces=3)
    item = stocked.variant.item_id
    held = take_hold(item_id=item, quantity=2, source="order:A", lapses_at=later())
    assert (held.place_id, stock_row(stocked)) == (stocked.warehouse.pk, (3, 2))
    assert sellable_quantities(item_ids=[item]) == {item: 1}
    release_hold(source="order:A")
    assert stock_row(stocked) == (3, 0)
    assert Hold.objects.get().state == HoldState.RELEASED
    assert told() == [[item], [item], [item]]


def test_a_hold_ends_once() -> None:
    stocked = make_shop(pieces=3)
    take_hold(item_id=stocked.variant.item_id, quantity=2, source="order:A", lapses_at=later())
    release_hold(source="order:A")
    with pytest.raises(HoldEnded):
        release_hold(source="order:A")
    with pytest.raises(HoldEnded):
        convert_holds(sources=["order:A"])
    assert release_holds(sources=["order:A"]) == []
    assert stock_row(stocked) == (3, 0)


def test_a_hold_takes_the_next_place_when_the_first_has_too_little() -> None:
    stocked = make_shop(pieces=1, in_store=3)
    held = take_hold(item_id=stocked.variant.item_id, quantity=2, source="order:A", lapses_at=later())
    assert held.place_id == stocked.store.pk
    assert (stock_row(stocked), stock_row(stocked, stocked.store)) == ((1, 0), (3, 2))


def test_nothing_is_held_when_one_of_the_wants_cannot_be() -> None:
    stocked = make_shop(pieces=2, variants=2)
    first, second = (one.item_id for one in stocked.variants)
    wants = [HoldRequest(first, 2, "order:A", later()), HoldRequest(second, 3, "order:A", later())]
    with pytest.raises(NotEnoughStock) as refused:
        take_holds(wants=wants)
    assert refused.value.data == {"item": second, "left": 2}
    assert Hold.objects.count() == 0
    assert stock_row(stocked) == (2, 0)


def test_two_wants_of_one_item_count_together() -> None:
    stocked = make_shop(pieces=3)
    item = stocked.variant.item_id
    with pytest.raises(NotEnoughStock):
        take_holds(wants=[HoldRequest(item, 2, "order:A", later()), HoldRequest(item, 2, "order:B", later())])


def test_a_converted_hold_is_a_movement_to_the_customer() -> None:
    stocked = make_shop(pieces=3)
    take_hold(item_id=stocked.variant.item_id, quantity=2, source="order:A", lapses_at=later())
    before = told()
    convert_holds(sources=["order:A"])
    assert stock_row(stocked) == (1, 0)
    movement = Movement.objects.latest("id")
    assert (movement.quantity, movement.to_place.kind, movement.source) == (2, PlaceKind.CUSTOMER, "order:A")
    assert told() == before, "what may be sold has not changed"
    assert differences() == []


def test_a_converted_hold_spreads_over_lots() -> None:
    stocked = make_shop(pieces=1)
    lot = create_lot(item=stocked.variant.item, code="1")
    pieces = [Pieces(stocked.variant.item_id, 5, lot.pk)]
    receive_stock(shop=stocked.shop, place=stocked.warehouse, pieces=pieces, source="test")
    take_hold(item_id=stocked.variant.item_id, quantity=3, source="order:A", lapses_at=later())
    convert_holds(sources=["order:A"])
    moved = Movement.objects.filter(source="order:A").order_by("quantity").values_list("lot_id", "quantity")
    assert list(moved) == [(None, 1), (lot.pk, 2)]
    assert differences() == []


def test_paying_keeps_open_holds_only() -> None:
    stocked = make_shop(pieces=3)
    with pytest.raises(HoldEnded):
        extend_for_payment(sources=["order:A"], paying_until=later())
    take_hold(item_id=stocked.variant.item_id, quantity=1, source="order:A", lapses_at=now())
    until = later()
    extend_for_payment(sources=["order:A"], paying_until=until)
    assert Hold.objects.get().paying_until == until


def test_availability_of_many_items_is_one_query(django_assert_num_queries: object) -> None:
    stocked = make_shop(pieces=2, variants=4, in_store=1)
    items = [one.item_id for one in stocked.variants]
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert sellable_quantities(item_ids=items) == dict.fromkeys(items, 3)
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = sellable_quantities(item_ids=items, place_ids=[stocked.store.pk])
    assert found == dict.fromkeys(items, 1)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert len(stock_of_items(shop_id=stocked.shop.pk, item_ids=items)) == 8
    assert sellable_quantities(item_ids=[]) == {}


def test_a_converting_shop_needs_a_customer_place() -> None:
    stocked = make_shop(pieces=3)
    take_hold(item_id=stocked.variant.item_id, quantity=1, source="order:A", lapses_at=later())
    stocked.shop.places.filter(kind=PlaceKind.CUSTOMER).delete()
    with pytest.raises(PlaceUnusable), transaction.atomic():
        convert_holds(sources=["order:A"])
    assert stock_row(stocked) == (3, 1)


def test_ledger_functions_work_through_a_cursor_of_another_kind() -> None:
    stocked = make_shop(pieces=3)
    raw = connection.connection
    with raw.cursor() as cursor:
        take_holds(
            wants=[HoldRequest(stocked.variant.item_id, 2, "order:A", later())], cursor=cursor, told_by_caller=True
        )
        assert sellable_quantities(item_ids=[stocked.variant.item_id], cursor=cursor) == {stocked.variant.item_id: 1}
        convert_holds(sources=["order:A"], cursor=cursor)
        assert differences(cursor=cursor) == []
    assert Sellable.objects.get(item_id=stocked.variant.item_id).on_hand == 1


def movements() -> list[tuple[int, str, str, str]]:
    rows = Movement.objects.select_related("from_place", "to_place").order_by("id")
    return [(one.quantity, one.from_place.name, one.to_place.name, one.source) for one in rows]


def test_a_move_is_told_with_its_places_even_where_nothing_is_sold() -> None:
    stocked = make_shop(pieces=0)
    item = stocked.variant.item_id
    receive_stock(shop=stocked.shop, place=stocked.workshop, pieces=[Pieces(item, 3)], source="test")
    move_stock(
        shop=stocked.shop,
        from_place=stocked.workshop,
        to_place=stocked.warehouse,
        pieces=[Pieces(item, 2)],
        source="move:1",
    )
    entry = Entry.objects.get(kind="stock.moved")
    assert entry.shop == stocked.shop.pk
    assert entry.data == {
        "items": [item],
        "from": stocked.workshop.code,
        "to": stocked.warehouse.code,
        "source": "move:1",
    }
    assert told() == []


def test_a_move_is_taken_back_once_and_lot_by_lot() -> None:
    stocked = make_shop(pieces=1)
    item = stocked.variant.item
    lot = create_lot(item=item, code="1", made_on=now().date())
    receive_stock(shop=stocked.shop, place=stocked.warehouse, pieces=[Pieces(item.pk, 4, lot.pk)], source="test")
    move(stocked, 3)
    take_back(shop=stocked.shop, source="transfer:1")
    assert (stock_row(stocked), stock_row(stocked, stocked.store)) == ((5, 0), (0, 0))
    left = {row.lot_id: row.quantity for row in Balance.objects.filter(place=stocked.warehouse)}
    assert left == {None: 1, lot.pk: 4}
    assert movements()[-2:] == [
        (1, "store", "warehouse", "undo:transfer:1"),
        (2, "store", "warehouse", "undo:transfer:1"),
    ]
    with pytest.raises(TakenBackAlready):
        take_back(shop=stocked.shop, source="transfer:1")
    assert Movement.objects.count() == 6
    assert differences() == []


def test_a_count_is_taken_back_by_what_it_changed_and_not_by_a_number() -> None:
    stocked = make_shop(pieces=7)
    count(stocked, 5)
    hold = take_hold(item_id=stocked.variant.item_id, quantity=1, source="order:A", lapses_at=later())
    convert_holds(sources=[hold.source])
    take_back(shop=stocked.shop, source="count:1")
    assert stock_row(stocked) == (6, 0), "a piece was sold in between: it does not come back"


def test_what_has_been_promised_since_is_not_taken_back() -> None:
    stocked = make_shop(pieces=5)
    move(stocked, 3)
    take_hold(
        item_id=stocked.variant.item_id, quantity=1, source="order:A", lapses_at=later(), place_id=stocked.store.pk
    )
    with pytest.raises(NotEnoughStock) as refused:
        take_back(shop=stocked.shop, source="transfer:1")
    assert refused.value.data == {"item": stocked.variant.item_id, "left": 2}
    assert (stock_row(stocked), stock_row(stocked, stocked.store)) == ((2, 0), (3, 1))


def test_another_shop_takes_nothing_back() -> None:
    stocked, other = make_shop(pieces=5), make_shop()
    move(stocked, 3)
    with pytest.raises(NotFound):
        take_back(shop=other.shop, source="transfer:1")
    assert stock_row(stocked) == (2, 0)
