"""A role that is taken ends what it let its holder do, within seconds and not when the ticket lapses."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from django.db import transaction

from silkroom.accounts.models import Person
from silkroom.config.processes.supervisor import Stack
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.tickets import Purpose
from silkroom.live.relay.client import MediaPublisherClient, SendingStopped
from silkroom.live.room import services as room
from silkroom.shops.models import Staff
from silkroom.shops.services import add_staff, change_role, remove_staff
from silkroom.shops.states import Role
from tests.live.stage import Stage, member, ticket_for

from .camera import camera
from .conftest import Page
from .test_entrance import refusal

PATIENCE_SECONDS = 20


def dismiss(stage: Stage, person: Person) -> None:
    with transaction.atomic():
        remove_staff(shop=stage.shop, staff_id=Staff.objects.get(shop=stage.shop, person=person).pk)


def demote(stage: Stage, person: Person, role: Role) -> None:
    with transaction.atomic():
        change_role(shop=stage.shop, staff_id=Staff.objects.get(shop=stage.shop, person=person).pk, role=role)


@pytest.fixture
def host(stage: Stage) -> Person:
    """A host who is not the owner."""
    person = member("小雅")
    with transaction.atomic():
        add_staff(shop=stage.shop, person=person, role=Role.HOST)
    return person


async def test_a_dismissed_assistant_leaves_the_room_and_comes_back_as_a_viewer(
    stack: Stack, session: aiohttp.ClientSession, stage: Stage, show: Broadcast, page: Page
):
    old = await asyncio.to_thread(ticket_for, show, stage.assistant)
    async with await page(show).enter() as viewer, await page(show, ticket=old, gateway=1).enter() as staff:
        await staff.until(lambda: bool(staff.boards))
        await asyncio.to_thread(dismiss, stage, stage.assistant)
        assert await staff.closed() == 4401
        assert (await viewer.ask(type="ping"))["type"] == "pong"
    assert await refusal(stack, session, old) == (403, "ticket_expired")
    fresh = await asyncio.to_thread(ticket_for, show, stage.assistant)
    async with await page(show, ticket=fresh).enter() as back:
        assert back.welcome["you"]["role"] == "viewer"
        # A ticket from before cannot bring the role back over the open line either.
        await back.send(type="renew", ticket=old)
        assert await back.closed() == 4401


async def test_a_demoted_host_sends_no_longer(stack: Stack, stage: Stage, show: Broadcast, page: Page, host: Person):
    ingest = [await asyncio.to_thread(ticket_for, show, host, purpose=Purpose.INGEST) for _ in range(2)]
    async with await page(show, ticket=await asyncio.to_thread(ticket_for, show, host)).enter() as seat:
        async with camera(stack.gateway_urls[0], ingest[0]) as sending:
            await seat.until(lambda: seat.state["broadcast"]["state"] == "on_air")
            await asyncio.to_thread(demote, stage, host, Role.ASSISTANT)
            with pytest.raises(SendingStopped) as stopped:
                await sending.ended()
            assert stopped.value.code == 4403
        assert await seat.closed() == 4401
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with MediaPublisherClient(stack.gateway_urls[0], ingest[1]):
            pass
    assert refused.value.status == 403


async def test_who_is_dismissed_sees_no_rehearsal(
    stack: Stack, session: aiohttp.ClientSession, stage: Stage, page: Page
):
    def rehearse() -> Broadcast:
        show = stage.plan()
        with transaction.atomic():
            room.rehearse(broadcast=show, by=stage.owner)
        return show

    show = await asyncio.to_thread(rehearse)
    ticket = await asyncio.to_thread(ticket_for, show, stage.assistant, purpose=Purpose.WATCH)
    address = f"{stack.gateway_urls[0]}/gateway/watch"
    async with session.ws_connect(address, params={"ticket": ticket}) as watching:
        assert (await watching.receive_json())["state"] == "waiting"
        await asyncio.to_thread(dismiss, stage, stage.assistant)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await watching.receive()).type is not aiohttp.WSMsgType.CLOSE:
                continue
        assert watching.close_code == 4401
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await session.ws_connect(address, params={"ticket": ticket})
    assert refused.value.status == 404
    hls = f"{stack.gateway_urls[0]}/gateway/hls/{show.pk}/master.m3u8"
    async with session.get(hls, params={"ticket": ticket}) as answer:
        assert answer.status == 404
