"""Whatever is done to the ledger, in any order: what it keeps is what its movements and holds add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from silkroom.inventory.models import Balance, Movement, Sellable
from silkroom.inventory.queries import differences
from silkroom.inventory.services import (
    Count,
    HoldRequest,
    Pieces,
    convert_holds,
    create_lot,
    move_stock,
    receive_stock,
    record_count,
    release_holds,
    take_holds,
)
from silkroom.kit.clock import now
from silkroom.kit.errors import Refusal
from tests.sales.stocked import StockedShop, make_shop

pytestmark = pytest.mark.django_db

ITEMS = st.integers(0, 1)
PLACES = st.integers(0, 2)
LOTS = st.integers(-1, 1)
FEW = st.integers(1, 6)
SOURCES = st.sampled_from(["order:A", "order:B", "order:C"])

STEPS = st.one_of(
    st.tuples(st.just("receive"), ITEMS, PLACES, LOTS, FEW),
    st.tuples(st.just("move"), ITEMS, PLACES, PLACES, LOTS, FEW),
    st.tuples(st.just("count"), ITEMS, PLACES, LOTS, st.integers(0, 8)),
    st.tuples(st.just("hold"), st.lists(st.tuples(ITEMS, FEW), min_size=1, max_size=3), SOURCES),
    st.tuples(st.just("release"), SOURCES),
    st.tuples(st.just("convert"), SOURCES),
)


class Ledger:
    """Carries out steps, and keeps free pieces by itself, in the simplest way."""

    def __init__(self) -> None:
        self.stocked: StockedShop = make_shop(pieces=0, variants=2)
        self.items = [one.item for one in self.stocked.variants]
        self.places = [self.stocked.warehouse, self.stocked.store, self.stocked.workshop]
        self.lots = [[create_lot(item=item, code=str(number)) for number in range(2)] for item in self.items]
        self.on_hand: dict[tuple[int, int], int] = {}
        self.held: dict[str, list[tuple[int, int, int]]] = {}

    def lot(self, item: int, lot: int) -> int | None:
        return None if lot < 0 else self.lots[item][lot].pk

    def add(self, item: int, place: int, quantity: int) -> None:
        key = (self.items[item].pk, self.places[place].pk)
        self.on_hand[key] = self.on_hand.get(key, 0) + quantity

    def receive(self, item: int, place: int, lot: int, quantity: int) -> None:
        pieces = [Pieces(self.items[item].pk, quantity, self.lot(item, lot))]
        receive_stock(shop=self.stocked.shop, place=self.places[place], pieces=pieces, source="test")
        self.add(item, place, quantity)

    def move(self, item: int, start: int, end: int, lot: int, quantity: int) -> None:
        pieces = [Pieces(self.items[item].pk, quantity, self.lot(item, lot))]
        move_stock(
            shop=self.stocked.shop,
            from_place=self.places[start],
            to_place=self.places[end],
            pieces=pieces,
            source="test",
        )
        self.add(item, start, -quantity)
        self.add(item, end, quantity)

    def count(self, item: int, place: int, lot: int, counted: int) -> None:
        counts = [Count(self.items[item].pk, counted, self.lot(item, lot))]
        found = record_count(shop=self.stocked.shop, place=self.places[place], counts=counts, source="test")
        self.add(item, place, found[self.items[item].pk])

    def hold(self, wants: list[tuple[int, int]], source: str) -> None:
        lapses_at = now() + timedelta(minutes=1)
        taken = take_holds(wants=[HoldRequest(self.items[item].pk, count, source, lapses_at) for item, count in wants])
        self.held.setdefault(source, []).extend((one.item_id, one.place_id, one.quantity) for one in taken)

    def release(self, source: str) -> None:
        release_holds(sources=[source])
        self.held.pop(source, None)

    def convert(self, source: str) -> None:
        convert_holds(sources=[source])
        for item_id, place_id, quantity in self.held.pop(source):
            self.on_hand[item_id, place_id] -= quantity

    def check(self) -> None:
        rows = {(row.item_id, row.place_id): row for row in Sellable.objects.all()}
        held: dict[tuple[int, int], int] = {}
        for holds in self.held.values():
            for item_id, place_id, quantity in holds:
                held[item_id, place_id] = held.get((item_id, place_id), 0) + quantity
        assert {key: row.on_hand for key, row in rows.items() if row.on_hand} == {
            key: pieces for key, pieces in self.on_hand.items() if pieces
        }
        assert {key: row.held for key, row in rows.items() if row.held} == held
        assert differences() == []
        assert not Balance.objects.filter(quantity__lt=0).exists()


@contextmanager
def refused_changes_nothing(ledger: Ledger) -> Iterator[None]:
    """A step that is refused leaves no movement behind."""
    before = Movement.objects.count()
    try:
        with transaction.atomic():
            yield
    except Refusal:
        assert Movement.objects.count() == before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=12))
def test_kept_numbers_are_the_sums_of_movements_and_holds(steps: list[tuple], db: None) -> None:
    with transaction.atomic():
        ledger = Ledger()
        for name, *arguments in steps:
            act: Callable[..., None] = getattr(ledger, name)
            with refused_changes_nothing(ledger):
                act(*arguments)
            ledger.check()
        transaction.set_rollback(True)
