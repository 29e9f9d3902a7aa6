"""Paying an order: choose a way, be sent to the provider or shown a code, choose another way.

A form may only lead to this host (the pages' form-action), so it leads to a page that sends the buyer on.
"""

from __future__ import annotations

import segno
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from silkroom.accounts.entrance import person_of
from silkroom.kit.clock import to_milliseconds
from silkroom.sales.orders.answers import wants_json
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.queries import get_own_order
from silkroom.sales.payments.labels import WAY_NAMES
from silkroom.sales.payments.provider import Payer
from silkroom.sales.payments.queries import running_payment
from silkroom.sales.payments.registry import choose_provider, offered_ways
from silkroom.sales.payments.services import StartedPayment, start_payment, stop_payment
from silkroom.sales.payments.states import Device

from .views import buyer_of


def payer_of(request: HttpRequest) -> Payer:
    """The buyer's device, address, and how this installation is reached."""
    is_phone = request.headers.get("Sec-CH-UA-Mobile") == "?1" or "Mobi" in request.headers.get("User-Agent", "")
    return Payer(
        device=Device.PHONE if is_phone else Device.DESK,
        address=request.META["REMOTE_ADDR"],
        site=str(settings.PUBLIC_URL) or f"{request.scheme}://{request.get_host()}",
    )


@require_POST
def pay(request: HttpRequest, number: str) -> HttpResponse:
    """Begin to pay: JSON for a script, the provider's page for a form. ``provider`` names the way.

    A script that names none where there are several is sent to the order, where the buyer chooses.
    """
    person = buyer_of(request)
    order = get_own_order(person=person, number=number)
    name = request.POST.get("provider", "") or _usual_way(order)
    if not name and wants_json(request) and offered_ways(shop=order.shop, currency=order.currency):
        page = reverse("sales:order", args=[number])
        state = reverse("sales:order-state", args=[number])
        return JsonResponse({"page_url": page, "confirm_url": "", "state_url": state})
    provider = choose_provider(shop=order.shop, currency=order.currency, name=name)
    started = start_payment(person=person, number=number, provider=provider, payer=payer_of(request))
    page_url = _page_of(started, number)
    if not wants_json(request):
        return HttpResponseRedirect(page_url)
    payment, charge = started.payment, started.charge
    return JsonResponse(
        {
            "payment": payment.reference,
            "provider": payment.provider,
            "page_url": page_url,
            "confirm_url": charge.confirm_url,
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "expires_at_ms": to_milliseconds(payment.expires_at),
            "state_url": reverse("sales:order-state", args=[number]),
        },
        status=201,
    )


def _usual_way(order: Order) -> str:
    """The way that is under way, or needs no choice; empty: the buyer has to choose."""
    running = running_payment(order_id=order.pk)
    if running is not None:
        return running.provider
    ways = offered_ways(shop=order.shop, currency=order.currency)
    return ways[0].name if ways and (len(ways) == 1 or ways[0].account is None) else ""


def _page_of(started: StartedPayment, number: str) -> str:
    """Where the buyer goes: the sandbox's page, or the one that shows what to do or sends on to the provider."""
    page_url = started.charge.page_url
    return page_url if page_url.startswith("/") else reverse("sales:paying", args=[number])


@require_GET
@never_cache
@login_required
def paying(request: HttpRequest, number: str) -> HttpResponse:
    """What there is to scan, or to transfer, or the way to the provider's page."""
    order = get_own_order(person=person_of(request), number=number)
    payment = running_payment(order_id=order.pk)
    if payment is None:
        return redirect("sales:order", number=number)
    context = {
        "order": order,
        "payment": payment,
        "way": WAY_NAMES[payment.provider],
        "code": _drawn(payment.code) if payment.code else "",
        "account": payment.account,
        "expires_at_ms": to_milliseconds(payment.expires_at),
        "state_url": reverse("sales:order-state", args=[number]),
    }
    response = render(request, "sales/paying.html", context)
    # WeChat Pay opens its page only for visitors who come from the address that the shop has registered there.
    response["Referrer-Policy"] = "origin"
    return response


def _drawn(text: str) -> str:
    """A QR code as SVG, to be put into a page."""
    return segno.make(text, error="m", micro=False).svg_inline(border=4, omitsize=True, svgclass=None, lineclass=None)


@require_POST
def stop(request: HttpRequest, number: str) -> HttpResponse:
    """The buyer wants to pay another way."""
    stop_payment(person=buyer_of(request), number=number)
    if wants_json(request):
        return JsonResponse({"number": number})
    return redirect("sales:order", number=number)
