"""The host of the demo's show: goes on air, brings garments into the spotlight, launches deals, answers, chats.

Signed in like any host, through the same studio addresses as the studio page. When somebody else (a person in the
studio) moves the spotlight, the host keeps hands off for a while.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from silkroom.config.demo.brand import STYLES, Style, Words
from silkroom.config.demo.paces import Paces
from silkroom.config.demo.room_client import RoomClient, RoomClosed, RoomRefused
from silkroom.config.demo.visitor import DoorRefused, Visitor
from silkroom.config.demo.words import HOST_LINES, WELCOME

STYLE_BY_NAME = {style.name.zh: style for style in STYLES}
Tell = Callable[[str], None]
QUIET = Paces()


class Host:
    """One evening. ``run`` returns when the show has ended, by whomever."""

    def __init__(self, visitor: Visitor, code: str, tell: Tell, paces: Paces = QUIET) -> None:
        self._visitor, self._code, self._tell, self._paces = visitor, code, tell, paces
        self._dice = random.Random()
        self._own_spotlights: set[int] = set()
        self._hands_off_until = 0.0
        self._prepared: list[dict[str, Any]] = []
        self.room = RoomClient(
            visitor.session, self._ticket, origin=visitor.web_url, listens=True, language=visitor.language
        )
        self.room.heard = self._heard

    async def run(self) -> None:
        sitting = asyncio.create_task(self.room.stay())
        try:
            await self.room.inside.wait()
            await self._go_live()
            if self.room.state["pinned"] is None:
                await self._say(WELCOME, pin=True)
            await self._lead()
        finally:
            sitting.cancel()
            await asyncio.gather(sitting, return_exceptions=True)

    async def end(self) -> None:
        """End the show, as with the studio's last key."""
        await self._press("end")

    async def _go_live(self) -> None:
        studio = await self._visitor.data(f"/live/{self._code}/studio/", "studio")
        self._prepared = studio["prepared"]
        if self._state in ("planned", "rehearsing"):
            await self._press("go-live")
            self._tell("on air")

    @property
    def _state(self) -> str:
        show = self.room.state["broadcast"]
        return show["state"] if show else "planned"

    async def _lead(self) -> None:
        now = time.monotonic()
        next_spotlight, next_deal = now, now + self._paces.first_deal
        next_answer, next_chat = now + self._paces.answer[0], now + self._paces.chat[0]
        while self._state != "ended":
            now = time.monotonic()
            if now >= next_spotlight and now >= self._hands_off_until:
                await self._next_style()
                next_spotlight = now + self._paces.spotlight
                next_deal = max(next_deal, now + self._paces.deal_after_spotlight)
            if now >= next_deal and await self._launch_deal():
                next_deal = now + self._paces.deal
            if now >= next_answer:
                await self._answer()
                next_answer = now + self._dice.uniform(*self._paces.answer)
            if now >= next_chat:
                await self._chat()
                next_chat = now + self._dice.uniform(*self._paces.chat)
            await asyncio.sleep(self._paces.tick)

    async def _next_style(self) -> None:
        tray = self.room.state["tray"]
        if not tray:
            return
        places = [entry["style"] for entry in tray]
        spotlight = self.room.state["spotlight"]
        place = places.index(spotlight) + 1 if spotlight in places else 0
        answer = await self._press("spotlight", style=places[place % len(places)])
        if answer.get("n") is not None:
            self._own_spotlights.add(answer["n"])

    async def _launch_deal(self) -> bool:
        """The prepared deal of what is in the spotlight, else of nothing: a deal is for what one sees."""
        spotlight = self.room.state["spotlight"]
        ready = [one for one in self._prepared if one["style"] == spotlight]
        running = {deal["style"] for deal in self.room.state["deals"] if deal["ends_at_ms"] > time.time() * 1000}
        if not ready or spotlight in running:
            return False
        answer = await self._press("deal", prepared=ready[0]["prepared"])
        return "deal" in answer

    async def _answer(self) -> None:
        waiting = [one for one in self.room.state["questions"] if one["state"] == "asked"]
        if waiting:
            await self._press("answered", question=waiting[0]["n"], media_ms=round(time.time() * 1000))

    async def _chat(self) -> None:
        style = self._style
        if style is not None:
            await self._say(self._dice.choice(HOST_LINES[style.drawing]))

    @property
    def _style(self) -> Style | None:
        spotlight = self.room.state["spotlight"]
        entry = next((one for one in self.room.state["tray"] if one["style"] == spotlight), None)
        return STYLE_BY_NAME.get(entry["name"]) if entry else None

    async def _say(self, words: Words, *, pin: bool = False) -> None:
        text = words.zh if self._visitor.language.startswith("zh") else words.en
        try:
            said = await self.room.say("comment", text=text)
        except (RoomClosed, RoomRefused):
            return
        if pin:
            await self._press("pin", n=said["n"])

    async def _press(self, key: str, **body: Any) -> dict[str, Any]:
        """A key of the studio. What the studio refuses (a deal that runs already) is only noted."""
        try:
            return await self._visitor.post(f"/live/{self._code}/studio/{key}", body)
        except DoorRefused as refusal:
            self._tell(f"studio {key}: {refusal}")
        except (aiohttp.ClientError, TimeoutError) as error:
            self._tell(f"studio {key}: {type(error).__name__}")
        return {}

    def _heard(self, message: dict[str, Any]) -> None:
        if message["type"] != "events":
            return
        for event in message["events"]:
            if event["k"] == "spotlight":
                # An own move may be told before its answer is: who moved is decided a moment later.
                asyncio.get_running_loop().call_later(1.0, self._notice_spotlight, event["n"])

    def _notice_spotlight(self, number: int) -> None:
        if number not in self._own_spotlights:
            self._hands_off_until = time.monotonic() + self._paces.hands_off

    async def _ticket(self) -> tuple[str, str]:
        data = await self._visitor.data(f"/live/{self._code}/", "room")
        return data["gateway"], data["tickets"]["room"]["ticket"]
