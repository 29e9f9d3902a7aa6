"""The provider's own book against silkroom's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from silkroom.kit.clock import now
from silkroom.sales.desk.door import Desk
from silkroom.sales.payments.errors import ProviderUnavailable
from silkroom.sales.payments.jobs import ask_about_failed_payment, carry_out_refund, reconcile, reconcile_account
from silkroom.sales.payments.models import Difference, MerchantAccount, Payment, Refund, Statement, StatementEntry
from silkroom.sales.payments.reconciliation import due_statements, reconcile_day
from silkroom.sales.payments.registry import provider_of_account
from silkroom.sales.payments.states import LineKind

from .alipay_server import VALUES, AlipayServer, statement_of
from .selling import Sale, browser_of
from .stripe_server import ACCOUNT, SECRET_KEY, WEBHOOK_SECRET, StripeServer

TODAY = now().astimezone(ZoneInfo("Asia/Shanghai")).date()


@pytest.fixture
def server() -> Iterator[AlipayServer]:
    running = AlipayServer()
    with running.listening():
        yield running


@pytest.fixture
def sale(desk: Desk, server: AlipayServer) -> Sale:
    """Paid today, and a part sent back yesterday."""
    made = Sale(desk, "alipay", VALUES, f"{server.base_url}/gateway.do")
    made.pay()
    server.open_page(made.payment.page_url)
    server.buyer_pays(made.payment.reference)
    ok = made.notify(server.notice(made.payment.reference), {}, content_type="application/x-www-form-urlencoded")
    assert ok.content == b"success"
    return made


def compare(sale: Sale, day: date = TODAY) -> list[tuple[str, str, int | None, int | None]]:
    reconcile_day(account_id=sale.account.pk, day=day)
    rows = Difference.objects.filter(settled_at__isnull=True).order_by("kind", "reference")
    return [(one.kind, one.reference, one.ours_minor, one.theirs_minor) for one in rows]


def test_a_day_that_agrees_lists_nothing(sale: Sale, server: AlipayServer) -> None:
    reference = sale.payment.reference
    server.statement = statement_of([(reference, "交易", "398.00", "")])
    assert compare(sale) == []
    assert compare(sale) == [], "again"
    statement = Statement.objects.get()
    assert (statement.problem, statement.fetched_at is not None) == ("", True)
    entry = StatementEntry.objects.get()
    assert (entry.reference, entry.amount_minor, entry.kind) == (reference, 39800, "payment")
    shown = browser_of(sale.owner).get(f"/workbench/{sale.stocked.shop.slug}/payments/").content.decode()
    assert "Compared" in shown
    assert "Differences" not in shown


def test_every_kind_of_difference_is_listed_once(sale: Sale, server: AlipayServer) -> None:
    reference = sale.payment.reference
    Refund.objects.create(payment=sale.payment, key="shop:x", amount_minor=500, reason="shop", is_done=True)
    Refund.objects.update(created_at=now() - timedelta(days=1))
    server.statement = statement_of(
        [
            ("ELSEWHERE", "交易", "1.00", ""),
            (reference, "交易", "398.01", ""),
            (reference, "退款", "-5.00", "by-hand"),
        ]
    )
    expected = [
        ("amount_differs", reference, 39800, 39801),
        ("refund_missing_there", reference, 500, None),
        ("refund_unknown_here", reference, None, 500),
        ("unknown_here", "ELSEWHERE", None, 100),
    ]
    assert compare(sale) == expected
    assert compare(sale) == expected
    server.statement = statement_of([(reference, "退款", "-6.00", "shop-x")])
    assert compare(sale) == [
        ("missing_there", reference, 39800, None),
        ("refund_amount_differs", reference, 500, 600),
    ], "what is found no more is listed no more"
    server.statement = statement_of([(reference, "交易", "398.00", ""), (reference, "退款", "-5.00", "shop-x")])
    assert compare(sale) == []


def test_money_that_only_the_statement_tells_of_pays_the_order(sale: Sale, server: AlipayServer) -> None:
    """Every notice was lost, and so were the answers."""
    other = Sale(sale.desk, "alipay", VALUES, f"{server.base_url}/gateway.do")
    other.pay()
    server.open_page(other.payment.page_url)
    Payment.objects.filter(pk=other.payment.pk).update(state="failed")
    server.buyer_pays(other.payment.reference)
    server.statement = statement_of([(other.payment.reference, "交易", "398.00", "")])
    assert compare(other) == [("not_paid_here", other.payment.reference, 39800, 39800)]
    job = ProcrastinateJob.objects.get(task_name="sales.ask_about_failed_payment")
    assert job.args == {"payment_id": other.payment.pk}
    for _ in range(2):
        ask_about_failed_payment(payment_id=other.payment.pk)
    assert other.states == ("paid", ["succeeded"])
    assert compare(other) == []


def test_a_notice_after_midnight_belongs_to_the_day_before(sale: Sale, server: AlipayServer) -> None:
    server.statement = statement_of([(sale.payment.reference, "交易", "398.00", "")])
    assert compare(sale, TODAY - timedelta(days=1)) == []
    server.statement = statement_of([])
    assert compare(sale) == []


def test_a_statement_that_is_not_there_yet_is_no_difference(sale: Sale, server: AlipayServer) -> None:
    assert compare(sale) == []
    assert Statement.objects.get().problem == "statement_not_ready"
    quiet = TODAY - timedelta(days=2)
    assert compare(sale, quiet) == []
    assert Statement.objects.get(day=quiet).problem == "", "nothing was paid that day, and the provider says so"
    server.faults = [502]
    with pytest.raises(ProviderUnavailable):
        compare(sale)
    server.statement = statement_of([(sale.payment.reference, "交易", "398.00", "")])
    assert compare(sale) == []
    assert Statement.objects.get(day=TODAY).problem == ""


def test_the_owner_settles_a_difference_and_it_stays_settled(sale: Sale, server: AlipayServer, desk: Desk) -> None:
    server.statement = statement_of([(sale.payment.reference, "交易", "398.00", ""), ("ELSEWHERE", "交易", "1.00", "")])
    compare(sale)
    page = f"/workbench/{sale.stocked.shop.slug}/payments/"
    owner, found = browser_of(sale.owner), Difference.objects.get()
    assert "not known here" in owner.get(page).content.decode()
    other = Sale(desk, "alipay", VALUES, f"{server.base_url}/gateway.do")
    strange = f"/workbench/{other.stocked.shop.slug}/payments/differences/{found.pk}/settled/"
    assert browser_of(other.owner).post(strange).status_code == 404
    for _ in range(2):
        assert owner.post(f"{page}differences/{found.pk}/settled/").status_code == 302
    assert compare(sale) == []
    found.refresh_from_db()
    assert found.settled_by == sale.owner


def test_the_job_compares_three_days_of_each_account(sale: Sale, server: AlipayServer) -> None:
    at = datetime(2026, 11, 24, 3, 17, tzinfo=UTC)
    days = [date(2026, 11, 23), date(2026, 11, 22), date(2026, 11, 21)]
    assert due_statements(at) == [(sale.account.pk, day) for day in days]
    MerchantAccount.objects.update(retired_at=now())
    assert len(due_statements(now())) == 3, "what was turned off lately still moves money"
    MerchantAccount.objects.update(retired_at=now() - timedelta(days=61))
    assert due_statements(now()) == []
    MerchantAccount.objects.update(retired_at=None)
    reconcile(timestamp=int(at.timestamp()))
    found = ProcrastinateJob.objects.filter(task_name="sales.reconcile_account").order_by("id")
    assert [one.args for one in found] == [{"account_id": sale.account.pk, "day": str(day)} for day in days]
    server.statement = statement_of([])
    reconcile_account(account_id=sale.account.pk, day="2026-11-23")
    assert Statement.objects.get().day == days[0]


def test_stripe_s_balance_is_its_statement(desk: Desk) -> None:
    server = StripeServer()
    with server.listening():
        values = {"account": ACCOUNT, "secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET}
        sale = Sale(desk, "stripe", values, server.base_url)
        ours = {"silkroom": "1", "reference": "REF1"}
        noon = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp())

        def moved(kind: str, amount: int, metadata: dict[str, str], created: int = noon) -> dict[str, object]:
            source = {
                "id": f"src_{kind}",
                "object": "charge",
                "amount": amount,
                "currency": "usd",
                "metadata": metadata,
            }
            return {"id": "txn", "object": "balance_transaction", "type": kind, "created": created, "amount": -1,
                    "currency": "eur", "source": source}  # fmt: skip

        server.transactions = [
            moved("charge", 39800, ours),
            moved("refund", 500, ours | {"key": "shop-x"}),
            moved("charge", 1, {}),
            moved("payout", 1, ours),
            {"id": "txn_fee", "object": "balance_transaction", "type": "stripe_fee", "created": noon, "source": None},
            moved("charge", 7, ours, noon + 86400),
        ]
        lines = provider_of_account(sale.account).statement(date(2026, 11, 23))
    assert [(one.kind, one.reference, one.key, one.amount_minor, one.currency) for one in lines] == [
        (LineKind.PAYMENT, "REF1", "", 39800, "USD"),
        (LineKind.REFUND, "REF1", "shop-x", 500, "USD"),
    ]


def test_a_refund_is_named_alike_on_both_sides(sale: Sale, server: AlipayServer) -> None:
    refund = Refund.objects.create(payment=sale.payment, key="paid_twice:x", amount_minor=100, reason="paid_twice")
    carry_out_refund(refund_id=refund.pk)
    (key,) = server.trades[sale.payment.reference]["refunds"]
    server.statement = statement_of(
        [(sale.payment.reference, "交易", "398.00", ""), (sale.payment.reference, "退款", "-1.00", key)]
    )
    assert compare(sale) == []
