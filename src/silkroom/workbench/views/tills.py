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

from silkroom.pos.queries import find_device, find_open_shift, get_shift_of, get_till_of, shifts_of, stores_of, tills_of
from silkroom.pos.services import change_till, make_pairing_code, make_till, revoke_device
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
    return show_page(request, desk, "shift.html", {"shift": found, "till": found.till}, part="till")
