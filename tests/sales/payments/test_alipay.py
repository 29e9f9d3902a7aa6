"""Alipay, from the buyer's button to the money that goes back, against its own protocol on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from silkroom.sales.desk.door import Desk
from silkroom.sales.payments.errors import ProviderRefused, ProviderUnavailable, StatementNotReady
from silkroom.sales.payments.jobs import ask_about_payment, carry_out_refund
from silkroom.sales.payments.models import Notice, Refund
from silkroom.sales.payments.provider import KnownCharge, StatementLine
from silkroom.sales.payments.providers import alipay
from silkroom.sales.payments.registry import provider_of_account
from silkroom.sales.payments.states import LineKind
from tests.sales.stocked import ask_for, make_people

from .alipay_server import APP_ID, VALUES, AlipayServer, statement_of
from .keys import private_pem, public_bare, public_pem
from .loopback import DROPPED, SILENT, trouble
from .selling import PHONE, Sale, browser_of

FORM = "application/x-www-form-urlencoded; charset=utf-8"


@pytest.fixture
def server() -> Iterator[AlipayServer]:
    running = AlipayServer()
    with running.listening():
        yield running


@pytest.fixture
def sale(desk: Desk, server: AlipayServer) -> Sale:
    return Sale(desk, "alipay", VALUES, f"{server.base_url}/gateway.do")


def begun(sale: Sale, server: AlipayServer, **headers: str) -> str:
    """The buyer is at Alipay's page. Returns the reference."""
    sale.pay(**headers)
    server.open_page(sale.payment.page_url)
    return sale.payment.reference


def notify(sale: Sale, body: bytes) -> tuple[int, bytes]:
    answer = sale.notify(body, {}, content_type=FORM)
    return answer.status_code, answer.content


def test_at_a_desk_the_buyer_goes_to_the_page_and_comes_back_paid(sale: Sale, server: AlipayServer) -> None:
    assert sale.pay()["Location"] == f"/orders/{sale.number}/paying"
    asked = server.open_page(sale.payment.page_url)
    assert (asked["method"], asked["product_code"]) == ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY")
    assert (asked["total_amount"], asked["subject"]) == ("398.00", sale.number)
    assert asked["notify_url"] == f"http://testserver{sale.notify_path}"
    assert asked["return_url"] == f"http://testserver/orders/{sale.number}/"
    ends = datetime.fromisoformat(f"{asked['time_expire']}+08:00")
    assert abs(ends - sale.payment.expires_at) < timedelta(seconds=1), "said in China's time"
    assert "gateway.do?app_id=" in sale.paying()
    reference = sale.payment.reference
    server.buyer_pays(reference)
    body = server.notice(reference)
    for _ in range(2):
        assert notify(sale, body) == (200, b"success")
    assert notify(sale, server.notice(reference)) == (200, b"success"), "told anew under another number"
    assert sale.states == ("paid", ["succeeded"])
    assert sale.stock == (3, 0)
    assert [one.times for one in Notice.objects.order_by("id")] == [2, 1]


def test_on_a_phone_the_app_opens(sale: Sale, server: AlipayServer) -> None:
    sale.pay(**PHONE)
    asked = server.open_page(sale.payment.page_url)
    assert (asked["method"], asked["product_code"]) == ("alipay.trade.wap.pay", "QUICK_WAP_WAY")
    assert asked["quit_url"] == f"http://testserver/orders/{sale.number}/"


def refused(sale: Sale, body: bytes) -> None:
    before = sale.everything()
    status, reply = notify(sale, body)
    assert (status >= 400, reply) == (True, b"fail")
    assert sale.everything() == before


def test_only_what_alipay_has_signed_is_believed(sale: Sale, server: AlipayServer) -> None:
    reference = begun(sale, server)
    server.buyer_pays(reference)
    body = server.notice(reference)
    for forged in (
        server.notice(reference, signed_by="app"),
        body.replace(b"398.00", b"398.01"),
        body.replace(b"&sign_type=RSA2", b"&sign_type=RSA"),
        body.replace(b"&sign_type=RSA2", b""),
        body + b"&more=1",
        body + b"&trade_status=TRADE_CLOSED",
        body[: body.index(b"&sign=")],
        b"",
        b"\xff",
        b"sign=%00&sign_type=RSA2",
    ):
        refused(sale, forged)
    assert notify(sale, body) == (200, b"success")
    assert sale.order.state == "paid", "the true one still counts"


@pytest.mark.parametrize(
    "changes",
    [
        {"total_amount": "0.01"},
        {"total_amount": "398.01"},
        {"app_id": "2021000999999999"},
        {"seller_id": "2088000999999999"},
        {"out_trade_no": "ELSEWHERE"},
        {"trade_status": "TRADE_STRANGE"},
        {"total_amount": "398.001"},
    ],
)
def test_another_amount_merchant_or_form_pays_nothing(
    sale: Sale, server: AlipayServer, changes: dict[str, str]
) -> None:
    reference = begun(sale, server)
    server.buyer_pays(reference)
    refused(sale, server.notice(reference, **changes))


def test_a_notice_pays_only_in_its_own_shop(sale: Sale, server: AlipayServer, desk: Desk) -> None:
    reference = begun(sale, server)
    server.buyer_pays(reference)
    other = Sale(desk, "alipay", VALUES, f"{server.base_url}/gateway.do")
    before = sale.everything()
    assert notify(other, server.notice(reference)) == (409, b"fail")
    assert sale.everything() == before


def test_notices_out_of_order_end_at_the_money(sale: Sale, server: AlipayServer) -> None:
    reference = begun(sale, server)
    waiting, closed = server.notice(reference), server.notice(reference, trade_status="TRADE_CLOSED")
    server.buyer_pays(reference)
    paid = server.notice(reference)
    assert notify(sale, closed) == (200, b"success")
    assert sale.states == ("held", ["failed"])
    assert notify(sale, paid) == (200, b"success")
    for late in (
        waiting,
        closed,
        server.notice(reference, trade_status="TRADE_CLOSED", gmt_refund="2026-11-25 09:00:00"),
    ):
        assert notify(sale, late) == (200, b"success")
    assert sale.states == ("paid", ["succeeded"])


def test_silence_is_answered_by_asking(sale: Sale, server: AlipayServer) -> None:
    sale.pay()
    ask_about_payment(payment_id=sale.payment.pk, attempt=1)
    assert sale.states == ("held", ["under_way"]), "the buyer has not been there yet"
    server.open_page(sale.payment.page_url)
    ask_about_payment(payment_id=sale.payment.pk, attempt=2)
    assert sale.states == ("held", ["under_way"])
    server.buyer_pays(sale.payment.reference)
    ask_about_payment(payment_id=sale.payment.pk, attempt=3)
    assert sale.states == ("paid", ["succeeded"])


def test_when_the_time_is_over_the_trade_is_closed(sale: Sale, server: AlipayServer) -> None:
    reference = begun(sale, server)
    sale.time_passes()
    ask_about_payment(payment_id=sale.payment.pk, attempt=7)
    assert server.trades[reference]["status"] == "TRADE_CLOSED"
    assert sale.states == ("held", ["failed"])


def test_who_pays_in_the_last_second_has_paid(sale: Sale, server: AlipayServer) -> None:
    reference = begun(sale, server)
    server.buyer_pays(reference)
    sale.time_passes()
    ask_about_payment(payment_id=sale.payment.pk, attempt=7)
    assert sale.states == ("paid", ["succeeded"])


def test_late_money_goes_back_when_the_pieces_have_gone(sale: Sale, server: AlipayServer, desk: Desk) -> None:
    reference = begun(sale, server)
    sale.time_passes()
    assert sale.lapse() == 1
    desk.place_blocking(ask_for(sale.stocked, make_people(1)[0], 4))
    server.buyer_pays(reference)
    assert notify(sale, server.notice(reference)) == (200, b"success")
    refund = Refund.objects.get()
    for _ in range(2):
        carry_out_refund(refund_id=refund.pk)
    assert server.trades[reference]["refunds"] == {f"late-{reference}": "398.00"}
    assert sale.states == ("refunded", ["refunded"])


def test_parts_go_back_once_for_each_key(sale: Sale, server: AlipayServer) -> None:
    reference = begun(sale, server)
    server.buyer_pays(reference)
    charge, adapter = KnownCharge(reference, 39800, "CNY"), provider_of_account(sale.account)
    for key, amount in (("a", 1), ("a", 1), ("b", 39799), ("b", 39799)):
        adapter.refund(charge, amount_minor=amount, key=key)
    assert server.trades[reference]["refunds"] == {"a": "0.01", "b": "397.99"}
    with pytest.raises(ProviderRefused) as refusal:
        adapter.refund(charge, amount_minor=1, key="c")
    assert refusal.value.data["reason"] == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"


@pytest.mark.parametrize("fault", [500, 502, 302, 200, DROPPED, SILENT])
def test_a_provider_in_trouble_changes_nothing(sale: Sale, server: AlipayServer, fault: int) -> None:
    begun(sale, server)
    with trouble(server, fault, alipay), pytest.raises(ProviderUnavailable):
        ask_about_payment(payment_id=sale.payment.pk, attempt=1)
    assert sale.states == ("held", ["under_way"])


def test_an_answer_that_alipay_has_not_signed_is_not_believed(sale: Sale, server: AlipayServer) -> None:
    reference = begun(sale, server)
    server.buyer_pays(reference)
    server.forges = True
    with pytest.raises(ProviderRefused) as refusal:
        ask_about_payment(payment_id=sale.payment.pk, attempt=1)
    assert refusal.value.data["reason"] == "answer_not_signed"
    assert sale.states == ("held", ["under_way"])


def test_a_day_of_the_statement(sale: Sale, server: AlipayServer) -> None:
    adapter = provider_of_account(sale.account)
    with pytest.raises(StatementNotReady):
        adapter.statement(date(2026, 11, 24))
    server.statement = statement_of([("REF1", "交易", "398.00", ""), ("REF1", "退款", "-0.05", "shop-REF1")])
    assert adapter.statement(date(2026, 11, 24)) == [
        StatementLine(LineKind.PAYMENT, "REF1", "", 39800, "CNY", "20261124"),
        StatementLine(LineKind.REFUND, "REF1", "shop-REF1", 5, "CNY", "20261124"),
    ]
    assert server.asked[-1].target == "/bill.zip?bizDates=2026-11-24"
    server.statement = b"not a zip"
    with pytest.raises(ProviderUnavailable):
        adapter.statement(date(2026, 11, 24))


def test_the_owner_s_keys_are_tried_before_buyers_see_them(sale: Sale, server: AlipayServer) -> None:
    owner, page = browser_of(sale.owner), f"/workbench/{sale.stocked.shop.slug}/payments/"

    def enter(**changes: str) -> str:
        answer = owner.post(f"{page}alipay/", {f"alipay-{name}": value for name, value in (VALUES | changes).items()})
        return (owner.get(page) if answer.status_code == 302 else answer).content.decode()

    assert "copy it again from the provider" in enter(private_key=public_bare("app"))
    typed = enter(private_key=private_pem("app"), alipay_public_key="x" * 300)
    assert "copy it again from the provider" in typed
    assert "PRIVATE KEY" not in typed, "what was typed does not come back either"
    assert "The provider says: isv.invalid-signature" in enter(private_key=private_pem("somebody"))
    assert "The provider says: answer_not_signed" in enter(alipay_public_key=public_pem("somebody"))
    good = enter(private_key=private_pem("app"), alipay_public_key=public_pem("alipay"))
    assert "Your buyers can pay with it" in good
    assert APP_ID in good
    assert "PRIVATE KEY" not in good


def test_alipay_takes_yuan_only(sale: Sale) -> None:
    type(sale.order).objects.update(currency="EUR")
    answer = sale.pay(accept="application/json")
    assert answer.json()["error"]["code"] == "currency_not_taken"
    assert "Alipay" not in sale.browser.get(f"/orders/{sale.number}/").content.decode()
