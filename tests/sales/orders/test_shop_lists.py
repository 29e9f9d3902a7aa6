"""The shop's list of orders and the sums of its day: by an index, however many orders there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from silkroom.sales.orders.models import Order
from silkroom.sales.orders.queries import sums_of_channel
from silkroom.shops.models import Shop
from silkroom.workbench import queries
from tests.sales.stocked import make_people, make_shop

pytestmark = pytest.mark.django_db

FILL = """
    INSERT INTO sales_order (shop_id, number, person_id, key, channel, state, currency, goods_minor, discount_minor,
        freight_minor, tax_minor, total_minor, placed_at, holds_until, ended_at, recipient, phone, address)
    SELECT %s, %s || '-' || i, %s, gen_random_uuid(), CASE WHEN i %% 10 = 0 THEN 'broadcast:SHOW' ELSE 'web' END,
        'paid', 'CNY', 100, 0, 0, 0, 100, now() - (i / 3) * interval '1 hour', now(), now(), '', '', ''
    FROM generate_series(1, %s) AS i
"""


def fill(shop: Shop, count: int) -> None:
    """Three orders an hour, at the very same moment: a batch of the order desk."""
    (buyer,) = make_people(1)
    with connection.cursor() as cursor:
        cursor.execute(FILL, (shop.pk, shop.pk, buyer.pk, count))


@pytest.fixture
def shop() -> Shop:
    ours, other = make_shop().shop, make_shop().shop
    fill(ours, 3000)
    fill(other, 3000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sales_order")
    return ours


def plans(ask: Callable[[], object]) -> str:
    with CaptureQueriesContext(connection) as asked:
        ask()
    found = []
    with connection.cursor() as cursor:
        for one in asked.captured_queries:
            if 'FROM "sales_order"' in one["sql"] or "FROM sales_order" in one["sql"]:
                cursor.execute(f"EXPLAIN {one['sql']}")
                found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def test_the_sums_of_a_day_look_at_that_day(shop: Shop) -> None:
    assert queries.figures_of(shop).orders_today == 3 * 24 - 1
    assert "order_of_shop_by_time" in plans(lambda: queries.figures_of(shop))


def sums(shop: Shop) -> object:
    with connection.cursor() as cursor:
        return sums_of_channel(shop_id=shop.pk, channel="broadcast:SHOW", cursor=cursor)


def test_the_sums_of_a_show_look_at_that_show(shop: Shop) -> None:
    assert "order_by_channel" in plans(lambda: sums(shop))


def test_the_list_of_orders_is_paged_by_time_through_its_index(shop: Shop) -> None:
    wanted = list(Order.objects.filter(shop=shop).order_by("-placed_at", "-id").values_list("pk", flat=True)[:110])
    found: list[int] = []
    before: int | None = None
    while len(found) < 100:
        page = queries.order_page(shop, state="", channel="", words="", before=before)
        found += [one.pk for one in page.rows]
        before = found[-1]
    assert found == wanted[:100], "pages end within a moment, and no order is left out or told twice"
    deep = Order.objects.filter(shop=shop).order_by("placed_at")[20].pk
    plan = plans(lambda: queries.order_page(shop, state="", channel="", words="", before=deep))
    assert "order_of_shop_by_time" in plan
    assert "placed_at <= (InitPlan" in plan, "it begins where the page begins"
