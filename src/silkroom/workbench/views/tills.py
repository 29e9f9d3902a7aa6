"""The shop's tills: made and paired by the owner; their shifts for everybody who works at them."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from silkroom.accounts.entrance import person_of
from silkroom.kit.errors import Malformed, Refusal
from silkroom.kit.money import Money
from silkroom.pos.queries import (
    find_device,
    find_open_shift,
    get_shift_of,
    get_shortfall_of,
    get_till_of,
    open_shortfalls,
    receipts_of,
    shifts_of,
    stores_of,
    sums_of,
    tills_of,
)
from silkroom.pos.rules import label_of
from silkroom.pos.services import change_till, make_pairing_code, make_till, revoke_device, settle_shortfall
from silkroom.pos.states import Outcome
from silkroom.shops.queries import Desk, get_place_for
from silkroom.shops.rules import Task

from ..pages import attempt, attempt_once, shop_page, show_page
from ..till_forms import TillForm, TillWords, words_of


@require_GET
@shop_page(Task.TILL)
def tills(request: HttpRequest, desk: Desk) -> HttpResponse:
    """All tills, and which are open."""
    return _tills(request, desk, None)


def _tills(request: HttpRequest, desk: Desk, form: TillForm | None) -> HttpResponse:
    places = stores_of(desk.shop)
    context = {
        "rows": [
            {"till": till, "device": find_device(till), "shift": find_open_shift(till)} for till in tills_of(desk.shop)
        ],
        "form": form or TillForm(places=places),
        "has_store": bool(places),
        "may_make": desk.may(Task.STAFF),
        "shortfalls": len(open_shortfalls(desk.shop)),
    }
    return show_page(request, desk, "tills.html", context, part="till", status=422 if form is not None else 200)


@require_POST
@shop_page(Task.STAFF)
def till_new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """One more till."""
    form = TillForm(request.POST, places=stores_of(desk.shop))
    if form.is_valid():
        data = form.cleaned_data
        code = attempt_once(
            request,
            form,
            "make till",
            lambda: (
                make_till(
                    shop=desk.shop,
                    place=get_place_for(desk.shop, int(data["place"])),
                    name=data["name"],
                    clerk_discount_percent=data["clerk_discount_percent"],
                    kept_pieces=data["kept_pieces"],
                ).code
            ),
            till_name_taken="name",
            name_unusable="name",
            till_place_unusable="place",
        )
        if code is not None:
            return redirect("workbench:till", desk.shop.slug, code)
    return _tills(request, desk, form)


@require_GET
@shop_page(Task.TILL)
def till(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """One till."""
    return _till(request, desk, code)


def _till(
    request: HttpRequest, desk: Desk, code: str, *, form: TillWords | None = None, pairing: str = ""
) -> HttpResponse:
    found = get_till_of(desk.shop, code)
    context = {
        "till": found,
        "device": find_device(found),
        "open_shift": find_open_shift(found),
        "shifts": shifts_of(found),
        "form": form or TillWords(initial=words_of(found)),
        "pairing": pairing,
        "address": request.build_absolute_uri(reverse("pos:till")),
        "may_change": desk.may(Task.STAFF),
    }
    return show_page(request, desk, "till.html", context, part="till", status=422 if form is not None else 200)


@require_POST
@shop_page(Task.STAFF)
def till_change(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Another name or other limits."""
    found = get_till_of(desk.shop, code)
    form = TillWords(request.POST)
    changed = None
    if form.is_valid():
        changed = attempt(
            form, lambda: change_till(till=found, **form.cleaned_data), till_name_taken="name", name_unusable="name"
        )
    if changed is not None:
        messages.success(request, gettext("Saved."))
        return redirect("workbench:till", desk.shop.slug, code)
    return _till(request, desk, code, form=form)


@require_POST
@never_cache
@shop_page(Task.STAFF)
def till_pair(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """A code for a device, shown on this answer only."""
    found = get_till_of(desk.shop, code)
    with transaction.atomic():
        pairing = make_pairing_code(till=found)
    return _till(request, desk, code, pairing=pairing)


@require_http_methods(["POST"])
@shop_page(Task.STAFF)
def till_revoke(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """The device is no till any more (the page asked once)."""
    found = get_till_of(desk.shop, code)
    with transaction.atomic():
        revoked = revoke_device(till=found)
    if revoked:
        messages.success(request, gettext("This device is not the till any more."))
    return redirect("workbench:till", desk.shop.slug, code)


@require_GET
@shop_page(Task.TILL)
def shift(request: HttpRequest, desk: Desk, shift_id: int) -> HttpResponse:
    """The report of a shift."""
    found = get_shift_of(desk.shop, shift_id)
    sums = sums_of(found)
    cash_due = found.float_minor + sums.cash_minor - sums.repaid_minor
    context = {
        "shift": found,
        "till": found.till,
        "sums": sums,
        "cash_due_minor": cash_due,
        "cash_difference": _difference(found.counted_cash_minor, cash_due, desk),
        "code_difference": _difference(found.counted_code_minor, sums.code_minor, desk),
        "receipts": [{"one": one, "label": label_of(found.till.number, one.number)} for one in receipts_of(found)],
    }
    return show_page(request, desk, "shift.html", context, part="till")


def _difference(counted_minor: int | None, due_minor: int, desk: Desk) -> str:
    """What was counted against what should be there, in words; empty while nothing was counted."""
    if counted_minor is None:
        return ""
    much = str(Money(abs(counted_minor - due_minor), desk.shop.currency))
    if counted_minor == due_minor:
        return gettext("as it should be")
    if counted_minor > due_minor:
        return gettext("%(much)s too much") % {"much": much}
    return gettext("%(much)s too little") % {"much": much}


@require_GET
@shop_page(Task.TILL)
def shortfalls(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Pieces that were sold and that the ledger did not have."""
    return _shortfalls(request, desk)


def _shortfalls(request: HttpRequest, desk: Desk, sentence: str = "") -> HttpResponse:
    rows = [
        {"one": one, "label": label_of(one.line.receipt.till.number, one.line.receipt.number)}
        for one in open_shortfalls(desk.shop)
    ]
    context = {"rows": rows, "sentence": sentence}
    return show_page(request, desk, "shortfalls.html", context, part="till", status=422 if sentence else 200)


@require_POST
@shop_page(Task.TILL)
def shortfall_settle(request: HttpRequest, desk: Desk, shortfall_id: int) -> HttpResponse:
    """Somebody says what became of them."""
    shortfall = get_shortfall_of(desk.shop, shortfall_id)
    try:
        outcome = Outcome(request.POST.get("outcome", ""))
    except ValueError:
        raise Malformed(field="outcome") from None
    try:
        with transaction.atomic():
            settle_shortfall(shop=desk.shop, shortfall_id=shortfall.pk, outcome=outcome, by=person_of(request))
    except Refusal as refusal:
        return _shortfalls(request, desk, refusal.sentence(gettext))
    messages.success(request, gettext("Settled."))
    return redirect("workbench:shortfalls", desk.shop.slug)
