"""One ticket, person, browser or address opens only so many connections."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from django.test import override_settings

from silkroom.config.processes.gateway.places import MOST_OF_ONE, Places, address_of
from silkroom.config.processes.supervisor import Stack
from silkroom.kit.addresses import read_networks
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.rules import RoomRole
from silkroom.live.broadcasts.tickets import Purpose, issue_ticket
from silkroom.live.relay.door import TooManyOpen
from tests.live.stage import guest, ticket_for

from .conftest import Page
from .test_entrance import refusal


def nameless(show: Broadcast, visitor: str, purpose: Purpose = Purpose.ROOM) -> str:
    return issue_ticket(
        purpose, broadcast_id=show.pk, broadcast_code=show.code, shop_id=show.shop_id, person_id=None,
        person_code="", name="", role=RoomRole.VIEWER, visitor=visitor,
    )  # fmt: skip


@pytest.mark.parametrize("has_name", [True, False])
async def test_a_room_is_open_in_so_many_windows(
    stack: Stack, session: aiohttp.ClientSession, show: Broadcast, page: Page, has_name: bool
):
    person = await asyncio.to_thread(guest)
    ticket = ticket_for(show, person) if has_name else nameless(show, "BROWSER1")
    async with AsyncExitStack() as windows:
        pages = [await windows.enter_async_context(await page(show, ticket=ticket).enter()) for _ in range(MOST_OF_ONE)]
        assert await refusal(stack, session, ticket) == (429, "too_many_open")
        # Another ticket of the same one is no way around, and nobody else is held up.
        again = ticket_for(show, person) if has_name else nameless(show, "BROWSER1")
        assert await refusal(stack, session, again) == (429, "too_many_open")
        async with await page(show, ticket=nameless(show, "BROWSER2")).enter():
            pass
        await pages[0].leave()
        async with asyncio.timeout(20), await page(show, ticket=again).enter() as back:
            assert back.state is not None


async def test_a_picture_is_open_in_so_many_windows(stack: Stack, session: aiohttp.ClientSession, show: Broadcast):
    ticket = nameless(show, "BROWSER3", Purpose.WATCH)
    address = f"{stack.gateway_urls[0]}/gateway/watch"
    async with AsyncExitStack() as windows:
        for _ in range(MOST_OF_ONE):
            await windows.enter_async_context(session.ws_connect(address, params={"ticket": ticket}))
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(address, params={"ticket": ticket})
        assert refused.value.status == 429


def test_a_place_is_free_again_when_it_is_left():
    places = Places(most_of_one=2, most_of_address=3)
    with places.taken("a", "192.0.2.1"), places.taken("a", "192.0.2.1"):
        with pytest.raises(TooManyOpen), places.taken("a", "192.0.2.2"):
            pass
        with places.taken("b", "192.0.2.1"):
            with pytest.raises(TooManyOpen), places.taken("c", "192.0.2.1"):
                pass
            with places.taken("c", "192.0.2.2"):
                pass
    with places.taken("a", "192.0.2.1"), places.taken("b", "192.0.2.1"), places.taken("c", "192.0.2.1"):
        pass


def test_what_is_not_known_is_not_counted():
    places = Places(most_of_one=1, most_of_address=1)
    with ExitStack() as open_ones:
        for _ in range(5):
            open_ones.enter_context(places.taken("", ""))


def seen_from(remote: str, **headers: str) -> str:
    request: Any = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)
    return address_of(request)


@pytest.mark.parametrize(
    ("remote", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("", ""),
    ],
)
def test_the_address_of_a_client(remote: str, counted_as: str):
    assert seen_from(remote) == counted_as
    # Nobody chooses an address where no proxy is known of.
    assert seen_from(remote, **{"X-Forwarded-For": "198.51.100.9"}) == counted_as


@override_settings(TRUSTED_PROXIES=read_networks(["127.0.0.1"]))
def test_the_address_of_a_client_behind_the_proxy():
    assert seen_from("127.0.0.1", **{"X-Forwarded-For": "203.0.113.5, 198.51.100.9"}) == "198.51.100.9"
    assert seen_from("127.0.0.1", **{"X-Forwarded-For": "nonsense"}) == ""
    assert seen_from("203.0.113.5", **{"X-Forwarded-For": "198.51.100.9"}) == "203.0.113.5"
