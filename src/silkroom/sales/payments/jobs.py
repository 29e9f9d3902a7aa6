"""Background work of payments: idempotent, by ids."""

from __future__ import annotations

from datetime import UTC, date, datetime

import structlog
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from .delivery import send_notice
from .reconciliation import due_statements, reconcile_day
from .rules import REPEAT_AFTER_SECONDS, pause_before
from .sandbox import get_charge, record_delivery
from .services import ask_about_failed_payment as ask_about_failed_payment_service
from .services import carry_out_refund as carry_out_refund_service
from .services import forget_nonces, note_failed_refund, settle_silent_payment
from .signing import MOST_SECONDS

log = structlog.get_logger("silkroom.sales.payments")

REPEATS_AFTER_ACCEPTED = 1
"""Real providers repeat a notice now and then although it was accepted; so does the sandbox, every time."""

REPEAT_SECONDS = 3

RETRY = RetryStrategy(max_attempts=100, linear_wait=10)


@app.task(name="sales.send_sandbox_notice", queue="payments", retry=RETRY)
def send_sandbox_notice(reference: str, attempt: int = 1, repeats: int = 0) -> None:
    """Tell silkroom how a sandbox charge stands; again until it is accepted, and once more after that."""
    delivery = send_notice(get_charge(reference))
    sent, _ = record_delivery(reference=reference, accepted=delivery.accepted)
    log.info("sandbox notice sent", times=sent, status=delivery.status, accepted=delivery.accepted)
    if delivery.accepted:
        if repeats < REPEATS_AFTER_ACCEPTED:
            _send_again(REPEAT_SECONDS, reference=reference, attempt=1, repeats=repeats + 1)
        return
    pause = pause_before(attempt, REPEAT_AFTER_SECONDS)
    if pause is None:
        log.warning("sandbox notice given up", times=sent, reason=delivery.reason)
        return
    _send_again(pause, reference=reference, attempt=attempt + 1, repeats=repeats)


def _send_again(seconds: int, *, reference: str, attempt: int, repeats: int) -> None:
    send_sandbox_notice.configure(schedule_in={"seconds": seconds}).defer(
        reference=reference, attempt=attempt, repeats=repeats
    )


@app.task(name="sales.ask_about_payment", queue="payments", retry=RETRY)
def ask_about_payment(payment_id: int, attempt: int) -> None:
    """No notice has come so far: ask the provider."""
    settle_silent_payment(payment_id=payment_id, attempt=attempt)


@app.task(name="sales.carry_out_refund", queue="payments", retry=RETRY)
def carry_out_refund(refund_id: int) -> None:
    """Send money back; tried again, less and less often, until the provider takes it or the shop is told."""
    try:
        carry_out_refund_service(refund_id=refund_id)
    except Exception:
        # Whatever went wrong at the provider: the money is still owed.
        pause = note_failed_refund(refund_id=refund_id)
        if pause is None:
            log.exception("refund given up: the shop has to look", refund=refund_id)
        else:
            log.warning("refund not taken, again later", refund=refund_id, seconds=pause, exc_info=True)


@app.task(name="sales.ask_about_failed_payment", queue="payments", retry=RETRY)
def ask_about_failed_payment(payment_id: int) -> None:
    """The provider's statement knows more about a payment than silkroom."""
    ask_about_failed_payment_service(payment_id=payment_id)


@app.periodic(cron="17 3 * * *")
@app.task(name="sales.reconcile", queue="payments", pass_context=False)
def reconcile(timestamp: int) -> None:
    """Once a day, when the last provider has written its statement (11:17 in China): all accounts, the last days."""
    for account_id, day in due_statements(datetime.fromtimestamp(timestamp, UTC)):
        reconcile_account.defer(account_id=account_id, day=day.isoformat())


@app.task(name="sales.reconcile_account", queue="payments", retry=RetryStrategy(max_attempts=8, exponential_wait=8))
def reconcile_account(account_id: int, day: str) -> None:
    """One day of one account."""
    reconcile_day(account_id=account_id, day=date.fromisoformat(day))


@app.periodic(cron="17 * * * *")
@app.task(name="sales.forget_nonces", queue="payments", pass_context=False)
def forget_old_nonces(timestamp: int) -> None:
    """Once an hour: one-time numbers that are of no use any more."""
    forget_nonces(seconds=3 * MOST_SECONDS)
