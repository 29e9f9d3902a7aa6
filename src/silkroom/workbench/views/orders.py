"""The shop's orders: what was bought, by whom, in which show, and how far it has come."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from silkroom.accounts.entrance import person_of
from silkroom.pos.queries import till_names
from silkroom.pos.rules import TILL_CHANNEL
from silkroom.sales.orders.queries import get_order_of_shop
from silkroom.sales.orders.states import OrderState
from silkroom.sales.payments.queries import refunds_of
from silkroom.sales.payments.services import refund_paid_order, try_refunds_again
from silkroom.shops.queries import Desk
from silkroom.shops.rules import Task

from ..forms import RefundForm
from ..labels import ORDER_STATE_NAMES, ORDER_STATE_TONES, REFUND_REASON_NAMES
from ..pages import asks_for_part, attempt, shop_page, show_page, show_part
from ..queries import STUCK_REFUND, has_stuck_refunds, order_page, show_titles

SHOW_CHANNEL = "broadcast:"


@require_GET
@shop_page(Task.ORDERS)
def orders(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Newest first; filters by state and channel, and by number or buyer while one types."""
    words = request.GET.get("q", "")[:60]
    state = request.GET.get("state", "")
    channel = request.GET.get("channel", "")[:12]
    before = request.GET.get("before", "")
    page = order_page(
        desk.shop,
        state=state,
        channel=channel,
        words=words,
        before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None,
    )
    shows = show_titles(
        [one.channel.removeprefix(SHOW_CHANNEL) for one in page.rows if one.channel.startswith(SHOW_CHANNEL)]
    )
    tills = till_names([one.channel.removeprefix(TILL_CHANNEL) for one in page.rows])
    context = {
        "page": page,
        "rows": [
            {
                "order": one,
                "lines": list(one.lines.all()),
                "state": ORDER_STATE_NAMES[OrderState(one.state)],
                "tone": ORDER_STATE_TONES[OrderState(one.state)],
                "show": shows.get(one.channel.removeprefix(SHOW_CHANNEL), ""),
                "till": tills.get(one.channel.removeprefix(TILL_CHANNEL), ""),
            }
            for one in page.rows
        ],
        "last": page.rows[-1].pk if page.rows else None,
        "words": words,
        "state": state,
        "channel": channel,
        "states": [(str(one), ORDER_STATE_NAMES[one]) for one in OrderState],
        "stuck": STUCK_REFUND,
    }
    if asks_for_part(request):
        return show_part(request, desk, "_orders.html", context)
    context["has_stuck"] = state == STUCK_REFUND or has_stuck_refunds(desk.shop)
    return show_page(request, desk, "orders.html", context, part="orders")


@require_GET
@shop_page(Task.ORDERS)
def order(request: HttpRequest, desk: Desk, number: str) -> HttpResponse:
    """One order as the shop sees it."""
    found = get_order_of_shop(shop=desk.shop, number=number)
    code = found.channel.removeprefix(SHOW_CHANNEL) if found.channel.startswith(SHOW_CHANNEL) else ""
    till = found.channel.removeprefix(TILL_CHANNEL) if found.channel.startswith(TILL_CHANNEL) else ""
    context = {
        "order": found,
        "lines": list(found.lines.all()),
        "state": ORDER_STATE_NAMES[OrderState(found.state)],
        "tone": ORDER_STATE_TONES[OrderState(found.state)],
        "show": show_titles([code]).get(code, "") if code else "",
        "show_code": code,
        "till": till_names([till]).get(till, "") if till else "",
        "refunds": [(one, REFUND_REASON_NAMES.get(one.reason, "")) for one in refunds_of(order_id=found.pk)],
        # What was paid at a till goes back over its counter.
        "may_refund": desk.may(Task.REFUNDS) and not till,
    }
    return show_page(request, desk, "order.html", context, part="orders")


@require_http_methods(["GET", "POST"])
@shop_page(Task.REFUNDS)
def refund(request: HttpRequest, desk: Desk, number: str) -> HttpResponse:
    """The money of a paid order goes back: one page that says what will happen, one press."""
    found = get_order_of_shop(shop=desk.shop, number=number)
    form = RefundForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = attempt(
            form,
            lambda: refund_paid_order(shop=desk.shop, number=number, by=person_of(request), **form.cleaned_data),
        )
        if made is not None:
            messages.success(request, gettext("The money goes back to the buyer."))
            return redirect("workbench:order", desk.shop.slug, number)
    elif found.state != OrderState.PAID:
        return redirect("workbench:order", desk.shop.slug, number)
    context = {"order": found, "form": form}
    return show_page(request, desk, "order_refund.html", context, part="orders", status=422 if form.errors else 200)


@require_POST
@shop_page(Task.REFUNDS)
def refund_again(request: HttpRequest, desk: Desk, number: str) -> HttpResponse:
    """Somebody has looked: money that could not be sent back is sent anew."""
    with transaction.atomic():
        count = try_refunds_again(shop=desk.shop, number=number)
    if count:
        messages.success(request, gettext("It is tried again. Look here in a minute."))
    return redirect("workbench:order", desk.shop.slug, number)
