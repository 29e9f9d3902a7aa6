"""Two tills and the web want the last piece at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connections

from silkroom.accounts.models import Person
from silkroom.inventory.queries import differences
from silkroom.kit.errors import Refusal
from silkroom.pos.models import Receipt
from silkroom.sales.checkout.services import database_conninfo
from silkroom.sales.desk.door import Desk, OrderLineRequest, OrderReceipt, OrderRequest
from silkroom.sales.orders.models import Order
from silkroom.shops.models import Place
from tests.house import make_person
from tests.pos.counter import make_counter, make_store, record, sold

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], object]) -> list[object]:
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        gate.wait()
        try:
            return act()
        except Refusal as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def race_for_the_last(desk: Desk, buyer: Person, turn: int) -> list[bool]:
    """Who was served: the first till, the second, the web."""
    house, variants = make_store(pieces=1, name=f"House {turn}")
    Place.objects.filter(pk=house.store.pk).update(sells_online=True)
    tills = [make_counter(house, f"Till {number}") for number in (1, 2)]
    sales = [sold(one, 1_000_001, [(variants[0], 1)]) for one in tills]
    wish = OrderRequest(buyer.pk, house.shop.pk, "web", uuid4(), (OrderLineRequest(variants[0].pk, 1),))
    answers = at_once(
        lambda: record(tills[0], sales[0])[0].refusal,
        lambda: record(tills[1], sales[1])[0].refusal,
        lambda: desk.place_blocking(wish),
    )
    served = [answers[0] is None, answers[1] is None, isinstance(answers[2], OrderReceipt)]
    assert Order.objects.filter(shop=house.shop).count() == served.count(True)
    assert Receipt.objects.filter(till__shop=house.shop).count() == served[:2].count(True)
    return served


def test_the_last_piece_goes_to_one_of_two_tills_and_the_web() -> None:
    buyer, desk = make_person("Buyer"), Desk(database_conninfo())
    try:
        served = [race_for_the_last(desk, buyer, turn) for turn in range(8)]
    finally:
        desk.close()
    assert [one.count(True) for one in served] == [1] * 8
    assert differences() == []


def test_a_receipt_sent_by_two_windows_at_once_is_written_once() -> None:
    house, variants = make_store(pieces=9)
    counter = make_counter(house)
    receipts = [sold(counter, 1_000_001 + number, [(variants[0], 1)], offline=True) for number in range(5)]
    answers = at_once(*[lambda: record(counter, *receipts) for _ in range(4)])
    assert sorted(one.is_repeat for answer in answers for one in answer) == [False] * 5 + [True] * 15  # type: ignore[attr-defined]
    assert Order.objects.count() == 5
    assert differences() == []
