"""Reads of orders. A buyer reaches only their own, staff only their shop's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from silkroom.accounts.models import Person
from silkroom.inventory.models import Hold
from silkroom.journal.queries import Cursor
from silkroom.kit.errors import NotFound
from silkroom.kit.paging import Page, cut_page
from silkroom.shops.models import Shop

from .models import Order, OrderLine
from .rules import hold_source

PAGE_SIZE = 30


def get_own_order(*, person: Person, number: str) -> Order:
    """The person's order with its shop and lines (two queries). Raises NotFound, also for an order of somebody else."""
    return _one(_with_lines().filter(person=person, number=number))


def get_order_of_shop(*, shop: Shop, number: str) -> Order:
    """The shop's order with its lines (two queries). Raises NotFound, also for an order of another shop."""
    return _one(_with_lines().filter(shop=shop, number=number))


def own_orders(*, person: Person, before: int | None = None, size: int = PAGE_SIZE) -> Page[Order]:
    """The person's orders, newest first; ``before``: id of the last one seen. Two queries."""
    return _page(_with_lines().filter(person=person), before, size)


def has_orders(*, shop: Shop) -> bool:
    """Was anything ever ordered here?"""
    return Order.objects.filter(shop=shop).exists()


def paying_until(*, order: Order) -> datetime | None:
    """Until when the order's pieces are kept for a payment under way."""
    holds = Hold.objects.filter(source=hold_source(order.number), state="open", paying_until__isnull=False)
    return holds.order_by("-paying_until").values_list("paying_until", flat=True).first()


def _with_lines() -> QuerySet[Order]:
    lines = OrderLine.objects.order_by("id").select_related("variant")
    return Order.objects.select_related("shop").prefetch_related(Prefetch("lines", lines))


def _one(orders: QuerySet[Order]) -> Order:
    order = orders.first()
    if order is None:
        raise NotFound
    return order


def _page(orders: QuerySet[Order], before: int | None, size: int) -> Page[Order]:
    if before is not None:
        orders = orders.filter(pk__lt=before)
    return cut_page(list(orders.order_by("-id")[: size + 1]), size)


@dataclass(frozen=True)
class ChannelSums:
    """What a channel has brought so far: orders held and orders paid, their pieces and their money."""

    held_orders: int
    held_pieces: int
    held_minor: int
    paid_orders: int
    paid_pieces: int
    paid_minor: int


_SUMS = """
    WITH found AS (
        SELECT o.state, o.total_minor,
               (SELECT sum(l.quantity) FROM sales_orderline l WHERE l.order_id = o.id) AS pieces
        FROM sales_order o WHERE o.shop_id = %s AND o.channel = %s AND o.state IN ('held', 'paid')
    )
    SELECT count(*) FILTER (WHERE state = 'held'), coalesce(sum(pieces) FILTER (WHERE state = 'held'), 0)::bigint,
           coalesce(sum(total_minor) FILTER (WHERE state = 'held'), 0)::bigint,
           count(*) FILTER (WHERE state = 'paid'), coalesce(sum(pieces) FILTER (WHERE state = 'paid'), 0)::bigint,
           coalesce(sum(total_minor) FILTER (WHERE state = 'paid'), 0)::bigint
    FROM found
"""


def sums_of_channel(*, shop_id: int, channel: str, cursor: Cursor) -> ChannelSums:
    """Adds up a channel's orders, through any cursor. One query."""
    cursor.execute(_SUMS, (shop_id, channel))
    return ChannelSums(*cursor.fetchone())
