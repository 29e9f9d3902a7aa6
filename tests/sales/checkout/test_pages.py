"""A buyer's pages: own orders only, a fixed number of queries, every button once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client

from silkroom.accounts.models import Person
from silkroom.catalog.models import Variant
from silkroom.kit.clock import now
from silkroom.sales.checkout.services import place_web_order
from silkroom.sales.desk.door import Desk, OrderLineRequest
from silkroom.sales.orders.models import Order, OrderLine
from silkroom.sales.payments.models import Payment, Refund, SandboxCharge
from silkroom.shops.models import Shop
from tests.house import PASSWORD, make_person
from tests.sales.stocked import StockedShop, ask_for, make_member, make_shop, stock_row

JSON = {"Accept": "application/json"}


class Bought:
    """A member with a held order of two pieces, signed in."""

    def __init__(self, desk: Desk) -> None:
        self.stocked: StockedShop = make_shop(pieces=5)
        self.person: Person = make_member()
        self.number = desk.place_blocking(ask_for(self.stocked, self.person, 2)).number
        self.client = Client(headers={"Accept-Language": "en"})
        self.client.force_login(self.person)

    def url(self, tail: str = "") -> str:
        return f"/orders/{self.number}/{tail}"

    @property
    def order(self) -> Order:
        return Order.objects.get(number=self.number)


@pytest.fixture
def bought(desk: Desk) -> Bought:
    return Bought(desk)


def test_the_page_shows_the_order(bought: Bought, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(8):
        response = bought.client.get(bought.url())
    assert response.status_code == 200
    text = response.content.decode()
    assert bought.number in text
    assert "¥398" in text
    assert f'action="{bought.url("pay")}"' in text


def test_the_number_of_queries_does_not_grow_with_the_order(
    bought: Bought, desk: Desk, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        desk.place_blocking(ask_for(bought.stocked, bought.person, 1))
    OrderLine.objects.update(order=bought.order)
    with django_assert_num_queries(8):
        text = bought.client.get(bought.url()).content.decode()
    assert text.count("lines__one") == 4


def test_state_as_json(bought: Bought, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(7):
        state = bought.client.get(bought.url("state"), headers=JSON).json()
    assert {**state, "now_ms": 0, "holds_until_ms": 0} == {
        "number": bought.number,
        "state": "held",
        "total_minor": 39800,
        "currency": "CNY",
        "holds_until_ms": 0,
        "paying_until_ms": None,
        "may_pay": True,
        "may_cancel": True,
        "payment": None,
        "refund": None,
        "now_ms": 0,
    }


@pytest.mark.parametrize(
    ("method", "tail"),
    [("get", ""), ("get", "state"), ("post", "address"), ("post", "pay"), ("post", "cancel")],
)
def test_a_stranger_gets_404_everywhere(bought: Bought, method: str, tail: str) -> None:
    stranger = Client()
    stranger.force_login(make_member("stranger"))
    data = {"recipient": "x", "phone": "13800138000", "address": "y"} if method == "post" else {}
    theirs = getattr(stranger, method)(bought.url(tail), data)
    missing = getattr(stranger, method)(f"/orders/NOSUCH2345/{tail}", data)
    assert (theirs.status_code, missing.status_code) == (404, 404)
    assert bought.order.state == "held"
    assert Payment.objects.count() == 0


@pytest.mark.parametrize(("method", "tail"), [("get", "state"), ("post", "pay"), ("post", "cancel")])
def test_nobody_gets_404(bought: Bought, method: str, tail: str) -> None:
    assert getattr(Client(), method)(bought.url(tail)).status_code == 404


def test_the_page_asks_a_visitor_to_sign_in(bought: Bought) -> None:
    response = Client().get(bought.url())
    assert response.status_code == 302
    assert response["Location"].endswith(f"?next={bought.url()}")


@pytest.mark.parametrize("number", ["%00", "a b", "x" * 81, "..%2f..", "é"])
def test_numbers_that_cannot_be_are_not_found(bought: Bought, number: str) -> None:
    assert bought.client.get(f"/orders/{number}/").status_code == 404


def test_cancelling_gives_the_pieces_back(bought: Bought) -> None:
    response = bought.client.post(bought.url("cancel"))
    assert (response.status_code, response["Location"]) == (302, bought.url())
    assert bought.order.state == "cancelled"
    assert stock_row(bought.stocked) == (5, 0)
    again = bought.client.post(bought.url("cancel"), headers=JSON)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "order_moved")
    assert bought.client.get(bought.url()).status_code == 200


def test_paying_by_form_leads_to_the_sandbox_and_back(bought: Bought) -> None:
    started = bought.client.post(bought.url("pay"))
    payment = Payment.objects.get()
    page = f"/sandbox/{payment.reference}"
    assert (started.status_code, started["Location"]) == (302, page)
    shown = bought.client.get(page)
    assert shown.status_code == 200
    assert "¥398" in shown.content.decode()
    confirmed = bought.client.post(page, {"choice": "confirm"})
    assert (confirmed.status_code, confirmed["Location"]) == (302, bought.url())
    assert SandboxCharge.objects.get().state == "paid"
    again = bought.client.post(page, {"choice": "refuse"}, headers=JSON)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "charge_over")


def test_paying_by_script_answers_with_the_way_to_confirm(bought: Bought) -> None:
    started = bought.client.post(bought.url("pay"), headers=JSON)
    payment = Payment.objects.get()
    page = f"/sandbox/{payment.reference}"
    assert started.status_code == 201
    assert {**started.json(), "expires_at_ms": 0} == {
        "payment": payment.reference,
        "provider": "sandbox",
        "page_url": page,
        "confirm_url": page,
        "amount_minor": 39800,
        "currency": "CNY",
        "expires_at_ms": 0,
        "state_url": bought.url("state"),
    }
    confirmed = bought.client.post(page, b'{"choice": "confirm"}', content_type="application/json")
    assert confirmed.json() == {"payment": payment.reference, "state": "paid"}
    state = bought.client.get(bought.url("state")).json()
    assert (state["may_cancel"], state["payment"]["state"]) == (False, "under_way")
    assert state["paying_until_ms"] is not None


def test_a_script_may_refuse(bought: Bought) -> None:
    bought.client.post(bought.url("pay"))
    page = f"/sandbox/{Payment.objects.get().reference}"
    refused = bought.client.post(page, b'{"choice": "refuse"}', content_type="application/json")
    assert refused.json()["state"] == "closed"
    assert SandboxCharge.objects.get().state == "closed"


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"choice": "maybe"}', b"\xff"])
def test_another_choice_is_malformed(bought: Bought, content: bytes) -> None:
    bought.client.post(bought.url("pay"))
    page = f"/sandbox/{Payment.objects.get().reference}"
    response = bought.client.post(page, content, content_type="application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "malformed")
    assert bought.client.post(page, {"choice": ""}).status_code == 400
    assert SandboxCharge.objects.get().state == "waiting"


def test_unknown_charges_and_providers_are_not_found(bought: Bought) -> None:
    assert bought.client.get("/sandbox/NOSUCH").status_code == 404
    assert bought.client.post("/payments/notify/nosuch", b"{}", content_type="application/json").status_code == 404


def test_a_notice_without_signature_is_refused(bought: Bought) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/payments/notify/sandbox", b"{}", content_type="application/json")
    assert (response.status_code, response.json()["error"]["code"]) == (403, "notice_forged")
    large = client.post("/payments/notify/sandbox", b"x" * 70000, content_type="application/json")
    assert (large.status_code, large.json()["error"]["code"]) == (400, "notice_malformed")


def test_pages_need_the_token_of_their_form(bought: Bought) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bought.person)
    for tail in ("pay", "cancel", "address"):
        assert client.post(bought.url(tail)).status_code == 403
    assert bought.order.state == "held"


def test_the_address_is_saved_and_shown(bought: Bought) -> None:
    data = {"recipient": "林晚", "phone": "138 0013 8000", "address": "杭州市北山街 1 号"}
    assert bought.client.post(bought.url("address"), data).status_code == 302
    order = bought.order
    assert (order.recipient, order.phone, order.address) == ("林晚", "+8613800138000", "杭州市北山街 1 号")
    assert "杭州市北山街 1 号" in bought.client.get(bought.url()).content.decode()
    assert bought.client.get(bought.url("address")).status_code == 302


@pytest.mark.parametrize(
    "changes", [{"phone": "12"}, {"phone": "+86138001380001380013800"}, {"recipient": ""}, {"address": "x" * 241}]
)
def test_an_address_that_cannot_be_is_not_saved(bought: Bought, changes: dict[str, str]) -> None:
    data = {"recipient": "林晚", "phone": "13800138000", "address": "杭州", **changes}
    assert bought.client.post(bought.url("address"), data).status_code == 400
    assert bought.order.address == ""


def test_a_lapsed_order_says_so(bought: Bought) -> None:
    Order.objects.update(state="lapsed", ended_at=now())
    response = bought.client.get(bought.url())
    assert response.status_code == 200
    assert "No longer held" in response.content.decode()
    late = bought.client.post(bought.url("pay"), headers=JSON)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "order_moved")


@pytest.mark.parametrize(
    ("reason", "is_done", "words"),
    [
        ("late", False, ["the pieces had gone to others", "on its way back"]),
        ("late", True, ["the pieces had gone to others", "has been sent back"]),
        ("paid_twice", False, ["This order was paid twice", "on its way back"]),
    ],
)
def test_money_that_goes_back_is_told_with_its_reason(
    bought: Bought, reason: str, is_done: bool, words: list[str]
) -> None:
    bought.client.post(bought.url("pay"))
    payment = Payment.objects.get()
    Refund.objects.create(payment=payment, key="k", amount_minor=39800, reason=reason, is_done=is_done)
    Order.objects.update(state="refunded", ended_at=now())
    text = bought.client.get(bought.url()).content.decode()
    assert [word in text for word in words] == [True, True]
    assert bought.client.get(bought.url("state")).json()["refund"] == {"reason": reason, "is_done": is_done}


# --- buying from a style's page -----------------------------------------------------------------------


@pytest.fixture
def shopper(web_desk: None) -> tuple[Client, StockedShop, Person]:
    stocked, member = make_shop(pieces=5), make_member()
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(member)
    return client, stocked, member


def form(of: Variant, **changes: Any) -> dict[str, Any]:
    return {"key": str(uuid4()), "variant": of.pk, "quantity": 1, "price_minor": of.price_minor, **changes}


def test_a_style_page_orders(shopper: tuple[Client, StockedShop, Person]) -> None:
    client, stocked, member = shopper
    data = form(stocked.variant, quantity=2)
    first = client.post("/checkout/", data)
    again = client.post("/checkout/", data)
    order = Order.objects.get()
    assert first["Location"] == again["Location"] == f"/orders/{order.number}/"
    assert (order.person, order.channel, order.total_minor) == (member, "web", 39800)
    assert stock_row(stocked) == (5, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": 6},
        {"quantity": 0},
        {"quantity": ""},
        {"variant": 2**62},
        {"key": "no"},
        {"price_minor": 1},
        {"currency": "JPY"},
    ],
)
def test_what_cannot_be_bought_leads_back_with_a_sentence(
    shopper: tuple[Client, StockedShop, Person], changes: dict[str, Any]
) -> None:
    client, stocked, _ = shopper
    data = form(stocked.variant, **changes)
    response = client.post("/checkout/", data, headers={"Referer": "http://testserver/design/?a=b&variant=1"})
    page = f"http://testserver/design/?a=b&variant={data['variant']}"
    assert (response.status_code, response["Location"]) == (302, page)
    assert Order.objects.count() == 0
    assert "notice" in client.get("/design/").content.decode()


def test_the_way_back_leads_to_no_other_house(shopper: tuple[Client, StockedShop, Person]) -> None:
    client, stocked, _ = shopper
    data = form(stocked.variant, quantity=0, next="https://elsewhere.example/")
    assert client.post("/checkout/", data)["Location"] == "/"


@pytest.mark.parametrize("changes", [{}, {"name": "Bo", "sign_in": "yes", "price_minor": ""}])
def test_a_visitor_who_signs_in_comes_back_to_what_was_chosen(web_desk: None, changes: dict[str, str]) -> None:
    stocked = make_shop(pieces=5, variants=2)
    page = f"/style/{stocked.style.code}/"
    second = stocked.variants[1].pk
    visitor, member = Client(headers={"accept-language": "en"}), make_person()
    answer = visitor.post("/checkout/", form(stocked.variants[1], next=page, **changes))
    assert Order.objects.count() == 0
    entrance = visitor.get(answer["Location"])
    back = entrance.context["redirect_field_value"]
    assert back == f"{page}?variant={second}#buy"
    signed_in = visitor.post("/accounts/login/", {"login": member.email, "password": PASSWORD, "next": back})
    assert signed_in["Location"] == back
    assert chosen_on(visitor, back) == [str(second)]


def chosen_on(client: Client, page: str) -> list[str]:
    return re.findall(r'name="variant" value="(\d+)"[^>]* checked', client.get(page).content.decode())


def test_a_size_that_is_sold_out_is_not_chosen_any_more(web_desk: None) -> None:
    stocked = make_shop(pieces=1)
    page = f"/style/{stocked.style.code}/?variant={stocked.variant.pk}"
    assert chosen_on(Client(), page) == [str(stocked.variant.pk)]
    place_web_order(person_id=make_member().pk, key=uuid4(), lines=[OrderLineRequest(stocked.variant.pk, 1)])
    assert chosen_on(Client(), page) == []
    assert chosen_on(Client(), page.replace(str(stocked.variant.pk), "no-number")) == []


def test_a_visitor_buys_with_a_name_and_the_order_is_theirs_alone(web_desk: None) -> None:
    stocked = make_shop(pieces=5)
    visitor, other = (Client(headers={"accept-language": "en"}) for _ in range(2))
    assert 'name="name"' in visitor.get(f"/style/{stocked.style.code}/").content.decode()
    answer = visitor.post("/checkout/", form(stocked.variant, name="  Bo "))
    order = Order.objects.select_related("person").get()
    assert (order.person.name, order.person.is_guest) == ("Bo", True)
    assert answer["Location"] == f"/orders/{order.number}/"
    assert visitor.get(answer["Location"]).status_code == 200
    assert 'name="name"' not in visitor.get(f"/style/{stocked.style.code}/").content.decode()
    assert other.get(answer["Location"]).status_code == 302
    other.post("/checkout/", form(stocked.variant, name="Bo"))
    assert other.get(answer["Location"]).status_code == 404, "another guest, though of the same name"


def test_a_visitor_who_presses_twice_at_once_buys_once(web_desk: None) -> None:
    stocked = make_shop(pieces=5)
    data = form(stocked.variant, name="Bo")

    def press() -> str:
        try:
            # Neither press knows the session that the other one begins.
            return Client().post("/checkout/", data)["Location"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as threads:
        pages = {one.result() for one in [threads.submit(press) for _ in range(3)]}
    assert pages == {f"/orders/{Order.objects.get().number}/"}
    assert Person.objects.filter(is_guest=True).count() == 1


@pytest.mark.parametrize("name", ["\u200b", "x" * 21, "Silk House", " silk house "])
def test_no_guest_is_let_in_by_a_name_that_cannot_be_theirs(web_desk: None, name: str) -> None:
    stocked = make_shop(pieces=5)
    Shop.objects.update(name="Silk House")
    answer = Client().post("/checkout/", form(stocked.variant, name=name, next="/design/"))
    assert answer["Location"] == f"/design/?variant={stocked.variant.pk}"
    assert (Order.objects.count(), Person.objects.count()) == (0, 0)


def test_a_page_that_waits_shows_the_time_left(bought: Bought) -> None:
    Order.objects.update(holds_until=now() + timedelta(seconds=30))
    state = bought.client.get(bought.url("state")).json()
    assert 20_000 < state["holds_until_ms"] - state["now_ms"] <= 30_000


def test_without_a_provider_the_page_says_so_and_nothing_is_begun(bought: Bought, settings: Any) -> None:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, sandbox_payments=False)
    sentence = "Paying is not set up here yet."
    page = bought.client.get(bought.url(), headers={"accept-language": "en"}).content.decode()
    assert sentence in page
    assert bought.url("pay") not in page
    answer = bought.client.post(bought.url("pay"), headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "payment_not_set_up")
