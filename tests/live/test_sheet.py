"""The buying sheet in a browser, with the room's own modules and styles: what happens in it when the show ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

import silkroom
import silkroom.live
from silkroom.config.processes.browser import CHROMIUM_FLAGS, find_chromium

SOURCES = Path(silkroom.__path__[0])
FOLDERS = {
    "live": Path(silkroom.live.__path__[0]) / "static" / "live",
    "design": SOURCES / "config" / "static" / "design",
}
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

PAGE = """<!doctype html><html lang="en" class="room-page"><title>room</title>
<link rel="stylesheet" href="/design/tokens.css"><link rel="stylesheet" href="/design/base.css">
<link rel="stylesheet" href="/design/components.css"><link rel="stylesheet" href="/live/room.css">
<main id="main" class="room" data-show="on_air" tabindex="-1"><div class="room__frame">
  <div class="left"><button id="key" type="button">Tray</button></div>
  <div class="right"><section class="onshow"></section><section class="sheet" tabindex="-1"></section></div>
  <section class="over" hidden></section>
</div></main>"""

ROOM = """async (state) => {
  globalThis.gettext = (words) => words;
  globalThis.ngettext = (one, many, count) => (count === 1 ? one : many);
  globalThis.interpolate = (words, values) =>
    words.replace(/%\\((\\w+)\\)s|%s/g, (_, name) => (name ? values[name] : values[0]));
  const { Sheet } = await import("/live/room/sheet.js");
  const { showOver } = await import("/live/room/over.js");
  const room = document.getElementById("main");
  const now = () => Date.now();
  // The line to the gateway: each order is taken.
  const send = async (kind, order) => ({ order: {
    number: "K7", total_minor: order.quantity * 19900, currency: "CNY", holds_until_ms: now() + 900_000,
    url: "/orders/K7/", pay_url: "/orders/K7/pay", repeated: false } });
  const sheet = new Sheet({
    root: document.querySelector(".sheet"), room, key: document.getElementById("key"), socket: { now, send },
    nameFirst() {}, told: { wrong(error) { throw error; } }, config: { code: "SHOW", most_pieces: 9 },
  });
  globalThis.show = (change) => {
    Object.assign(state.broadcast, change);
    room.dataset.show = state.broadcast.state;
    const over = document.querySelector(".over");
    if (state.broadcast.state === "ended") showOver(over, state, { productUrl: () => "/style/S1/", held: sheet.held });
    sheet.update(state);
    sheet.turn(now());
  };
  globalThis.sheet = sheet;
  show({});
}"""

STATE: dict[str, Any] = {
    "broadcast": {"state": "on_air", "title": "Evening", "shop": {"name": "Cloud"}, "ended_at_ms": None},
    "tray": [
        {
            "style": 5, "code": "S1", "name": "Shirt", "name_en": "Shirt", "picture": "", "currency": "CNY",
            "colours": [{"id": 1, "name": "White", "name_en": "White", "swatch": "#eeeeee"}],
            "sizes": [{"id": 1, "label": "S"}, {"id": 2, "label": "M"}],
            "variants": [
                {"variant": 7, "colour": 1, "size": 1, "price_minor": 19900, "left": 4},
                {"variant": 8, "colour": 1, "size": 2, "price_minor": 19900, "left": 4},
            ],
        }
    ],
    "deals": [],
    "spotlight": None,
}  # fmt: skip


def serve(route: Route) -> None:
    path = route.request.url.removeprefix("http://shop.example/").split("?")[0]
    folder, _, name = path.partition("/")
    if path == "orders/K7/pay":
        answer = {"confirm_url": "/sandbox/R1", "state_url": "/orders/K7/state", "page_url": "/sandbox/R1"}
        route.fulfill(status=201, content_type="application/json", body=json.dumps(answer))
    elif folder in FOLDERS and (FOLDERS[folder] / name).exists():
        file = FOLDERS[folder] / name
        route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
    elif path == "":
        route.fulfill(body=PAGE, content_type="text/html")
    else:
        route.fulfill(status=404)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(find_chromium()), args=list(CHROMIUM_FLAGS))
        yield running
        running.close()


@pytest.fixture(params=[(390, 844), (1280, 800)], ids=["phone", "desk"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = request.param
    page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    page.route("http://shop.example/**", serve)
    enter(page)
    yield page
    page.close()


def enter(page: Page) -> None:
    page.goto("http://shop.example/")
    page.evaluate(ROOM, STATE)


def choose(page: Page) -> None:
    page.evaluate("sheet.choose(5)")
    page.get_by_role("button", name="White M, 4 left").click()


def end(page: Page) -> None:
    page.evaluate("show({ state: 'ended', ended_at_ms: Date.now() })")
    expect(page.get_by_role("heading", name="The show is over")).to_be_visible()


def test_a_held_order_stays_to_be_paid_when_the_show_ends(page: Page) -> None:
    choose(page)
    page.get_by_role("button", name="Buy for ¥199").click()
    pay = page.get_by_role("button", name="Pay ¥199")
    expect(pay).to_be_visible()
    end(page)
    expect(pay).to_be_visible()
    expect(page.locator(".over__held a[href='/orders/K7/']")).to_be_visible()
    pay.click()
    expect(page.get_by_role("button", name="Confirm ¥199")).to_be_visible()


def test_what_was_chosen_can_still_be_bought_when_the_show_ends(page: Page) -> None:
    choose(page)
    end(page)
    expect(page.get_by_text("The show is over. You can still buy this.")).to_be_visible()
    page.get_by_role("button", name="Buy for ¥199").click()
    expect(page.get_by_role("button", name="Pay ¥199")).to_be_visible()
    expect(page.locator(".over__held a[href='/orders/K7/']")).to_be_visible()


def test_after_a_reload_the_held_order_is_found_on_the_page_of_the_end(page: Page) -> None:
    choose(page)
    page.get_by_role("button", name="Buy for ¥199").click()
    expect(page.get_by_role("button", name="Pay ¥199")).to_be_visible()
    enter(page)
    end(page)
    expect(page.locator(".over__held a[href='/orders/K7/']")).to_be_visible()
    page.locator(".over__held").get_by_role("button", name="Held for you").click()
    expect(page.get_by_role("button", name="Pay ¥199")).to_be_visible()


def test_a_sheet_that_nobody_uses_goes_with_the_show(page: Page) -> None:
    page.evaluate("sheet.openTray(document.getElementById('key'))")
    expect(page.locator(".sheet")).to_be_visible()
    end(page)
    expect(page.locator(".sheet")).to_be_hidden()
    expect(page.locator(".over__held")).to_be_hidden()
    expect(page.get_by_role("link", name="Shirt")).to_be_visible()
