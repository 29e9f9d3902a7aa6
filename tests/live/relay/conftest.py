"""Relays behind real sockets, real time, real encoded video. No Django and no database."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import uvloop

from silkroom.config.processes.children import Children
from silkroom.config.processes.servers import NatsServer, free_port
from silkroom.live.relay.door import LocalBus
from tests.live.relay.gateway import Gateway, start_gateway

StartGateway = Callable[..., Awaitable[Gateway]]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], uvloop.Loop]]:
    """As in a gateway."""
    return {"uvloop": uvloop.new_event_loop}


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


class OwnNats:
    """A nats-server of the test's own."""

    def __init__(self, folder: Path, children: Children) -> None:
        self._server = NatsServer(folder, children, port=free_port())
        self._children = children
        self._child = self._server.start()

    @property
    def url(self) -> str:
        return self._server.url

    def kill(self) -> None:
        self._child.signal_group(signal.SIGKILL)
        self._children.wait(self._child)

    def start(self) -> None:
        self._child = self._server.start()


@pytest.fixture
def own_nats() -> Iterator[OwnNats]:
    folder = Path(tempfile.mkdtemp(prefix="silkroom-nats-"))
    folder.chmod(0o711)
    children = Children(lambda name, line: None)
    yield OwnNats(folder, children)
    children.close()
    shutil.rmtree(folder, ignore_errors=True)
