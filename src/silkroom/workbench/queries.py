"""Reads that need several departments: what is next in a shop, stock by variant, the running order of a show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum

from silkroom.catalog.models import Variant
from silkroom.catalog.queries import StyleCard, cards_of_shop, counts_by_state
from silkroom.catalog.states import StyleState
from silkroom.inventory.models import Movement
from silkroom.inventory.queries import Stock, movements_of_shop, stock_of_items
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.kit.paging import Page, cut_page
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.states import RUNNING, BroadcastState
from silkroom.live.deals.models import PreparedDeal
from silkroom.pos.rules import TILL_CHANNEL
from silkroom.sales.orders.models import Order
from silkroom.sales.orders.states import OrderState
from silkroom.sales.payments.queries import given_up_refunds
from silkroom.shops.models import Place, Shop
from silkroom.shops.queries import inside_places

MOVEMENTS_ON_A_PAGE = 50
ORDERS_ON_A_PAGE = 50
VARIANTS_ON_A_PAGE = 400

STUCK_REFUND = "refund-stuck"
"""A filter of the orders beside their states."""


@dataclass(frozen=True)
class Figures:
    """What the dashboard counts. Each number leads to its rows."""

    drafts: int
    on_sale: int
    free_pieces: int
    orders_today: int
    paid_today_minor: int
    held_now: int
    next_show: Broadcast | None
    show_on_air: Broadcast | None


def figures_of(shop: Shop) -> Figures:
    """7 SQL queries."""
    states = counts_by_state(shop)
    items = list(Variant.objects.filter(shop=shop, is_sold=True).values_list("item_id", flat=True))
    since = now() - timedelta(days=1)
    today = Order.objects.filter(shop=shop, placed_at__gte=since).aggregate(
        count=Count("id"), paid=Sum("total_minor", filter=Q(state=OrderState.PAID))
    )
    shows = Broadcast.objects.filter(shop=shop)
    return Figures(
        drafts=states.get(StyleState.DRAFT, 0),
        on_sale=states.get(StyleState.PUBLISHED, 0),
        free_pieces=sum(row.free for row in stock_of_items(shop_id=shop.pk, item_ids=items)),
        orders_today=today["count"],
        paid_today_minor=today["paid"] or 0,
        held_now=Order.objects.filter(shop=shop, state=OrderState.HELD).count(),
        next_show=shows.filter(state__in=(BroadcastState.PLANNED, BroadcastState.REHEARSING))
        .order_by("planned_at", "id")
        .first(),
        show_on_air=shows.filter(state__in=RUNNING).order_by("-started_at").first(),
    )


@dataclass(frozen=True)
class StockRow:
    """A variant and what lies of it at each place, in the order of the places."""

    variant: Variant
    places: Sequence[Place]
    at_places: Sequence[Stock]

    @property
    def at_places_named(self) -> list[tuple[Stock, Place]]:
        return list(zip(self.at_places, self.places, strict=True))

    @property
    def on_hand(self) -> int:
        return sum(one.on_hand for one in self.at_places)

    @property
    def held(self) -> int:
        return sum(one.held + one.leased for one in self.at_places)

    @property
    def free(self) -> int:
        return sum(one.free for one in self.at_places)


@dataclass(frozen=True)
class StockPage:
    """Stock of a shop. 3 SQL queries."""

    places: Sequence[Place]
    rows: Sequence[StockRow]
    has_more: bool = field(default=False)


def stock_page(shop: Shop, *, words: str = "", only: Variant | None = None) -> StockPage:
    """All variants that have an item, newest styles first; ``words`` filters name, SKU, EAN, colour and size."""
    places = list(inside_places(shop))
    variants = Variant.objects.filter(shop=shop).select_related("style", "colour", "size")
    if only is not None:
        variants = variants.filter(pk=only.pk)
    for word in words.split()[:5]:
        variants = variants.filter(
            Q(style__name__icontains=word)
            | Q(style__name_en__icontains=word)
            | Q(sku__icontains=word)
            | Q(ean__startswith=word)
            | Q(colour__name__icontains=word)
            | Q(colour__name_en__icontains=word)
            | Q(size__label__iexact=word)
        )
    found = list(
        variants.order_by("-style_id", "colour__position", "colour_id", "size__position", "size_id")[
            : VARIANTS_ON_A_PAGE + 1
        ]
    )
    page = cut_page(found, VARIANTS_ON_A_PAGE)
    stock: dict[int, dict[int, Stock]] = defaultdict(dict)
    for one in stock_of_items(shop_id=shop.pk, item_ids=[variant.item_id for variant in page.rows]):
        stock[one.item_id][one.place_id] = one
    rows = [
        StockRow(
            variant,
            places,
            [stock[variant.item_id].get(place.pk, Stock(variant.item_id, place.pk, 0, 0, 0)) for place in places],
        )
        for variant in page.rows
    ]
    return StockPage(places, rows, page.has_more)


@dataclass(frozen=True)
class StyleAtPlaces:
    """A style and how many of its pieces lie at each place that has some."""

    card: StyleCard
    lies: Sequence[tuple[Place, int]]


def styles_by_place(shop: Shop, places: Sequence[Place], *, words: str = "") -> list[StyleAtPlaces]:
    """Styles that have variants, newest first, and where their pieces lie. 2 SQL queries more than the cards."""
    cards = cards_of_shop(shop, words=words)
    of_item = dict(Variant.objects.filter(style__in=[one.style for one in cards]).values_list("item_id", "style_id"))
    lies: dict[tuple[int, int], int] = defaultdict(int)
    for one in stock_of_items(shop_id=shop.pk, item_ids=list(of_item)):
        lies[of_item[one.item_id], one.place_id] += one.on_hand
    with_items = set(of_item.values())
    return [
        StyleAtPlaces(card, [(place, count) for place in places if (count := lies[card.style.pk, place.pk])])
        for card in cards
        if card.style.pk in with_items
    ]


@dataclass(frozen=True)
class MovementRow:
    """A movement with the variant it is about, if it is about one."""

    movement: Movement
    variant: Variant | None


def movement_page(shop: Shop, *, variant: Variant | None, before: int | None) -> Page[MovementRow]:
    """Movements, newest first; ``before`` is the id of the last one seen. 2 SQL queries."""
    movements: QuerySet[Movement] = movements_of_shop(
        shop_id=shop.pk, item_id=variant.item_id if variant else None
    ).select_related("person")
    if before is not None:
        movements = movements.filter(pk__lt=before)
    page = cut_page(list(movements[: MOVEMENTS_ON_A_PAGE + 1]), MOVEMENTS_ON_A_PAGE)
    variants = {
        one.item_id: one
        for one in Variant.objects.select_related("style", "colour", "size").filter(
            item__in=[row.item_id for row in page.rows]
        )
    }
    return Page([MovementRow(row, variants.get(row.item_id)) for row in page.rows], page.has_more)


def order_page(shop: Shop, *, state: str, channel: str, words: str, before: int | None) -> Page[Order]:
    """Orders of the shop, newest first, with their lines and buyers. 2 SQL queries."""
    orders = Order.objects.filter(shop=shop).select_related("person").prefetch_related("lines")
    orders = orders.order_by("-placed_at", "-id").annotate(
        has_stuck_refund=Exists(given_up_refunds().filter(payment__order=OuterRef("pk")))
    )
    if state == STUCK_REFUND:
        orders = orders.filter(has_stuck_refund=True)
    elif state in set(OrderState):
        orders = orders.filter(state=state)
    if channel == "web":
        orders = orders.filter(channel="web")
    elif channel == "till":
        orders = orders.filter(channel__startswith=TILL_CHANNEL)
    elif channel == "show":
        orders = orders.filter(channel__startswith="broadcast:")
    elif channel:
        orders = orders.filter(channel=f"broadcast:{channel}")
    for word in words.split()[:5]:
        orders = orders.filter(
            Q(number__istartswith=word)
            | Q(person__name__icontains=word)
            | Q(recipient__icontains=word)
            | Q(phone__endswith=word)
        )
    if before is not None:
        last = Subquery(Order.objects.filter(shop=shop, pk=before).values("placed_at"))
        # A batch of the order desk has one moment. The first condition is what the index can begin at.
        orders = orders.filter(placed_at__lte=last).filter(Q(placed_at__lt=last) | Q(pk__lt=before))
    return cut_page(list(orders[: ORDERS_ON_A_PAGE + 1]), ORDERS_ON_A_PAGE)


def has_stuck_refunds(shop: Shop) -> bool:
    """Does money of this shop wait for somebody to look? 1 SQL query."""
    return given_up_refunds().filter(payment__order__shop=shop).exists()


def show_titles(codes: Sequence[str]) -> dict[str, str]:
    """{code of a show: its title}, for orders that name their show."""
    return dict(Broadcast.objects.filter(code__in=codes).values_list("code", "title"))


def get_show_of(shop: Shop, code: str) -> Broadcast:
    """A show of this shop. Raises NotFound."""
    broadcast = Broadcast.objects.select_related("shop", "host").filter(shop=shop, code=code).first()
    if broadcast is None:
        raise NotFound
    return broadcast


def running_order(broadcast: Broadcast) -> list[int]:
    """Ids of the styles, in their order."""
    return list(broadcast.running_order.order_by("position", "id").values_list("style_id", flat=True))


def deals_of(broadcast: Broadcast) -> QuerySet[PreparedDeal]:
    """Deals made ready, in the order in which they were made."""
    return PreparedDeal.objects.select_related("style").filter(broadcast=broadcast).order_by("id")
