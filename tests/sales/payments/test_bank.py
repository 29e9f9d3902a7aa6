"""A transfer between banks: awaited for days, confirmed and sent back by the owner's hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from silkroom.inventory.models import Hold
from silkroom.journal.models import Entry
from silkroom.sales.desk.door import Desk
from silkroom.sales.orders.models import Order
from silkroom.sales.payments.jobs import ask_about_payment, carry_out_refund
from silkroom.sales.payments.models import Refund
from silkroom.shops.services import add_staff
from silkroom.shops.states import Role
from tests.sales.stocked import ask_for, make_member, make_people

from .selling import Sale, browser_of

VALUES = {"holder": "Silk House Ltd", "bank": "Bank of Hangzhou", "number": "6222 0200 0000 1234", "days": "3"}


@pytest.fixture
def sale(desk: Desk) -> Sale:
    return Sale(desk, "bank", VALUES)


def page_of(sale: Sale) -> str:
    return f"/workbench/{sale.stocked.shop.slug}/payments/"


def test_a_transfer_keeps_the_pieces_until_the_owner_confirms_it(sale: Sale) -> None:
    assert sale.pay()["Location"] == f"/orders/{sale.number}/paying"
    page = sale.paying()
    for words in ("Silk House Ltd", "Bank of Hangzhou", "6222 0200 0000 1234", sale.number):
        assert words in page
    payment = sale.payment
    assert payment.expires_at - payment.created_at > timedelta(days=2, hours=23)
    assert Hold.objects.get().paying_until == payment.expires_at
    Order.objects.update(holds_until=payment.created_at)
    assert sale.lapse() == 0
    job = ProcrastinateJob.objects.get(task_name="sales.ask_about_payment")
    assert abs(job.scheduled_at - payment.expires_at) < timedelta(minutes=1), "nobody is asked for three days"
    owner = browser_of(sale.owner)
    assert sale.number in owner.get(page_of(sale)).content.decode()
    for _ in range(2):
        assert owner.post(f"{page_of(sale)}transfers/{payment.pk}/came/").status_code == 302
    assert sale.states == ("paid", ["succeeded"])
    assert sale.stock == (3, 0)
    assert sale.number not in owner.get(page_of(sale)).content.decode()
    told = Entry.objects.get(kind="payments.transfer_confirmed")
    assert told.data == {"payment": payment.reference, "by": sale.owner.code}


def test_only_the_owner_of_the_shop_confirms(sale: Sale, desk: Desk) -> None:
    sale.pay()
    clerk = make_member("Clerk")
    add_staff(shop=sale.stocked.shop, person=clerk, role=Role.CLERK)
    address = f"{page_of(sale)}transfers/{sale.payment.pk}/came/"
    assert browser_of(clerk).post(address).status_code == 404
    other = Sale(desk, "bank", VALUES)
    assert browser_of(other.owner).post(address).status_code == 404
    assert browser_of(other.owner).post(f"{page_of(other)}transfers/{sale.payment.pk}/came/").status_code == 404
    assert Client().post(sale.notify_path, b"{}", content_type="application/json").status_code == 403
    assert sale.states == ("held", ["under_way"])


def test_a_transfer_that_never_comes_lets_the_order_lapse(sale: Sale) -> None:
    sale.pay()
    sale.time_passes()
    type(sale.payment).objects.update(expires_at=sale.payment.expires_at - timedelta(seconds=60))
    ask_about_payment(payment_id=sale.payment.pk, attempt=1)
    assert sale.states == ("held", ["failed"])
    assert sale.lapse() == 1


def test_a_transfer_that_comes_late_is_honoured_or_sent_back_by_hand(sale: Sale, desk: Desk) -> None:
    sale.pay()
    sale.time_passes()
    sale.lapse()
    desk.place_blocking(ask_for(sale.stocked, make_people(1)[0], 4))
    owner = browser_of(sale.owner)
    assert "Its time is over" not in owner.get(page_of(sale)).content.decode()
    type(sale.payment).objects.update(state="failed")
    assert "Its time is over" in owner.get(page_of(sale)).content.decode()
    owner.post(f"{page_of(sale)}transfers/{sale.payment.pk}/came/")
    assert sale.order.state == "refunded"
    refund = Refund.objects.get()
    assert not ProcrastinateJob.objects.filter(task_name="sales.carry_out_refund").exists()
    carry_out_refund(refund_id=refund.pk)
    assert Refund.objects.filter(is_done=False).exists(), "no program sends it"
    assert "send this money back from your bank" in owner.get(page_of(sale)).content.decode()
    for _ in range(2):
        assert owner.post(f"{page_of(sale)}refunds/{refund.pk}/sent/").status_code == 302
    assert sale.states == ("refunded", ["refunded"])
    assert Entry.objects.filter(kind="payments.refund_confirmed").count() == 1


def test_the_buyer_may_pay_another_way_instead(sale: Sale) -> None:
    sale.pay()
    sale.browser.post(f"/orders/{sale.number}/paying/stop")
    assert sale.states == ("held", ["failed"])
    assert Hold.objects.get().paying_until is None
