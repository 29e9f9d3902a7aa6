"""Every day each provider's own book is fetched and compared with silkroom's; what differs is listed for the owner.

A payment is looked up by its reference, whatever day it was booked on. The other way round a payment of a day must be
in the statement of that day or of the one before: the notice may come after midnight at the provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from procrastinate.contrib.django import app

from silkroom.accounts.models import Person
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.shops.models import Shop

from .errors import CredentialsUnreadable, ProviderRefused, ProviderUnavailable, StatementNotReady
from .models import Difference, MerchantAccount, Payment, Refund, Statement, StatementEntry
from .provider import StatementLine, wire_key
from .registry import KINDS, provider_of_account
from .states import DifferenceKind, LineKind, PaymentState

DAYS_BACK = 3
"""Each run compares so many days: a statement may come late, and so may a notice."""

RETIRED_DAYS = 60
"""So long after an account was turned off its money may still go back."""

PAID = (PaymentState.SUCCEEDED, PaymentState.REFUNDED)


@dataclass(frozen=True)
class Found:
    """A difference. ``key`` is empty for payments."""

    kind: DifferenceKind
    reference: str
    key: str
    payment: Payment | None
    ours_minor: int | None
    theirs_minor: int | None
    currency: str

    @property
    def name(self) -> tuple[str, str, str]:
        return str(self.kind), self.reference, self.key


def due_statements(at: datetime) -> list[tuple[int, date]]:
    """(account, day) of all that is to be compared at this moment. One query."""
    since = at - timedelta(days=RETIRED_DAYS)
    zones = {name: kind.zone for name, kind in KINDS.items() if kind.zone}
    accounts = MerchantAccount.objects.filter(
        Q(retired_at__isnull=True) | Q(retired_at__gt=since), provider__in=zones, checked_at__isnull=False
    )
    return [
        (one.pk, at.astimezone(ZoneInfo(zones[one.provider])).date() - timedelta(days=back))
        for one in accounts.order_by("id")
        for back in range(1, DAYS_BACK + 1)
    ]


def reconcile_day(*, account_id: int, day: date) -> None:
    """Fetch a statement, keep it, and list what differs. Done again it replaces what it found before.

    Commits by itself: the provider is called first. Raises ProviderUnavailable if it does not answer.
    """
    account = MerchantAccount.objects.get(pk=account_id)
    try:
        lines = list(provider_of_account(account).statement(day))
    except StatementNotReady as refusal:
        if _paid_on(account, day):
            _note_problem(account, day, refusal.code)
            return
        lines = []
    except (ProviderRefused, CredentialsUnreadable) as refusal:
        _note_problem(account, day, str(refusal.data.get("reason", refusal.code)))
        return
    except ProviderUnavailable as refusal:
        _note_problem(account, day, refusal.code)
        raise
    with transaction.atomic():
        statement = _statement(account, day)
        _keep(statement, lines)
        found = [*_from_there(account, lines), *_from_here(account, day)]
        _list(statement, found)
        statement.fetched_at, statement.problem = now(), ""
        statement.save(update_fields=["fetched_at", "problem"])
        for one in found:
            if one.kind == DifferenceKind.NOT_PAID_HERE and one.payment is not None:
                app.configure_task("sales.ask_about_failed_payment").defer(payment_id=one.payment.pk)


def settle_difference(*, shop: Shop, difference_id: int, by: Person) -> None:
    """Somebody has looked: it is listed no more. Raises NotFound."""
    found = (
        Difference.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk=difference_id, statement__account__shop=shop)
        .first()
    )
    if found is None:
        raise NotFound
    if found.settled_at is not None:
        return
    found.settled_at, found.settled_by = now(), by
    found.save(update_fields=["settled_at", "settled_by"])
    append_entry(
        kind="payments.difference_settled",
        shop_id=shop.pk,
        data={"kind": found.kind, "reference": found.reference, "by": by.code},
    )


def open_differences(*, shop: Shop, most: int = 100) -> list[Difference]:
    """Newest day first. One query."""
    rows = Difference.objects.filter(statement__account__shop=shop, settled_at__isnull=True)
    return list(rows.select_related("statement__account", "payment__order").order_by("-statement__day", "id")[:most])


def recent_statements(*, shop: Shop, most: int = 30) -> list[Statement]:
    """Newest day first. One query."""
    return list(
        Statement.objects.filter(account__shop=shop).select_related("account").order_by("-day", "account_id")[:most]
    )


def _statement(account: MerchantAccount, day: date) -> Statement:
    Statement.objects.get_or_create(account=account, day=day)
    return Statement.objects.select_for_update(no_key=True).get(account=account, day=day)


def _note_problem(account: MerchantAccount, day: date, problem: str) -> None:
    with transaction.atomic():
        statement = _statement(account, day)
        statement.problem = problem[:120]
        statement.save(update_fields=["problem"])


def _keep(statement: Statement, lines: Sequence[StatementLine]) -> None:
    statement.entries.all().delete()
    StatementEntry.objects.bulk_create(
        StatementEntry(
            statement=statement,
            kind=one.kind,
            reference=one.reference[:80],
            key=one.key[:80],
            amount_minor=one.amount_minor,
            currency=one.currency,
            provider_id=one.provider_id[:120],
        )
        for one in lines
    )


def _from_there(account: MerchantAccount, lines: Sequence[StatementLine]) -> Iterable[Found]:
    """What the provider has booked, and silkroom has not, or otherwise."""
    names = {one.reference for one in lines}
    payments = {one.reference: one for one in Payment.objects.filter(account=account, reference__in=names)}
    refunds = {
        (one.payment.reference, wire_key(one.key)): one
        for one in Refund.objects.filter(payment__in=payments.values()).select_related("payment")
    }
    for line in lines:
        payment = payments.get(line.reference)
        if line.kind == LineKind.PAYMENT:
            kind, ours = _judge_payment(payment, line)
        else:
            refund = refunds.get((line.reference, line.key))
            ours = None if refund is None else refund.amount_minor
            kind = None if ours == line.amount_minor else DifferenceKind.REFUND_AMOUNT_DIFFERS
            kind = DifferenceKind.REFUND_UNKNOWN_HERE if refund is None else kind
        if kind is not None:
            yield Found(kind, line.reference[:80], line.key[:80], payment, ours, line.amount_minor, line.currency)


def _judge_payment(payment: Payment | None, line: StatementLine) -> tuple[DifferenceKind | None, int | None]:
    if payment is None:
        return DifferenceKind.UNKNOWN_HERE, None
    ours = payment.amount_minor
    if (ours, payment.currency) != (line.amount_minor, line.currency):
        return DifferenceKind.AMOUNT_DIFFERS, ours
    return (None, ours) if payment.state in PAID else (DifferenceKind.NOT_PAID_HERE, ours)


def _from_here(account: MerchantAccount, day: date) -> Iterable[Found]:
    """What silkroom has booked and the provider has not; refunds have a day to get there."""
    entries = StatementEntry.objects.filter(statement__account=account, statement__day__in=(day - timedelta(1), day))
    booked = {(one.kind, one.reference, one.key) for one in entries}
    for payment in _paid_on(account, day):
        if (LineKind.PAYMENT, payment.reference, "") not in booked:
            yield Found(
                DifferenceKind.MISSING_THERE,
                payment.reference,
                "",
                payment,
                payment.amount_minor,
                None,
                payment.currency,
            )
    starts, ends = _bounds(account, day - timedelta(1))
    refunds = Refund.objects.filter(payment__account=account, is_done=True, created_at__gte=starts, created_at__lt=ends)
    for refund in refunds.select_related("payment"):
        payment, key = refund.payment, wire_key(refund.key)
        if (LineKind.REFUND, payment.reference, key) not in booked:
            yield Found(
                DifferenceKind.REFUND_MISSING_THERE,
                payment.reference,
                key,
                payment,
                refund.amount_minor,
                None,
                payment.currency,
            )


def _paid_on(account: MerchantAccount, day: date) -> list[Payment]:
    starts, ends = _bounds(account, day)
    return list(Payment.objects.filter(account=account, state__in=PAID, paid_at__gte=starts, paid_at__lt=ends))


def _bounds(account: MerchantAccount, day: date) -> tuple[datetime, datetime]:
    """The provider's day."""
    zone = ZoneInfo(KINDS[account.provider].zone)
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(1), time(), zone)


def _list(statement: Statement, found: Sequence[Found]) -> None:
    """Found anew: as it was, also if somebody has settled it. Found no more: gone, unless somebody has settled it."""
    names = {one.name for one in found}
    known = {(one.kind, one.reference, one.key): one for one in statement.differences.all()}
    statement.differences.filter(
        pk__in=[one.pk for name, one in known.items() if name not in names and one.settled_at is None]
    ).delete()
    Difference.objects.bulk_create(
        [
            Difference(
                statement=statement,
                kind=one.kind,
                reference=one.reference,
                key=one.key,
                payment=one.payment,
                ours_minor=one.ours_minor,
                theirs_minor=one.theirs_minor,
                currency=one.currency,
            )
            for one in found
            if one.name not in known
        ],
        ignore_conflicts=True,
    )
