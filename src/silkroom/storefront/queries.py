"""Reads of the buyers' pages that need several departments. Each has a fixed number of SQL queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, Exists, IntegerField, OuterRef, Value, When

from silkroom.catalog.models import Colour, Style
from silkroom.catalog.queries import (
    CellView,
    StyleCard,
    StylePage,
    cards_on_sale,
    find_style,
    latest_cards,
    style_page,
)
from silkroom.catalog.states import StyleState
from silkroom.kit.errors import NotFound
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.queries import shows_on_air, shows_past, shows_to_come
from silkroom.live.broadcasts.states import RUNNING, BroadcastState
from silkroom.shops.models import Shop
from silkroom.shops.queries import find_role, find_shop
from silkroom.shops.rules import Task, may_do

MOST_SHOWS = 6
MOST_SHOPS = 24
NEWEST = 12


@dataclass(frozen=True)
class HomePage:
    """The first page. 9 SQL queries, however much there is."""

    on_air: Sequence[Broadcast]
    planned: Sequence[Broadcast]
    past: Sequence[Broadcast]
    shops: Sequence[Shop]
    cards: Sequence[StyleCard]


def home_page() -> HomePage:
    """Shows on air, coming and past, shops with something on sale, the newest garments."""
    on_sale = Style.objects.filter(shop=OuterRef("pk"), state=StyleState.PUBLISHED)
    return HomePage(
        on_air=list(shows_on_air()[:MOST_SHOWS]),
        planned=list(shows_to_come()[:MOST_SHOWS]),
        past=list(shows_past()[:MOST_SHOWS]),
        shops=list(Shop.objects.filter(Exists(on_sale)).order_by("-created_at", "-id")[:MOST_SHOPS]),
        cards=latest_cards(limit=NEWEST),
    )


@dataclass(frozen=True)
class ShopPage:
    """A shop's page. 9 SQL queries."""

    shop: Shop
    on_air: Sequence[Broadcast]
    planned: Sequence[Broadcast]
    past: Sequence[Broadcast]
    cards: Sequence[StyleCard]


def get_shop_page(slug: str) -> ShopPage:
    """A shop as anybody sees it. Raises NotFound."""
    shop = find_shop(slug)
    if shop is None:
        raise NotFound
    return ShopPage(
        shop=shop,
        on_air=list(shows_on_air().filter(shop=shop)[:MOST_SHOWS]),
        planned=list(shows_to_come().filter(shop=shop)[:MOST_SHOWS]),
        past=list(shows_past().filter(shop=shop)[:MOST_SHOWS]),
        cards=cards_on_sale(shop),
    )


@dataclass(frozen=True)
class ChooserRow:
    """A colour with a cell for each size; None where there is no such variant."""

    colour: Colour
    cells: Sequence[CellView | None]


@dataclass(frozen=True)
class GarmentPage:
    """A product page. 10 SQL queries, one fewer for anonymous people."""

    page: StylePage
    rows: Sequence[ChooserRow]
    shown_in: Sequence[Broadcast]
    is_preview: bool


def get_garment_page(code: str, person: object) -> GarmentPage:
    """A published style; a draft for those who may change it. Raises NotFound."""
    style = find_style(code)
    if style is None:
        raise NotFound
    is_preview = style.state != StyleState.PUBLISHED
    if is_preview:
        role = find_role(person, style.shop_id)
        if role is None or not may_do(role, Task.STYLES):
            raise NotFound
    page = style_page(style)
    by_pair = {(cell.colour, cell.size): cell for cell in page.cells}
    rows = [ChooserRow(colour, [by_pair.get((colour.pk, size.pk)) for size in page.sizes]) for colour in page.colours]
    return GarmentPage(page, rows, [] if is_preview else _shown_in(style), is_preview)


def _shown_in(style: Style) -> list[Broadcast]:
    """Shows of this style that one can open: on air first, then coming, then past."""
    turn = Case(
        When(state__in=RUNNING, then=Value(0)),
        When(state=BroadcastState.PLANNED, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    unseen = (BroadcastState.REHEARSING, BroadcastState.CANCELLED)
    shows = Broadcast.objects.filter(running_order__style=style).exclude(state__in=unseen)
    shows = shows.exclude(state=BroadcastState.PLANNED, planned_at=None)
    return list(shows.select_related("shop", "host").annotate(turn=turn).order_by("turn", "-started_at", "-id")[:3])
