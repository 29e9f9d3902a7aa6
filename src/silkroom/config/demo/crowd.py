"""Simulated viewers: they come, watch, like, comment, ask, buy, pay (or think better of it), and go home for a while.

Everybody has a session and a seat of their own and uses the public doors only. One viewer's ears are the crowd's
knowledge: the observer keeps the room's state, the others only hear answers. Paces are those of a quiet evening with
forty people.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from silkroom.config.demo.brand import Words
from silkroom.config.demo.host import QUIET, STYLE_BY_NAME
from silkroom.config.demo.paces import Paces
from silkroom.config.demo.room_client import RoomClient, RoomClosed, RoomRefused
from silkroom.config.demo.visitor import DoorRefused, Visitor
from silkroom.config.demo.words import COMMENTS, COMMENTS_ON, NAMES_EN, NAMES_ZH, QUESTIONS, QUESTIONS_ON
from silkroom.live.relay.door import decode_chunk

VIEWERS = 40
WATCHING_VIDEO = 4
"""So many also fetch the pictures, for a crowd of decoders would only warm the room."""

PAYS, CANCELS = 0.82, 0.08
"""Of ten orders eight are paid, one is cancelled, one is left to lapse."""

PHONE = "13800138000"
"""The operator's own service number, in use as an example everywhere; nobody's phone."""

Tell = Callable[[str], None]


class Viewer:
    """One simulated person."""

    def __init__(self, visitor: Visitor, code: str, name: str, *, observes: bool = False) -> None:
        self.visitor, self.code, self.name = visitor, code, name
        self.delay_ms: float | None = None
        self.room = RoomClient(
            visitor.session, self._ticket, origin=visitor.web_url, listens=observes, language=visitor.language
        )
        self._seat: asyncio.Task[None] | None = None
        self._has_name = False

    @property
    def is_inside(self) -> bool:
        return self.room.inside.is_set()

    async def arrive(self) -> None:
        """Open the page, choose a name, sit down. Raises what the doors raise."""
        if self._seat is None:
            if not self._has_name:
                await self.visitor.guest(self.code, self.name)
                self._has_name = True
            self._seat = asyncio.create_task(self.room.stay())

    async def leave(self) -> None:
        if self._seat is not None:
            self._seat.cancel()
            await asyncio.gather(self._seat, return_exceptions=True)
            self._seat = None

    async def watch(self) -> None:
        """Fetch the video as a WebCodecs player does and measure how far behind the host it is. Until cancelled."""
        while True:
            try:
                data = await self.visitor.data(f"/live/{self.code}/", "room")
                issued = data["tickets"]["watch"]
                if issued is not None:
                    await self._watch_once(data["gateway"], issued["ticket"])
            except (aiohttp.ClientError, TimeoutError, OSError, DoorRefused):
                pass
            self.delay_ms = None
            await asyncio.sleep(3)

    async def _watch_once(self, gateway: str, ticket: str) -> None:
        async with self.visitor.session.ws_connect(
            f"{gateway.rstrip('/')}/gateway/watch",
            params={"ticket": ticket, "mode": "instant"},
            origin=self.visitor.web_url,
            max_msg_size=2 * 1024 * 1024,
        ) as socket:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    chunk = decode_chunk(message.data)
                    if chunk.is_video:
                        late = time.time() * 1000 - chunk.time_us / 1000
                        self.delay_ms = late if self.delay_ms is None else self.delay_ms * 0.9 + late * 0.1

    async def _ticket(self) -> tuple[str, str]:
        data = await self.visitor.data(f"/live/{self.code}/", "room")
        return data["gateway"], data["tickets"]["room"]["ticket"]


class Crowd:
    """All of them. ``run`` returns when the show has ended."""

    def __init__(self, web_url: str, code: str, tell: Tell, *, viewers: int = VIEWERS, paces: Paces = QUIET) -> None:
        self._web_url, self._code, self._tell, self._count, self._paces = web_url, code, tell, viewers, paces
        self._dice = random.Random()
        self._viewers: list[Viewer] = []
        self._said: deque[str] = deque(maxlen=30)
        self._errands: set[asyncio.Task[None]] = set()
        self._observed = asyncio.Event()
        self.orders = self.paid = 0

    async def run(self) -> None:
        names = [(name, "zh-hans") for name in NAMES_ZH] + [(name, "en") for name in NAMES_EN]
        self._dice.shuffle(names)
        async with asyncio.TaskGroup() as visits:
            leaving = asyncio.Event()
            for name, language in names[: self._count]:
                visits.create_task(self._visit(name, language, leaving))
            await self._observed.wait()
            paces: list[tuple[tuple[float, float], Callable[[], Coroutine[Any, Any, None]]]] = [
                (self._paces.comment, self._comment),
                (self._paces.question, self._ask),
                (self._paces.order, self._order),
                (self._paces.like, self._like),
                (self._paces.walk, self._walk),
            ]
            tasks = [asyncio.create_task(self._again(pace, act)) for pace, act in paces]
            try:
                await self._viewers[0].room.over.wait()
            finally:
                for task in [*tasks, *self._errands]:
                    task.cancel()
                await asyncio.gather(*tasks, *self._errands, return_exceptions=True)
                leaving.set()

    async def _visit(self, name: str, language: str, leaving: asyncio.Event) -> None:
        """One person's evening, with a browser that is closed at its end."""
        number = len(self._viewers)
        async with Visitor(self._web_url, language) as visitor:
            viewer = Viewer(visitor, self._code, name, observes=number == 0)
            self._viewers.append(viewer)
            watching: asyncio.Task[None] | None = None
            try:
                await asyncio.sleep(number * self._dice.uniform(*self._paces.arrival) / 2)
                while not leaving.is_set():
                    try:
                        await viewer.arrive()
                        break
                    except (aiohttp.ClientError, TimeoutError, OSError, DoorRefused):
                        await asyncio.sleep(2)
                if number == 0:
                    await viewer.room.inside.wait()
                    self._observed.set()
                if number < WATCHING_VIDEO:
                    watching = asyncio.create_task(viewer.watch())
                await leaving.wait()
            finally:
                if watching is not None:
                    watching.cancel()
                    await asyncio.gather(watching, return_exceptions=True)
                await viewer.leave()

    async def _again(self, pace: tuple[float, float], act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while not self._viewers[0].room.over.is_set():
            await asyncio.sleep(self._dice.uniform(*pace))
            try:
                await act()
            except (RoomClosed, RoomRefused, DoorRefused, aiohttp.ClientError, TimeoutError, OSError):
                # Doors may be shut for a moment (a restart), or a viewer too quick: the next one will do.
                continue

    @property
    def _room(self) -> dict[str, Any]:
        return self._viewers[0].room.state

    def _someone(self, *, watching: bool = False) -> Viewer:
        """Anybody inside. Raises RoomClosed when nobody is."""
        inside = [one for one in self._viewers if one.is_inside and (not watching or one.delay_ms is not None)]
        if not inside:
            raise RoomClosed
        return self._dice.choice(inside)

    def _entry(self) -> dict[str, Any] | None:
        """The garment in the spotlight, as the tray has it."""
        return next((one for one in self._room["tray"] if one["style"] == self._room["spotlight"]), None)

    def _words(self, general: tuple[Words, ...], special: dict[str, tuple[Words, ...]], language: str) -> str:
        """Something that was not just said; more often than not about what is shown."""
        entry = self._entry()
        style = STYLE_BY_NAME.get(entry["name"]) if entry else None
        pool = special[style.drawing] if style and self._dice.random() < 0.6 else general
        texts = [one.zh if language.startswith("zh") else one.en for one in pool]
        fresh = [text for text in texts if text not in self._said] or [
            text for one in general for text in [one.zh if language.startswith("zh") else one.en]
        ]
        text = self._dice.choice(fresh)
        self._said.append(text)
        return text

    async def _comment(self) -> None:
        viewer = self._someone()
        await viewer.room.say("comment", text=self._words(COMMENTS, COMMENTS_ON, viewer.visitor.language))

    async def _ask(self) -> None:
        viewer = self._someone(watching=self._dice.random() < 0.6)
        text = self._words(QUESTIONS, QUESTIONS_ON, viewer.visitor.language)
        delay = None if viewer.delay_ms is None else max(0, round(viewer.delay_ms))
        await viewer.room.say("ask", text=text, style=self._room["spotlight"], delay_ms=delay)

    async def _like(self) -> None:
        await self._someone().room.say("like", count=self._dice.randint(1, 9))

    async def _walk(self) -> None:
        """Somebody (not the observer, not those who watch the video) goes, and comes back later."""
        walkers = [one for one in self._viewers[WATCHING_VIDEO:] if one.is_inside]
        if not walkers:
            return
        viewer = self._dice.choice(walkers)
        await viewer.leave()
        self._errand(self._return(viewer))

    async def _return(self, viewer: Viewer) -> None:
        await asyncio.sleep(self._dice.uniform(*self._paces.away))
        await viewer.arrive()

    async def _order(self) -> None:
        choice = self._choose()
        if choice is None:
            return
        variant, offer, price_minor = choice
        viewer = self._someone()
        answer = await viewer.room.say(
            "buy", key=str(uuid.uuid4()), variant=variant, quantity=1, offer=offer, price_minor=price_minor
        )
        self.orders += 1
        self._errand(self._finish(viewer, answer["order"]))

    def _choose(self) -> tuple[int, int | None, int] | None:
        """(variant, offer or None, price) of something that is still there; None when all is sold."""
        now_ms = time.time() * 1000
        deals = {
            deal["style"]: deal
            for deal in self._room["deals"]
            if deal["starts_at_ms"] <= now_ms < deal["ends_at_ms"]
            and (deal["cap"] is None or deal["taken"] < deal["cap"])
        }
        spotlight = self._room["spotlight"]
        weighted: list[tuple[float, dict[str, Any], dict[str, Any]]] = []
        for entry in self._room["tray"]:
            # People buy what they see, what is cheaper right now, and sometimes what they came for.
            weight = 1.0 + 14.0 * (entry["style"] == spotlight) + 25.0 * (entry["style"] in deals)
            left = [variant for variant in entry["variants"] if variant["left"] > 0]
            weighted.extend((weight / len(left), entry, variant) for variant in left)
        if not weighted:
            return None
        _, entry, variant = self._dice.choices(weighted, [weight for weight, _, _ in weighted])[0]
        deal = deals.get(entry["style"])
        if deal is None:
            return variant["variant"], None, variant["price_minor"]
        return variant["variant"], deal["offer"], deal["price_minor"]

    async def _finish(self, viewer: Viewer, order: dict[str, Any]) -> None:
        """Pay after a while, or cancel, or forget about it."""
        await asyncio.sleep(self._dice.uniform(*self._paces.thinking))
        luck = self._dice.random()
        if luck < PAYS:
            await self._pay(viewer.visitor, viewer.name, order)
            self.paid += 1
        elif luck < PAYS + CANCELS:
            await viewer.visitor.post(f"{order['url']}cancel")

    async def _pay(self, visitor: Visitor, name: str, order: dict[str, Any]) -> None:
        address = Words("苏州市姑苏区某街某号（虚构）", "No. 1, a street in Suzhou (invented)")
        text = address.zh if visitor.language.startswith("zh") else address.en
        await visitor.post_form(f"{order['url']}address", {"recipient": name, "phone": PHONE, "address": text})
        started = await visitor.post(order["pay_url"])
        await visitor.post(started["confirm_url"], {"choice": "confirm"})

    def _errand(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._quietly(work))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _quietly(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (DoorRefused, RoomRefused, RoomClosed, aiohttp.ClientError, TimeoutError, OSError) as error:
            self._tell(f"a viewer gave up: {error}")
