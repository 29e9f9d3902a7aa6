"""A till comes back after a long time without a line, and sends all it has sold; then everything once more."""

from __future__ import annotations

import pytest
from django.db.models import Sum

from silkroom.inventory.queries import differences
from silkroom.pos.models import Receipt
from silkroom.sales.orders.models import Order
from tests.pos.counter import make_counter, make_store, record, sold, stock_of

# Each batch must be committed for itself, as it is over HTTP.
pytestmark = pytest.mark.django_db(transaction=True)


def test_five_thousand_receipts_sent_twice_are_there_once() -> None:
    house, variants = make_store(pieces=3_000)
    counter = make_counter(house)
    receipts = [sold(counter, 1_000_001 + number, [(variants[number % 2], 1)], offline=True) for number in range(5_000)]
    batches = [receipts[start : start + 50] for start in range(0, 5_000, 50)]
    written = [one for batch in batches for one in record(counter, *batch)]
    again = [one for batch in reversed(batches) for one in record(counter, *batch)]
    assert {(one.is_repeat, one.missing, one.refusal) for one in written} == {(False, 0, None)}
    assert {(one.is_repeat, one.refusal) for one in again} == {(True, None)}
    assert set(Receipt.objects.values_list("number", flat=True)) == {one.number for one in receipts}
    assert Order.objects.count() == 5_000
    assert Order.objects.aggregate(sum=Sum("total_minor"))["sum"] == 5_000 * 39_900
    assert [stock_of(one, counter) for one in variants[:2]] == [(500, 0, 0), (500, 0, 0)]
    assert differences() == []
