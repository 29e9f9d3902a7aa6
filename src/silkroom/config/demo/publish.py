"""Sends a source to the relay as a browser would: same tickets, same WebSocket, in real time, while the show lasts.

Its own process (``python -m silkroom.config.demo.publish``), a little nicer than the others: encoding must not take
the core from those who serve. It follows the room's spotlight, so that the garment on the picture is the one in the
spotlight, whoever put it there.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from silkroom.config.demo.brand import STYLES
from silkroom.config.demo.passwords import read_passwords
from silkroom.config.demo.room_client import RoomClient, Told
from silkroom.config.demo.sources import FileSource, LiveShow, Source, SourceError
from silkroom.config.demo.visitor import DoorRefused, Visitor
from silkroom.live.broadcasts.states import OVER, BroadcastState
from silkroom.live.relay.door import CloseCode, Kind, MediaPublisherClient, SendingStopped

NICE = 5
PAUSES = (0.5, 1.0, 2.0, 5.0)
ENDED = CloseCode.NORMAL
REPLACED = CloseCode.REPLACED
QUIET_SECONDS = 20.0
"""A person who took the picture over has left it when none has arrived for so long."""
LOOK_SECONDS = 0.25

SHIFT_US = 500_000
"""A file source that comes so late starts its clock anew: it waits for its viewers, it does not rush after them."""

Ticket = Callable[[], Awaitable[tuple[str, str]]]
"""Gives (gateway address, ingest ticket), new for each connection."""


class Publisher:
    """Sends one source, and gives way to a person who sends another. ``run`` returns when the show is over.

    ``show_state`` is the show's state as the room knows it, None before it does.
    """

    def __init__(
        self,
        source: Source,
        ticket: Ticket,
        zero_us: int,
        *,
        show_state: Callable[[], str | None],
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._source, self._ticket = source, ticket
        self._zero_us = zero_us
        self._show_state = show_state
        self._quiet_seconds = quiet_seconds
        self.sent = 0
        self.gives_way = False

    async def run(self) -> None:
        tries = 0
        while self._show_state() not in OVER:
            before = self.sent
            try:
                gateway, ticket = await self._ticket()
                await self._send(gateway, ticket)
            except SendingStopped as stop:
                if stop.code == ENDED:
                    return
                _tell(f"sending stopped: {stop}")
                if stop.code == REPLACED:
                    await self._give_way()
            except DoorRefused as refusal:
                if refusal.status in (403, 404):
                    raise
                _tell(f"no ticket: {refusal}")
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                _tell(f"gateway not reached: {error}")
            tries = 0 if self.sent > before else tries + 1
            await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])

    async def _send(self, gateway: str, ticket: str) -> None:
        source = self._source
        async with MediaPublisherClient(gateway, ticket, key_wanted=source.want_key) as sender:
            await sender.send_config(source.config, zero_ms=self._zero_us / 1000)
            self._resume()
            source.want_key()
            shift_us, has_key = self._zero_us, False
            for chunk in source.chunks():
                is_sound = chunk.kind is Kind.AUDIO
                await self._until(chunk.time_us + (chunk.duration_us if is_sound else 0))
                if self._zero_us != shift_us:
                    # Time was shifted: the relay must learn the new zero before the chunk.
                    await sender.send_config(source.config, zero_ms=self._zero_us / 1000)
                    shift_us, has_key = self._zero_us, False
                    source.want_key()
                has_key = has_key or chunk.kind is Kind.VIDEO_KEY
                if has_key:
                    await sender.send_chunk(chunk)
                    self.sent += 1
                    if self.sent == 1:
                        _tell("sending")

    async def _give_way(self) -> None:
        """Somebody sends from the studio: wait until the room has been without a picture for long, or is over."""
        self.gives_way = True
        clock = asyncio.get_running_loop().time
        quiet_since = clock()
        while (state := self._show_state()) not in OVER and clock() - quiet_since < self._quiet_seconds:
            if state != BroadcastState.INTERRUPTED:
                quiet_since = clock()
            await asyncio.sleep(LOOK_SECONDS)
        self.gives_way = False

    def _resume(self) -> None:
        """After a pause: a live source leaves out what is past, a file goes on where it was."""
        if self._source.is_live:
            self._source.catch_up(self._now_us())

    async def _until(self, time_us: int) -> None:
        late_us = self._now_us() - time_us
        if late_us < 0:
            await asyncio.sleep(-late_us / 1_000_000)
        elif self._source.is_live:
            self._source.catch_up(self._now_us())
            await asyncio.sleep(0)
        elif late_us > SHIFT_US:
            self._zero_us += late_us
        else:
            await asyncio.sleep(0)

    def _now_us(self) -> int:
        return time.time_ns() // 1000 - self._zero_us


async def publish(
    source: Source,
    zero_us: int,
    *,
    web_url: str,
    code: str,
    login: str,
    password: str,
    quiet_seconds: float = QUIET_SECONDS,
) -> None:
    """Sign in, send, follow the spotlight; until the show ends. Raises DoorRefused, SourceError."""
    try:
        async with Visitor(web_url) as host:
            await host.sign_in(login, password)

            async def ticket(purpose: str) -> tuple[str, str]:
                room = await host.data(f"/live/{code}/", "room")
                issued = room["tickets"][purpose]
                if issued is None:
                    raise DoorRefused(403, "forbidden", f"no {purpose} ticket for {login}")
                return room["gateway"], issued["ticket"]

            seat = RoomClient(host.session, lambda: ticket("room"), origin=web_url, listens=True)
            publisher = Publisher(
                source,
                lambda: ticket("ingest"),
                zero_us,
                show_state=lambda: (seat.state["broadcast"] or {}).get("state"),
                quiet_seconds=quiet_seconds,
            )
            seat.heard = _follower(seat, source)
            following = asyncio.create_task(seat.stay())
            try:
                await publisher.run()
            finally:
                following.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await following
    finally:
        source.close()


def _follower(seat: RoomClient, source: Source) -> Told:
    """Brings on whatever the room's spotlight is on."""
    numbers = {style.name.zh: number for number, style in enumerate(STYLES)}

    def heard(_message: dict[str, Any]) -> None:
        spotlight = seat.state["spotlight"]
        shown = next((entry for entry in seat.state["tray"] if entry["style"] == spotlight), None)
        if shown is not None and shown["name"] in numbers:
            source.show_style(numbers[shown["name"]])

    return heard


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="silkroom.config.demo.publish")
    parser.add_argument("--web", required=True, help="address of the pages")
    parser.add_argument("--show", required=True, help="code of the show")
    parser.add_argument("--login", required=True)
    parser.add_argument("--passwords", required=True, type=Path, help="the demo's file of passwords")
    parser.add_argument("--source", type=Path, help="a video file instead of the generated show")
    parser.add_argument("--language", default="zh-hans")
    options = parser.parse_args(arguments)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    # Scenes are made by a second thread; the one that sends must not wait long for its turn.
    sys.setswitchinterval(0.0005)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        zero_us = time.time_ns() // 1000
        asyncio.run(
            publish(
                FileSource(options.source) if options.source else LiveShow(zero_us),
                zero_us,
                web_url=options.web,
                code=options.show,
                login=options.login,
                password=read_passwords(options.passwords)[options.login],
            )
        )
    except KeyboardInterrupt:
        return 0
    except (SourceError, DoorRefused) as error:
        _tell(str(error))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
