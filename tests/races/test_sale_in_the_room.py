"""A flash sale through all doors at once, and with each process killed in the middle of it."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Self

import aiohttp
import pytest
from django.db import connection
from django.db.models import Sum

from silkroom.accounts.models import Person
from silkroom.config.processes.supervisor import Stack
from silkroom.inventory.models import Hold, Sellable
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.room.rules import State
from silkroom.sales.models import Order, OrderLine
from tests.gateway.test_room import state_in_database
from tests.gateway.watcher import Closed, Watcher
from tests.live.stage import Garment, Stage, guest, make_stage, ticket_for

AWAY = (aiohttp.ClientError, ConnectionError, Closed, TimeoutError, OSError)
"""What a page sees of a process that died."""

AGAIN = {"desk_unavailable", "too_busy", "too_fast", "room_closed"}
"""Refusals after which the same request with the same key is sent again."""


class Buyer:
    """A person who keeps pressing "buy" until the door says yes or sold out. ``won``: numbers that were confirmed."""

    def __init__(self, session: aiohttp.ClientSession, stack: Stack, show: Broadcast, person: Person) -> None:
        self.session, self.stack, self.show, self.person = session, stack, show, person
        self.ticket = ticket_for(show, person)
        self.won: list[str] = []
        self.refused: collections.Counter[str] = collections.Counter()
        self.reconnects = 0

    async def buy_until_sold_out(self, door: Callable[[int, str], Any], variant: int, *, most: int = 10**6) -> None:
        """Order after order, each with its own key, sent again unchanged whenever the answer did not arrive."""
        for _ in range(most):
            key = str(uuid.uuid4())
            while True:
                try:
                    answer = await door(variant, key)
                except AWAY:
                    self.reconnects += 1
                    await asyncio.sleep(0.1)
                    continue
                if "number" in answer:
                    self.won.append(answer["number"])
                    break
                self.refused[answer["code"]] += 1
                if answer["code"] == "sold_out":
                    return
                assert answer["code"] in AGAIN, answer
                await asyncio.sleep(0.1)

    async def over_http(self, variant: int, key: str) -> dict[str, Any]:
        body = {"key": key, "lines": [{"variant": variant, "quantity": 1}]}
        headers = {"Authorization": f"Ticket {self.ticket}"}
        timeout = aiohttp.ClientTimeout(total=20)
        url = f"{self.stack.web_url}/api/orders"
        async with self.session.post(url, json=body, headers=headers, timeout=timeout) as response:
            answer = await response.json()
            return answer.get("error", answer)

    def in_the_room(self, gateways: list[int]) -> Callable[[int, str], Any]:
        """Through the WebSocket of the first gateway of the list that answers."""
        page: list[Watcher] = []

        async def door(variant: int, key: str) -> dict[str, Any]:
            if not page or page[0].close_code is not None:
                page[:] = [await self._enter(gateways)]
            try:
                answer = await page[0].buy(variant, key=key)
            except AWAY:
                page.clear()
                raise
            return answer.get("order", answer)

        return door

    async def _enter(self, gateways: list[int]) -> Watcher:
        for gateway in gateways:
            with contextlib.suppress(*AWAY):
                return await Watcher(self.session, self.stack.gateway_urls[gateway], self.ticket).enter()
        raise ConnectionError("no gateway answers")


def make_sale(stage: Stage, pieces: int, people: int) -> tuple[Broadcast, Garment, list[Person]]:
    garment = stage.make_garment(pieces=pieces, sizes=("M",))
    return stage.on_air(garment), garment, [guest(f"客{number}") for number in range(people)]


def check_sold(garment: Garment, pieces: int, buyers: list[Buyer]) -> None:
    """Nothing confirmed is lost, nothing is sold twice, and the ledger agrees with the orders."""
    won = [number for buyer in buyers for number in buyer.won]
    assert len(set(won)) == len(won)
    orders = dict(Order.objects.filter(number__in=won).values_list("number", "person_id"))
    assert orders == {number: buyer.person.pk for buyer in buyers for number in buyer.won}
    sold = OrderLine.objects.filter(variant=garment.first).aggregate(sold=Sum("quantity"))["sold"]
    row = Sellable.objects.get(item=garment.first.item)
    held = Hold.objects.filter(item=garment.first.item, state="open").aggregate(held=Sum("quantity"))["held"]
    assert (row.on_hand, row.held, held, sold) == (pieces, pieces, pieces, pieces)
    assert len(won) == pieces


async def look(work: Callable[..., Any], *arguments: Any) -> Any:
    """``work`` on the database in a thread, on a connection that no killed server has touched."""

    def run() -> Any:
        connection.close()
        try:
            return work(*arguments)
        finally:
            connection.close()

    return await asyncio.to_thread(run)


@contextlib.asynccontextmanager
async def open_session():
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=jar) as session:
        yield session


async def test_two_hundred_buyers_for_fifty_pieces(stack: Stack, stack_database: str):
    """Half over HTTP, half in the room, on two gateways; each wants one piece."""
    stage = await look(lambda: make_stage(garments=0))
    show, garment, people = await look(make_sale, stage, 50, 200)
    variant = garment.first.pk
    async with open_session() as session:
        witness = await Watcher(session, stack.gateway_urls[1], ticket_for(show)).enter()
        buyers = [await look(Buyer, session, stack, show, person) for person in people]
        doors = [
            buyer.over_http if number % 2 else buyer.in_the_room([number // 2 % 2])
            for number, buyer in enumerate(buyers)
        ]
        await asyncio.gather(
            *(buyer.buy_until_sold_out(door, variant, most=1) for buyer, door in zip(buyers, doors, strict=True))
        )
        await witness.until(lambda: witness.left(variant) == 0)
        await witness.leave()
    await look(check_sold, garment, 50, buyers)
    winners = [number for number, buyer in enumerate(buyers) if buyer.won]
    assert len(winners) == 50
    assert all(buyer.refused == {"sold_out": 1} for buyer in buyers if not buyer.won)


class Witness:
    """A viewer who never reloads: resumes by number, on whichever gateway answers."""

    def __init__(self, session: aiohttp.ClientSession, stack: Stack, show: Broadcast, gateways: Sequence[int]) -> None:
        self.session, self.stack, self.ticket, self.gateways = session, stack, ticket_for(show), gateways
        self.state: State | None = None
        self.sequence: int | None = None
        self.snapshots = 0
        self.resumed = 0
        self.page: Watcher | None = None

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._watching.cancel()
        await asyncio.wait([self._watching])

    async def _watch(self) -> None:
        while True:
            for gateway in self.gateways:
                with contextlib.suppress(*AWAY):
                    await self._sit(gateway)
            await asyncio.sleep(0.1)

    async def _sit(self, gateway: int) -> None:
        page = Watcher(self.session, self.stack.gateway_urls[gateway], self.ticket)
        await page.enter(after=self.sequence, state=self.state)
        self.page = page
        self.resumed += self.sequence is not None
        try:
            await page.closed()
        finally:
            self.state, self.sequence = page.state, page.sequence
            self.snapshots += page.snapshots

    async def until(self, condition: Callable[[Watcher], bool]) -> None:
        """Looks now and then: the page that will see it may not exist yet."""
        async with asyncio.timeout(60):
            while self.page is None or self.page.close_code is not None or not condition(self.page):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("victim", ["gateway", "web", "postgres"])
async def test_a_process_is_killed_in_the_middle_of_a_sale(sturdy_stack: Stack, sturdy_database: str, victim: str):
    stack, pieces = sturdy_stack, 300
    stage = await look(lambda: make_stage(garments=0))
    show, garment, people = await look(make_sale, stage, pieces, 24)
    variant = garment.first.pk
    async with open_session() as session, contextlib.AsyncExitStack() as pages:
        buyers = [await look(Buyer, session, stack, show, person) for person in people]
        witnesses = [await pages.enter_async_context(Witness(session, stack, show, [n, 1 - n])) for n in (0, 1)]
        for one in witnesses:
            await one.until(lambda page: page.state is not None)
        selling = asyncio.gather(
            *(
                buyer.buy_until_sold_out(
                    buyer.over_http if number % 3 == 0 else buyer.in_the_room([number % 2, 1 - number % 2]), variant
                )
                for number, buyer in enumerate(buyers)
            )
        )
        await until_sold(buyers, pieces // 4)
        await asyncio.to_thread(stack.kill, victim)
        killed_at = sum(len(buyer.won) for buyer in buyers)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(stack.restart, victim)
        await asyncio.wait_for(selling, 120)
        for one in witnesses:
            await one.until(lambda page: page.left(variant) == 0)
        for one in witnesses:
            state = await level_with_database(one, show)
            assert one.page is not None
            assert one.page.state == state
            assert one.snapshots + one.page.snapshots == 1
        if victim == "gateway":
            assert witnesses[0].resumed >= 1
    assert killed_at < pieces
    await look(check_sold, garment, pieces, buyers)


async def level_with_database(witness: Witness, show: Broadcast) -> State:
    """The fold of the log, read when the witness had seen exactly its last event: the two can then be compared.

    After a sale events still come now and then (a hold that was given back); each is waited for and looked at again.
    """
    async with asyncio.timeout(60):
        while True:
            sequence, state = await look(state_in_database, show)
            await witness.until(lambda page, sequence=sequence: page.sequence >= sequence)
            if witness.page is not None and witness.page.sequence == sequence:
                return state


async def until_sold(buyers: list[Buyer], pieces: int) -> None:
    async with asyncio.timeout(60):
        while sum(len(buyer.won) for buyer in buyers) < pieces:  # noqa: ASYNC110 - said in many places
            await asyncio.sleep(0.01)
