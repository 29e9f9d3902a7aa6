"""Money that goes back: by the shop's own wish, and when the provider does not take it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob
from structlog.testing import capture_logs

from silkroom.accounts.models import Person
from silkroom.inventory.queries import differences
from silkroom.journal.models import Entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.sales.desk.door import Desk
from silkroom.sales.offers.models import Offer, OfferUse
from silkroom.sales.orders.errors import OrderMoved
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.services import lock_order, pay_order
from silkroom.sales.payments.errors import NothingToRefund
from silkroom.sales.payments.jobs import carry_out_refund
from silkroom.sales.payments.models import Payment, Refund, SandboxCharge
from silkroom.sales.payments.rules import REFUND_AGAIN_AFTER_SECONDS
from silkroom.sales.payments.sandbox import SandboxProvider
from silkroom.sales.payments.services import (
    refund_paid_order,
    settle_silent_payment,
    start_payment,
    try_refunds_again,
)
from silkroom.shops.services import add_staff
from silkroom.shops.states import Role
from tests.sales.stocked import StockedShop, ask_for, make_member, make_offer, make_people, make_shop, stock_row


class Sold:
    """Two pieces of five, at the price of an offer, paid."""

    def __init__(self, desk: Desk) -> None:
        self.stocked: StockedShop = make_shop(pieces=5)
        self.buyer = make_people(1)[0]
        self.clerk = make_member("Clerk")
        add_staff(shop=self.stocked.shop, person=self.clerk, role=Role.CLERK)
        self.offer = make_offer(self.stocked, piece_cap=3, person_limit=2)
        self.number = desk.place_blocking(ask_for(self.stocked, self.buyer, 2, offer=self.offer)).number
        self.payment = start_payment(person=self.buyer, number=self.number, provider=SandboxProvider()).payment
        SandboxCharge.objects.update(state="paid")
        settle_silent_payment(payment_id=self.payment.pk, attempt=1)
        assert self.state == "paid"

    @property
    def state(self) -> str:
        return Order.objects.get(number=self.number).state

    def refund(self, *, back_to_stock: bool = True) -> Refund:
        with transaction.atomic():
            return refund_paid_order(
                shop=self.stocked.shop,
                number=self.number,
                by=self.clerk,
                note="A seam is open",
                back_to_stock=back_to_stock,
            )


@pytest.fixture
def sold(desk: Desk) -> Sold:
    return Sold(desk)


def waiting_jobs() -> list[int]:
    found = ProcrastinateJob.objects.filter(task_name="sales.carry_out_refund").order_by("id")
    return [one.args["refund_id"] for one in found]


def test_a_refund_sends_money_and_pieces_back_once(sold: Sold) -> None:
    assert stock_row(sold.stocked) == (3, 0)
    refund = sold.refund()
    assert sold.refund() == refund
    assert (refund.amount_minor, refund.reason, refund.by, refund.is_done) == (19800, "shop", sold.clerk, False)
    assert sold.state == "refunded"
    assert waiting_jobs() == [refund.pk]
    assert stock_row(sold.stocked) == (5, 0)
    assert Offer.objects.get().taken == 0
    assert OfferUse.objects.get().quantity == 0
    assert Entry.objects.filter(kind="order.refunded").count() == 1
    carry_out_refund(refund_id=refund.pk)
    carry_out_refund(refund_id=refund.pk)
    assert SandboxCharge.objects.get().refunded_minor == 19800
    assert Payment.objects.get().state == "refunded"
    assert differences() == []


def test_pieces_that_the_buyer_has_do_not_come_back(sold: Sold) -> None:
    sold.refund(back_to_stock=False)
    assert sold.state == "refunded"
    assert stock_row(sold.stocked) == (3, 0)
    assert Offer.objects.get().taken == 2
    assert differences() == []


def test_only_a_paid_order_of_the_shop_is_refunded(sold: Sold, desk: Desk) -> None:
    with pytest.raises(NotFound), transaction.atomic():
        refund_paid_order(shop=make_shop().shop, number=sold.number, by=sold.clerk, note="x", back_to_stock=True)
    sold.number = desk.place_blocking(ask_for(sold.stocked, sold.buyer)).number
    with pytest.raises(OrderMoved):
        sold.refund()
    with transaction.atomic():
        pay_order(order=lock_order(order_id=Order.objects.get(number=sold.number).pk))
    with pytest.raises(NothingToRefund):
        sold.refund()
    assert Refund.objects.count() == 0
    assert sold.state == "paid"


def test_money_that_came_twice_has_its_own_refund(sold: Sold) -> None:
    twice = Payment.objects.create(
        order=Order.objects.get(number=sold.number), provider="sandbox", reference="TWICE", amount_minor=19800,
        currency="CNY", state="succeeded", expires_at=now() + timedelta(minutes=5),
    )  # fmt: skip
    Refund.objects.create(payment=twice, key="paid_twice:TWICE", amount_minor=19800, reason="paid_twice")
    assert sold.refund().payment == sold.payment


@pytest.fixture
def refuse(sold: Sold) -> Callable[[], Refund]:
    """The provider knows nothing of the payment any more, and refuses the refund until the tries are used up."""

    def until_given_up() -> Refund:
        refund = sold.refund()
        SandboxCharge.objects.update(reference="LOST")
        for _ in range(len(REFUND_AGAIN_AFTER_SECONDS) + 1):
            carry_out_refund(refund_id=refund.pk)
        refund.refresh_from_db()
        return refund

    return until_given_up


def test_a_refund_that_the_provider_does_not_take_is_tried_later_and_then_told(
    sold: Sold, refuse: Callable[[], Refund]
) -> None:
    with capture_logs() as told:
        refund = refuse()
    tries = len(REFUND_AGAIN_AFTER_SECONDS)
    assert (refund.failures, refund.given_up_at is not None, refund.is_done) == (tries + 1, True, False)
    assert waiting_jobs() == [refund.pk] * (tries + 1), "nobody tries again by itself"
    assert [one["log_level"] for one in told] == ["warning"] * tries + ["error"]
    for again in (1, 0):
        with transaction.atomic():
            assert try_refunds_again(shop=sold.stocked.shop, number=sold.number) == again
    assert waiting_jobs() == [refund.pk] * (tries + 2)
    SandboxCharge.objects.update(reference=sold.payment.reference)
    carry_out_refund(refund_id=refund.pk)
    refund.refresh_from_db()
    assert (refund.is_done, refund.given_up_at) == (True, None)


def browser_of(person: Person) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_shop_refunds_on_the_page_of_the_order(sold: Sold) -> None:
    clerk, page = browser_of(sold.clerk), f"/workbench/{sold.stocked.shop.slug}/orders/{sold.number}/"
    assert f"{page}refund/" in clerk.get(page).content.decode()
    asked = clerk.get(f"{page}refund/").content.decode()
    assert "Send ¥198 back to guest 0?" in asked
    assert sold.state == "paid", "asking changes nothing"
    assert clerk.post(f"{page}refund/", {"back_to_stock": "on"}).status_code == 422, "without a reason"
    for _ in range(2):
        answer = clerk.post(f"{page}refund/", {"note": "A seam is open", "back_to_stock": "on"})
        assert (answer.status_code, answer["Location"]) == (302, page)
    assert Refund.objects.count() == 1
    told = clerk.get(page).content.decode()
    assert "The money is on its way back." in told
    assert "Reason: A seam is open" in told
    assert f"{page}refund/" not in told
    assert clerk.get(f"{page}refund/")["Location"] == page
    buyer = browser_of(sold.buyer).get(f"/orders/{sold.number}/").content.decode()
    assert "The shop has refunded this order. Reason: A seam is open Your money is on its way back." in buyer


def test_a_refund_that_is_stuck_is_told_to_shop_and_buyer(sold: Sold, refuse: Callable[[], Refund]) -> None:
    clerk, orders = browser_of(sold.clerk), f"/workbench/{sold.stocked.shop.slug}/orders/"
    assert "Refund stuck" not in clerk.get(orders).content.decode()
    refuse()
    assert clerk.get(orders).content.decode().count("Refund stuck") == 2, "its badge, and a filter"
    only = clerk.get(orders, {"state": "refund-stuck"})
    assert [row["order"].number for row in only.context["rows"]] == [sold.number]
    page = f"{orders}{sold.number}/"
    assert "The money could not be sent back" in clerk.get(page).content.decode()
    assert "could not be sent back yet" in browser_of(sold.buyer).get(f"/orders/{sold.number}/").content.decode()
    assert clerk.post(f"{page}refund/again/").status_code == 302
    assert Refund.objects.get().given_up_at is None
    assert "The money is on its way back." in clerk.get(page).content.decode()


def test_who_only_packs_sees_the_order_and_cannot_refund(sold: Sold) -> None:
    packer = make_member("Packer")
    add_staff(shop=sold.stocked.shop, person=packer, role=Role.WAREHOUSE)
    page = f"/workbench/{sold.stocked.shop.slug}/orders/{sold.number}/"
    shown = browser_of(packer).get(page)
    assert shown.status_code == 200
    assert "refund" not in shown.content.decode()
    assert browser_of(packer).post(f"{page}refund/", {"note": "x"}).status_code == 404
