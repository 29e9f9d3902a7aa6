"""What gateways tell each other each second: how many watch where, and whose picture arrives. Nothing is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import structlog

from silkroom.live.fanout.door import Bus

from .house import House
from .messages import encode

SUBJECT = "silkroom.attendance"
TELL_SECONDS = 1.0
TRUST_SECONDS = 3.5
"""A gateway that has been silent for so long is gone, and its viewers with it."""

log = structlog.get_logger("silkroom.gateway")


class Report(msgspec.Struct):
    """One gateway's. ``viewers``: {broadcast: count}; ``sending``: broadcasts whose picture arrives there."""

    gateway: str
    viewers: dict[int, int] = {}
    sending: list[int] = []


_decoder = msgspec.json.Decoder(Report)


@dataclass
class _Heard:
    report: Report
    at: float


@dataclass
class Attendance:
    """Adds up what all gateways report. ``sending``: asks the relay of this one."""

    gateway: str
    house: House
    bus: Bus
    sending: Callable[[], list[int]]
    _others: dict[str, _Heard] = field(default_factory=dict)
    _told: dict[int, int] = field(default_factory=dict)

    async def run_forever(self) -> None:
        """Report, listen, and tell each room its count when it has changed."""
        await self.bus.subscribe(SUBJECT, self._receive)
        while True:
            own = Report(self.gateway, dict(self.house.viewers), self.sending())
            await self.bus.publish(SUBJECT, msgspec.json.encode(own))
            self._pulse(own)
            await asyncio.sleep(TELL_SECONDS)

    def viewers(self, broadcast_id: int) -> int:
        """Viewers of a room on all gateways."""
        return self.house.viewers[broadcast_id] + sum(one.viewers.get(broadcast_id, 0) for one in self._fresh())

    def sending_anywhere(self) -> set[int]:
        """Broadcasts whose picture arrives at some gateway."""
        return set(self.sending()).union(*(one.sending for one in self._fresh()))

    def _fresh(self) -> list[Report]:
        oldest = asyncio.get_running_loop().time() - TRUST_SECONDS
        self._others = {name: heard for name, heard in self._others.items() if heard.at >= oldest}
        return [heard.report for heard in self._others.values()]

    def _receive(self, data: bytes) -> None:
        try:
            report = _decoder.decode(data)
        except msgspec.DecodeError as error:
            log.warning("unreadable attendance", reason=str(error))
            return
        if report.gateway != self.gateway:
            self._others[report.gateway] = _Heard(report, asyncio.get_running_loop().time())

    def _pulse(self, own: Report) -> None:
        others = self._fresh()
        told: dict[int, int] = {}
        for room in self.house.fan.rooms:
            broadcast_id = int(room.broadcast_id)
            count = own.viewers.get(broadcast_id, 0) + sum(one.viewers.get(broadcast_id, 0) for one in others)
            told[broadcast_id] = count
            # Who has just come was told a number that may be a second old.
            if self._told.get(broadcast_id) != count or broadcast_id in self.house.moved:
                room.pulse(encode({"type": "pulse", "viewers": count}))
        self._told = told
        self.house.moved.clear()
