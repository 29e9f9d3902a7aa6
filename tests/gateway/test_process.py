"""A gateway: full, stopping, without a database. It runs in the test's own loop, on the stack's servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from silkroom.config.processes.gateway import process
from silkroom.config.processes.gateway.process import Gateway
from silkroom.config.processes.health import Identity
from silkroom.config.processes.servers import free_port
from silkroom.config.processes.supervisor import Stack
from silkroom.live.broadcasts.models import Broadcast
from silkroom.sales.models import Order
from tests.live.stage import Stage, guest, ticket_for

from .test_entrance import refusal_at
from .watcher import Watcher

INSTANCE = "known to these tests"


@contextlib.asynccontextmanager
async def gateway_of(stack: Stack, **settings: Any) -> AsyncIterator[tuple[Gateway, str]]:
    """One more gateway; its address. Stopped at the end like by SIGTERM."""
    port = free_port()
    gateway = Gateway(replace(stack.environment, gateway_port=port, host="127.0.0.1", instance=INSTANCE, **settings))
    running = asyncio.create_task(gateway.run())
    address = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(20):
            while True:
                await asyncio.sleep(0.05)
                assert not running.done(), running
                if (await health_at(address))[0] is not None:
                    break
        yield gateway, address
    finally:
        gateway.stop()
        await asyncio.wait_for(running, 30)


async def health_at(address: str) -> tuple[int | None, dict[str, Any]]:
    with contextlib.suppress(aiohttp.ClientConnectorError):
        headers = Identity("gateway", INSTANCE).headers()
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{address}/gateway/health", headers=headers) as response,
        ):
            return response.status, await response.json()
    return None, {}


async def until_health(address: str, is_so: Callable[[int | None, dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            status, body = await health_at(address)
            if is_so(status, body):
                return body
            await asyncio.sleep(0.05)


async def until_well(address: str) -> dict[str, Any]:
    return await until_health(address, lambda status, _: status == 200)


async def test_a_full_gateway_says_so(stack: Stack, session: aiohttp.ClientSession, show: Broadcast):
    async with gateway_of(stack, max_watchers=2) as (_, address):
        seated = [await Watcher(session, address, ticket_for(show)).enter() for _ in range(2)]
        assert await refusal_at(address, session, ticket_for(show)) == (503, "room_full")
        await seated[0].leave()
        await until_health(address, lambda _, body: body["watchers"] == 1)
        async with await Watcher(session, address, ticket_for(show)).enter() as third:
            assert third.state is not None
        await seated[1].leave()


async def test_stopping_sends_everybody_elsewhere(
    stack: Stack, stage: Stage, session: aiohttp.ClientSession, show: Broadcast
):
    """Whoever was heard before is answered: words are written, orders are placed; then 4503 for all."""
    people = [await asyncio.to_thread(guest) for _ in range(10)]
    variant = stage.garments[0].first.pk
    async with gateway_of(stack) as (gateway, address):
        pages = [await Watcher(session, address, ticket_for(show, person)).enter() for person in people]
        asked = [
            asyncio.create_task(one.buy(variant) if at % 2 else one.ask(type="comment", text=f"{at}"))
            for at, one in enumerate(pages)
        ]
        await asyncio.sleep(0.02)
        gateway.stop()
        assert {await one.closed() for one in pages} == {4503}
        answers = await asyncio.gather(*asked, return_exceptions=True)
    confirmed = [answer["order"]["number"] for answer in answers if isinstance(answer, dict) and "order" in answer]
    kept = {number async for number in Order.objects.filter(person__in=people).values_list("number", flat=True)}
    assert set(confirmed) <= kept
    assert len(confirmed) == len(kept)
    for one in pages:
        await one.leave()


async def test_health_tells_what_a_gateway_holds(stack: Stack, session: aiohttp.ClientSession, show: Broadcast):
    async with gateway_of(stack) as (gateway, address):
        body = await until_well(address)
        assert (body["process"], body["state"], body["gateway"], body["connections"], body["bus"]) == (
            "gateway", "well", gateway.name, 0, True
        )  # fmt: skip
        async with await Watcher(session, address, ticket_for(show)).enter():
            body = (await health_at(address))[1]
            assert (body["rooms"], body["watchers"], body["connections"]) == (1, 1, 1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_without_a_database_a_gateway_is_not_well(stack: Stack, session: aiohttp.ClientSession, show: Broadcast):
    nowhere = f"postgresql://silkroom@127.0.0.1:{free_port()}/silkroom"
    async with gateway_of(stack, database_url=nowhere) as (_, address):
        status, body = await health_at(address)
        assert (status, body["state"]) == (503, "no database")
        one = await Watcher(session, address, ticket_for(show)).connect()
        await one.send(type="hello")
        assert await one.closed() == 4503
        assert [error["code"] for error in one.errors] == ["room_closed"]
        await one.leave()


async def test_a_gateway_serves_without_nats(
    stack: Stack, stage: Stage, session: aiohttp.ClientSession, show: Broadcast
):
    """What the bus would have said is read from the log, a second later."""
    nowhere = f"nats://127.0.0.1:{free_port()}"
    speaker = await asyncio.to_thread(guest)
    async with gateway_of(stack, nats_url=nowhere) as (_, address):
        body = await until_well(address)
        assert body["bus"] is False
        alone = await Watcher(session, address, ticket_for(show)).enter()
        elsewhere = await Watcher(session, stack.gateway_urls[0], ticket_for(show, speaker)).enter()
        said = await elsewhere.ask(type="comment", text="听得到吗")
        await alone.until(lambda: alone.sequence >= said["n"])
        assert alone.state is not None
        assert alone.state["comments"][-1]["text"] == "听得到吗"
        await alone.leave()
        await elsewhere.leave()


@pytest.mark.parametrize("before", [b"", b"GET /gateway/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"])
async def test_headers_that_never_end_are_not_waited_for(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    monkeypatch.setattr(process, "QUIET_SECONDS", 0.5)
    async with gateway_of(stack) as (_, address), asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        writer.write(before + b"GET /gateway/health HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        # A line more now and then is no whole request either.
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"X: 1\r\n")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(4096), 0.1)
        writer.close()
