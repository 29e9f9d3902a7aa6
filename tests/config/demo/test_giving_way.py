"""The demo's camera gives way to a person who sends from the studio, and comes back when the person has gone."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from tests.gateway.camera import camera
from tests.gateway.studio import Studio, cookies_of
from tests.live.stage import Stage, make_stage, ticket_for

from silkroom.config.demo.publish import Publisher
from silkroom.config.demo.room_client import RoomClient
from silkroom.config.demo.sources import LiveShow
from silkroom.config.processes.supervisor import Stack
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.tickets import Purpose

QUIET_SECONDS = 1.0


@pytest.fixture
def stage(stack_database: str) -> Stage:
    return make_stage()


@pytest.fixture
def show(stage: Stage) -> Broadcast:
    return stage.on_air()


@pytest.fixture
def cookies(stage: Stage) -> dict[str, str]:
    return cookies_of(stage.owner)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - fields of a publisher, no event
            await asyncio.sleep(0.05)


async def until_it_sends(publisher: Publisher) -> None:
    """More pictures than before."""
    before = publisher.sent
    await until(lambda: publisher.sent > before + 5)


@contextlib.asynccontextmanager
async def demo(
    stack: Stack, session: aiohttp.ClientSession, stage: Stage, show: Broadcast
) -> AsyncIterator[tuple[Publisher, RoomClient, asyncio.Task[None]]]:
    """The demo's publisher as the demo runs it, with its seat in the room."""

    async def ticket(purpose: Purpose) -> tuple[str, str]:
        return stack.gateway_urls[0], await asyncio.to_thread(ticket_for, show, stage.owner, purpose=purpose)

    seat = RoomClient(session, lambda: ticket(Purpose.ROOM), origin=stack.web_url, listens=True)
    zero_us = time.time_ns() // 1000
    source = LiveShow(zero_us)
    publisher = Publisher(
        source,
        lambda: ticket(Purpose.INGEST),
        zero_us,
        show_state=lambda: (seat.state["broadcast"] or {}).get("state"),
        quiet_seconds=QUIET_SECONDS,
    )
    tasks = [asyncio.create_task(seat.stay()), asyncio.create_task(publisher.run())]
    try:
        yield publisher, seat, tasks[1]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        source.close()


async def test_a_person_keeps_the_picture_until_they_go(
    stack: Stack, stage: Stage, show: Broadcast, cookies: dict[str, str]
) -> None:
    async with aiohttp.ClientSession() as session, demo(stack, session, stage, show) as (publisher, seat, sending):
        await until_it_sends(publisher)
        person = await asyncio.to_thread(ticket_for, show, stage.owner, purpose=Purpose.INGEST)
        async with camera(stack.gateway_urls[0], person) as studio:
            await until(lambda: publisher.gives_way)
            # Longer than the quiet that ends a person's turn: a person who sends is not quiet, and is not sent away.
            await studio.has_sent(4 * QUIET_SECONDS)
            assert publisher.gives_way
        await until_it_sends(publisher)
        assert seat.state["broadcast"]["state"] in {"on_air", "interrupted"}
        await Studio(session, stack.web_url, show, cookies).press("end")
        await asyncio.wait_for(sending, 30)
