"""POST /api/orders: who may order, what is refused, and how many queries it takes."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.test import Client

from silkroom.accounts.tickets import issue_ticket
from silkroom.config.processes.gateway.messages import Invalid, read_message
from silkroom.kit.errors import Refusal
from silkroom.sales.checkout.api import Line
from silkroom.sales.checkout.forms import BuyForm
from silkroom.sales.desk.core import check_request
from silkroom.sales.desk.door import OrderLineRequest, OrderRequest
from silkroom.sales.orders.models import Order
from tests.sales.stocked import CHANNEL, StockedShop, make_member, make_offer, make_people, make_shop, stock_row

pytestmark = pytest.mark.usefixtures("web_desk")

URL = "/api/orders"


def body(stocked: StockedShop, **changes: Any) -> dict[str, Any]:
    line = {"variant": stocked.variant.pk, "quantity": 1}
    return {"key": str(uuid4()), "lines": [line], **changes}


def send(client: Client, content: Any, ticket: str = "", **headers: str) -> Any:
    raw = content if isinstance(content, (str, bytes)) else json.dumps(content)
    if ticket:
        headers["authorization"] = f"Ticket {ticket}"
    return client.post(URL, raw, content_type="application/json", headers=headers)


def ticket_of(stocked: StockedShop, person_id: int | None, *, purpose: str = "room", **changes: Any) -> str:
    payload = {"p": person_id, "s": stocked.shop.pk, "c": CHANNEL, "n": "guest", **changes}
    return issue_ticket(purpose, payload, lifetime=timedelta(minutes=10))


@pytest.mark.parametrize(("pieces", "taken"), [(0, False), (1, True), (9, True), (10, False)])
def test_all_doors_and_forms_take_as_many_pieces_of_a_garment(pieces: int, taken: bool) -> None:
    key = uuid4()
    told = dict.fromkeys(["desk", "http", "room"], False)
    with suppress(Refusal):
        check_request(OrderRequest(1, 1, "web", key, (OrderLineRequest(1, pieces),)))
        told["desk"] = True
    with suppress(msgspec.ValidationError):
        msgspec.convert({"variant": 1, "quantity": pieces}, Line)
        told["http"] = True
    with suppress(Invalid):
        read_message(json.dumps({"type": "buy", "key": str(key), "variant": 1, "quantity": pieces}))
        told["room"] = True
    told["form"] = BuyForm({"key": key, "variant": 1, "quantity": pieces}).is_valid()
    assert set(told.values()) == {taken}, told


def test_a_ticket_orders_without_a_query_beside_the_desks_own(client: Client, django_assert_num_queries: Any) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    offer = make_offer(stocked)
    ticket = ticket_of(stocked, buyer.pk)
    line = {"variant": stocked.variant.pk, "quantity": 2, "offer": offer.pk, "price_minor": 9900}
    with django_assert_num_queries(0):
        response = send(client, body(stocked, lines=[line]), ticket)
    assert response.status_code == 201
    order = Order.objects.get()
    assert response.json() == {
        "number": order.number,
        "total_minor": 19800,
        "currency": "CNY",
        "holds_until_ms": response.json()["holds_until_ms"],
        "state": "held",
        "url": f"/orders/{order.number}/",
        "pay_url": f"/orders/{order.number}/pay",
        "repeated": False,
    }
    assert (order.person, order.channel) == (buyer, CHANNEL)


def test_a_repeat_answers_with_the_same_order(client: Client) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    content, ticket = body(stocked), ticket_of(stocked, buyer.pk)
    first, again = send(client, content, ticket), send(client, content, ticket)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {**first.json(), "repeated": True}
    assert stock_row(stocked) == (5, 1)


def test_a_session_orders_with_its_token(django_assert_num_queries: Any) -> None:
    stocked, member = make_shop(pieces=5), make_member()
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)
    refused = send(client, body(stocked))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "origin_refused")
    token = client.get("/health").cookies.get("csrftoken")
    assert token is None
    client.cookies["csrftoken"] = "a" * 32
    with django_assert_num_queries(3):
        response = send(client, body(stocked), **{"X-CSRFToken": "a" * 32})
    assert response.status_code == 201
    order = Order.objects.get()
    assert (order.person, order.channel, order.shop) == (member, "web", stocked.shop)


def test_nobody_orders_without_a_name(client: Client) -> None:
    stocked = make_shop(pieces=5)
    nobody = send(client, body(stocked))
    assert (nobody.status_code, nobody.json()["error"]["code"]) == (401, "sign_in_first")
    watcher = send(client, body(stocked), ticket_of(stocked, None))
    assert (watcher.status_code, watcher.json()["error"]["code"]) == (403, "name_first")
    assert Order.objects.count() == 0


def test_tickets_of_other_kinds_are_refused(client: Client) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    payload = {"p": buyer.pk, "s": stocked.shop.pk, "c": CHANNEL}
    tickets = {
        "ticket_expired": [issue_ticket("room", payload, lifetime=timedelta(seconds=-1))],
        "ticket_invalid": [
            ticket_of(stocked, buyer.pk, purpose="watch"),
            ticket_of(stocked, buyer.pk)[:-1] + "x",
            ticket_of(stocked, buyer.pk, s="1"),
            ticket_of(stocked, buyer.pk, c=None),
            ticket_of(stocked, buyer.pk, p=True),
            "nonsense",
            "x" * 5000,
        ],
    }
    for code, texts in tickets.items():
        for text in texts:
            response = send(client, body(stocked), text)
            assert (response.status_code, response.json()["error"]["code"]) == (403, code), text
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        (b"[]", "body"),
        ({"key": "no", "lines": [{"variant": 1, "quantity": 1}]}, "key"),
        ({"lines": [{"variant": 1, "quantity": 1}]}, "body"),
        ({"key": str(uuid4()), "lines": []}, "lines"),
        ({"key": str(uuid4()), "lines": [{"variant": 1, "quantity": 1}] * 21}, "lines"),
        ({"key": str(uuid4()), "lines": [{"variant": 1, "quantity": 0}]}, "lines[0].quantity"),
        ({"key": str(uuid4()), "lines": [{"variant": 1, "quantity": 10}]}, "lines[0].quantity"),
        ({"key": str(uuid4()), "lines": [{"variant": "1", "quantity": 1}]}, "lines[0].variant"),
        ({"key": str(uuid4()), "lines": [{"variant": 2**63, "quantity": 1}]}, "lines[0].variant"),
        ({"key": str(uuid4()), "lines": [{"variant": 1, "quantity": 1.5}]}, "lines[0].quantity"),
        ({"key": str(uuid4()), "lines": [{"variant": 1, "quantity": 1, "free": True}]}, "lines[0]"),
        ({"key": str(uuid4()), "lines": [{"variant": 1, "quantity": 1}], "person": 1}, "body"),
    ],
)
def test_malformed_bodies_are_named(client: Client, content: Any, field: str) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    response = send(client, content, ticket_of(stocked, buyer.pk))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "malformed")
    assert response.json()["error"]["data"] == {"field": field}
    assert Order.objects.count() == 0


def test_bodies_are_bounded(client: Client) -> None:
    stocked, (buyer,) = make_shop(pieces=5), make_people(1)
    content = json.dumps(body(stocked)) + " " * 16384
    response = send(client, content, ticket_of(stocked, buyer.pk))
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")


def test_the_desks_refusals_reach_the_buyer_in_their_language(client: Client) -> None:
    stocked, (buyer,) = make_shop(pieces=1), make_people(1)
    line = {"variant": stocked.variant.pk, "quantity": 3}
    response = send(client, body(stocked, lines=[line]), ticket_of(stocked, buyer.pk), **{"Accept-Language": "en"})
    assert response.status_code == 409
    assert response.json() == {
        "error": {
            "code": "sold_out",
            "text": "There are not enough pieces left: 1.",
            "data": {"variant": stocked.variant.pk, "left": 1},
        }
    }


def test_a_ticket_of_one_shop_buys_nothing_in_another(client: Client) -> None:
    ours, theirs = make_shop(pieces=5), make_shop(pieces=5)
    (buyer,) = make_people(1)
    response = send(client, body(theirs), ticket_of(ours, buyer.pk))
    assert (response.status_code, response.json()["error"]["code"]) == (404, "variant_unknown")
    assert Order.objects.count() == 0


def test_only_post_is_answered(client: Client) -> None:
    assert client.get(URL).status_code == 405
