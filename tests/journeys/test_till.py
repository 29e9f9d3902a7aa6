"""A day at the till in a real browser: paired, opened, selling with the line, without it, and through a killed page."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import Browser, Page, expect

from silkroom.catalog.models import Variant
from silkroom.config.processes.supervisor import Stack
from silkroom.inventory.models import Sellable
from silkroom.inventory.queries import differences
from silkroom.pos.models import Receipt, Shift, Till
from silkroom.pos.services import make_pairing_code, make_till
from silkroom.sales.orders.models import Order
from tests.house import PASSWORD, House, make_house, make_style, make_variants
from tests.journeys.browser import DESK, PHONE, Somebody, chromium, somebody, until

pytestmark = pytest.mark.journey

SCREENS = pytest.mark.parametrize(
    ("size", "language"), [(PHONE, "zh-CN"), (DESK, "en-GB")], ids=["phone-zh", "desk-en"]
)
EAN = "6901234567892"


@pytest.fixture(scope="module", autouse=True)
def database_beside_the_browser() -> Iterator[None]:
    """Playwright keeps an event loop in this thread, and Django takes that for async code: here nothing runs in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "yes")
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@transaction.atomic
def make_store() -> tuple[House, Till, Variant]:
    """A store with three of each of its garments, of which two are kept for the till."""
    house = make_house(f"Cloud Silk {uuid.uuid4().hex[:6]}")
    style = make_style(house)
    variants = make_variants(house, style, at={house.store.pk: 3})
    style.state = "published"
    style.save(update_fields=["state"])
    Variant.objects.filter(pk=variants[0].pk).update(ean=EAN)
    till = make_till(shop=house.shop, place=house.store, name="Front", clerk_discount_percent=10, kept_pieces=2)
    return house, till, variants[0]


def open_till(person: Somebody, house: House, till: Till) -> None:
    person.go("/accounts/login/?next=/pos/")
    person.page.fill("[name=login]", str(house.owner.email))
    person.page.fill("[name=password]", PASSWORD)
    person.page.click("main button[type=submit]")
    person.page.fill("[name=code]", make_pairing_code(till=till))
    person.audit()
    person.page.keyboard.press("Enter")
    person.page.fill("[name=float]", "200")
    person.audit()
    person.page.keyboard.press("Enter")
    expect(person.page.locator("#search")).to_be_focused()
    # The page is kept from now on.
    person.page.evaluate("navigator.serviceWorker.ready")


def scan(page: Page, code: str = EAN) -> None:
    """As a scanner on a cable does it: signs, then Enter."""
    page.locator("#search").focus()
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def scan_and_pay_cash(page: Page) -> None:
    """Scan, key, key."""
    scan(page)
    expect(page.locator(".sell__line")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#due")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#next")).to_be_focused()


def line_says(page: Page, state: str, waiting: int) -> None:
    line = page.locator("#line")
    expect(line).to_have_attribute("data-state", state)
    expect(line).to_have_attribute("data-waiting", str(waiting))


def left_in_store(house: House, variant: Variant) -> int:
    return Sellable.objects.get(item=variant.item_id, place=house.store).on_hand


@SCREENS
def test_a_day_at_the_till(
    stack: Stack, stack_database: str, browser: Browser, size: dict[str, int], language: str
) -> None:
    house, till, variant = make_store()
    clerk = somebody(browser, stack.web_url, size=size, language=language)
    page = clerk.page
    open_till(clerk, house, till)
    clerk.audit()
    scan_and_pay_cash(page)
    line_says(page, "online", 0)
    clerk.audit()
    receipt = Receipt.objects.get(till=till)
    assert (receipt.total_minor, receipt.is_offline, receipt.number) == (39_900, False, 1_000_001)
    page.keyboard.press("Enter")

    choose_hold_and_recall(clerk)
    pay_in_parts(clerk)
    assert Receipt.objects.filter(till=till).count() == 2
    page.click("#next")

    sell_without_a_line(clerk)
    until(clerk.page, lambda: Receipt.objects.filter(till=till).count() == 3, "the receipt was not sent")
    line_says(clerk.page, "online", 0)
    assert left_in_store(house, variant) == 1
    assert Receipt.objects.filter(till=till, is_offline=True).count() == 1
    assert Order.objects.filter(shop=house.shop, state="paid").count() == 3
    close(clerk)
    shift = Shift.objects.get(till=till)
    assert (shift.closed_at is not None, shift.counted_cash_minor) == (True, 100_000)
    assert differences() == []
    clerk.complaints = [one for one in clerk.complaints if "ERR_INTERNET_DISCONNECTED" not in one]
    clerk.end()


def choose_hold_and_recall(clerk: Somebody) -> None:
    page = clerk.page
    page.locator(".sell__style").first.click()
    clerk.audit()
    page.locator("dialog .cell:not([disabled])").nth(1).click()
    expect(page.locator(".sell__line")).to_have_count(1)
    page.click("#hold")
    expect(page.locator(".sell__line")).to_have_count(0)
    page.click("#more")
    clerk.audit()
    page.locator(".till__rows button").first.click()
    expect(page.locator(".sell__line")).to_have_count(1)
    page.fill("#percent", "10")
    page.locator("#percent").press("Tab")
    expect(page.locator("#total")).to_contain_text("359.10")
    clerk.audit()


def pay_in_parts(clerk: Somebody) -> None:
    page = clerk.page
    page.click("#pay")
    page.fill("[name=amount]", "100")
    page.click("#code")
    expect(page.locator("#due")).to_contain_text("259.10")
    clerk.audit()
    page.fill("[name=amount]", "300")
    page.click("#cash")
    expect(page.locator("#change")).to_contain_text("40.90")


def sell_without_a_line(clerk: Somebody) -> None:
    """The net goes, the page is loaded anew without it, a piece is sold; then the tab dies, and the net comes back."""
    page = clerk.page
    clerk.context.set_offline(True)
    until(page, lambda: page.locator("#line").get_attribute("data-state") == "offline", "nobody saw the line go")
    page.reload()
    line_says(page, "offline", 0)
    clerk.audit()
    scan_and_pay_cash(page)
    line_says(page, "offline", 1)
    # Two were kept for the till, one is left of them; the third piece in the store is not the till's to sell now.
    page.keyboard.press("Enter")
    scan(page)
    scan(page)
    expect(page.locator(".sell__line output")).to_have_text("1")
    page.locator(".sell__line button").first.click()
    page.close()
    clerk.page = clerk.context.new_page()
    clerk.page.goto(clerk.base + "/pos/")
    line_says(clerk.page, "offline", 1)
    clerk.context.set_offline(False)


def close(clerk: Somebody) -> None:
    page = clerk.page
    page.click("#more")
    page.click("#close")
    clerk.audit()
    page.fill("[name=cash]", "1000")
    page.fill("[name=code]", "100")
    page.keyboard.press("Enter")
    expect(page.locator("[name=float]")).to_be_visible()


def test_a_page_that_dies_while_it_sells_loses_nothing_and_doubles_nothing(
    stack: Stack, stack_database: str, browser: Browser
) -> None:
    """The house has written the sale, but its answer never comes; the tab is killed before anything else happens."""
    house, till, variant = make_store()
    clerk = somebody(browser, stack.web_url, size=DESK, language="en-GB")
    page = clerk.page
    open_till(clerk, house, till)

    def swallow(route: Any) -> None:
        route.fetch()

    clerk.context.route("**/pos/api/receipts", swallow)
    scan(page)
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    until(page, lambda: Receipt.objects.filter(till=till).count() == 1, "the house never heard of it")
    page.close()
    clerk.context.unroute("**/pos/api/receipts")
    clerk.page = clerk.context.new_page()
    clerk.page.goto(clerk.base + "/pos/")
    line_says(clerk.page, "online", 0)
    expect(clerk.page.locator(".sell__line")).to_have_count(0)
    assert Receipt.objects.get(till=till).number == 1_000_001
    assert Order.objects.filter(shop=house.shop).count() == 1
    assert left_in_store(house, variant) == 2
    scan_and_pay_cash(clerk.page)
    until(clerk.page, lambda: Receipt.objects.filter(till=till, number=1_000_002).exists(), "the next one is missing")
    assert left_in_store(house, variant) == 1
    assert differences() == []
    clerk.end()
