"""Everything here runs against real processes: two gateways, web, jobs, PostgreSQL, NATS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
import pytest_asyncio

from silkroom.accounts.models import Person
from silkroom.config.processes.health import Identity
from silkroom.config.processes.supervisor import Stack
from silkroom.live.broadcasts.models import Broadcast
from tests.live.stage import Stage, make_stage, ticket_for

from .studio import Studio, cookies_of
from .watcher import Watcher

Page = Callable[..., Watcher]
OpenStudio = Callable[..., Studio]


@pytest.fixture
def stage(stack_database: str) -> Stage:
    """A shop in the stack's database, of this test alone."""
    return make_stage()


@pytest.fixture
def show(stage: Stage) -> Broadcast:
    """A show of the stage that is on air."""
    return stage.on_air()


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=jar) as opened:
        yield opened


@pytest.fixture
def page(stack: Stack, session: aiohttp.ClientSession) -> Page:
    """``page(broadcast, person=None, gateway=0)``: a room page that has not yet connected."""

    def make(
        broadcast: Broadcast, person: Person | None = None, *, gateway: int = 0, ticket: str = "", origin: str = ""
    ) -> Watcher:
        return Watcher(session, stack.gateway_urls[gateway], ticket or ticket_for(broadcast, person), origin=origin)

    return make


@pytest.fixture
def open_studio(stack: Stack, session: aiohttp.ClientSession, stage: Stage) -> OpenStudio:
    """``open_studio(broadcast, person)``; the owner if none is named. Signing in works on the database: call it in
    a fixture or before the event loop runs."""

    def make(broadcast: Broadcast, person: Person | None = None) -> Studio:
        return Studio(session, stack.web_url, broadcast, cookies_of(person or stage.owner))

    return make


@pytest.fixture
def health(stack: Stack, session: aiohttp.ClientSession) -> Callable[[int], Awaitable[dict]]:
    """Health of a gateway."""

    async def ask(gateway: int = 0) -> dict:
        headers = Identity("gateway", stack.environment.instance).headers()
        async with session.get(f"{stack.gateway_urls[gateway]}/gateway/health", headers=headers) as response:
            answer: dict = await response.json()
            return answer

    return ask
