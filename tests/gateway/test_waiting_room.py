"""Who waits for a show: a new time and a cancelled show reach the open pages, on a phone and at a desk, in both
languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from playwright.sync_api import Browser, expect

from silkroom.config.processes.supervisor import Stack
from silkroom.kit.clock import now
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.room import services as room
from tests.gateway.studio import cookies_of
from tests.journeys.browser import DESK, PHONE, Somebody, chromium, somebody
from tests.live.stage import Stage

WORDS = {
    "en": {
        "cancelled": "The show was cancelled",
        "new_time": "The show has a new time",
        "none": "The time is not set yet",
        "badge": "Cancelled",
    },
    "zh-CN": {"cancelled": "直播已取消", "new_time": "直播改到", "none": "时间还没有定", "badge": "已取消"},
}


@pytest.fixture
def planned(stage: Stage) -> Broadcast:
    return stage.plan(title="秋夜真丝专场")


@pytest.fixture
def cookies(stage: Stage) -> dict[str, str]:
    return cookies_of(stage.owner)


@pytest.fixture
def browser(planned: Broadcast, cookies: dict[str, str]) -> Iterator[Browser]:
    """After what needs the database: the browser's loop runs in this thread from here on."""
    with chromium() as opened:
        yield opened


def do(verb: Callable[..., object], **arguments: object) -> None:
    """Something that the shop's pages do, in a thread of its own."""

    def act() -> None:
        with transaction.atomic():
            verb(**arguments)
        connection.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(act).result()


def open_pages(
    browser: Browser, stack: Stack, show: Broadcast, cookies: dict[str, str], size: dict[str, int], language: str
) -> tuple[Somebody, Somebody]:
    """A viewer in the room and the owner in the studio, both connected."""
    viewer, host = [somebody(browser, stack.web_url, size=size, language=language) for _ in range(2)]
    host.sign_in(cookies)
    viewer.go(f"/live/{show.code}/")
    host.go(f"/live/{show.code}/studio/")
    # The line to the room is open once the studio has heard a number of viewers from it.
    expect(host.page.locator('[data-part="viewers"]')).not_to_have_text("–")
    return viewer, host


@pytest.mark.parametrize("language", list(WORDS))
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_new_time_and_the_end_of_waiting(
    browser: Browser,
    stack: Stack,
    stage: Stage,
    planned: Broadcast,
    cookies: dict[str, str],
    size: dict[str, int],
    language: str,
):
    words = WORDS[language]
    viewer, host = open_pages(browser, stack, planned, cookies, size, language)
    when = viewer.page.locator('[data-part="when"]')
    expect(when).to_contain_text(words["none"])
    do(room.change_planned_at, broadcast=planned, planned_at=now() + timedelta(minutes=90, seconds=30))
    expect(when).to_contain_text("1:30:")
    expect(viewer.page.locator('[data-part="told"]')).to_contain_text(words["new_time"])
    viewer.audit()
    # Meanwhile the studio has measured what its line carries.
    expect(host.page.locator('[data-part="checks"]')).to_contain_text("Mbit/s")
    host.audit()

    do(room.cancel_show, broadcast=planned, by=stage.owner)
    over = viewer.page.locator('[data-part="over"]')
    expect(over.get_by_role("heading", name=words["cancelled"])).to_be_visible()
    expect(over.locator(".tile")).to_have_count(len(stage.garments))
    expect(over.get_by_role("link", name=stage.shop.name)).to_be_visible()
    for part in ("say", "heart", "tray-key", "waiting", "onair"):
        expect(viewer.page.locator(f'[data-part="{part}"]')).to_be_hidden()
    viewer.audit()

    after = host.page.locator('[data-part="after"]')
    expect(after.get_by_role("heading", name=words["cancelled"])).to_be_visible()
    expect(host.page.locator('[data-part="state"]')).to_have_text(words["badge"])
    for part in ("running", "check", "keys", "asked"):
        expect(host.page.locator(f'[data-part="{part}"]')).to_be_hidden()
    expect(host.page.locator(".monitor")).to_be_hidden()
    host.audit()
    for one in (viewer, host):
        # Who comes later finds the same.
        one.page.reload()
        expect(one.page.get_by_role("heading", name=words["cancelled"])).to_be_visible()
        one.end()
