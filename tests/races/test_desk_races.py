"""Real concurrent writers on one database: several desks, cancelling, lapsing, paying and moving at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, connections, transaction

from silkroom.inventory.errors import NotEnoughStock
from silkroom.inventory.models import Hold
from silkroom.inventory.queries import differences
from silkroom.inventory.services import Count, Pieces, move_stock, record_count
from silkroom.journal.models import Entry
from silkroom.kit.clock import now
from silkroom.kit.errors import Refusal
from silkroom.sales.checkout.services import database_conninfo
from silkroom.sales.desk.door import Answer, Desk, OrderLineRequest, OrderReceipt, OrderRequest
from silkroom.sales.offers.models import Offer, OfferUse
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.services import cancel_order, lapse_due_orders, lock_order, pay_order
from silkroom.sales.payments.models import Payment, Refund, SandboxCharge
from silkroom.sales.payments.sandbox import SandboxProvider, notice_of, settle_charge, signing_key
from silkroom.sales.payments.services import (
    carry_out_refund,
    receive_notice,
    refund_paid_order,
    settle_silent_payment,
    start_payment,
)
from silkroom.sales.payments.signing import sign
from tests.sales.stocked import StockedShop, ask_for, make_offer, make_people, make_shop, stock_row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desks() -> Iterator[list[Desk]]:
    """As many desks as there would be processes."""
    running = [Desk(database_conninfo()) for _ in range(3)]
    yield running
    for desk in running:
        desk.close()


def ask_all(desks: Sequence[Desk], requests: Sequence[OrderRequest]) -> list[Answer]:
    """All at once, in turn through the desks; answers in the order of the requests."""
    answers: list[Answer | None] = [None] * len(requests)
    left = threading.Semaphore(0)

    def keep(index: int) -> Callable[[Answer], None]:
        def take(answer: Answer) -> None:
            answers[index] = answer
            left.release()

        return take

    for index, request in enumerate(requests):
        desks[index % len(desks)].submit(request, keep(index))
    for _ in requests:
        assert left.acquire(timeout=60)
    return [one for one in answers if one is not None]


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Each in a thread of its own, all let go at the same moment; exceptions of the trade are results."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        gate.wait()
        try:
            return act()
        except Refusal as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [one.result(timeout=60) for one in [threads.submit(run, act) for act in acts]]


def codes(answers: Sequence[Answer]) -> Counter[str]:
    return Counter("order" if isinstance(one, OrderReceipt) else one.code for one in answers)


def test_two_hundred_buyers_at_three_desks_get_fifty_pieces(desks: list[Desk]) -> None:
    stocked, people = make_shop(pieces=50), make_people(200)
    answers = ask_all(desks, [ask_for(stocked, person) for person in people])
    assert codes(answers) == {"order": 50, "sold_out": 150}
    assert stock_row(stocked) == (50, 50)
    assert Order.objects.count() == Hold.objects.count() == 50
    assert Entry.objects.filter(kind="order.placed").count() == 50
    assert differences() == []


def test_the_last_piece_goes_to_the_first_commit(desks: list[Desk]) -> None:
    stocked, (first, second) = make_shop(pieces=1), make_people(2)
    for _ in range(10):
        answers = ask_all(desks, [ask_for(stocked, first), ask_for(stocked, second)])
        assert codes(answers) == {"order": 1, "sold_out": 1}
        order = Order.objects.get(state="held")
        winner = next(one for one in answers if isinstance(one, OrderReceipt))
        assert winner.number == order.number
        with transaction.atomic():
            cancel_order(person=order.person, number=order.number)
    assert stock_row(stocked) == (1, 0)


def test_cap_and_limit_hold_across_desks(desks: list[Desk]) -> None:
    stocked, people = make_shop(pieces=500), make_people(20)
    offer = make_offer(stocked, piece_cap=30, person_limit=2)
    answers = ask_all(desks, [ask_for(stocked, person, offer=offer) for _ in range(4) for person in people])
    assert codes(answers)["order"] == 30
    assert Offer.objects.get().taken == 30
    assert sum(OfferUse.objects.values_list("quantity", flat=True)) == 30
    assert max(OfferUse.objects.values_list("quantity", flat=True)) <= 2
    assert stock_row(stocked) == (500, 30)


def test_a_person_gets_five_unpaid_orders_however_many_desks_there_are(desks: list[Desk]) -> None:
    stocked, people = make_shop(pieces=500, variants=3), make_people(20)
    # Each desk sells a garment of its own: they meet nowhere but at the person.
    requests = [
        ask_for(stocked, person, variant=one) for _ in range(4) for person in people for one in stocked.variants
    ]
    answers = ask_all(desks, requests)
    assert codes(answers) == {"order": 100, "too_many_unpaid": 140}
    assert set(Counter(Order.objects.values_list("person", flat=True)).values()) == {5}


def test_one_key_at_three_desks_makes_one_order(desks: list[Desk]) -> None:
    stocked, people = make_shop(pieces=500), make_people(10)
    requests = [ask_for(stocked, person) for person in people]
    answers = ask_all(desks, [one for one in requests for _ in range(6)])
    assert codes(answers) == {"order": 60}
    numbers = Counter(one.number for one in answers if isinstance(one, OrderReceipt))
    assert sorted(numbers.values()) == [6] * 10
    assert Order.objects.count() == 10
    assert stock_row(stocked) == (500, 10)


def test_orders_that_name_garments_in_opposite_order_do_not_block_each_other(desks: list[Desk]) -> None:
    stocked, people = make_shop(pieces=300, variants=4), make_people(60)
    requests = []
    for number, person in enumerate(people):
        variants = stocked.variants if number % 2 else stocked.variants[::-1]
        lines = tuple(OrderLineRequest(one.pk, 1) for one in variants)
        requests.append(OrderRequest(person.pk, stocked.shop.pk, "web", uuid4(), lines))
    assert codes(ask_all(desks, requests)) == {"order": 60}
    assert stock_row(stocked) == (300, 60)
    assert differences() == []


def test_stock_moves_and_is_counted_while_it_is_sold(desks: list[Desk]) -> None:
    stocked, people = make_shop(pieces=100), make_people(120)
    item = stocked.variant.item_id

    def move_away() -> int:
        moved = 0
        for _ in range(20):
            try:
                with transaction.atomic():
                    move_stock(
                        shop=stocked.shop,
                        from_place=stocked.warehouse,
                        to_place=stocked.workshop,
                        pieces=[Pieces(item, 1)],
                        source="transfer:1",
                    )
                moved += 1
            except NotEnoughStock:
                pass
        return moved

    def count() -> None:
        for _ in range(10):
            with transaction.atomic():
                record_count(shop=stocked.shop, place=stocked.workshop, counts=[Count(item, 0)], source="count:1")

    def sell() -> Counter[str]:
        return codes(ask_all(desks, [ask_for(stocked, person) for person in people]))

    moved, _, sold = at_once(move_away, count, sell)
    assert isinstance(moved, int)
    assert isinstance(sold, Counter)
    assert sold["order"] + moved == 100, "every piece was either sold or moved away"
    assert stock_row(stocked) == (100 - moved, sold["order"])
    assert differences() == []


def test_a_console_that_writes_beside_the_desk_cannot_oversell(desks: list[Desk]) -> None:
    stocked, people = make_shop(pieces=60), make_people(80)

    def take_by_hand() -> int:
        taken = 0
        with psycopg.connect(database_conninfo(), autocommit=True) as raw:
            for _ in range(40):
                try:
                    raw.execute(
                        "UPDATE inventory_sellable SET held = held + 1 WHERE item_id = %s", (stocked.variant.item_id,)
                    )
                    taken += 1
                except psycopg.errors.CheckViolation:
                    pass
        return taken

    taken, sold = at_once(take_by_hand, lambda: codes(ask_all(desks, [ask_for(stocked, person) for person in people])))
    assert isinstance(taken, int)
    assert isinstance(sold, Counter)
    assert taken + sold["order"] == 60
    assert stock_row(stocked) == (60, 60)


def place_many(desk: Desk, stocked: StockedShop, count: int) -> list[Order]:
    answers = ask_all([desk], [ask_for(stocked, person) for person in make_people(count)])
    assert codes(answers) == {"order": count}
    return list(Order.objects.order_by("id"))


def lapse_all() -> int:
    ended = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            found = lapse_due_orders(cursor=cursor, limit=3)
        if not found:
            return ended
        ended += found


def test_paying_and_lapsing_at_once_end_each_order_once(desks: list[Desk]) -> None:
    stocked = make_shop(pieces=30)
    orders = place_many(desks[0], stocked, 30)
    Order.objects.update(holds_until=now() - timedelta(seconds=1))

    def pay_each() -> int:
        paid = 0
        for order in orders:
            with transaction.atomic():
                paid += pay_order(order=lock_order(order_id=order.pk))
        return paid

    paid, lapsed, lapsed_too = at_once(pay_each, lapse_all, lapse_all)
    states = Counter(Order.objects.values_list("state", flat=True))
    assert paid == states["paid"] == 30, "late or not, the pieces were still there"
    assert stock_row(stocked) == (0, 0)
    kinds = Counter(Entry.objects.values_list("kind", flat=True))
    assert kinds["order.paid"] == 30
    assert isinstance(lapsed, int)
    assert isinstance(lapsed_too, int)
    assert kinds["order.lapsed"] == lapsed + lapsed_too
    assert differences() == []


def test_cancelling_and_lapsing_at_once_give_the_pieces_back_once(desks: list[Desk]) -> None:
    stocked = make_shop(pieces=30)
    orders = place_many(desks[0], stocked, 30)
    Order.objects.update(holds_until=now() - timedelta(seconds=1))

    def cancel_each() -> Counter[str]:
        told: Counter[str] = Counter()
        for order in orders:
            try:
                with transaction.atomic():
                    cancel_order(person=order.person, number=order.number)
                told["cancelled"] += 1
            except Refusal as refusal:
                told[refusal.code] += 1
        return told

    cancelled, lapsed = at_once(cancel_each, lapse_all)
    assert isinstance(cancelled, Counter)
    assert isinstance(lapsed, int)
    assert cancelled["cancelled"] + lapsed == 30
    assert Counter(Order.objects.values_list("state", flat=True)) == Counter(
        {"cancelled": cancelled["cancelled"], "lapsed": lapsed}
    )
    assert stock_row(stocked) == (30, 0)
    assert differences() == []


def test_lapsing_orders_go_to_waiting_buyers_while_the_job_lapses_too(desks: list[Desk]) -> None:
    stocked = make_shop(pieces=40)
    place_many(desks[0], stocked, 40)
    Order.objects.update(holds_until=now() - timedelta(seconds=1))
    people = make_people(60)
    sold, _ = at_once(lambda: codes(ask_all(desks, [ask_for(stocked, person) for person in people])), lapse_all)
    assert isinstance(sold, Counter)
    held = Order.objects.filter(state="held").count()
    assert stock_row(stocked) == (40, held)
    assert sold["order"] == Order.objects.filter(person__in=people).count()
    assert 0 < sold["order"] <= 40
    assert differences() == []


def test_a_payment_that_begins_keeps_its_order_from_lapsing(desks: list[Desk]) -> None:
    stocked = make_shop(pieces=20)
    orders = place_many(desks[0], stocked, 20)
    soon = now() + timedelta(milliseconds=300)
    Order.objects.update(holds_until=soon)

    def start_each() -> int:
        started = 0
        for order in orders:
            try:
                start_payment(person=order.person, number=order.number, provider=SandboxProvider())
                started += 1
            except Refusal:
                pass
        return started

    def lapse_for_a_second() -> int:
        ended = 0
        while now() < soon + timedelta(seconds=1):
            ended += lapse_all()
        return ended

    started, lapsed = at_once(start_each, lapse_for_a_second)
    states = Counter(Order.objects.values_list("state", flat=True))
    assert (states["held"], states["lapsed"]) == (started, lapsed)
    assert started + lapsed == 20
    assert Hold.objects.filter(state="open", paying_until__isnull=False).count() == started
    assert Payment.objects.filter(order__state="lapsed").count() == 0
    assert stock_row(stocked) == (20, started)


def test_one_notice_at_five_web_threads_pays_once(desks: list[Desk]) -> None:
    stocked = make_shop(pieces=3)
    (order,) = place_many(desks[0], stocked, 1)
    payment = start_payment(person=order.person, number=order.number, provider=SandboxProvider()).payment
    with transaction.atomic():
        charge_state = settle_charge(reference=payment.reference, pays=True)
    assert charge_state == "paid"
    charge = payment.reference

    def receive(nonce: str) -> str:
        body = notice_of(SandboxCharge.objects.get(reference=charge))
        headers = sign(signing_key(), seconds=int(now().timestamp()), nonce=nonce, body=body)
        receive_notice(provider=SandboxProvider(), headers=headers, body=body)
        return "success"

    told = at_once(*(lambda number=number: receive(str(number)) for number in range(5)))
    assert told == ["success"] * 5
    order.refresh_from_db()
    assert order.state == "paid"
    assert stock_row(stocked) == (2, 0)
    assert Refund.objects.count() == 0
    copies = at_once(*(lambda: receive("same") for _ in range(4)))
    assert sorted(map(str, copies)) == ["notice_replayed"] * 3 + ["success"]


def test_the_refund_button_pressed_at_once_sends_money_and_pieces_back_once(desks: list[Desk]) -> None:
    stocked = make_shop(pieces=3)
    (order,) = place_many(desks[0], stocked, 1)
    payment = start_payment(person=order.person, number=order.number, provider=SandboxProvider()).payment
    SandboxCharge.objects.update(state="paid")
    settle_silent_payment(payment_id=payment.pk, attempt=1)

    def press() -> int:
        with transaction.atomic():
            refund = refund_paid_order(
                shop=stocked.shop, number=order.number, by=order.person, note="x", back_to_stock=True
            )
        carry_out_refund(refund_id=refund.pk)
        return refund.pk

    assert len(set(at_once(press, press, press))) == 1
    assert SandboxCharge.objects.get().refunded_minor == payment.amount_minor
    assert stock_row(stocked) == (3, 0)
    assert differences() == []


def test_the_pay_button_pressed_at_once_starts_one_payment(desks: list[Desk]) -> None:
    stocked = make_shop(pieces=3)
    (order,) = place_many(desks[0], stocked, 1)

    def press() -> str:
        return start_payment(person=order.person, number=order.number, provider=SandboxProvider()).payment.reference

    assert len(set(at_once(press, press, press, press))) == 1
    assert Payment.objects.count() == 1
