"""The background jobs as a real process: notices over real HTTP, refunds, lapsing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import psycopg
import pytest
from django.db import transaction

from silkroom.config.processes.children import wait_until
from silkroom.config.processes.health import ask
from silkroom.config.processes.lapsing import lapse_until
from silkroom.config.processes.supervisor import Stack
from silkroom.inventory.models import Hold
from silkroom.kit.clock import now
from silkroom.sales.checkout.services import database_conninfo
from silkroom.sales.desk.door import Desk
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.services import cancel_order
from silkroom.sales.payments.models import Notice, Payment, Refund, SandboxCharge
from silkroom.sales.payments.sandbox import SandboxProvider, settle_charge
from silkroom.sales.payments.services import start_payment
from tests.sales.stocked import StockedShop, ask_for, make_people, make_shop, stock_row

SECONDS = 30.0


@pytest.fixture
def desk(stack: Stack, stack_database: str) -> Iterator[Desk]:
    running = Desk(stack_database)
    yield running
    running.close()


def place(desk: Desk, stocked: StockedShop, quantity: int = 1) -> Order:
    (buyer,) = make_people(1)
    return Order.objects.get(number=desk.place_blocking(ask_for(stocked, buyer, quantity)).number)


def pay(order: Order) -> str:
    payment = start_payment(person=order.person, number=order.number, provider=SandboxProvider()).payment
    with transaction.atomic():
        settle_charge(reference=payment.reference, pays=True)
    return payment.reference


def comes_true(condition: Callable[[], bool]) -> bool:
    return wait_until(condition, seconds=SECONDS, pause=0.1)


def test_the_jobs_process_says_that_it_is_well(stack: Stack) -> None:
    assert ask(f"{stack.jobs_urls[0]}/health")[0] == 200


def test_a_notice_travels_by_http_is_accepted_and_repeated(desk: Desk) -> None:
    stocked = make_shop(pieces=5)
    order = place(desk, stocked, 2)
    reference = pay(order)
    assert comes_true(lambda: Order.objects.get(pk=order.pk).state == "paid")
    assert comes_true(lambda: SandboxCharge.objects.get(reference=reference).notices_sent == 2)
    charge = SandboxCharge.objects.get(reference=reference)
    assert charge.notice_accepted
    assert comes_true(lambda: Notice.objects.get(payment__reference=reference).times == 2)
    assert stock_row(stocked) == (3, 0)


def test_late_money_goes_back_by_itself(desk: Desk) -> None:
    stocked = make_shop(pieces=2)
    order = place(desk, stocked, 2)
    payment = start_payment(person=order.person, number=order.number, provider=SandboxProvider()).payment
    with transaction.atomic():
        Hold.objects.filter(source=f"order:{order.number}").update(paying_until=None)
        cancel_order(person=order.person, number=order.number)
    place(desk, stocked, 2)
    with transaction.atomic():
        settle_charge(reference=payment.reference, pays=True)
    assert comes_true(lambda: Refund.objects.filter(payment=payment, is_done=True).exists())
    assert Order.objects.get(pk=order.pk).state == "refunded"
    assert comes_true(lambda: Payment.objects.get(pk=payment.pk).state == "refunded")
    assert SandboxCharge.objects.get(reference=payment.reference).refunded_minor == order.total_minor


def test_due_orders_lapse_within_seconds(desk: Desk) -> None:
    stocked = make_shop(pieces=2)
    order = place(desk, stocked, 2)
    Order.objects.filter(pk=order.pk).update(holds_until=now() - timedelta(seconds=1))
    assert comes_true(lambda: Order.objects.get(pk=order.pk).state == "lapsed")
    assert stock_row(stocked) == (2, 0)


@pytest.mark.django_db(transaction=True)
def test_lapsing_goes_on_after_its_connection_was_lost() -> None:
    conninfo = database_conninfo()
    stopping, rounds = threading.Event(), threading.Semaphore(0)
    thread = threading.Thread(target=lapse_until, args=(conninfo, stopping, rounds.release))
    thread.start()
    try:
        assert rounds.acquire(timeout=SECONDS)
        with psycopg.connect(conninfo, autocommit=True) as other:
            ended = other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'silkroom lapsing' AND datname = current_database()"
            ).fetchall()
        assert ended == [(True,)]
        while rounds.acquire(blocking=False):
            pass
        assert rounds.acquire(timeout=SECONDS)
    finally:
        stopping.set()
        thread.join(timeout=SECONDS)
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_lapsing_goes_on_after_a_failure_that_nobody_foresaw() -> None:
    conninfo = database_conninfo()
    stopping, rounds = threading.Event(), threading.Semaphore(0)
    failures = iter([ValueError("a bug"), psycopg.errors.CheckViolation("a law of the database")])

    def came_round() -> None:
        failure = next(failures, None)
        if failure is not None:
            raise failure
        rounds.release()

    thread = threading.Thread(target=lapse_until, args=(conninfo, stopping, came_round))
    thread.start()
    try:
        assert rounds.acquire(timeout=SECONDS)
        assert next(failures, None) is None
    finally:
        stopping.set()
        thread.join(timeout=SECONDS)
    assert not thread.is_alive()
