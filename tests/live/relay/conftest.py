"""Relays behind real sockets, real time, real encoded video. No Django and no database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from silkroom.live.relay.door import LocalBus
from tests.live.relay.gateway import Gateway, start_gateway

StartGateway = Callable[..., Awaitable[Gateway]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[StartGateway]:
    """Starts any number of gateways on one bus; all are closed at the end."""
    bus = LocalBus()
    async with AsyncExitStack() as stack:

        async def begin(name: str = "g1", **more: Any) -> Gateway:
            gateway = await start_gateway(bus, tmp_path / "spool", name, **more)
            stack.push_async_callback(gateway.close)
            return gateway

        yield begin


@pytest.fixture
async def gateway(start: StartGateway) -> Gateway:
    return await start()
