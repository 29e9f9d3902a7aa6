"""Pages of a buyer's order: buy, look, pay, cancel, say where it goes. Own orders only; all others answer 404."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from silkroom.accounts.entrance import refuse_flood_of_guests
from silkroom.accounts.errors import NameUnusable
from silkroom.accounts.models import Person
from silkroom.accounts.rules import LONGEST_GUEST_NAME
from silkroom.kit.errors import NotFound, Refusal
from silkroom.sales.orders.answers import wants_json
from silkroom.sales.orders.services import cancel_order, set_address
from silkroom.sales.payments.labels import WAY_NAMES
from silkroom.sales.payments.registry import offered_ways
from silkroom.shops.models import Shop
from silkroom.shops.queries import is_name_of_shop

from .forms import AddressForm, BuyForm
from .queries import OrderStanding, own_order_standing
from .services import guest_of_press, place_web_order

PASSWORDLESS = "django.contrib.auth.backends.ModelBackend"
"""Whom the session of a guest names as its sign-in; it only finds the person again."""


def buyer_of(request: HttpRequest) -> Person:
    """Who asks. Somebody without a session owns no order: NotFound, like a stranger's."""
    if not isinstance(request.user, Person):
        raise NotFound
    return request.user


@require_POST
def buy(request: HttpRequest) -> HttpResponse:
    """One garment from a style's page becomes a held order: of the person who is signed in, or of a new guest.

    Who would rather sign in (the form's ``sign_in``) comes back to the page with what was chosen.
    """
    person = request.user if isinstance(request.user, Person) else None
    if person is None and ("sign_in" in request.POST or not request.POST.get("name")):
        page = f"{_page_before(request)}#buy"
        return redirect(f"{reverse('account_login')}?{urlencode({'next': page})}")
    form = BuyForm(request.POST)
    if not form.is_valid():
        name_unusable = " ".join(str(one) for one in form.errors.get("name", []))
        messages.error(request, name_unusable or _("Please choose colour, size and number of pieces."))
        return HttpResponseRedirect(_page_before(request))
    try:
        buyer = person or _become_guest(request, form)
        receipt = place_web_order(person_id=buyer.pk, key=form.cleaned_data["key"], lines=[form.line()])
    except Refusal as refusal:
        if wants_json(request):
            raise
        messages.error(request, refusal.sentence(_))
        return HttpResponseRedirect(_page_before(request))
    return redirect("sales:order", number=receipt.number)


def _become_guest(request: HttpRequest, form: BuyForm) -> Person:
    """The visitor is a guest from now on, in this browser. Raises NameUnusable, TooMany."""
    name, variant_id = form.cleaned_data["name"], form.cleaned_data["variant"]
    refuse_flood_of_guests(request)
    shop = Shop.objects.filter(variants=variant_id).first()
    if shop is not None and is_name_of_shop(shop, name):
        raise NameUnusable(longest=LONGEST_GUEST_NAME)
    browser = request.META.get("CSRF_COOKIE", "")
    guest = guest_of_press(name=name, press=f"{browser} {form.cleaned_data['key']}")
    login(request, guest, backend=PASSWORDLESS)
    return guest


@require_GET
@never_cache
@login_required
def order_page(request: HttpRequest, number: str) -> HttpResponse:
    """The order, its state, and what can be done about it."""
    standing = own_order_standing(person=buyer_of(request), number=number)
    return render(request, "sales/order.html", _page_data(standing, _address_form(standing)))


@require_GET
@never_cache
def order_state(request: HttpRequest, number: str) -> JsonResponse:
    """The same in JSON, for the page's script and the room."""
    return JsonResponse(own_order_standing(person=buyer_of(request), number=number).as_json())


@require_http_methods(["GET", "POST"])
@login_required
def order_address(request: HttpRequest, number: str) -> HttpResponse:
    """Where the parcel goes. The form stands on the order's page; what is wrong with it is shown there."""
    person = buyer_of(request)
    if request.method == "GET":
        return redirect("sales:order", number=number)
    form = AddressForm(request.POST)
    if not form.is_valid():
        standing = own_order_standing(person=person, number=number)
        return render(request, "sales/order.html", _page_data(standing, form), status=400)
    with transaction.atomic():
        set_address(person=person, number=number, **form.cleaned_data)
    if wants_json(request):
        return JsonResponse({"number": number})
    messages.success(request, _("Your address has been saved."))
    return redirect("sales:order", number=number)


@require_POST
def cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Give the pieces back."""
    with transaction.atomic():
        cancel_order(person=buyer_of(request), number=number)
    if wants_json(request):
        return JsonResponse({"number": number, "state": "cancelled"})
    messages.success(request, _("Your order has been cancelled."))
    return redirect("sales:order", number=number)


def _page_data(standing: OrderStanding, form: AddressForm) -> dict[str, Any]:
    order = standing.order
    ways = offered_ways(shop=order.shop, currency=order.currency) if standing.may_pay else []
    return {
        "order": order,
        "lines": list(standing.order.lines.all()),
        "standing": standing,
        "payment": standing.payment,
        "refund": standing.refund,
        "state": standing.as_json(),
        "state_url": reverse("sales:order-state", args=[standing.order.number]),
        "address_form": form,
        "ways": [(one.name, WAY_NAMES[one.name]) for one in ways],
    }


def _address_form(standing: OrderStanding) -> AddressForm:
    order = standing.order
    return AddressForm(initial={"recipient": order.recipient, "phone": order.phone, "address": order.address})


def _page_before(request: HttpRequest) -> str:
    """The page that the form stood on, if it is ours, with what was chosen there."""
    page = request.POST.get("next") or request.headers.get("referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    variant = request.POST.get("variant", "")
    if not (variant.isascii() and variant.isdecimal()):
        return page
    parts = urlsplit(page)
    query = dict(parse_qsl(parts.query)) | {"variant": variant}
    return urlunsplit(parts._replace(query=urlencode(query), fragment=""))
