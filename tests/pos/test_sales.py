"""Receipts become orders, money and movements, each exactly once; what is not there waits for a person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from silkroom.inventory.models import Lease, Movement, Sellable
from silkroom.inventory.queries import differences
from silkroom.inventory.services import Count, record_count
from silkroom.journal.models import Entry
from silkroom.pos.errors import (
    DiscountTooHigh,
    NoShiftOpen,
    NotSoldHere,
    PiecesGone,
    ReceiptNumberTaken,
    ReceiptUnsound,
    ShortfallSettled,
    TillPriceMoved,
)
from silkroom.pos.models import Receipt, Shift, Shortfall, Tender
from silkroom.pos.queries import Clerk, sums_of
from silkroom.pos.rules import price_after
from silkroom.pos.services import close_shift, fill_leases, open_shift, revoke_device, settle_shortfall, void_receipt
from silkroom.pos.states import Outcome, TenderKind
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.states import OrderState
from silkroom.shops.states import Role
from tests.house import make_house
from tests.pos.counter import Counter, call, make_counter, make_store, record, signed_in, sold, stock_of

pytestmark = pytest.mark.django_db


def test_a_sale_is_an_order_that_is_paid_and_has_left() -> None:
    house, variants = make_store()
    counter = make_counter(house)
    one, two = variants[0], variants[1]
    (written,) = record(counter, sold(counter, 1_000_001, [(one, 2), (two, 1)], percent=10, given_more=500))
    order = Order.objects.get()
    assert (order.state, order.channel) == (OrderState.PAID, f"till:{counter.till.code}")
    assert (order.goods_minor, order.discount_minor, order.total_minor) == (119_700, 11_970, 107_730)
    assert written.receipt
    assert written.receipt.order == order
    assert stock_of(one, counter) == (3, 0, 0)
    assert stock_of(two, counter) == (4, 0, 0)
    gone = Movement.objects.filter(source=f"order:{order.number}", to_place__kind="customer")
    assert gone.aggregate(sum=Sum("quantity"))["sum"] == 3
    kinds = list(Entry.objects.filter(kind__startswith="order.").order_by("id").values_list("kind", flat=True))
    assert kinds == ["order.placed", "order.paid"]
    assert list(Tender.objects.values_list("amount_minor", "given_minor")) == [(107_730, 108_230)]
    assert differences() == []


def test_a_receipt_is_written_once_and_another_sale_cannot_have_its_number() -> None:
    house, variants = make_store()
    counter = make_counter(house)
    receipt = sold(counter, 1_000_001, [(variants[0], 1)])
    assert [one.is_repeat for one in record(counter, receipt)] == [False]
    assert [one.is_repeat for one in record(counter, receipt, replace(receipt, is_offline=True))] == [True, True]
    (other,) = record(counter, sold(counter, 1_000_001, [(variants[1], 1)]))
    assert isinstance(other.refusal, ReceiptNumberTaken)
    assert (Receipt.objects.count(), Order.objects.count()) == (1, 1)
    assert stock_of(variants[0], counter) == (4, 0, 0)
    kept = Receipt.objects.get()
    kept.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        kept.save()


def refusals(counter: Counter) -> dict[type, object]:
    house = counter.house
    one, two = house.shop.variants.order_by("id")[:2]
    foreign = make_store(name="Other")[1][0]
    cheap = sold(counter, 5, [(one, 1)])
    return {
        PiecesGone: sold(counter, 5, [(one, 6)]),
        NotSoldHere: sold(counter, 5, [(foreign, 1)]),
        TillPriceMoved: replace(
            cheap,
            lines=[replace(cheap.lines[0], list_price_minor=1, unit_price_minor=1)],
            tenders=[replace(cheap.tenders[0], amount_minor=1, given_minor=1)],
        ),
        ReceiptUnsound: replace(cheap, tenders=[]),
        NoShiftOpen: replace(sold(counter, 5, [(two, 1)]), shift_id=10**9),
    }


def test_a_refused_sale_changes_nothing_and_leaves_its_neighbours_alone() -> None:
    house, variants = make_store()
    counter = make_counter(house)
    for kind, receipt in refusals(counter).items():
        (written,) = record(counter, receipt)  # type: ignore[arg-type]
        assert type(written.refusal) is kind
        assert (Receipt.objects.count(), Order.objects.count(), Lease.objects.count()) == (0, 0, 0)
    good, bad = sold(counter, 2, [(variants[0], 5)]), sold(counter, 3, [(variants[0], 1)])
    last = sold(counter, 4, [(variants[1], 1)])
    answers = record(counter, last, bad, good)
    assert [(one.number, one.refusal is None) for one in answers] == [(2, True), (3, False), (4, True)]
    assert stock_of(variants[0], counter) == (0, 0, 0)
    assert differences() == []


@pytest.mark.parametrize("garble", ["twice", "discount", "too little", "code with change"])
def test_receipts_that_do_not_add_up_are_never_written(garble: str) -> None:
    house, variants = make_store()
    counter = make_counter(house)
    good = sold(counter, 1, [(variants[0], 1)], offline=True)
    line, money = good.lines[0], good.tenders[0]
    bad = {
        "twice": replace(good, lines=[line, line], tenders=[money, money]),
        "discount": replace(good, discount_percent=5),
        "too little": replace(good, tenders=[replace(money, amount_minor=money.amount_minor - 1)]),
        "code with change": replace(
            good, tenders=[replace(money, kind=TenderKind.CODE, given_minor=money.amount_minor + 1)]
        ),
    }[garble]
    assert isinstance(record(counter, bad)[0].refusal, ReceiptUnsound)
    assert Receipt.objects.count() == 0


def test_the_clerk_may_take_off_less_than_the_owner() -> None:
    house, variants = make_store()
    counter = make_counter(house, is_open=False)
    clerk = Clerk(house.hire(Role.CLERK), Role.CLERK)
    counter.shift = open_shift(till=counter.till, clerk=clerk, float_minor=0)
    assert isinstance(record(counter, sold(counter, 1, [(variants[0], 1)], percent=11))[0].refusal, DiscountTooHigh)
    assert record(counter, sold(counter, 2, [(variants[0], 1)], percent=10))[0].refusal is None
    # The customer has this one already: it is written, and the report says so.
    assert record(counter, sold(counter, 3, [(variants[0], 1)], percent=50, offline=True))[0].refusal is None
    assert sums_of(counter.shift).over_limit == 1


def test_prices_are_rounded_for_the_shop() -> None:
    assert [price_after(999, percent) for percent in (0, 1, 10, 90, 100)] == [999, 990, 900, 100, 0]


def test_pieces_are_booked_to_the_till_and_sold_by_nobody_else() -> None:
    house, variants = make_store(pieces=3)
    counter = make_counter(house, kept_pieces=2)
    other = make_counter(house, "Till 2")
    assert stock_of(variants[0], counter) == (3, 0, 2)
    assert isinstance(record(other, sold(other, 1, [(variants[0], 2)]))[0].refusal, PiecesGone)
    assert record(other, sold(other, 1, [(variants[0], 1)]))[0].refusal is None
    # The third is gone; a second till asks for what is not there and gets nothing.
    other.till.kept_pieces = 2
    assert fill_leases(till=other.till, is_open=True).get(variants[0].item_id) is None
    (written,) = record(counter, sold(counter, 1, [(variants[0], 2)], offline=True))
    assert (written.missing, stock_of(variants[0], counter)) == (0, (0, 0, 0))
    assert differences() == []
    with pytest.raises(IntegrityError), transaction.atomic():
        Sellable.objects.filter(item=variants[1].item_id, place=house.store).update(leased=4)


def test_with_the_line_up_free_pieces_go_first_and_the_lease_helps_out() -> None:
    house, variants = make_store(pieces=3)
    counter = make_counter(house, kept_pieces=1)
    record(counter, sold(counter, 1, [(variants[0], 2)]))
    assert stock_of(variants[0], counter) == (1, 0, 1)
    record(counter, sold(counter, 2, [(variants[0], 1)]))
    assert stock_of(variants[0], counter) == (0, 0, 0)
    assert differences() == []


def test_leases_end_with_the_shift_and_with_the_device() -> None:
    house, variants = make_store(pieces=3)
    counter = make_counter(house, kept_pieces=2)
    assert counter.shift
    close_shift(
        till=counter.till, shift_id=counter.shift.pk, clerk=counter.clerk, counted_cash_minor=0, counted_code_minor=0
    )
    assert stock_of(variants[0], counter) == (3, 0, 0)
    open_shift(till=counter.till, clerk=counter.clerk, float_minor=0)
    assert stock_of(variants[0], counter) == (3, 0, 2)
    revoke_device(till=counter.till)
    assert stock_of(variants[0], counter) == (3, 0, 0)
    assert differences() == []


def shortfall_of(counter: Counter) -> Shortfall:
    """Three sold without a line where two lay: a count found out meanwhile."""
    variant = counter.house.shop.variants.order_by("id")[0]
    with transaction.atomic():
        record_count(
            shop=counter.house.shop, place=counter.house.store, counts=[Count(variant.item_id, 2)], source="count:1"
        )
    (written,) = record(counter, sold(counter, 1_000_001, [(variant, 3)], offline=True))
    assert (written.missing, written.refusal) == (1, None)
    return Shortfall.objects.get()


def test_a_piece_that_is_not_there_waits_for_a_person_and_its_money_is_counted() -> None:
    house, variants = make_store()
    counter = make_counter(house)
    shortfall = shortfall_of(counter)
    assert (shortfall.quantity, shortfall.outcome) == (1, "")
    assert Order.objects.get().total_minor == 79_800
    assert Receipt.objects.get().total_minor == 119_700
    assert counter.shift
    assert sums_of(counter.shift).cash_minor == 119_700
    assert record(counter, sold(counter, 1_000_001, [(variants[0], 3)], offline=True))[0].is_repeat
    assert Shortfall.objects.count() == 1


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_shortfall_is_settled_once(outcome: Outcome) -> None:
    house, variants = make_store()
    counter = make_counter(house)
    shortfall = shortfall_of(counter)
    settle = {"shop": house.shop, "shortfall_id": shortfall.pk, "outcome": outcome, "by": house.owner}
    if outcome is Outcome.STOCK:
        with pytest.raises(PiecesGone), transaction.atomic():
            settle_shortfall(**settle)
        with transaction.atomic():
            record_count(shop=house.shop, place=house.store, counts=[Count(variants[0].item_id, 2)], source="count:2")
    with transaction.atomic():
        settle_shortfall(**settle)
    with pytest.raises(ShortfallSettled), transaction.atomic():
        settle_shortfall(**settle)
    total = Order.objects.aggregate(sum=Sum("total_minor"))["sum"]
    assert total == (79_800 if outcome is Outcome.REPAID else 119_700)
    assert stock_of(variants[0], counter) == (1 if outcome is Outcome.STOCK else 0, 0, 0)
    assert counter.shift
    assert sums_of(counter.shift).repaid_minor == (39_900 if outcome is Outcome.REPAID else 0)
    assert differences() == []


def test_a_sale_given_up_in_doubt_leaves_nothing_behind() -> None:
    house, variants = make_store()
    counter = make_counter(house)
    record(counter, sold(counter, 1, [(variants[0], 2)]))
    for number in (1, 1, 2, 2):
        with transaction.atomic():
            void_receipt(till=counter.till, number=number)
    assert Receipt.objects.filter(is_void=True).count() == 2
    assert Order.objects.get().state == OrderState.REFUNDED
    assert stock_of(variants[0], counter) == (5, 0, 0)
    assert isinstance(record(counter, sold(counter, 2, [(variants[0], 1)]))[0].refusal, ReceiptNumberTaken)
    assert counter.shift
    assert sums_of(counter.shift).cash_minor == 0
    assert differences() == []


def test_the_page_of_the_till_learns_what_it_may_sell() -> None:
    house, variants = make_store(pieces=3)
    counter = make_counter(house, kept_pieces=1)
    client = signed_in(house.owner)
    status, answer = call(client, "state", {}, counter.token)
    assert status == 200
    (style,) = answer["garments"]
    first = next(one for one in style["variants"] if one["id"] == variants[0].pk)
    assert (first["left"], first["leased"], first["price_minor"]) == (3, 1, 39_900)
    assert style["picture"]
    assert answer["clerk"]["role"] == "owner"


def test_receipts_are_answered_one_by_one_over_http() -> None:
    house, variants = make_store()
    counter = make_counter(house)
    assert counter.shift
    price = variants[0].price_minor
    line = {"variant": variants[0].pk, "quantity": 1, "list_price_minor": price, "unit_price_minor": price}
    sale = {
        "number": 1_000_001, "shift": counter.shift.pk, "sold_at": 1_767_000_000_000, "discount_percent": 0,
        "lines": [line], "tenders": [{"kind": "code", "amount_minor": price, "given_minor": price}],
    }  # fmt: skip
    many = {**sale, "number": 1_000_002, "lines": [{**line, "quantity": 9}]}
    client = signed_in(None)
    status, answer = call(client, "receipts", {"receipts": [sale, many], "voids": [1_000_003]}, counter.token)
    assert status == 200
    by_number = {one["number"]: one for one in answer["receipts"]}
    assert by_number[1_000_001] == {"number": 1_000_001, "repeated": False, "missing": 0}
    assert by_number[1_000_002]["error"]["code"] == "receipt_unsound"
    assert by_number[1_000_003]["repeated"] is False
    assert call(client, "receipts", {"receipts": [sale] * 51}, counter.token)[0] == 400
    # Another shop's till cannot write into this one's shift.
    theirs = make_counter(make_house("Other"))
    answer = call(client, "receipts", {"receipts": [sale]}, theirs.token)[1]
    assert answer["receipts"][0]["error"]["code"] == "no_shift_open"


def test_the_report_of_a_shift_adds_up() -> None:
    house, variants = make_store()
    counter = make_counter(house)
    assert counter.shift
    record(counter, sold(counter, 1, [(variants[0], 1)], given_more=100), sold(counter, 2, [(variants[1], 2)]))
    close_shift(
        till=counter.till,
        shift_id=counter.shift.pk,
        clerk=counter.clerk,
        counted_cash_minor=20_000 + 3 * 39_900 - 100,
        counted_code_minor=0,
    )
    page = signed_in(house.owner).get(f"/workbench/{house.shop.slug}/tills/shifts/{counter.shift.pk}/")
    assert page.context["cash_due_minor"] == 20_000 + 3 * 39_900
    assert page.context["cash_difference"] == "¥1 too little"
    assert page.context["code_difference"] == "as it should be"
    assert [row["label"] for row in page.context["receipts"]] == ["01-2", "01-1"]
    assert Shift.objects.get().closed_by == house.owner
    orders = signed_in(house.owner).get(f"/workbench/{house.shop.slug}/orders/?channel=till")
    assert [row["till"] for row in orders.context["rows"]] == ["Till 1", "Till 1"]
    web = signed_in(house.owner).get(f"/workbench/{house.shop.slug}/orders/?channel=web")
    assert web.context["rows"] == []
