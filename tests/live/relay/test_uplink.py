"""What a line carries: bytes in, their pace out; bounded in time and size."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from silkroom.live.relay import uplink
from tests.live.relay.gateway import PATIENCE, Gateway, refused

FRAME = bytes(16 * 1024)


def connect(gateway: Gateway, ticket: str = "ingest-show-1") -> Any:
    return gateway.session.ws_connect(f"{gateway.address}/gateway/uplink?ticket={ticket}", max_msg_size=0)


async def measured(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    answer: dict[str, Any] = await socket.receive_json(timeout=PATIENCE)
    assert answer.pop("type") == "measured"
    assert (await socket.receive(timeout=PATIENCE)).type is aiohttp.WSMsgType.CLOSE
    return answer


async def test_the_pace_is_that_of_what_came_after_the_first_frame(gateway: Gateway) -> None:
    async with connect(gateway) as socket:
        loop = asyncio.get_running_loop()
        await socket.send_bytes(FRAME)
        began_at = loop.time()
        for _ in range(20):
            await asyncio.sleep(0.005)
            await socket.send_bytes(FRAME)
        sent_for = loop.time() - began_at
        await socket.send_str("done")
        answer = await measured(socket)
    assert answer["bytes"] == 20 * len(FRAME)
    assert answer["milliseconds"] >= 20 * 5 / 2, "frames that were sent one after the other did not come all at once"
    assert answer["bits_per_second"] >= 20 * len(FRAME) * 8 / sent_for / 4


async def test_nothing_sent_is_no_pace(gateway: Gateway) -> None:
    async with connect(gateway) as socket:
        await socket.send_str("done")
        assert await measured(socket) == {"bytes": 0, "milliseconds": 0, "bits_per_second": 0}


async def test_a_fast_line_is_stopped_at_its_share(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplink, "MEASURE_BYTES", 10 * len(FRAME))
    async with connect(gateway) as socket:
        for _ in range(30):
            await socket.send_bytes(FRAME)
        answer = await measured(socket)
    assert answer["bytes"] == 10 * len(FRAME)


async def test_a_slow_line_is_told_after_a_while(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplink, "MEASURE_SECONDS", 0.2)
    async with connect(gateway) as socket:
        await socket.send_bytes(FRAME)
        await socket.send_bytes(FRAME)
        assert (await measured(socket))["bytes"] == len(FRAME)


async def test_who_sends_nothing_is_shown_out(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uplink, "FIRST_BYTE_SECONDS", 0.2)
    async with connect(gateway) as socket:
        assert (await measured(socket))["bytes"] == 0


async def test_frames_are_bounded(gateway: Gateway) -> None:
    async with connect(gateway) as socket:
        await socket.send_bytes(bytes(uplink.MAX_MESSAGE + 1))
        async with asyncio.timeout(PATIENCE):
            while (await socket.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                continue
        assert socket.close_code == 1009


async def test_only_whoever_may_send_is_measured(gateway: Gateway) -> None:
    assert await refused(lambda: connect(gateway, "watch-show-1")) == 404
    assert await refused(lambda: connect(gateway, "expired")) == 403
