"""A whole evening of the demo through the public doors of a running silkroom: seeded, on air, asked, bought, ended."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from silkroom.config.demo.brand import BRAND, LOGINS, STYLES
from silkroom.config.demo.crowd import Crowd
from silkroom.config.demo.host import Host
from silkroom.config.demo.main import Troupe, programme
from silkroom.config.demo.paces import Paces
from silkroom.config.demo.passwords import ensure_passwords
from silkroom.config.demo.publish import publish
from silkroom.config.demo.sources import LiveShow
from silkroom.config.demo.visitor import DoorRefused, Visitor
from silkroom.config.processes.supervisor import Stack

BRISK = Paces(
    spotlight=3.0,
    first_deal=0.5,
    deal=3.0,
    deal_after_spotlight=0.5,
    answer=(0.3, 0.5),
    chat=(1.0, 2.0),
    tick=0.1,
    arrival=(0.0, 0.1),
    comment=(0.3, 0.6),
    question=(0.5, 1.0),
    order=(0.3, 0.6),
    thinking=(0.1, 0.3),
    like=(0.2, 0.4),
    walk=(2.0, 3.0),
    away=(0.5, 1.0),
)
HOST = BRAND.staff[1].email


@pytest.fixture
def troupe(stack: Stack) -> Iterator[tuple[Troupe, Path, dict[str, str]]]:
    path, passwords = ensure_passwords(stack.data_dir / "secrets", LOGINS)
    with Troupe(stack, path) as running:
        yield running, path, passwords


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """The room's state is the demo's own; there is no event for "three orders paid"."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def finished(**works: "asyncio.Task[None]") -> None:
    """Everybody has gone home by themselves."""
    await asyncio.wait(works.values(), timeout=60)
    assert [name for name, work in works.items() if not work.done()] == []
    for work in works.values():
        work.result()


async def test_an_evening(stack: Stack, troupe: tuple[Troupe, Path, dict[str, str]]) -> None:
    running, path, passwords = troupe
    seeded = await asyncio.to_thread(running.seed, "--styles", "2")
    again = await asyncio.to_thread(running.seed, "--styles", "2")
    assert again == {**seeded, "is_new": False}
    code, web = str(seeded["show"]), stack.web_url
    assert any(f"{web}/live/{code}/" in line for line in programme(stack, seeded, passwords, path, crowd=True))

    zero_us = time.time_ns() // 1000
    source = LiveShow(zero_us)
    told: list[str] = []
    async with Visitor(web) as visitor:
        await visitor.sign_in(HOST, passwords[HOST])
        host = Host(visitor, code, told.append, BRISK)
        crowd = Crowd(web, code, told.append, viewers=6, paces=BRISK)
        sending = asyncio.create_task(
            publish(source, zero_us, web_url=web, code=code, login=HOST, password=passwords[HOST])
        )
        leading = asyncio.create_task(host.run())
        evening = asyncio.create_task(crowd.run())
        try:
            state = lambda: host.room.state  # noqa: E731 - a shorthand for the conditions below
            await until(lambda: crowd.paid >= 3)
            await until(lambda: any(one["state"] == "answered" for one in state()["questions"]))
            await until(lambda: bool(state()["deals"]))
            await until(lambda: state()["likes"] > 0 and state()["pinned"] is not None)
            await until(lambda: any(viewer.delay_ms is not None for viewer in crowd._viewers))
            # The picture follows the spotlight, whoever moves it.
            second = next(one for one in state()["tray"] if one["name"] == STYLES[1].name.zh)
            await visitor.post(f"/live/{code}/studio/spotlight", {"style": second["style"]})
            await until(lambda: source._show.style is STYLES[1])
            sold = sum(STYLES[0].opening_stock(colour, size)[0] for colour in range(4) for size in range(4))
            first = next(one for one in state()["tray"] if one["name"] == STYLES[0].name.zh)
            left = sum(variant["left"] for variant in first["variants"])
            assert 0 < left <= sold
            await host.end()
            assert told == ["on air"]
            await finished(leading=leading, evening=evening, sending=sending)
        finally:
            for task in (sending, leading, evening):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(sending, leading, evening, return_exceptions=True)
    assert crowd.orders >= crowd.paid
    later = await asyncio.to_thread(running.seed, "--styles", "2")
    assert later["show"] != code, "after the end a new show is planned"


async def test_wrong_password_does_not_get_in(stack: Stack) -> None:
    async with Visitor(stack.web_url) as visitor:
        with pytest.raises(DoorRefused):
            await visitor.sign_in(HOST, "not-the-password")
