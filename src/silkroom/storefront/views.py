"""Buyers' pages: first page, shop, garment, own orders, own account."""

from __future__ import annotations

from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from silkroom.accounts.entrance import members_only, person_of
from silkroom.accounts.forms import AddressForm, NameForm
from silkroom.accounts.models import Address
from silkroom.accounts.queries import addresses_of, get_address_for
from silkroom.accounts.rules import show_phone
from silkroom.accounts.services import add_address, change_address, remove_address, rename_person
from silkroom.catalog.labels import CARE_NAMES, SAFETY_NAMES
from silkroom.catalog.states import SafetyClass
from silkroom.kit.errors import Refusal
from silkroom.sales.orders.queries import own_orders

from .queries import get_garment_page, get_shop_page, home_page

ORDERS_IN_ACCOUNT = 3


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What is on air, what comes, what is new."""
    page = home_page()
    context = {
        "on_air": page.on_air,
        "planned": page.planned,
        "past": page.past,
        "shops": page.shops,
        "cards": page.cards,
    }
    return render(request, "storefront/home.html", context)


@require_GET
def shop(request: HttpRequest, slug: str) -> HttpResponse:
    """A shop as its buyers see it."""
    page = get_shop_page(slug)
    context = {
        "shop": page.shop,
        "on_air": page.on_air,
        "planned": page.planned,
        "past": page.past,
        "cards": page.cards,
    }
    return render(request, "storefront/shop.html", context)


@require_GET
@never_cache
def style(request: HttpRequest, code: str) -> HttpResponse:
    """A garment: pictures, what is left of it, its measures and its label."""
    found = get_garment_page(code, request.user)
    safety = found.page.style.safety_class
    variant = request.GET.get("variant", "")
    context = {
        "page": found.page,
        "rows": found.rows,
        "shown_in": found.shown_in,
        "is_preview": found.is_preview,
        "key": uuid4(),
        "chosen": int(variant) if variant.isascii() and variant.isdecimal() and len(variant) < 19 else None,
        "care": [(symbol.name, CARE_NAMES[symbol.name]) for symbol in found.page.care],
        "safety": SAFETY_NAMES[SafetyClass(safety)] if safety else "",
    }
    return render(request, "storefront/style.html", context)


@require_GET
@never_cache
@login_required
def orders(request: HttpRequest) -> HttpResponse:
    """All own orders, newest first; guests have some, too."""
    before = request.GET.get("before", "")
    page = own_orders(
        person=person_of(request),
        before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None,
    )
    older = f"{reverse('storefront:orders')}?before={page.rows[-1].pk}" if page.has_more else ""
    return render(request, "storefront/orders.html", {"orders": page, "next_url": older})


@require_GET
@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Own orders, name, addresses and language."""
    return _account(request)


def _account(
    request: HttpRequest, *, name_form: NameForm | None = None, address_form: AddressForm | None = None
) -> HttpResponse:
    person = person_of(request)
    context = {
        "orders": own_orders(person=person, size=ORDERS_IN_ACCOUNT),
        "addresses": list(addresses_of(person)),
        "name_form": name_form or NameForm(initial={"name": person.name}),
        "address_form": address_form or AddressForm(),
        "phone": show_phone(person.phone) if person.phone else "",
    }
    bad = any(form is not None and form.errors for form in (name_form, address_form))
    return render(request, "storefront/account.html", context, status=422 if bad else 200)


@require_POST
@login_required
def name(request: HttpRequest) -> HttpResponse:
    """Another name."""
    form = NameForm(request.POST)
    if not form.is_valid():
        return _account(request, name_form=form)
    with transaction.atomic():
        rename_person(person=person_of(request), name=form.cleaned_data["name"])
    messages.success(request, gettext("Saved."))
    return redirect("storefront:account")


@require_POST
@members_only
def address_new(request: HttpRequest) -> HttpResponse:
    """One more address."""
    form = AddressForm(request.POST)
    if form.is_valid():
        try:
            with transaction.atomic():
                add_address(person=person_of(request), **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, refusal.sentence(gettext))
        else:
            messages.success(request, gettext("Saved."))
            return redirect("storefront:account")
    return _account(request, address_form=form)


@require_http_methods(["GET", "POST"])
@never_cache
@members_only
def address(request: HttpRequest, address_id: int) -> HttpResponse:
    """Correct an address."""
    found = get_address_for(person_of(request), address_id)
    form = AddressForm(request.POST) if request.method == "POST" else _address_form(found)
    if form.is_bound and form.is_valid():
        with transaction.atomic():
            change_address(address=found, **form.cleaned_data)
        messages.success(request, gettext("Saved."))
        return redirect("storefront:account")
    context = {"form": form, "address": found}
    return render(request, "storefront/address.html", context, status=422 if form.is_bound else 200)


def _address_form(address: Address) -> AddressForm:
    return AddressForm(initial={"recipient": address.recipient, "phone": address.phone, "line": address.line})


@require_http_methods(["GET", "POST"])
@never_cache
@members_only
def address_remove(request: HttpRequest, address_id: int) -> HttpResponse:
    """Forget an address, after one question."""
    found = get_address_for(person_of(request), address_id)
    if request.method == "GET":
        return render(request, "storefront/address_remove.html", {"address": found})
    with transaction.atomic():
        remove_address(person=person_of(request), address_id=address_id)
    messages.success(request, gettext("The address is deleted."))
    return redirect("storefront:account")
