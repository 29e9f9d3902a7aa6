"""How much a sender's line carries: ``/gateway/uplink`` takes bytes for a few seconds, on the way that video takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from silkroom.live.relay.access import INGEST, Access
from silkroom.live.relay.errors import OriginForbidden
from silkroom.live.relay.messages import to_json

MEASURE_SECONDS = 4.0
"""Whoever sends longer is told what there is so far."""
MEASURE_BYTES = 6_000_000
MAX_MESSAGE = 64 * 1024
FIRST_BYTE_SECONDS = 10.0


class UplinkDoor:
    """Handler of ``/gateway/uplink``: binary frames in, ``{"type":"measured"}`` out after a text or at the bound."""

    def __init__(self, access: Access, clock: Callable[[], float] = time.monotonic) -> None:
        self._access = access
        self._clock = clock

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not self._access.may_connect(request):
            raise OriginForbidden()
        grant = await self._access.read_ticket(INGEST, request.query.get("ticket", ""))
        with self._access.place(INGEST, request, grant):
            socket = web.WebSocketResponse(max_msg_size=MAX_MESSAGE, compress=False, timeout=2.0)
            await socket.prepare(request)
            measured = await self._measure(socket)
            if not socket.closed:
                await socket.send_str(to_json({"type": "measured", **measured}))
                await socket.close()
        return socket

    async def _measure(self, socket: web.WebSocketResponse) -> dict[str, Any]:
        """The first frame starts the clock and is not counted: what it waited for is not the line's pace."""
        received = 0
        began_at: float | None = None
        last_at = 0.0
        try:
            async with asyncio.timeout(FIRST_BYTE_SECONDS) as bound:
                while (message := await socket.receive()).type is WSMsgType.BINARY and received < MEASURE_BYTES:
                    last_at = self._clock()
                    if began_at is None:
                        began_at = last_at
                        bound.reschedule(asyncio.get_running_loop().time() + MEASURE_SECONDS)
                    else:
                        received += len(message.data)
        except TimeoutError:
            pass
        seconds = last_at - began_at if began_at is not None else 0.0
        pace = round(received * 8 / seconds) if seconds > 0 else 0
        return {"bytes": received, "milliseconds": round(seconds * 1000), "bits_per_second": pace}
