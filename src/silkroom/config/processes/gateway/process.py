"""One gateway process: everything that stays open, joined together, started and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import ssl
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog
from aiohttp import web
from django.conf import settings

from silkroom.config.env import Environment
from silkroom.config.processes.health import PASS, Identity
from silkroom.config.processes.herald import TICK, Herald
from silkroom.live.broadcasts.recordings import spool_folder
from silkroom.live.broadcasts.states import OVER
from silkroom.live.fanout.door import Bus, Event, LocalBus, NatsBus
from silkroom.live.relay.door import Relay, StreamState
from silkroom.sales.desk.door import Committed, Desk

from .access import MediaAccess, Origins
from .attendance import Attendance
from .board import Boards
from .files import Files
from .house import House
from .pictures import PictureWatch
from .public import PublicShows
from .roles import Roles
from .room import RoomDoor
from .store import Store

COME_BACK = 4503
SHUTDOWN_SECONDS = 3.0
"""For answers under way once everybody has been sent elsewhere."""

QUIET_SECONDS = 65.0
"""A connection on which no whole request has arrived for so long is closed, half-sent headers with it. Proxies keep
theirs for up to a minute between requests."""

SILENT_SECONDS = 5.0
"""Rooms are compared with the log each second; after so long without, the database counts as away."""

log = structlog.get_logger("silkroom.gateway")


class Gateway:
    """Build it inside a running loop; ``run`` serves until ``stop`` is called."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._started_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self.name = secrets.token_hex(4)
        origins = Origins.of(environment)
        nats_url = environment.nats_url
        self.bus: Bus = NatsBus(nats_url, name=f"gateway-{self.name}") if nats_url else LocalBus()
        self.store = Store(environment.database_url)
        self.desk = Desk(
            environment.database_url,
            hold_seconds=environment.hold_seconds,
            most_unpaid=environment.most_unpaid_orders,
        )
        self.house = House(self.store, self.bus, max_watchers=environment.max_watchers)
        self.relay = Relay(
            access=MediaAccess(
                self.store,
                origins,
                PublicShows(self.store, self._held),
                max_per_address=environment.max_per_address,
            ).access,
            bus=self.bus,
            spool_dir=spool_folder(),
            gateway=self.name,
            max_viewers=environment.max_watchers,
        )
        self.attendance = Attendance(self.name, self.house, self.bus, self.sending)
        self.herald = Herald(environment.database_url, self._told)
        self.files = Files(max_per_address=environment.max_per_address)
        self.door = RoomDoor(
            house=self.house,
            store=self.store,
            desk=self.desk,
            attendance=self.attendance,
            origins=origins,
            max_per_address=environment.max_per_address,
        )

    # Serving

    async def run(self) -> None:
        """Serve until told to stop; then send everybody elsewhere and leave nothing half done."""
        runner = web.AppRunner(
            self._application(),
            shutdown_timeout=SHUTDOWN_SECONDS,
            keepalive_timeout=QUIET_SECONDS,
            access_log=None,
        )
        await runner.setup()
        try:
            await self._start()
            environment = self._environment
            site = web.TCPSite(
                runner,
                environment.host,
                environment.gateway_port,
                ssl_context=_tls(environment),
                backlog=4096,
                reuse_address=True,
            )
            await site.start()
            log.info("listening", host=environment.host, port=environment.gateway_port, gateway=self.name)
            await self._stopping.wait()
            log.info("stopping")
        finally:
            await self._stop(runner)
        log.info("stopped")

    def stop(self) -> None:
        self._stopping.set()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=64 * 1024)
        application.router.add_get("/gateway/room", self.door.handle)
        application.router.add_get("/gateway/health", self._health)
        application.router.add_get(f"{settings.MEDIA_URL}{{name:.+}}", self.files.handle)
        application.add_routes(self.relay.routes())
        return application

    async def _start(self) -> None:
        self.store.open()
        if isinstance(self.bus, NatsBus):
            await self.bus.start()
        await self.bus.subscribe(TICK, self.herald.wake)
        self.desk.on_committed(self._ordered)
        await self.relay.start()
        self.herald.start()
        boards = Boards(self.house, self.store, self.attendance)
        pictures = PictureWatch(
            self.house,
            self.store,
            self.attendance,
            is_leader=lambda: self.herald.is_leader,
            hears_others=lambda: not isinstance(self.bus, NatsBus) or self.bus.is_connected,
        )
        self._keep_running("attendance", self.attendance.run_forever)
        self._keep_running("boards", boards.run_forever)
        self._keep_running("pictures", pictures.run_forever)
        self._keep_running("roles", Roles(self.house, self.relay, self.store).run_forever)
        self._keep_running("healing", self._heal_forever)

    def _keep_running(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def run() -> None:
            while True:
                try:
                    await work()
                except Exception:
                    # The outermost loop of this work: a bug in one room must not end it for all of them.
                    log.exception("stumbled", work=name)
                await asyncio.sleep(1.0)

        self._tasks.append(asyncio.create_task(run(), name=name))

    async def _stop(self, runner: web.AppRunner) -> None:
        """Nobody new; words written, orders answered, everybody told to come back; then the helpers."""
        for site in list(runner.sites):
            await site.stop()
        await self.door.close()
        await asyncio.to_thread(self.desk.close)
        await asyncio.sleep(0)  # the desk's last answers
        await self.house.fan.close(COME_BACK, "restart")
        await self.relay.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.herald.stop)
        await runner.cleanup()
        self.files.close()
        if isinstance(self.bus, NatsBus):
            await self.bus.close()
        await asyncio.to_thread(self.store.close)

    # Between the parts

    def sending(self) -> list[int]:
        """Broadcasts whose picture arrives at this gateway."""
        streams = self.relay.stats()["streams"]
        return [
            int(key)
            for key, stream in streams.items()
            if key.isdecimal() and stream["role"] == "origin" and stream["state"] == StreamState.ON_AIR
        ]

    def _held(self) -> list[int]:
        return list(_LocalStreams(self.relay))

    async def _heal_forever(self) -> None:
        ending = asyncio.create_task(self._end_streams(), name="ending streams")
        try:
            await self.house.heal_forever(_LocalStreams(self.relay))
        finally:
            ending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ending

    async def _end_streams(self) -> None:
        """A show that has ended takes no more picture; its recording is closed."""
        ended: set[int] = set()
        while True:
            await asyncio.sleep(0.5)
            states = self.house.show_states
            ended &= set(states)
            for broadcast_id in _LocalStreams(self.relay):
                if states.get(broadcast_id) in OVER and broadcast_id not in ended:
                    ended.add(broadcast_id)
                    await self.relay.end(broadcast_id)

    def _told(self, broadcast_id: int, events: Sequence[Event]) -> None:
        """The herald's thread has committed events."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the log has them
            self._loop.call_soon_threadsafe(self.house.committed, broadcast_id, events)

    def _ordered(self, _committed: Committed) -> None:
        """The desk's thread has committed orders."""
        self.herald.wake()
        if not self.herald.is_leader:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._tick)

    def _tick(self) -> None:
        self.house.fan.keep_task(self._publish_tick())

    async def _publish_tick(self) -> None:
        await self.bus.publish(TICK, b"")

    # Health

    async def _health(self, request: web.Request) -> web.Response:
        """200 while this gateway serves: it listens, and its rooms can be read and written."""
        silent = self._loop.time() - self.house.healed_at
        is_well = silent < SILENT_SECONDS and not self.door.is_closing
        details = {
            "state": "well" if is_well else ("stopping" if self.door.is_closing else "no database"),
            "gateway": self.name,
            "seconds": round(time.monotonic() - self._started_at),
            "connections": self.door.connections,
            "bus": not isinstance(self.bus, NatsBus) or self.bus.is_connected,
            "herald": self.herald.is_leader,
            **self.house.fan.figures(),
            "relay": self.relay.stats(),
        }
        identity = Identity("gateway", self._environment.instance)
        reply = identity.reply(request.headers.get(PASS), is_well=is_well, **details)
        return web.Response(
            status=reply.status,
            content_type=reply.content_type,
            text=reply.body,
            headers={"Cache-Control": "no-store"},
        )


class _LocalStreams:
    """Broadcasts with a stream here, as of each look."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def __iter__(self) -> Any:
        return iter([int(key) for key in self._relay.stats()["streams"] if key.isdecimal()])


def _tls(environment: Environment) -> ssl.SSLContext | None:
    if not environment.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(environment.tls_certificate, environment.tls_key or None)
    return context


async def serve(environment: Environment) -> None:
    """Run a gateway until SIGTERM or SIGINT."""
    gateway = Gateway(environment)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, gateway.stop)
    await gateway.run()
