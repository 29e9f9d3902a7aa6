"""Who gets in: everything that is checked before the upgrade, and the first words after it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp
import pytest

from silkroom.config.processes.supervisor import Stack
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.rules import RoomRole
from silkroom.live.broadcasts.tickets import Purpose, issue_ticket
from silkroom.live.room.models import RoomEvent
from tests.live.stage import ticket_for

from .conftest import Page


async def refusal(stack: Stack, session: aiohttp.ClientSession, ticket: str, **headers: str) -> tuple[int, str]:
    """Status and code of an upgrade that is refused by the first gateway."""
    return await refusal_at(stack.gateway_urls[0], session, ticket, **headers)


async def refusal_at(address: str, session: aiohttp.ClientSession, ticket: str, **headers: str) -> tuple[int, str]:
    url = f"{address}/gateway/room"
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", **headers,
    }  # fmt: skip
    async with session.get(url, params={"ticket": ticket}, headers=upgrade) as response:
        body = await response.json()
        assert response.headers["Cache-Control"] == "no-store"
        return response.status, body["error"]["code"]


async def test_a_ticket_is_needed(stack: Stack, session: aiohttp.ClientSession, show: Broadcast):
    good = ticket_for(show)
    assert await refusal(stack, session, "") == (403, "ticket_invalid")
    assert await refusal(stack, session, good[:-2] + "xx") == (403, "ticket_invalid")
    assert await refusal(stack, session, "x" * 4000) == (403, "ticket_invalid")
    watch = ticket_for(show, purpose=Purpose.WATCH)
    assert await refusal(stack, session, watch) == (403, "ticket_invalid")
    old = ticket_for(show, lifetime=timedelta(seconds=-1))
    assert await refusal(stack, session, old) == (403, "ticket_expired")


async def test_sentences_are_in_the_browsers_language(stack: Stack, session: aiohttp.ClientSession, show: Broadcast):
    url = f"{stack.gateway_urls[0]}/gateway/room"
    async with session.get(url, headers={"Accept-Language": "en-GB,en;q=0.9"}) as response:
        assert (await response.json())["error"]["text"] == "This ticket is not valid here. Please reload the page."


@pytest.mark.parametrize(
    "origin", ["https://elsewhere.example", "null", "http://127.0.0.1.elsewhere.example", "http://[", "http://"]
)
async def test_other_sites_may_not_connect(stack: Stack, session: aiohttp.ClientSession, show: Broadcast, origin: str):
    assert await refusal(stack, session, ticket_for(show), Origin=origin) == (403, "page_refused")


async def test_the_page_of_the_same_host_may_connect(stack: Stack, show: Broadcast, page: Page):
    async with await page(show, origin=stack.web_url).enter() as one:
        assert one.state is not None


async def test_a_room_that_does_not_exist(show: Broadcast, page: Page):
    ticket = issue_ticket(
        Purpose.ROOM, broadcast_id=2**40, broadcast_code="NOSUCHSHOW", shop_id=1, person_id=None, person_code="",
        name="", role=RoomRole.VIEWER,
    )  # fmt: skip
    one = await page(show, ticket=ticket).connect()
    await one.send(type="hello")
    assert await one.closed() == 4404
    assert [error["code"] for error in one.errors] == ["not_found"]


async def test_who_says_nothing_is_sent_away(show: Broadcast, page: Page):
    one = await page(show).connect()
    assert await one.closed() == 4408
    assert [error["code"] for error in one.errors] == ["hello_first"]


@pytest.mark.parametrize(
    "first", ['{"type":"comment","text":"x"}', '{"type":"buy"}', "[]", '{"type":"hello","after":-1}']
)
async def test_hello_comes_first(show: Broadcast, page: Page, first: str):
    one = await page(show).connect()
    await one.send_raw(first)
    assert await one.closed() == 4400
    assert one.errors[-1]["code"] == "hello_first"
    assert one.state is None


async def test_a_room_of_one_show_is_not_entered_with_a_ticket_of_another(stage, show: Broadcast, page: Page):
    """The room is named by the ticket alone; a renewal cannot change it."""
    other = await asyncio.to_thread(stage.on_air)
    async with await page(show).enter() as one:
        answer = await one.ask(type="renew", ticket=await asyncio.to_thread(ticket_for, other))
        assert answer["code"] == "ticket_invalid"
        assert one.state["broadcast"]["code"] == show.code
    assert not await RoomEvent.objects.filter(broadcast=other, kind="comment").aexists()
