"""A real Chromium for journeys: a phone or a desk, in a language, and an eye for what shuts people out (axe)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from silkroom.config.processes.browser import CHROMIUM_FLAGS, find_chromium

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}
# A busy machine may take its time; what does not come at all is found all the same.
PATIENCE_MS = 30_000
SERIOUS = {"serious", "critical"}


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser; people get contexts of their own in it."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(find_chromium()), args=list(CHROMIUM_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Somebody:
    """A person at a browser. Whatever the page complains about is kept and fails the journey at its end."""

    context: BrowserContext
    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def go(self, address: str) -> None:
        answer = self.page.goto(self.base + address)
        assert answer is not None
        assert answer.ok, (address, answer.status)

    def audit(self) -> None:
        """No serious barrier on this page, and nothing that sticks out sideways."""
        found = Axe().run(self.page).response["violations"]
        barriers = [
            (one["id"], [node["target"] for node in one["nodes"]][:3]) for one in found if one["impact"] in SERIOUS
        ]
        assert barriers == [], (self.page.url, barriers)
        width = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert width <= 0, (self.page.url, f"{width} pixels too wide")

    def sign_in(self, cookies: dict[str, str]) -> None:
        """With the cookies of somebody who has signed in."""
        self.context.add_cookies([{"name": name, "value": value, "url": self.base} for name, value in cookies.items()])

    def open_tab(self) -> Somebody:
        """A second page of the same person."""
        return _listen(Somebody(self.context, self.context.new_page(), self.base))

    def end(self) -> None:
        assert self.complaints == []


def until(page: Page, condition: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    """Looks until the condition holds. For what a locator cannot say; the page lives on between two looks."""
    latest = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < latest, what
        page.wait_for_timeout(200)


def somebody(browser: Browser, base: str, *, size: dict[str, int], language: str) -> Somebody:
    """A fresh person: no cookies, this screen, this language."""
    context = browser.new_context(viewport=size, locale=language, has_touch=size is PHONE)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    return _listen(Somebody(context, context.new_page(), base))


def _listen(one: Somebody) -> Somebody:
    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            one.complaints.append(message.text)

    one.page.on("console", hear)
    one.page.on("pageerror", lambda error: one.complaints.append(str(error)))
    return one
