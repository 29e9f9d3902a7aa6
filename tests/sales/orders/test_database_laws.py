"""What the database itself refuses of orders and offers, whoever writes."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from silkroom.sales.desk.door import Desk
from silkroom.sales.offers.models import Offer
from silkroom.sales.orders.models import Order, OrderLine
from tests.sales.stocked import ask_for, make_offer, make_people, make_shop


def refused(statement: str, because: str, *parameters: object) -> None:
    with pytest.raises(IntegrityError, match=because), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM catalog_variant",
        "DELETE FROM sales_order",
        "DELETE FROM sales_offer",
        "DELETE FROM accounts_person",
        "DELETE FROM shops_shop",
    ],
)
def test_what_an_order_names_cannot_vanish(desk: Desk, statement: str) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    desk.place_blocking(ask_for(stocked, buyer, offer=make_offer(stocked)))
    refused(statement, "is named by sales_order")
    assert OrderLine.objects.select_related("order__shop", "order__person", "variant", "offer", "hold").get()


def test_what_no_order_names_may_go(desk: Desk) -> None:
    stocked, (_, stranger) = make_shop(pieces=5), make_people(2)
    offer = make_offer(stocked)
    Offer.objects.filter(pk=offer.pk).delete()
    stranger.delete()
    assert Offer.objects.count() == 0


@pytest.mark.parametrize("table", ["inventory_hold", "inventory_sellable"])
def test_holds_and_sellable_rows_stay(desk: Desk, table: str) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    desk.place_blocking(ask_for(stocked, buyer))
    refused(f"DELETE FROM {table}", "never deleted")


def test_a_cap_holds_against_plain_sql(desk: Desk) -> None:
    stocked = make_shop(pieces=5)
    offer = make_offer(stocked, piece_cap=3)
    refused("UPDATE sales_offer SET taken = 4 WHERE id = %s", "offer_cap_holds", offer.pk)
    refused("UPDATE sales_offer SET taken = -1 WHERE id = %s", "taken", offer.pk)


def test_a_limit_holds_against_plain_sql(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    desk.place_blocking(ask_for(stocked, buyer, offer=make_offer(stocked, person_limit=2)))
    refused("UPDATE sales_offeruse SET quantity = 3", "person_limit_holds")


def test_money_adds_up_against_plain_sql(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    desk.place_blocking(ask_for(stocked, buyer))
    refused("UPDATE sales_order SET total_minor = total_minor - 1", "order_adds_up")
    refused("UPDATE sales_order SET freight_minor = 1", "order_adds_up")


def test_an_order_is_held_until_it_ends_against_plain_sql(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    desk.place_blocking(ask_for(stocked, buyer))
    refused("UPDATE sales_order SET state = 'paid'", "order_is_held_until_it_ends")
    refused("UPDATE sales_order SET ended_at = now()", "order_is_held_until_it_ends")


def test_a_key_makes_one_order_against_plain_sql(desk: Desk) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    for _ in range(2):
        desk.place_blocking(ask_for(stocked, buyer))
    refused("UPDATE sales_order SET key = gen_random_uuid(), number = (SELECT min(number) FROM sales_order)", "number")
    key = Order.objects.earliest("id").key
    refused("UPDATE sales_order SET key = %s", "order_key_is_used_once", key)
