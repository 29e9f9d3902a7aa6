"""kill -9 in the middle of a sale: nothing confirmed is lost, nothing is sold twice, repeats find their orders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pytest_django.plugin import DjangoDbBlocker

from silkroom.config.processes.supervisor import Stack
from silkroom.inventory.queries import differences
from silkroom.sales.checkout.services import database_conninfo
from silkroom.sales.desk.door import Answer, Desk, OrderReceipt, OrderRequest
from silkroom.sales.orders.models import Order
from tests.sales.stocked import StockedShop, ask_for, make_people, make_shop, stock_row
from tests.servers import database_of

SELLING = Path(__file__).with_name("selling.py")
SOURCES = Path(__file__).resolve().parents[2] / "src"


def start_selling(stocked: StockedShop, buyers: list[tuple[int, str]]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(SELLING)],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    told = {
        "conninfo": database_conninfo(),
        "most_in_batch": 7,
        "shop": stocked.shop.pk,
        "variant": stocked.variant.pk,
        "buyers": buyers,
    }
    process.stdin.write(json.dumps(told) + "\n")
    process.stdin.flush()
    return process


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("heard", [1, 40, 150])
def test_a_selling_process_is_killed(heard: int) -> None:
    """After so many confirmations were heard. What was in its pipe by then was confirmed too."""
    stocked = make_shop(pieces=400)
    people = make_people(500)
    buyers = [(person.pk, str(uuid4())) for person in people]
    process = start_selling(stocked, buyers)
    assert process.stdin is not None and process.stdout is not None
    lines = [process.stdout.readline() for _ in range(heard)]
    process.kill()
    lines += process.stdout.readlines()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    confirmed = dict(line.split() for line in lines if line.endswith("\n"))
    assert len(confirmed) >= heard

    kept = dict(Order.objects.values_list("number", "key"))
    assert {number: UUID(key) for number, key in confirmed.items()}.items() <= kept.items()
    assert stock_row(stocked) == (400, len(kept))
    assert differences() == []

    desk = Desk(database_conninfo())
    answers = {}
    left = threading.Semaphore(0)

    def keep(key: str) -> Callable[[Answer], None]:
        def take(answer: Answer) -> None:
            answers[key] = answer
            left.release()

        return take

    for person, key in buyers:
        desk.submit(ask_for(stocked, person, key=UUID(key)), keep(key))
    for _ in buyers:
        assert left.acquire(timeout=60)
    desk.close()
    again = {key: one.number for key, one in answers.items() if isinstance(one, OrderReceipt)}
    assert all(again[key] == number for number, key in confirmed.items()), "a repeat finds its order"
    assert len(again) == len(set(again.values())) == 400
    assert stock_row(stocked) == (400, 400)


def test_postgresql_is_killed_in_the_middle_of_a_sale(
    make_stack: Callable[..., Stack], django_db_blocker: DjangoDbBlocker
) -> None:
    stack = make_stack(gateways=0, web=0, jobs=0)
    with database_of(stack, django_db_blocker):
        stocked, people = make_shop(pieces=300), make_people(400)
        requests = [ask_for(stocked, person) for person in people]
        # Small batches: PostgreSQL dies between, within and at the end of them.
        desk = Desk(database_conninfo(), most_in_batch=5, patience_seconds=30)
        told = Told(len(requests))
        for request in requests:
            desk.submit(request, told.by(request))
        assert told.some.wait(30)
        stack.kill("postgres")
        confirmed_before = len(told.numbers)
        stack.restart("postgres")
        assert told.all.wait(60)
        desk.close()
    with database_of(stack, django_db_blocker):
        assert 0 < confirmed_before < 300
        assert len(told.numbers) == len(set(told.numbers.values())) == 300
        assert told.refused == {"sold_out": 100}
        assert dict(Order.objects.values_list("key", "number")) == told.numbers
        assert stock_row(stocked) == (300, 300)
        assert differences() == []


class Told:
    """What the buyers were told."""

    def __init__(self, count: int) -> None:
        self.numbers: dict[UUID, str] = {}
        self.refused: dict[str, int] = {}
        self.some = threading.Event()
        self.all = threading.Event()
        self._left = count

    def by(self, request: OrderRequest) -> Callable[[Answer], None]:
        def take(answer: Answer) -> None:
            if isinstance(answer, OrderReceipt):
                self.numbers[request.key] = answer.number
            else:
                self.refused[answer.code] = self.refused.get(answer.code, 0) + 1
            self._left -= 1
            if len(self.numbers) >= 50:
                self.some.set()
            if not self._left:
                self.all.set()

        return take
