"""What the database itself refuses, whoever writes: these tests go around the services on purpose."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from silkroom.inventory.models import Balance, Movement, Sellable
from silkroom.inventory.queries import Difference, differences, outside_place
from silkroom.inventory.services import take_hold
from silkroom.kit.clock import now
from silkroom.shops.states import PlaceKind
from tests.sales.stocked import make_shop, stock_row

pytestmark = pytest.mark.django_db


def run(statement: str, *parameters: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_check_refuses_to_oversell_by_plain_sql() -> None:
    stocked = make_shop(pieces=3)
    run("UPDATE inventory_sellable SET held = held + 3 WHERE item_id = %s", stocked.variant.item_id)
    with pytest.raises(IntegrityError, match="never_oversold"):
        run("UPDATE inventory_sellable SET held = held + 1 WHERE item_id = %s", stocked.variant.item_id)
    assert stock_row(stocked) == (3, 3)


@pytest.mark.parametrize("column", ["held", "leased"])
def test_check_refuses_negative_promises(column: str) -> None:
    stocked = make_shop(pieces=3)
    with pytest.raises(IntegrityError, match="never_oversold"):
        run(f"UPDATE inventory_sellable SET {column} = -1 WHERE item_id = %s", stocked.variant.item_id)


def test_leased_pieces_cannot_be_held() -> None:
    stocked = make_shop(pieces=3)
    run("UPDATE inventory_sellable SET leased = 2 WHERE item_id = %s", stocked.variant.item_id)
    with pytest.raises(IntegrityError, match="never_oversold"):
        run("UPDATE inventory_sellable SET held = 2 WHERE item_id = %s", stocked.variant.item_id)


def test_a_movement_cannot_take_what_is_promised() -> None:
    stocked = make_shop(pieces=3)
    take_hold(item_id=stocked.variant.item_id, quantity=2, source="order:A", lapses_at=now() + timedelta(minutes=1))
    customer = outside_place(shop_id=stocked.shop.pk, kind=PlaceKind.CUSTOMER)
    with pytest.raises(IntegrityError, match="never_oversold"), transaction.atomic():
        Movement.objects.create(
            item=stocked.variant.item, quantity=2, from_place=stocked.warehouse, to_place=customer, source="console"
        )
    assert stock_row(stocked) == (3, 2)
    assert Movement.objects.count() == 1


def test_a_movement_cannot_take_what_is_not_there() -> None:
    stocked = make_shop(pieces=3)
    customer = outside_place(shop_id=stocked.shop.pk, kind=PlaceKind.CUSTOMER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Movement.objects.create(
            item=stocked.variant.item, quantity=4, from_place=stocked.warehouse, to_place=customer, source="console"
        )
    assert stock_row(stocked) == (3, 0)


def test_movements_by_plain_sql_bring_the_kept_numbers_along() -> None:
    stocked = make_shop(pieces=3)
    customer = outside_place(shop_id=stocked.shop.pk, kind=PlaceKind.CUSTOMER)
    run(
        "INSERT INTO inventory_movement (item_id, quantity, from_place_id, to_place_id, source) "
        "SELECT %s, 1, %s, %s, 'console' FROM generate_series(1, 2)",
        stocked.variant.item_id,
        stocked.warehouse.pk,
        customer.pk,
    )
    assert stock_row(stocked) == (1, 0)
    assert Balance.objects.get(item_id=stocked.variant.item_id).quantity == 1
    assert differences() == []


@pytest.mark.parametrize(
    "statement",
    ["UPDATE inventory_movement SET quantity = 99", "DELETE FROM inventory_movement"],
)
def test_a_movement_is_never_changed(statement: str) -> None:
    make_shop(pieces=3)
    with pytest.raises(IntegrityError, match="never changed"):
        run(statement)
    assert [one.quantity for one in Movement.objects.all()] == [3]


def test_journal_entries_are_never_changed() -> None:
    make_shop(pieces=3)
    with pytest.raises(IntegrityError, match="append-only"):
        run("UPDATE journal_entry SET kind = 'nothing.happened'")


def test_differences_find_a_number_that_was_tampered_with() -> None:
    stocked = make_shop(pieces=3)
    run("UPDATE inventory_sellable SET on_hand = 5, held = 1 WHERE item_id = %s", stocked.variant.item_id)
    item, place = stocked.variant.item_id, stocked.warehouse.pk
    assert sorted(differences(), key=lambda one: one.what) == [
        Difference("held", item, place, 1, 0),
        Difference("on hand", item, place, 5, 3),
    ]
    assert Sellable.objects.count() == 1
