"""How a shop is paid: its accounts at providers, transfers that are awaited, and what the providers' books say."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from silkroom.accounts.entrance import person_of
from silkroom.kit.errors import NotFound
from silkroom.sales.payments.errors import ProviderUnavailable
from silkroom.sales.payments.labels import DIFFERENCE_NAMES, WAY_NAMES
from silkroom.sales.payments.merchants import (
    account_in_use,
    address_code,
    check_account,
    retire_account,
    save_account,
)
from silkroom.sales.payments.models import MerchantAccount
from silkroom.sales.payments.queries import awaited_transfers, refunds_by_hand
from silkroom.sales.payments.reconciliation import open_differences, recent_statements, settle_difference
from silkroom.sales.payments.registry import KINDS, Kind, has_sandbox
from silkroom.sales.payments.services import confirm_refund_by_hand, confirm_transfer
from silkroom.sales.payments.states import DifferenceKind
from silkroom.shops.models import Shop
from silkroom.shops.queries import Desk
from silkroom.shops.rules import Task

from ..pages import attempt, shop_page, show_page
from ..payment_forms import AccountForm


@require_GET
@shop_page(Task.STAFF)
def payments(request: HttpRequest, desk: Desk) -> HttpResponse:
    """All ways to pay, and what waits for somebody's hand."""
    return _page(request, desk)


def _page(request: HttpRequest, desk: Desk, refused: AccountForm | None = None) -> HttpResponse:
    ways = [_way(request, desk.shop, kind, refused) for kind in KINDS.values()]
    context = {
        "ways": ways,
        "has_sandbox": has_sandbox(),
        "transfers": awaited_transfers(shop=desk.shop),
        "refunds": refunds_by_hand(shop=desk.shop),
        "differences": [
            (one, WAY_NAMES[one.statement.account.provider], DIFFERENCE_NAMES[DifferenceKind(one.kind)])
            for one in open_differences(shop=desk.shop)
        ],
        "statements": [(one, WAY_NAMES[one.account.provider]) for one in recent_statements(shop=desk.shop)],
    }
    return show_page(request, desk, "payments.html", context, part="settings", status=422 if refused else 200)


def _way(request: HttpRequest, shop: Shop, kind: Kind, refused: AccountForm | None) -> dict[str, Any]:
    account = account_in_use(shop=shop, provider=kind.name)
    form = refused if refused is not None and refused.prefix == kind.name else AccountForm(kind=kind, account=account)
    address = ""
    if kind.needs_address:
        path = reverse("sales:account-notify", args=[kind.name, address_code(shop=shop, provider=kind.name)])
        address = f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else request.build_absolute_uri(path)
    return {
        "name": kind.name,
        "title": WAY_NAMES[kind.name],
        "account": account,
        "form": form,
        "address": address,
        "takes_currency": shop.currency in kind.currencies,
        "is_offered": account is not None and account.checked_at is not None and not account.problem,
    }


def _kind(provider: str) -> Kind:
    if provider not in KINDS:
        raise NotFound
    return KINDS[provider]


@require_POST
@shop_page(Task.STAFF)
def account_save(request: HttpRequest, desk: Desk, provider: str) -> HttpResponse:
    """Enter an account or change it; then the provider is asked at once."""
    kind = _kind(provider)
    form = AccountForm(request.POST, kind=kind, account=account_in_use(shop=desk.shop, provider=provider))
    if form.is_valid():
        account = attempt(
            form,
            lambda: save_account(shop=desk.shop, by=person_of(request), provider=provider, values=form.cleaned_data),
        )
        if account is not None:
            _check(request, account)
            return redirect("workbench:payments", desk.shop.slug)
    return _page(request, desk, form)


@require_POST
@shop_page(Task.STAFF)
def account_check(request: HttpRequest, desk: Desk, provider: str) -> HttpResponse:
    """Ask the provider whether it knows this account and its keys."""
    account = account_in_use(shop=desk.shop, provider=_kind(provider).name)
    if account is not None:
        _check(request, account)
    return redirect("workbench:payments", desk.shop.slug)


def _check(request: HttpRequest, account: MerchantAccount) -> None:
    way = {"way": WAY_NAMES[account.provider]}
    try:
        is_good = check_account(account=account)
    except ProviderUnavailable:
        messages.warning(request, gettext("%(way)s does not answer. Please check again in a moment.") % way)
        return
    if is_good:
        messages.success(request, gettext("%(way)s knows this account. Your buyers can pay with it.") % way)
    else:
        messages.error(request, gettext("%(way)s does not take this account. Look at what it says.") % way)


@require_POST
@shop_page(Task.STAFF)
def account_off(request: HttpRequest, desk: Desk, provider: str) -> HttpResponse:
    """Offer this way no more."""
    with transaction.atomic():
        retire_account(shop=desk.shop, by=person_of(request), provider=_kind(provider).name)
    messages.success(request, gettext("Buyers are not offered it any more."))
    return redirect("workbench:payments", desk.shop.slug)


@require_POST
@shop_page(Task.STAFF)
def transfer_came(request: HttpRequest, desk: Desk, payment_id: int) -> HttpResponse:
    """The money of a transfer is on the shop's account."""
    with transaction.atomic():
        confirm_transfer(shop=desk.shop, payment_id=payment_id, by=person_of(request))
    messages.success(request, gettext("Saved."))
    return redirect("workbench:payments", desk.shop.slug)


@require_POST
@shop_page(Task.STAFF)
def refund_sent(request: HttpRequest, desk: Desk, refund_id: int) -> HttpResponse:
    """The money of a transfer has been sent back by hand."""
    with transaction.atomic():
        confirm_refund_by_hand(shop=desk.shop, refund_id=refund_id, by=person_of(request))
    messages.success(request, gettext("Saved."))
    return redirect("workbench:payments", desk.shop.slug)


@require_POST
@shop_page(Task.STAFF)
def difference_settled(request: HttpRequest, desk: Desk, difference_id: int) -> HttpResponse:
    """Somebody has looked at a difference."""
    with transaction.atomic():
        settle_difference(shop=desk.shop, difference_id=difference_id, by=person_of(request))
    messages.success(request, gettext("Saved."))
    return redirect("workbench:payments", desk.shop.slug)
