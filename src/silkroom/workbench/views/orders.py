"""The shop's orders: what was bought, by whom, in which show, and how far it has come."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from silkroom.sales.orders.queries import get_order_of_shop
from silkroom.sales.orders.states import OrderState
from silkroom.shops.queries import Desk
from silkroom.shops.rules import Task

from ..labels import ORDER_STATE_NAMES, ORDER_STATE_TONES
from ..pages import asks_for_part, shop_page, show_page, show_part
from ..queries import order_page, show_titles

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
    context = {
        "page": page,
        "rows": [
            {
                "order": one,
                "lines": list(one.lines.all()),
                "state": ORDER_STATE_NAMES[OrderState(one.state)],
                "tone": ORDER_STATE_TONES[OrderState(one.state)],
                "show": shows.get(one.channel.removeprefix(SHOW_CHANNEL), ""),
            }
            for one in page.rows
        ],
        "last": page.rows[-1].pk if page.rows else None,
        "words": words,
        "state": state,
        "channel": channel,
        "states": [(str(one), ORDER_STATE_NAMES[one]) for one in OrderState],
    }
    if asks_for_part(request):
        return show_part(request, desk, "_orders.html", context)
    return show_page(request, desk, "orders.html", context, part="orders")


@require_GET
@shop_page(Task.ORDERS)
def order(request: HttpRequest, desk: Desk, number: str) -> HttpResponse:
    """One order as the shop sees it."""
    found = get_order_of_shop(shop=desk.shop, number=number)
    code = found.channel.removeprefix(SHOW_CHANNEL) if found.channel.startswith(SHOW_CHANNEL) else ""
    context = {
        "order": found,
        "lines": list(found.lines.all()),
        "state": ORDER_STATE_NAMES[OrderState(found.state)],
        "tone": ORDER_STATE_TONES[OrderState(found.state)],
        "show": show_titles([code]).get(code, "") if code else "",
        "show_code": code,
    }
    return show_page(request, desk, "order.html", context, part="orders")
