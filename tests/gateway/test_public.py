"""Video by the number of a show alone, as HLS players and CDNs ask for it: public shows, and nothing else."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime

import aiohttp
import pytest
from django.db import transaction

from silkroom.config.processes.gateway.public import PublicShows
from silkroom.config.processes.gateway.store import Store
from silkroom.config.processes.supervisor import Stack
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.states import BroadcastState
from silkroom.live.broadcasts.tickets import Purpose
from silkroom.live.room import services as room
from tests.live.stage import Stage, ticket_for

from .camera import camera

PATIENCE_SECONDS = 20


async def status(stack: Stack, session: aiohttp.ClientSession, show: int, **query: str) -> int:
    url = f"{stack.gateway_urls[0]}/gateway/hls/{show}/master.m3u8"
    async with session.get(url, params=query) as answer:
        return answer.status


async def until(stack: Stack, session: aiohttp.ClientSession, show: int, wanted: int, **query: str) -> None:
    """Asked again until it is answered so: what is public is remembered for a second."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await status(stack, session, show, **query) != wanted:  # noqa: ASYNC110 - an HTTP answer, no event
            await asyncio.sleep(0.1)


def move(show: Broadcast, stage: Stage, verb: str) -> None:
    with transaction.atomic():
        getattr(room, verb)(broadcast=show, by=stage.owner)


@pytest.mark.parametrize("after", ["go_live", "cancel_show"])
async def test_a_rehearsal_is_not_watched_by_its_number(
    stack: Stack, session: aiohttp.ClientSession, stage: Stage, after: str
):
    show = await asyncio.to_thread(stage.plan)
    await asyncio.to_thread(move, show, stage, "rehearse")
    ingest, watch = [
        await asyncio.to_thread(ticket_for, show, stage.owner, purpose=purpose)
        for purpose in (Purpose.INGEST, Purpose.WATCH)
    ]
    async with camera(stack.gateway_urls[0], ingest):
        await until(stack, session, show.pk, 200, ticket=watch)
        assert await status(stack, session, show.pk) == 404
        await asyncio.to_thread(move, show, stage, after)
        if after == "go_live":
            await until(stack, session, show.pk, 200)
            await show.arefresh_from_db()
            url = f"{stack.gateway_urls[0]}/gateway/hls/{show.pk}/media.m3u8"
            async with session.get(url) as answer:
                moments = re.findall(r"#EXT-X-PROGRAM-DATE-TIME:(.*)", await answer.text())
            assert moments, "something is to be seen"
            assert datetime.fromisoformat(moments[0]) >= show.started_at, "and nothing of the rehearsal before it"
            # The end is public as well, as long as players fetch the last pieces.
            await asyncio.to_thread(move, show, stage, "end_show")
            assert await status(stack, session, show.pk) == 200
        else:
            # The gateway has ended the stream and still holds it.
            await until(stack, session, show.pk, 200, ticket=watch)
            assert await status(stack, session, show.pk) == 404


async def test_unknown_numbers_cost_one_query(stage: Stage, show: Broadcast, stack_database: str):
    store = Store(stack_database)
    await asyncio.to_thread(store.open)
    try:
        public = PublicShows(store, lambda: [])
        found = await asyncio.gather(*(public.has(show.pk + number) for number in range(1, 500)), public.has(show.pk))
        assert found == [False] * 499 + [True]
        assert public.queries == 1
    finally:
        await asyncio.to_thread(store.close)


@pytest.mark.parametrize("state", list(BroadcastState))
async def test_what_is_public(stage: Stage, stack_database: str, state: BroadcastState):
    show = await asyncio.to_thread(stage.plan)
    await Broadcast.objects.filter(pk=show.pk).aupdate(state=state)
    store = Store(stack_database)
    await asyncio.to_thread(store.open)
    try:
        assert await PublicShows(store, lambda: [show.pk]).has(show.pk) is (
            state in {BroadcastState.ON_AIR, BroadcastState.INTERRUPTED, BroadcastState.ENDED}
        )
        # Of what ended long ago no gateway holds a picture, and none goes looking for it.
        assert await PublicShows(store, lambda: []).has(show.pk) is (
            state in {BroadcastState.ON_AIR, BroadcastState.INTERRUPTED}
        )
    finally:
        await asyncio.to_thread(store.close)
