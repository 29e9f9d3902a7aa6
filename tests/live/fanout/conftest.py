"""Rooms under test run on uvloop, as in a gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import uvloop

from silkroom.config.processes.certificates import Certificate
from silkroom.config.processes.children import Children
from silkroom.config.processes.servers import NatsServer, free_port
from silkroom.live.fanout.door import Bus, Limits, LocalBus
from tests.live.fanout.house import House, Log

StartHouse = Callable[..., Awaitable[House]]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], uvloop.Loop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def start_house() -> AsyncIterator[StartHouse]:
    """Start gateways: ``await start_house(log=…, bus=…, limits=…)``; all are stopped at the end."""
    async with AsyncExitStack() as stack:

        async def start(
            *,
            log: Log | None = None,
            bus: Bus | None = None,
            limits: Limits | None = None,
            certificate: Certificate | None = None,
        ) -> House:
            house = House(log or Log(), bus or LocalBus(), limits or Limits(), certificate)
            return await stack.enter_async_context(house)

        yield start


@pytest.fixture
def own_nats(data_dir: Path) -> Iterator[NatsServer]:
    """A nats-server of the test's own, not yet started, to be killed and started again."""
    children = Children(lambda name, line: None)
    yield NatsServer(data_dir, children, port=free_port())
    children.close()
