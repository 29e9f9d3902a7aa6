"""A merchant's first day in a real browser: from sign-up to a garment on sale, and what follows in the same house.

Runs on a phone in Chinese and on a desk in English. Pages are found by the names of their fields, so that both
languages take the same way.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from silkroom.config.processes.supervisor import Stack
from tests.house import PASSWORD, picture_bytes
from tests.journeys.browser import DESK, PHONE, Somebody, chromium, somebody

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    files = []
    for number, colour in enumerate(("#e9e4d4", "#5b2a4a", "#2f3d46")):
        files.append(tmp_path / f"garment {number}.jpg")
        files[-1].write_bytes(picture_bytes(900, 1200, colour=colour))
    return files


SCREENS = pytest.mark.parametrize(
    ("size", "language"), [(PHONE, "zh-CN"), (DESK, "en-GB")], ids=["phone-zh", "desk-en"]
)


def sign_up(person: Somebody, name: str) -> None:
    person.go("/accounts/signup/?next=/workbench/")
    person.audit()
    person.page.fill("[name=name]", name)
    person.page.fill("[name=contact]", f"{uuid.uuid4().hex[:12]}@example.com")
    person.page.fill("[name=password1]", PASSWORD)
    person.page.click("main button[type=submit]")


def open_shop(person: Somebody, name: str, name_en: str) -> str:
    page = person.page
    page.wait_for_url("**/workbench/open/")
    person.audit()
    page.fill("[name=name]", name)
    page.fill("[name=name_en]", name_en)
    page.fill("#region-search", "杭州 西湖")
    page.locator(".region__found button").first.click()
    expect(page.locator("[name=region_code]")).to_have_value("330106")
    page.check("[name=has_store]")
    page.fill("[name=name_store]", "西湖店")
    page.click("main button[type=submit]")
    page.wait_for_url("**/styles/new/")
    found = re.search(r"/workbench/([^/]+)/", page.url)
    assert found
    return found[1]


def enter_style(person: Somebody, name: str, article: str) -> None:
    page = person.page
    person.audit()
    page.fill("[name=name]", name)
    page.fill("[name=article]", article)
    page.click("main button[type=submit]")
    page.wait_for_url("**/grid/")
    person.audit()


def fill_grid(person: Somebody) -> None:
    """Three colours in four sizes with the keyboard: prices and pieces are typed once and filled down."""
    page = person.page
    page.fill("[name=colour-0-name]", "月白")
    page.fill("[name=colour-0-name_en]", "Moon white")
    page.locator("[data-column=price]").first.fill("399")
    for number, (name, english) in enumerate((("绛紫", "Mulberry"), ("黛", "Slate")), start=1):
        page.click("[data-add=colour]")
        page.fill(f"[name=colour-{number}-name]", name)
        page.fill(f"[name=colour-{number}-name_en]", english)
    expect(page.locator("tr[data-row]")).to_have_count(12)
    price = page.locator("[data-column=price]").first
    price.press("Control+d")
    expect(page.locator("[data-column=price]").last).to_have_value("399")
    stock = page.locator("[data-column^=stock]").first
    stock.fill("7")
    stock.press("Control+d")
    stock.press("Enter")
    second = page.locator("[data-row='1'] [data-column^=stock]").first
    expect(second).to_be_focused()
    second.fill("3")
    check_ean(page)
    person.audit()
    for price in page.locator("[data-column=price]").all():
        price.focus()
        number, keys = price.bounding_box(), page.locator(".grid__keys").bounding_box()
        assert number
        assert keys
        assert number["y"] + number["height"] <= keys["y"], "what has the focus lies behind the keys at the foot"
    page.click("[data-save]")


def check_ean(page: Page) -> None:
    """A wrong digit is said while it is typed."""
    ean = page.locator("[data-column=ean]").first
    ean.fill("6901234567890")
    expect(ean).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-ean-error]").first).not_to_be_empty()
    ean.fill("6901234567892")
    expect(ean).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-ean-error]").first).to_be_empty()


def add_pictures(person: Somebody, pictures: list[Path]) -> None:
    page = person.page
    page.wait_for_url("**/pictures/")
    page.set_input_files("[name=pictures]", pictures)
    expect(page.locator(".pictures__one")).to_have_count(3)
    person.audit()


@SCREENS
def test_the_first_garment_is_on_sale_after_five_pages(
    stack: Stack, browser: Browser, pictures: list[Path], size: dict[str, int], language: str
) -> None:
    merchant = somebody(browser, stack.web_url, size=size, language=language)
    visited: list[str] = []
    merchant.page.on("framenavigated", lambda frame: visited.append(frame.url))
    name = f"云裳 {uuid.uuid4().hex[:6]}"
    sign_up(merchant, "林晚")
    slug = open_shop(merchant, name, f"Cloud Silk {uuid.uuid4().hex[:6]}")
    enter_style(merchant, "月光真丝衬衫", "SR-2401")
    fill_grid(merchant)
    add_pictures(merchant, pictures)
    page = merchant.page
    page.click(".ready button")
    expect(page.locator(".bench__title .badge")).to_have_class(re.compile("badge--good"))
    steps = [url for url in dict.fromkeys(visited) if "/workbench/" in url]
    assert len(steps) <= 6, steps
    merchant.audit()

    buyer = somebody(browser, stack.web_url, size=size, language=language)
    buyer.go(f"/shop/{slug}/")
    buyer.audit()
    buyer.page.click(".tile__name a")
    buyer.audit()
    cells = buyer.page.locator(".stockgrid .cell")
    expect(cells).to_have_count(12)
    assert cells.nth(0).inner_text().split()[0] == "7"
    assert cells.nth(1).inner_text().split()[0] == "3"
    choose_without_a_jump(buyer.page)
    expect(buyer.page.locator("img").first).to_have_js_property("complete", True)
    assert buyer.page.evaluate("document.querySelector('.gallery img').naturalWidth") > 0
    buyer.end()
    merchant.end()


def choose_without_a_jump(page: Page) -> None:
    """What one is about to press stays where it is when a size is chosen, else the first press of it is lost."""
    key = page.locator("[data-buy]")
    before = key.bounding_box()
    page.locator(".stockgrid .cell").nth(1).click()
    expect(page.locator(".stockgrid input:checked")).to_have_count(1)
    expect(page.locator(".stockgrid input:checked")).to_be_focused()
    assert key.bounding_box() == before


@SCREENS
def test_the_house_in_the_afternoon(
    stack: Stack, browser: Browser, pictures: list[Path], size: dict[str, int], language: str
) -> None:
    """Counting and moving with undo, an invitation that a second person takes, a show with a deal."""
    merchant = somebody(browser, stack.web_url, size=size, language=language)
    sign_up(merchant, "林晚")
    slug = open_shop(merchant, "云裳", f"Cloud Silk {uuid.uuid4().hex[:6]}")
    enter_style(merchant, "月光真丝衬衫", "SR-2401")
    fill_grid(merchant)
    add_pictures(merchant, pictures)
    page = merchant.page
    page.click(".ready button")
    page.wait_for_load_state()
    work = f"/workbench/{slug}/"

    merchant.go(work)
    merchant.audit()
    count_and_undo(merchant, f"{work}stock/")
    merchant.go(f"{work}stock/movements/")
    merchant.audit()
    expect(page.locator("tbody tr")).to_have_count(14)
    move_and_undo(merchant, work)
    remove_a_picture_and_undo(merchant, f"{work}styles/")
    change_the_logo(merchant, f"{work}settings/", pictures[1])

    invite(merchant, browser, stack.web_url, f"{work}staff/", size, language)
    plan_show(merchant, f"{work}shows/new/")
    for part in ("styles/", "orders/", "settings/", "shows/"):
        merchant.go(work + part)
        merchant.audit()
    merchant.go("/account/")
    merchant.audit()
    merchant.end()


def count_and_undo(merchant: Somebody, address: str) -> None:
    page = merchant.page
    merchant.go(address)
    merchant.audit()
    page.fill("#q", "mulberry-s")
    expect(page.locator("tbody tr")).to_have_count(1)
    number = page.locator(".countlink").first
    expect(number).to_contain_text("7")
    number.click()
    page.fill("#cell [name=counted]", "5")
    page.locator("#cell [type=submit]").click()
    expect(page.locator(".countlink").first).to_contain_text("5")
    expect(page.locator("#cell")).not_to_be_visible()
    page.locator(".toast button").click()
    expect(page.locator(".countlink").first).to_contain_text("7")


def move_and_undo(merchant: Somebody, work: str) -> None:
    """Three taps from the first page to the numbers; typed with keys, sent, taken back."""
    page = merchant.page
    merchant.go(work)
    page.click(".bench__links a[href$='/stock/']")
    page.click("a[href$='/stock/move/']")
    merchant.audit()
    page.locator(".stylelist__door").first.click()
    merchant.audit()
    numbers = page.locator("[data-free]")
    expect(numbers).to_have_count(12)
    numbers.first.fill("2")
    numbers.first.press("Enter")
    expect(numbers.nth(1)).to_be_focused()
    page.keyboard.type("3")
    places = [option.get_attribute("value") for option in page.locator("[name=start] option").all()]
    assert len(places) == 2
    page.select_option("[name=start]", places[1])
    expect(page.locator("[name=end]")).to_have_value(str(places[0]))
    expect(numbers.first).to_have_attribute("data-free", "0")
    expect(numbers.first).to_have_value("2")
    page.click("[data-move-send]")
    expect(page.locator(".move__error")).to_have_count(2)
    expect(numbers.first).to_be_focused()
    merchant.audit()
    # A browser takes the refused form's status for an error worth a line.
    assert ["422" in line for line in merchant.complaints] == [True]
    merchant.complaints.clear()
    page.select_option("[name=end]", places[1])
    expect(page.locator("[name=start]")).to_have_value(str(places[0]))
    expect(numbers.first).to_have_attribute("data-free", "7")
    expect(page.locator("[data-move-count]")).to_have_text("5")
    page.click("[data-move-send]")
    page.wait_for_url("**/stock/move/*/?start=*")
    expect(numbers.first).to_have_attribute("data-free", "5")
    merchant.audit()
    page.locator(".toast button").click()
    expect(numbers.first).to_have_attribute("data-free", "7")


def remove_a_picture_and_undo(merchant: Somebody, address: str) -> None:
    page = merchant.page
    merchant.go(address)
    page.locator(".stylelist__name").first.click()
    page.click(".tabs a[href$='/pictures/']")
    first = page.locator(".pictures__one img").first
    cover = first.get_attribute("src")
    page.locator("form[action$='/remove/'] button").first.click()
    expect(page.locator(".pictures__one")).to_have_count(2)
    page.locator(".toast button").click()
    expect(page.locator(".pictures__one")).to_have_count(3)
    assert first.get_attribute("src") == cover
    page.locator(".pictures__cover").last.click()
    expect(first).not_to_have_attribute("src", str(cover))
    merchant.audit()


def change_the_logo(merchant: Somebody, address: str, picture: Path) -> None:
    page = merchant.page
    merchant.go(address)
    page.set_input_files("[name=logo]", picture)
    page.locator("form[action$='/logo/'] [type=submit]").click()
    expect(page.locator(".bench__menu img.mark")).to_have_js_property("complete", True)
    assert page.evaluate("document.querySelector('.bench__menu img.mark').naturalWidth") == 400
    merchant.audit()


def invite(merchant: Somebody, browser: Browser, base: str, address: str, size: dict[str, int], language: str) -> None:
    page = merchant.page
    merchant.go(address)
    page.fill("[name=contact]", "Zhou")
    page.locator("input[name=role][value=host]").check()
    page.locator("form[action$='/invite/'] [type=submit]").click()
    link = page.locator("#link-text").input_value()
    merchant.audit()
    host = somebody(browser, base, size=size, language=language)
    host.page.goto(link)
    host.page.wait_for_url("**/accounts/login/**")
    host.page.click("main a[href*=signup]")
    host.page.fill("[name=name]", "Zhou")
    host.page.fill("[name=contact]", f"{uuid.uuid4().hex[:12]}@example.com")
    host.page.fill("[name=password1]", PASSWORD)
    host.page.click("main button[type=submit]")
    host.page.wait_for_url(link)
    host.audit()
    host.page.click("main button[type=submit]")
    host.page.wait_for_url("**/workbench/*/")
    expect(host.page.locator(".bench__links a[href$='/shows/']")).to_be_visible()
    expect(host.page.locator(".bench__links a[href$='/staff/']")).to_have_count(0)
    host.end()
    # A person who no longer works here is asked about once, and "no" changes nothing.
    merchant.go(address)
    expect(page.locator(".people__one")).to_have_count(2)
    page.locator(".people__one form[action$='/remove/'] button").last.click()
    page.locator("#ask [data-no]").click()
    expect(page.locator(".people__one")).to_have_count(2)
    page.locator(".people__one form[action$='/remove/'] button").last.click()
    page.locator("#ask [data-yes]").click()
    expect(page.locator(".people__one")).to_have_count(1)


def plan_show(merchant: Somebody, address: str) -> None:
    page = merchant.page
    merchant.go(address)
    merchant.audit()
    page.fill("[name=title]", "秋夜丝绸专场")
    page.fill("[name=planned_at]", "2031-05-01T20:00")
    page.locator("[data-rest] [data-in]").first.click()
    page.click(".grid__keys button")
    page.wait_for_url(re.compile(r"/shows/[0-9A-Z]{10}/$"))
    page.fill("[name=price]", "299")
    page.fill("[name=cap]", "20")
    page.locator("form[action$='/deals/'] [type=submit]").click()
    expect(page.locator(".deals__one")).to_have_count(1)
    merchant.audit()
    room = page.locator("#room-link").input_value()
    page.click("a[href*='/studio/']")
    page.wait_for_url("**/studio/")
    answer = page.goto(room)
    assert answer
    assert answer.ok
