"""The room's modules in a browser, on a page that came over plain http from another machine: no secure context."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, sync_playwright

import silkroom
import silkroom.live
from silkroom.config.processes.browser import CHROMIUM_FLAGS, find_chromium

SCRIPTS = Path(silkroom.live.__path__[0]) / "static" / "live"


def _serve(route: Route) -> None:
    place = route.request.url.removeprefix("http://shop.example/")
    if place:
        route.fulfill(body=(SCRIPTS / place).read_bytes(), content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><title>shop</title>", content_type="text/html")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_chromium()), args=list(CHROMIUM_FLAGS))
        page = browser.new_page()
        page.route("http://shop.example/**", _serve)
        page.goto("http://shop.example/")
        yield page
        browser.close()


def test_a_key_is_a_uuid_also_without_a_secure_context(page: Page):
    assert page.evaluate("[isSecureContext, typeof crypto.randomUUID]") == [False, "undefined"]
    script = "async () => { const { newKey } = await import('/http.js'); return Array.from({ length: 200 }, newKey); }"
    keys = page.evaluate(script)
    assert len(set(keys)) == 200
    assert {(str(uuid.UUID(key)) == key, uuid.UUID(key).version) for key in keys} == {(True, 4)}
    assert {uuid.UUID(key).variant for key in keys} == {uuid.RFC_4122}


def test_a_deal_never_makes_a_variant_dearer(page: Page):
    script = """async () => {
      const { priceNow } = await import("/state.js");
      const deal = { price_minor: 15000 };
      const [low, high] = [{ price_minor: 12000 }, { price_minor: 19900 }];
      return [priceNow(low, deal), priceNow(high, deal), priceNow(low)];
    }"""
    assert page.evaluate(script) == [12000, 15000, 12000]


def test_the_price_beside_a_deal_is_what_will_be_charged(page: Page):
    script = """async () => {
      globalThis.gettext = (words) => words;
      globalThis.interpolate = (words, [one]) => words.replace("%s", one);
      const { showPrice } = await import("/room/garment.js");
      const shown = (prices, deal) => {
        const element = document.createElement("p");
        showPrice(element, { currency: "CNY", variants: prices.map((price_minor) => ({ price_minor })) }, deal);
        return [...element.children].map((one) => one.textContent);
      };
      const deal = { price_minor: 15000 };
      return [shown([12000, 19900], deal), shown([19900, 19900], deal), shown([19900, 19900])];
    }"""
    assert page.evaluate(script) == [
        ["from ¥120", "instead of from ¥120"],
        ["¥150", "instead of ¥199"],
        ["¥199"],
    ]


def test_what_a_line_is_good_for(page: Page):
    script = """async () => {
      globalThis.gettext = (words) => words;
      globalThis.interpolate = (words, [one]) => words.replace("%s", one);
      const { qualityFor } = await import("/studio/quality.js");
      return [20, 4.7, 4.5, 3.0, 1.6, 0.8, 0.1].map((mbit) => qualityFor(mbit * 1_000_000));
    }"""
    told = page.evaluate(script)
    assert [(one["bitrate"], one["state"]) for one in told] == [
        (3_000_000, "good"),
        (3_000_000, "good"),
        (2_000_000, "good"),
        (1_000_000, "good"),
        (1_000_000, "good"),
        (500_000, "bad"),
        (300_000, "bad"),
    ]
    assert [one["text"].split(" up: ")[0] for one in told[::3]] == ["20.0 Mbit/s", "3.0 Mbit/s", "0.1 Mbit/s"]
    assert len({one["text"].split(" up: ")[1] for one in told}) == 5


def test_no_script_asks_for_what_only_secure_contexts_have():
    scripts = list(Path(silkroom.__path__[0]).rglob("static/**/*.js"))
    assert len(scripts) > 20
    assert [one.name for one in scripts if "crypto.randomUUID(" in one.read_text()] == []
