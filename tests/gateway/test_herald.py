"""News of pieces, offers and styles reaches the rooms, whatever wrote them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest
from django.db import transaction

from silkroom.catalog.services import StyleWords, change_style
from silkroom.config.processes.herald import LEADER_LOCK, READER
from silkroom.config.processes.supervisor import Stack
from silkroom.inventory.models import Hold
from silkroom.journal.models import Reader
from silkroom.kit.clock import now
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.room.models import RoomEvent
from silkroom.sales.models import Order
from silkroom.sales.orders.services import cancel_order
from silkroom.shops.services import change_place
from tests.live.stage import Stage, guest, make_stage

from .conftest import Page


async def test_stock_received_by_hand_is_seen(stage: Stage, show: Broadcast, page: Page):
    variant = stage.garments[0].first
    async with await page(show).enter() as one:
        await asyncio.to_thread(stage.receive, variant, 7)
        await one.until(lambda: one.left(variant.pk) == 17)


async def test_a_cancelled_order_gives_its_pieces_back(stage: Stage, show: Broadcast, page: Page):
    buyer = await asyncio.to_thread(guest)
    variant = stage.garments[0].first
    async with await page(show, buyer).enter() as one:
        answer = await one.buy(variant.pk, quantity=4)
        assert "order" in answer, answer
        number = answer["order"]["number"]
        await one.until(lambda: one.left(variant.pk) == 6)

        def cancel() -> None:
            with transaction.atomic():
                cancel_order(person=buyer, number=number)

        await asyncio.to_thread(cancel)
        await one.until(lambda: one.left(variant.pk) == 10)


async def test_a_corrected_style_changes_the_tray(stage: Stage, show: Broadcast, page: Page):
    style = stage.garments[0].style

    def correct() -> None:
        with transaction.atomic():
            change_style(style=style, words=StyleWords(article=style.article, name="改名的衬衫", name_en="Renamed"))

    async with await page(show).enter() as one:
        await asyncio.to_thread(correct)
        await one.until(lambda: one.state["tray"][0]["name"] == "改名的衬衫")
        assert one.state["tray"][0]["name_en"] == "Renamed"


async def test_a_place_that_no_longer_sells_online_empties_the_tray(stage: Stage, show: Broadcast, page: Page):
    variant = stage.garments[0].first

    def close(sells_online: bool) -> None:
        with transaction.atomic():
            change_place(place=stage.place, name=stage.place.name, sells_online=sells_online)

    async with await page(show).enter() as one:
        assert one.left(variant.pk) == 10
        await asyncio.to_thread(close, False)
        await one.until(lambda: one.left(variant.pk) == 0)
        await asyncio.to_thread(close, True)
        await one.until(lambda: one.left(variant.pk) == 10)


async def test_a_planned_show_hears_too_and_an_ended_one_does_not(stage: Stage, page: Page):
    planned = await asyncio.to_thread(stage.plan)
    ended = await asyncio.to_thread(stage.on_air)
    await Broadcast.objects.filter(pk=ended.pk).aupdate(state="ended")
    variant = stage.garments[0].first
    async with await page(planned).enter() as one:
        await asyncio.to_thread(stage.receive, variant, 1)
        await one.until(lambda: one.left(variant.pk) == 11)
    assert not await RoomEvent.objects.filter(broadcast=ended, kind="stock").aexists()


async def test_other_shops_hear_nothing(stage: Stage, show: Broadcast, page: Page):
    other = await asyncio.to_thread(make_stage)
    elsewhere = await asyncio.to_thread(other.on_air)
    variant = stage.garments[0].first
    async with await page(show).enter() as one:
        await asyncio.to_thread(stage.receive, variant, 1)
        await one.until(lambda: one.left(variant.pk) == 11)
    assert not await RoomEvent.objects.filter(broadcast=elsewhere, kind="stock").aexists()


async def test_a_burst_of_orders_is_few_events(stage: Stage, page: Page):
    """Numbers are absolute, so a room hears of many orders at once."""
    garment = await asyncio.to_thread(stage.make_garment, pieces=500)
    show = await asyncio.to_thread(stage.on_air, garment)
    variant = garment.first.pk
    people = [await asyncio.to_thread(guest) for _ in range(40)]
    pages = [await page(show, person, gateway=at % 2).enter() for at, person in enumerate(people)]
    answers = await asyncio.gather(*(one.buy(variant) for one in pages for _ in range(5)))
    assert [answer for answer in answers if "order" not in answer] == []
    for one in pages:
        await one.until(lambda one=one: one.left(variant) == 300)
    stock = await RoomEvent.objects.filter(broadcast=show, kind="stock").acount()
    assert stock < 100
    for one in pages:
        await one.leave()


def herald_of(stack: Stack) -> int:
    """How many sessions hold the herald's lock."""
    with psycopg.connect(stack.database_url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted", [LEADER_LOCK]
        ).fetchone()
    assert row is not None
    return int(row[0])


async def test_one_gateway_at_a_time_is_the_herald(stack: Stack, stage: Stage, health):
    leaders = [(await health(gateway))["herald"] for gateway in (0, 1)]
    assert sorted(leaders) == [False, True]
    assert await asyncio.to_thread(herald_of, stack) == 1


async def test_the_position_moves_on(stage: Stage, show: Broadcast, page: Page):
    async with await page(show).enter() as one:
        variant = stage.garments[0].first
        await asyncio.to_thread(stage.receive, variant, 1)
        await one.until(lambda: one.left(variant.pk) == 11)
        before = await Reader.objects.aget(name=READER)
        await asyncio.to_thread(stage.receive, variant, 1)
        await one.until(lambda: one.left(variant.pk) == 12)
        after = await Reader.objects.aget(name=READER)
    assert (after.transaction, after.entry) > (before.transaction, before.entry)


@pytest.mark.parametrize("gateway", [0, 1])
async def test_a_lost_lead_is_taken_up_again(stack: Stack, stage: Stage, page: Page, gateway: int, health):
    """The herald's connection is cut by the database; somebody leads again and nothing is missed."""
    show = await asyncio.to_thread(stage.on_air)
    variant = stage.garments[0].first

    def cut() -> None:
        with psycopg.connect(stack.database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'silkroom herald' AND datname = current_database()"
            )

    async with await page(show, gateway=gateway).enter() as one:
        await asyncio.to_thread(cut)
        await asyncio.to_thread(stage.receive, variant, 3)
        await one.until(lambda: one.left(variant.pk) == 13)


async def test_an_unpaid_order_lapses_and_its_pieces_come_back(stage: Stage, show: Broadcast, page: Page):
    buyer = await asyncio.to_thread(guest)
    variant = stage.garments[0].first
    async with await page(show, buyer).enter() as one, await page(show, gateway=1).enter() as other:
        answer = await one.buy(variant.pk, quantity=3)
        assert "order" in answer, answer
        await other.until(lambda: other.left(variant.pk) == 7)
        number = answer["order"]["number"]
        a_quarter_later = now() - timedelta(seconds=1)
        await Hold.objects.filter(source=f"order:{number}").aupdate(lapses_at=a_quarter_later)
        await Order.objects.filter(number=number).aupdate(holds_until=a_quarter_later)
        for watcher in (one, other):
            await watcher.until(lambda watcher=watcher: watcher.left(variant.pk) == 10)
    assert (await Order.objects.aget(number=number)).state == "lapsed"
