"""The encoder and the players in a real Chromium, against a real gateway: what a host sends is what a viewer sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from silkroom.config.processes.browser import CHROMIUM_FLAGS, find_chromium
from silkroom.live import relay as relay_package
from tests.live.relay.conftest import StartGateway
from tests.live.relay.gateway import Gateway

MEDIA = Path(relay_package.__file__).parents[1] / "static" / "live" / "media"
PAGES = Path(__file__).parent / "pages"
PATIENCE_MS = 30_000

RED, GREEN, BLUE = (200, 30, 30), (30, 180, 60), (30, 60, 200)


@pytest.fixture
async def gateway(start: StartGateway) -> Gateway:
    """A gateway that also hands out the pages."""
    return await start("browser", folders={"/media": MEDIA, "/pages": PAGES})


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as tools:
        chromium = await tools.chromium.launch(executable_path=str(find_chromium()), args=list(CHROMIUM_FLAGS))
        yield chromium
        await chromium.close()


DEAD_SOCKETS = """globalThis.WebSocket = class {
  static OPEN = 1;
  readyState = 3;
  constructor() { setTimeout(() => this.onclose?.({ code: 1006, reason: "" })); }
  close() {}
};"""


async def open_page(
    browser: Browser, gateway: Gateway, name: str, *, without: tuple[str, ...] = (), script: str = ""
) -> Page:
    """``without``: what this browser shall not have."""
    page = await browser.new_page()
    await page.add_init_script(script)
    for missing in without:
        await page.add_init_script(f"delete globalThis.{missing};")
    await page.goto(f"{gateway.address}/pages/{name}")
    return page


async def studio(browser: Browser, gateway: Gateway, *, without: tuple[str, ...] = ()) -> Page:
    page = await open_page(browser, gateway, "studio.html", without=without)
    await page.wait_for_function("globalThis.publisher?.state === 'sending'", timeout=PATIENCE_MS)
    return page


async def viewer(
    browser: Browser, gateway: Gateway, modes: str = "", *, without: tuple[str, ...] = (), script: str = ""
) -> Page:
    query = f"?modes={modes}" if modes else ""
    return await open_page(browser, gateway, f"viewer.html{query}", without=without, script=script)


async def sees(page: Page, colour: tuple[int, int, int]) -> None:
    """Wait until the middle of the picture has this colour, as far as video keeps colours."""
    await page.wait_for_function(
        """([red, green, blue]) => {
          const seen = globalThis.look?.()?.colour;
          return seen && Math.abs(seen[0] - red) + Math.abs(seen[1] - green) + Math.abs(seen[2] - blue) < 60;
        }""",
        arg=list(colour),
        timeout=PATIENCE_MS,
    )


async def paint(page: Page, colour: tuple[int, int, int]) -> None:
    await page.evaluate("(colour) => { globalThis.colour = `rgb(${colour.join()})`; }", list(colour))


async def heard(page: Page, name: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = await page.evaluate("globalThis.heard")
    return [event for event in events if event["name"] == name]


def cut_all_lines(gateway: Gateway) -> None:
    """What a lost network looks like from a browser: every connection is gone without a word."""
    for session in gateway.relay._ingest.sessions:
        transport = session.socket._req.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.abort()
    for one in gateway.relay._watch.open:
        one.transport.abort()


@pytest.mark.parametrize("mode", ["instant", "mse", "llhls"])
async def test_each_way_shows_what_happens_now(gateway: Gateway, browser: Browser, mode: str) -> None:
    host = await studio(browser, gateway)
    page = await viewer(browser, gateway, mode)
    await sees(page, RED)
    await paint(host, GREEN)
    await sees(page, GREEN)
    assert await heard(page, "mode") == [{"name": "mode", "mode": mode}]
    assert (await heard(page, "state"))[-1]["state"] == "on_air"
    await page.wait_for_function("player.delayMs > 0 && player.delayMs < 10_000", timeout=PATIENCE_MS)
    position = gateway.relay.media_position("show")
    assert position is not None
    assert abs(await page.evaluate("player.mediaTimeMs") - position) < 10_000
    assert await page.evaluate("player.muted") is True


async def test_a_browser_without_webcodecs_takes_the_next_way_by_itself(gateway: Gateway, browser: Browser) -> None:
    await studio(browser, gateway)
    page = await viewer(browser, gateway, without=("VideoDecoder",))
    await sees(page, RED)
    assert await page.evaluate("player.mode") == "mse"


async def test_a_browsers_own_hls_player_will_do(gateway: Gateway, browser: Browser) -> None:
    """Without Media Source: as on older iPhones, here by Chromium's own player."""
    await studio(browser, gateway)
    page = await viewer(browser, gateway, without=("AudioDecoder", "MediaSource", "ManagedMediaSource"))
    await sees(page, RED)
    assert await page.evaluate("player.mode") == "llhls"
    assert await page.evaluate("player.way.element.src.endsWith('master.m3u8?ticket=watch-show-1')")


async def test_where_websockets_do_not_get_through_plain_http_does(gateway: Gateway, browser: Browser) -> None:
    """As behind a proxy that closes each of them."""
    await studio(browser, gateway)
    page = await viewer(browser, gateway, without=("AudioDecoder",), script=DEAD_SOCKETS)
    await sees(page, RED)
    assert await page.evaluate("player.mode") == "llhls"
    assert [event["mode"] for event in await heard(page, "mode")] == ["mse", "llhls"]


async def test_lost_lines_come_back_by_themselves(gateway: Gateway, browser: Browser) -> None:
    host = await studio(browser, gateway)
    pages = [await viewer(browser, gateway, mode) for mode in ("instant", "mse", "llhls")]
    for page in pages:
        await sees(page, RED)
    cut_all_lines(gateway)
    await host.wait_for_function("states.includes('reconnecting')", timeout=PATIENCE_MS)
    await host.wait_for_function("publisher.state === 'sending'", timeout=PATIENCE_MS)
    await paint(host, BLUE)
    for page in pages:
        await sees(page, BLUE)
        assert [event["mode"] for event in await heard(page, "mode")] == [await page.evaluate("player.mode")]


async def test_a_turned_phone_turns_the_picture(gateway: Gateway, browser: Browser) -> None:
    host = await studio(browser, gateway)
    pages = [await viewer(browser, gateway, mode) for mode in ("instant", "mse", "llhls")]
    for page in pages:
        await sees(page, RED)
        assert await page.evaluate("look().width > look().height")
    await host.evaluate("turn()")
    await paint(host, GREEN)
    for page in pages:
        await page.wait_for_function("look()?.width < look()?.height", timeout=PATIENCE_MS)
        await sees(page, GREEN)


async def test_sound_is_off_until_it_is_asked_for(gateway: Gateway, browser: Browser) -> None:
    await studio(browser, gateway)
    page = await viewer(browser, gateway, "instant")
    await sees(page, RED)
    assert await page.evaluate("loudness()") == 0
    await page.evaluate("player.setMuted(false)")
    await page.wait_for_function("loudness() > 0.3", timeout=PATIENCE_MS)
    assert await page.evaluate("player.muted") is False
    await page.evaluate("player.setMuted(true)")
    await page.wait_for_function("player.way.sound.context.state === 'suspended'", timeout=PATIENCE_MS)
    await sees(page, RED)
    page = await viewer(browser, gateway, "mse")
    await sees(page, RED)
    assert await page.evaluate("player.way.element.muted") is True
    await page.evaluate("player.setMuted(false)")
    assert await page.evaluate("player.way.element.muted") is False


async def test_a_page_that_was_hidden_is_back_at_once(gateway: Gateway, browser: Browser) -> None:
    host = await studio(browser, gateway)
    page = await viewer(browser, gateway, "instant")
    await sees(page, RED)
    hide = """(hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    await page.evaluate(hide, True)
    await paint(host, GREEN)
    await page.wait_for_function("heard.some((event) => event.name === 'stalled')", timeout=PATIENCE_MS)
    assert (await page.evaluate("look().colour"))[0] > 150, "nothing is decoded while nobody looks"
    await page.evaluate(hide, False)
    await sees(page, GREEN)


async def test_a_studio_without_webcodecs_sends_by_mediarecorder(gateway: Gateway, browser: Browser) -> None:
    host = await studio(browser, gateway, without=("VideoEncoder",))
    assert await host.evaluate("publisher.source") == "matroska"
    page = await viewer(browser, gateway, "instant")
    await sees(page, RED)
    await paint(host, GREEN)
    await sees(page, GREEN)
    cut_all_lines(gateway)
    await host.wait_for_function("publisher.state === 'reconnecting'", timeout=PATIENCE_MS)
    await paint(host, BLUE)
    await sees(page, BLUE)


async def test_the_end_is_seen_by_everybody(gateway: Gateway, browser: Browser) -> None:
    host = await studio(browser, gateway)
    pages = [await viewer(browser, gateway, mode) for mode in ("instant", "mse", "llhls")]
    for page in pages:
        await sees(page, RED)
    await gateway.relay.end("show")
    await host.wait_for_function("publisher.state === 'stopped'", timeout=PATIENCE_MS)
    for page in pages:
        await page.wait_for_function("player.state === 'ended'", timeout=PATIENCE_MS)
        assert await heard(page, "failed") == []


async def test_a_viewer_who_comes_first_waits_and_is_served(gateway: Gateway, browser: Browser) -> None:
    pages = [await viewer(browser, gateway, mode) for mode in ("instant", "mse", "llhls")]
    for page in pages:
        await page.wait_for_function("globalThis.player?.state === 'waiting'", timeout=PATIENCE_MS)
    await studio(browser, gateway)
    for page in pages:
        await sees(page, RED)


async def test_a_studio_learns_what_its_line_carries(gateway: Gateway, browser: Browser) -> None:
    page = await open_page(browser, gateway, "viewer.html")
    script = """async ([ticket, forMs]) => {
      const { measureUplink } = await import("/media/uplink.js");
      return measureUplink({ gateway: "", ticket, forMs }).catch((error) => error.message);
    }"""
    pace = await page.evaluate(script, ["ingest-show-1", 300])
    assert pace > 1_000_000
    assert await page.evaluate(script, ["expired", 300]) == "closed"
