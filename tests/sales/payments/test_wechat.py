"""WeChat Pay, from the buyer's button to the money that goes back, against its own protocol on this machine."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from silkroom.sales.desk.door import Desk
from silkroom.sales.payments.errors import ProviderRefused, ProviderUnavailable, StatementNotReady
from silkroom.sales.payments.jobs import ask_about_payment, carry_out_refund
from silkroom.sales.payments.models import Notice, Payment, Refund
from silkroom.sales.payments.provider import KnownCharge, StatementLine
from silkroom.sales.payments.providers import wechat
from silkroom.sales.payments.registry import provider_of_account
from silkroom.sales.payments.states import LineKind
from tests.sales.stocked import ask_for, make_people

from .keys import private_pem, public_pem
from .loopback import DROPPED, SILENT, trouble
from .selling import PHONE, Sale, browser_of
from .wechat_server import KEY_ID, VALUES, WeChatServer, sign_headers, statement_of


@pytest.fixture
def server() -> Iterator[WeChatServer]:
    running = WeChatServer()
    with running.listening():
        yield running


@pytest.fixture
def sale(desk: Desk, server: WeChatServer) -> Sale:
    return Sale(desk, "wechat", VALUES, server.base_url)


def told(sale: Sale, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    answer = sale.notify(body, sign_headers(body) if headers is None else headers)
    return answer.status_code, answer.content


def refused(sale: Sale, body: bytes, headers: dict[str, str] | None = None) -> str:
    """Refused in WeChat Pay's own form, and nothing has changed. Returns the reason."""
    before = sale.everything()
    status, reply = told(sale, body, headers)
    assert status >= 400
    said = json.loads(reply)
    assert said["code"] == "FAIL"
    assert sale.everything() == before
    return str(said["message"])


def begun(sale: Sale, server: WeChatServer) -> str:
    sale.pay()
    server.buyer_pays(sale.payment.reference)
    return sale.payment.reference


def test_at_a_desk_the_buyer_scans_a_code(sale: Sale, server: WeChatServer) -> None:
    assert sale.pay()["Location"] == f"/orders/{sale.number}/paying"
    reference = sale.payment.reference
    asked = server.asked_orders[reference]
    assert (asked["kind"], asked["amount"]) == ("native", {"total": 39800, "currency": "CNY"})
    assert asked["notify_url"] == f"http://testserver{sale.notify_path}"
    assert asked["scene_info"]["payer_client_ip"] == "127.0.0.1"
    ends = datetime.fromisoformat(asked["time_expire"])
    assert ends.utcoffset() == timedelta(hours=8)
    assert abs(ends - sale.payment.expires_at) < timedelta(seconds=1)
    assert sale.payment.code == f"weixin://wxpay/bizpayurl?pr={reference[:8]}"
    page = sale.paying()
    assert re.search(r'<svg [^>]*viewBox="0 0 \d+ \d+"', page), "the code is drawn into the page"
    assert "data-forward" not in page
    sale.pay()
    assert server.paths().count("POST /v3/pay/transactions/native") == 1, "a number is taken once"
    server.buyer_pays(reference)
    body = server.notice(reference)
    for _ in range(2):
        assert told(sale, body) == (204, b"")
    assert sale.states == ("paid", ["succeeded"])
    assert sale.stock == (3, 0)
    assert Notice.objects.get().times == 2


def test_two_presses_at_once_end_at_the_same_code(sale: Sale, server: WeChatServer) -> None:
    """The other press is served while this one is under way, and WeChat Pay takes a number once."""

    def other_press_is_served() -> None:
        Payment.objects.update(code="weixin://wxpay/bizpayurl?pr=other")
        server.orders[Payment.objects.values_list("reference", flat=True).get()] = {"trade_state": "NOTPAY"}
        connection.close()

    server.meanwhile = other_press_is_served
    assert sale.pay().status_code == 302
    assert sale.states == ("held", ["under_way"])
    assert sale.payment.code == "weixin://wxpay/bizpayurl?pr=other"


def test_a_code_that_was_lost_is_made_under_a_new_number(sale: Sale, server: WeChatServer) -> None:
    sale.pay()
    Payment.objects.update(code="")
    assert sale.pay(accept="application/json").json()["error"]["data"]["reason"] == "OUT_TRADE_NO_USED"
    sale.pay()
    assert sale.states == ("held", ["failed", "under_way"])
    assert len(server.orders) == 2


def test_on_a_phone_the_app_opens(sale: Sale, server: WeChatServer) -> None:
    sale.pay(**PHONE)
    asked = server.asked_orders[sale.payment.reference]
    assert (asked["kind"], asked["scene_info"]["h5_info"]["type"]) == ("h5", "Wap")
    assert sale.payment.page_url.startswith("https://wx.tenpay.com/")
    assert sale.payment.page_url.endswith(f"&redirect_url=http%3A%2F%2Ftestserver%2Forders%2F{sale.number}%2F")
    assert "data-forward" in sale.paying()


def test_only_what_wechat_has_signed_is_believed(sale: Sale, server: WeChatServer) -> None:
    body = server.notice(begun(sale, server))
    good = sign_headers(body)
    asked = len(server.asked)
    for headers in (
        {},
        sign_headers(body, key="merchant"),
        sign_headers(body, serial="PUB_KEY_ID_0000000000000000000000000000"),
        sign_headers(body, serial="5157F09EFDC096DE15EBE81A47057A7232F1B8E1"),
        good | {"Wechatpay-Nonce": "another"},
        good | {"Wechatpay-Timestamp": str(int(time.time()) - 1)},
        good | {"Wechatpay-Timestamp": "²"},
        good | {"Wechatpay-Signature": "%%%"},
        good | {"Wechatpay-Signature": ""},
    ):
        assert refused(sale, body, headers) == "notice_forged"
    assert refused(sale, body.replace(b"EV-", b"EW-"), good) == "notice_forged"
    assert refused(sale, b"\xff", sign_headers(b"\xff")) == "notice_forged"
    other = server.notice(sale.payment.reference, apiv3_key="AnotherMerchantsKeyOf32Letters00")
    assert refused(sale, other) == "notice_forged"
    for moment in (int(time.time()) - 400, int(time.time()) + 400):
        assert refused(sale, body, sign_headers(body, moment=moment)) == "notice_stale"
    assert len(server.asked) == asked, "no notice, forged or not, makes silkroom call anybody"
    without_type = {name: value for name, value in good.items() if name != "Wechatpay-Signature-Type"}
    assert told(sale, body, without_type) == (204, b"")
    assert sale.order.state == "paid", "the true one still counts"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b'{"resource_type":"encrypt-resource","resource":{"algorithm":"x"}}']
)
def test_a_signed_notice_of_another_form_is_refused(sale: Sale, body: bytes) -> None:
    sale.pay()
    assert refused(sale, body) in ("notice_malformed", "notice_forged")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": {"total": 1, "currency": "CNY"}}, "notice_amount_differs"),
        ({"amount": {"total": 39801, "currency": "CNY"}}, "notice_amount_differs"),
        ({"amount": {"total": 39800, "currency": "USD"}}, "notice_amount_differs"),
        ({"mchid": "1900000999"}, "notice_merchant_differs"),
        ({"appid": "wx0000000000000000"}, "notice_merchant_differs"),
        ({"out_trade_no": "ELSEWHERE"}, "notice_unknown"),
        ({"trade_state": "STRANGE"}, "notice_malformed"),
        ({"amount": None}, "notice_malformed"),
    ],
)
def test_another_amount_merchant_or_form_pays_nothing(
    sale: Sale, server: WeChatServer, changes: dict[str, Any], reason: str
) -> None:
    assert refused(sale, server.notice(begun(sale, server), **changes)) == reason


def test_a_notice_pays_only_in_its_own_shop(sale: Sale, server: WeChatServer, desk: Desk) -> None:
    body = server.notice(begun(sale, server))
    other = Sale(desk, "wechat", VALUES, server.base_url)
    before = sale.everything()
    assert told(other, body)[0] == 409
    assert sale.everything() == before


def test_notices_of_other_things_and_out_of_order_change_nothing(sale: Sale, server: WeChatServer) -> None:
    reference = begun(sale, server)
    before = sale.everything()
    assert told(sale, server.notice(reference, kind="REFUND.SUCCESS")) == (204, b"")
    assert sale.everything() == before
    assert told(sale, server.notice(reference, trade_state="CLOSED")) == (204, b"")
    assert sale.states == ("held", ["failed"])
    assert told(sale, server.notice(reference)) == (204, b"")
    assert told(sale, server.notice(reference, trade_state="NOTPAY")) == (204, b"")
    assert sale.states == ("paid", ["succeeded"])


def test_silence_is_answered_by_asking(sale: Sale, server: WeChatServer) -> None:
    sale.pay()
    ask_about_payment(payment_id=sale.payment.pk, attempt=1)
    assert sale.states == ("held", ["under_way"])
    server.buyer_pays(sale.payment.reference)
    ask_about_payment(payment_id=sale.payment.pk, attempt=2)
    assert sale.states == ("paid", ["succeeded"])


def test_when_the_time_is_over_the_order_is_closed(sale: Sale, server: WeChatServer) -> None:
    sale.pay()
    sale.time_passes()
    ask_about_payment(payment_id=sale.payment.pk, attempt=7)
    assert server.orders[sale.payment.reference]["trade_state"] == "CLOSED"
    assert sale.states == ("held", ["failed"])


def test_who_pays_in_the_last_second_has_paid(sale: Sale, server: WeChatServer) -> None:
    begun(sale, server)
    sale.time_passes()
    ask_about_payment(payment_id=sale.payment.pk, attempt=7)
    assert sale.states == ("paid", ["succeeded"])


def test_late_money_goes_back_when_the_pieces_have_gone(sale: Sale, server: WeChatServer, desk: Desk) -> None:
    reference = begun(sale, server)
    sale.time_passes()
    assert sale.lapse() == 1
    desk.place_blocking(ask_for(sale.stocked, make_people(1)[0], 4))
    assert told(sale, server.notice(reference)) == (204, b"")
    refund = Refund.objects.get()
    for _ in range(2):
        carry_out_refund(refund_id=refund.pk)
    assert [(key, one["amount"]["refund"]) for key, one in server.refunds.items()] == [(f"late-{reference}", 39800)]
    assert sale.states == ("refunded", ["refunded"])


def test_parts_go_back_once_for_each_key(sale: Sale, server: WeChatServer) -> None:
    charge = KnownCharge(begun(sale, server), 39800, "CNY")
    adapter = provider_of_account(sale.account)
    for key, amount in (("paid_twice:a", 1), ("paid_twice:a", 1), ("b", 39799)):
        adapter.refund(charge, amount_minor=amount, key=key)
    assert {key: one["amount"]["refund"] for key, one in server.refunds.items()} == {"paid-twice-a": 1, "b": 39799}
    with pytest.raises(ProviderRefused) as refusal:
        adapter.refund(charge, amount_minor=1, key="c")
    assert refusal.value.data["reason"] == "NOT_ENOUGH"


def test_a_refund_that_the_bank_sends_back_is_not_done(sale: Sale, server: WeChatServer) -> None:
    charge = KnownCharge(begun(sale, server), 39800, "CNY")
    server.refund_status = "ABNORMAL"
    with pytest.raises(ProviderRefused) as refusal:
        provider_of_account(sale.account).refund(charge, amount_minor=1, key="a")
    assert refusal.value.data["reason"] == "ABNORMAL"


@pytest.mark.parametrize("fault", [500, 502, 429, DROPPED, SILENT])
def test_a_provider_in_trouble_leaves_the_order_to_be_paid(sale: Sale, server: WeChatServer, fault: int) -> None:
    with trouble(server, fault, wechat):
        answer = sale.pay(accept="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "provider_unavailable")
    assert sale.states == ("held", ["failed"])
    sale.pay()
    with trouble(server, fault, wechat), pytest.raises(ProviderUnavailable):
        ask_about_payment(payment_id=sale.payment.pk, attempt=1)
    assert sale.states == ("held", ["failed", "under_way"])


def test_an_answer_that_wechat_has_not_signed_is_not_believed(sale: Sale, server: WeChatServer) -> None:
    begun(sale, server)
    server.forges = True
    with pytest.raises(ProviderRefused) as refusal:
        ask_about_payment(payment_id=sale.payment.pk, attempt=1)
    assert refusal.value.data["reason"] == "answer_not_signed"
    assert sale.states == ("held", ["under_way"])


def test_a_day_of_the_statement(sale: Sale, server: WeChatServer) -> None:
    adapter = provider_of_account(sale.account)
    with pytest.raises(StatementNotReady):
        adapter.statement(date(2026, 11, 24))
    server.statement = statement_of([("REF1", "SUCCESS", "398.00", ""), ("REF1", "REFUND", "0.05", "shop-REF1")])
    assert adapter.statement(date(2026, 11, 24)) == [
        StatementLine(LineKind.PAYMENT, "REF1", "", 39800, "CNY", "4200001"),
        StatementLine(LineKind.REFUND, "REF1", "shop-REF1", 5, "CNY", "5030001"),
    ]
    assert server.asked[-1].target == "/v3/billdownload/file?token=2026-11-24"


def test_the_owner_s_keys_are_tried_before_buyers_see_them(sale: Sale) -> None:
    owner, page = browser_of(sale.owner), f"/workbench/{sale.stocked.shop.slug}/payments/"

    def enter(**changes: str) -> str:
        answer = owner.post(f"{page}wechat/", {f"wechat-{name}": value for name, value in (VALUES | changes).items()})
        return (owner.get(page) if answer.status_code == 302 else answer).content.decode()

    assert "copy it again from the provider" in enter(private_key=public_pem("merchant"))
    assert "copy it again from the provider" in enter(apiv3_key="short")
    assert "The provider says: SIGN_ERROR" in enter(private_key=private_pem("somebody"))
    good = enter()
    assert "Your buyers can pay with it" in good
    assert KEY_ID in good
    assert VALUES["apiv3_key"] not in good
    assert "PRIVATE KEY" not in good
