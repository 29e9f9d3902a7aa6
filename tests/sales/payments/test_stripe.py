"""Stripe, from the buyer's button to the money that goes back, against its own protocol on this machine."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from silkroom.sales.desk.door import Desk
from silkroom.sales.orders.models import Order
from silkroom.sales.payments.errors import ProviderRefused, ProviderUnavailable
from silkroom.sales.payments.jobs import ask_about_payment, carry_out_refund
from silkroom.sales.payments.models import MerchantAccount, Notice, Payment, Refund
from silkroom.sales.payments.provider import KnownCharge
from silkroom.sales.payments.providers import stripe_checkout
from silkroom.sales.payments.registry import provider_of_account
from tests.sales.stocked import ask_for, make_people

from .loopback import DROPPED, SILENT, trouble
from .selling import Sale, browser_of
from .stripe_server import ACCOUNT, SECRET_KEY, WEBHOOK_SECRET, StripeServer, signature

VALUES = {"account": ACCOUNT, "secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET}


@pytest.fixture
def server() -> Iterator[StripeServer]:
    running = StripeServer()
    with running.listening():
        yield running


@pytest.fixture
def sale(desk: Desk, server: StripeServer) -> Sale:
    return Sale(desk, "stripe", VALUES, server.base_url)


def refused(sale: Sale, body: bytes, headers: dict[str, str]) -> str:
    """A notice is refused, and nothing has changed. Returns the code."""
    before = sale.everything()
    answer = sale.notify(body, headers)
    assert answer.status_code >= 400
    assert sale.everything() == before
    return str(answer.content.decode())


def test_a_card_payment_from_the_button_to_the_paid_order(sale: Sale, server: StripeServer) -> None:
    answer = sale.pay()
    assert (answer.status_code, answer["Location"]) == (302, f"/orders/{sale.number}/paying"), "forms stay on this host"
    session = server.session_of(sale.payment.reference)
    assert (session["amount_total"], session["currency"]) == (39800, "cny")
    assert session["success_url"] == f"http://testserver/orders/{sale.number}/"
    assert f'href="{session["url"]}"' in sale.paying()
    body = server.notice(server.buyer_pays(sale.payment.reference))
    for _ in range(2):
        answer = sale.notify(body, signature(body))
        assert (answer.status_code, answer.content) == (200, b"")
    assert sale.states == ("paid", ["succeeded"])
    assert sale.stock == (3, 0)
    notice = Notice.objects.get()
    assert (notice.times, notice.payment) == (2, sale.payment)
    assert sale.browser.get(f"/orders/{sale.number}/paying")["Location"] == f"/orders/{sale.number}/"


def test_pressing_again_goes_on_with_the_same_charge(sale: Sale, server: StripeServer) -> None:
    sale.pay()
    sale.pay()
    assert server.paths().count("POST /v1/checkout/sessions") == 1
    assert Payment.objects.count() == 1


def test_a_script_is_told_where_to_go_on(sale: Sale) -> None:
    answer = sale.pay(accept="application/json")
    told = answer.json()
    assert answer.status_code == 201
    assert told["page_url"] == f"/orders/{sale.number}/paying"
    assert sale.browser.get(told["page_url"])["Referrer-Policy"] == "origin"
    assert told["confirm_url"] == ""


def test_only_who_has_the_signing_secret_is_believed(sale: Sale, server: StripeServer) -> None:
    sale.pay()
    body = server.notice(server.buyer_pays(sale.payment.reference))
    for headers in (
        {},
        {"Stripe-Signature": "t=1"},
        {"Stripe-Signature": "v1=x"},
        signature(body, secret="whsec_guess"),
    ):
        assert refused(sale, body, headers) == "notice_forged"
    good = signature(body)
    assert refused(sale, body.replace(b"39800", b"39801"), good) == "notice_forged"
    assert refused(sale, b"\xff\xfe", good) == "notice_forged"
    for moment in (int(time.time()) - 400, int(time.time()) + 400):
        assert refused(sale, body, signature(body, moment=moment)) == "notice_stale"
    assert sale.notify(body, good).status_code == 200
    assert sale.order.state == "paid", "the true one still counts"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"id": 1}', b'{"id":"e","type":"checkout.session.completed"}'])
def test_a_signed_notice_of_another_form_is_malformed(sale: Sale, body: bytes) -> None:
    sale.pay()
    assert refused(sale, body, signature(body)) == "notice_malformed"


@pytest.mark.parametrize("changes", [{"amount_total": 1}, {"amount_total": 39801}, {"currency": "usd"}])
def test_another_amount_or_currency_pays_nothing(sale: Sale, server: StripeServer, changes: dict[str, Any]) -> None:
    sale.pay()
    body = server.notice(server.buyer_pays(sale.payment.reference) | changes)
    assert refused(sale, body, signature(body)) == "notice_amount_differs"


def test_another_merchant_pays_nothing(sale: Sale, server: StripeServer, desk: Desk) -> None:
    sale.pay()
    session = server.buyer_pays(sale.payment.reference)
    live = server.notice(session, livemode=True)
    assert refused(sale, live, signature(live)) == "notice_merchant_differs"
    other = Sale(desk, "stripe", VALUES | {"webhook_secret": "whsec_OfTheOtherShop"}, server.base_url)
    body = server.notice(session)
    before = sale.everything()
    answer = other.notify(body, signature(body, secret="whsec_OfTheOtherShop"))
    assert (answer.status_code, answer.content) == (409, b"notice_merchant_differs")
    assert sale.everything() == before
    unknown = sale.account.code[:-1] + "z"
    assert sale.browser.post(f"/payments/notify/stripe/{unknown}").status_code == 404


def test_what_is_of_no_concern_is_accepted_and_changes_nothing(sale: Sale, server: StripeServer) -> None:
    sale.pay()
    session = server.session_of(sale.payment.reference)
    before = sale.everything()
    for body in (server.notice(session, "charge.updated"), server.notice(session | {"metadata": {}, "id": "cs_else"})):
        assert sale.notify(body, signature(body)).status_code == 200
    assert sale.everything() == before


def test_notices_out_of_order_end_at_the_money(sale: Sale, server: StripeServer) -> None:
    sale.pay()
    reference = sale.payment.reference
    session = server.session_of(reference)
    paid = server.notice(server.buyer_pays(reference))
    expired = server.notice({**session, "status": "expired", "payment_status": "unpaid"}, "checkout.session.expired")
    assert sale.notify(expired, signature(expired)).status_code == 200
    assert sale.states == ("held", ["failed"])
    assert sale.notify(paid, signature(paid)).status_code == 200
    assert sale.states == ("paid", ["succeeded"])
    assert sale.notify(expired, signature(expired)).status_code == 200
    assert sale.states == ("paid", ["succeeded"])


def test_silence_is_answered_by_asking(sale: Sale, server: StripeServer) -> None:
    sale.pay()
    ask_about_payment(payment_id=sale.payment.pk, attempt=1)
    assert sale.states == ("held", ["under_way"])
    server.buyer_pays(sale.payment.reference)
    ask_about_payment(payment_id=sale.payment.pk, attempt=2)
    assert sale.states == ("paid", ["succeeded"])


def test_when_the_time_is_over_the_page_takes_no_money(sale: Sale, server: StripeServer) -> None:
    sale.pay()
    sale.time_passes()
    ask_about_payment(payment_id=sale.payment.pk, attempt=7)
    assert server.session_of(sale.payment.reference)["status"] == "expired"
    assert sale.states == ("held", ["failed"])
    assert sale.lapse() == 1


def test_who_pays_in_the_last_second_has_paid(sale: Sale, server: StripeServer) -> None:
    sale.pay()
    server.buyer_pays(sale.payment.reference)
    sale.time_passes()
    ask_about_payment(payment_id=sale.payment.pk, attempt=7)
    assert sale.states == ("paid", ["succeeded"])


def test_a_hold_does_not_lapse_while_the_payment_is_under_way(sale: Sale) -> None:
    sale.pay()
    Order.objects.update(holds_until=sale.payment.created_at)
    assert sale.lapse() == 0


def test_late_money_goes_back_when_the_pieces_have_gone(sale: Sale, server: StripeServer, desk: Desk) -> None:
    sale.pay()
    reference = sale.payment.reference
    sale.time_passes()
    assert sale.lapse() == 1
    desk.place_blocking(ask_for(sale.stocked, make_people(1)[0], 4))
    body = server.notice(server.buyer_pays(reference))
    assert sale.notify(body, signature(body)).status_code == 200
    refund = Refund.objects.get()
    assert (sale.order.state, refund.reason, refund.amount_minor) == ("refunded", "late", 39800)
    for _ in range(2):
        carry_out_refund(refund_id=refund.pk)
    assert [one["amount"] for one in server.refunds] == [39800]
    assert server.refunds[0]["metadata"] == {"silkroom": "1", "reference": reference, "key": f"late-{reference}"}
    assert sale.states == ("refunded", ["refunded"])


def test_another_way_closes_the_first_charge(sale: Sale, server: StripeServer) -> None:
    sale.pay()
    first = sale.payment.reference
    assert sale.browser.post(f"/orders/{sale.number}/paying/stop")["Location"] == f"/orders/{sale.number}/"
    assert server.session_of(first)["status"] == "expired"
    assert sale.states == ("held", ["failed"])
    assert sale.browser.post(f"/orders/{sale.number}/paying/stop").status_code == 302, "twice changes nothing"
    sale.pay()
    server.buyer_pays(sale.payment.reference)
    sale.browser.post(f"/orders/{sale.number}/paying/stop")
    assert sale.states == ("paid", ["failed", "succeeded"]), "the buyer was faster"


@pytest.mark.parametrize("fault", [500, 503, 429, DROPPED, SILENT])
def test_a_provider_in_trouble_leaves_the_order_to_be_paid(sale: Sale, server: StripeServer, fault: int) -> None:
    with trouble(server, fault, stripe_checkout):
        answer = sale.pay(accept="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "provider_unavailable")
    assert sale.states == ("held", ["failed"])
    sale.pay()
    assert sale.states == ("held", ["failed", "under_way"])
    with trouble(server, fault, stripe_checkout), pytest.raises(ProviderUnavailable):
        ask_about_payment(payment_id=sale.payment.pk, attempt=1)
    assert sale.states == ("held", ["failed", "under_way"]), "nobody knows, so nothing is said"


def test_a_lost_answer_is_made_good_by_the_notice(sale: Sale, server: StripeServer) -> None:
    sale.pay()
    session = server.buyer_pays(sale.payment.reference)
    Payment.objects.update(provider_id="", page_url="")
    adapter = provider_of_account(sale.account)
    assert adapter.query(KnownCharge(sale.payment.reference, 39800, "CNY")) is None
    body = server.notice(session)
    assert sale.notify(body, signature(body)).status_code == 200
    assert sale.payment.provider_id == session["id"]


def paid(sale: Sale, server: StripeServer) -> KnownCharge:
    sale.pay()
    body = server.notice(server.buyer_pays(sale.payment.reference))
    sale.notify(body, signature(body))
    payment = sale.payment
    return KnownCharge(payment.reference, payment.amount_minor, payment.currency, payment.provider_id)


def test_parts_go_back_once_for_each_key(sale: Sale, server: StripeServer) -> None:
    charge, adapter = paid(sale, server), provider_of_account(sale.account)
    for key, amount in (("a", 9800), ("a", 9800), ("b", 30000)):
        adapter.refund(charge, amount_minor=amount, key=key)
    server.by_key.clear()  # a day later
    adapter.refund(charge, amount_minor=9800, key="a")
    assert [one["amount"] for one in server.refunds] == [9800, 30000]
    with pytest.raises(ProviderRefused) as refusal:
        adapter.refund(charge, amount_minor=1, key="c")
    assert refusal.value.data["reason"] == "charge_already_refunded"


def test_a_refund_that_failed_there_is_tried_anew(sale: Sale, server: StripeServer) -> None:
    charge, adapter = paid(sale, server), provider_of_account(sale.account)
    server.refund_status = "failed"
    with pytest.raises(ProviderRefused):
        adapter.refund(charge, amount_minor=100, key="a")
    server.refund_status = "pending"
    adapter.refund(charge, amount_minor=100, key="a")
    assert [one["status"] for one in server.refunds] == ["failed", "pending"]


# ---- the owner's page ----


def form(**changes: str) -> dict[str, str]:
    return {f"stripe-{name}": value for name, value in (VALUES | changes).items()}


def test_the_owner_enters_keys_and_sees_them_never_again(
    sale: Sale, server: StripeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    owner, page = browser_of(sale.owner), f"/workbench/{sale.stocked.shop.slug}/payments/"
    stored = MerchantAccount.objects.values_list("sealed", "details").get()
    assert SECRET_KEY not in str(stored)
    assert WEBHOOK_SECRET not in str(stored)
    shown = owner.get(page).content.decode()
    assert ACCOUNT in shown
    assert f"http://testserver{sale.notify_path}" in shown
    assert "Offered to buyers" in shown
    # Empty keys stay as they are.
    assert owner.post(f"{page}stripe/", form(secret_key="", webhook_secret="")).status_code == 302
    told = owner.get(page).content.decode()
    assert "Your buyers can pay with it" in told
    assert server.paths()[-1] == "GET /v1/account"
    for secret in (SECRET_KEY, WEBHOOK_SECRET):
        assert secret not in shown + told + caplog.text


def test_wrong_keys_are_told_and_not_offered(sale: Sale) -> None:
    owner, page = browser_of(sale.owner), f"/workbench/{sale.stocked.shop.slug}/payments/"
    bad = owner.post(f"{page}stripe/", form(secret_key="nonsense"))
    assert bad.status_code == 422
    assert "copy it again from the provider" in bad.content.decode()
    assert "nonsense" not in bad.content.decode()
    owner.post(f"{page}stripe/", form(secret_key="sk_test_51SomebodyElse"))
    shown = owner.get(page).content.decode()
    assert "The provider says: keys" in shown
    assert "sk_test_51" not in shown
    assert "Bank card" not in sale.browser.get(f"/orders/{sale.number}/").content.decode()
    assert sale.pay(accept="application/json").json()["error"]["code"] == "provider_unknown"
    owner.post(f"{page}stripe/", form())
    assert "Bank card" in sale.browser.get(f"/orders/{sale.number}/").content.decode()


def test_keys_of_another_account_are_not_taken(sale: Sale, server: StripeServer) -> None:
    owner, page = browser_of(sale.owner), f"/workbench/{sale.stocked.shop.slug}/payments/"
    assert owner.post(f"{page}stripe/", form(account="acct_another1")).status_code == 422
    assert (
        "Turn this way to pay off first" in owner.post(f"{page}stripe/", form(account="acct_another1")).content.decode()
    )
    assert owner.post(f"{page}stripe/off/").status_code == 302
    coming = owner.get(page).content.decode()
    assert sale.account.code not in coming, "the next account has an address of its own"
    owner.post(f"{page}stripe/", form(account="acct_another1"))
    account = MerchantAccount.objects.get(retired_at__isnull=True)
    assert f"/payments/notify/stripe/{account.code}" in coming
    MerchantAccount.objects.filter(pk=account.pk).update(base_url=server.base_url)
    owner.post(f"{page}stripe/check/")
    assert "The provider says: another_account" in owner.get(page).content.decode()


def test_a_provider_that_does_not_answer_is_checked_later(sale: Sale, server: StripeServer) -> None:
    owner, page = browser_of(sale.owner), f"/workbench/{sale.stocked.shop.slug}/payments/"
    server.faults = [500]
    owner.post(f"{page}stripe/check/")
    shown = owner.get(page).content.decode()
    assert "does not answer" in shown
    assert "Offered to buyers" in shown, "what was known to work stays on offer"


def test_money_paid_to_an_account_that_is_off_still_goes_back(sale: Sale, server: StripeServer) -> None:
    sale.pay()
    browser_of(sale.owner).post(f"/workbench/{sale.stocked.shop.slug}/payments/stripe/off/")
    body = server.notice(server.buyer_pays(sale.payment.reference))
    assert sale.notify(body, signature(body)).status_code == 200
    assert sale.states == ("paid", ["succeeded"])
    payment = sale.payment
    refund = Refund.objects.create(payment=payment, key="shop:x", amount_minor=100, reason="shop")
    carry_out_refund(refund_id=refund.pk)
    assert [one["amount"] for one in server.refunds] == [100]
    assert sale.states == ("paid", ["succeeded"]), "a part went back, the rest is the shop's"


def test_a_changed_secret_key_asks_for_the_keys_anew(sale: Sale, settings: Any, server: StripeServer) -> None:
    settings.SECRET_KEY, before = "another", settings.SECRET_KEY
    answer = sale.pay(accept="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found"), "sessions are over too"
    browser = browser_of(sale.buyer)
    answer = browser.post(f"/orders/{sale.number}/pay", {"provider": "stripe"}, headers={"accept": "application/json"})
    assert answer.json()["error"]["code"] == "credentials_unreadable"
    settings.SECRET_KEY_FALLBACKS = [before]
    assert browser.post(f"/orders/{sale.number}/pay", {"provider": "stripe"}).status_code == 302


def test_a_shop_with_several_ways_lets_the_buyer_choose(sale: Sale, settings: Any) -> None:
    settings.ENVIRONMENT = type(settings.ENVIRONMENT)(sandbox_payments=False)
    answer = sale.browser.post(f"/orders/{sale.number}/pay", headers={"accept": "application/json"})
    assert answer.status_code == 201, "one way needs no choice"
    sale.browser.post(f"/orders/{sale.number}/paying/stop")
    assert 'name="provider" value="stripe"' in sale.browser.get(f"/orders/{sale.number}/").content.decode()


def test_notices_as_stripe_writes_them_have_more_fields_than_are_read(sale: Sale, server: StripeServer) -> None:
    sale.pay()
    session = server.buyer_pays(sale.payment.reference) | {
        "customer_details": {"email": None},
        "payment_method_types": ["card"],
    }
    body = json.dumps(json.loads(server.notice(session)), indent=2).encode()
    assert sale.notify(body, signature(body)).status_code == 200
    assert sale.order.state == "paid"
