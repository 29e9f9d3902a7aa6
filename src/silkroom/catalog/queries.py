"""Reading styles. For many styles each function takes a fixed number of SQL queries."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Prefetch, Q, QuerySet

from silkroom.inventory.queries import sellable_quantities, stock_of_items
from silkroom.journal.queries import Cursor
from silkroom.kit.errors import NotFound
from silkroom.shops.models import Shop

from .models import Colour, Measure, Picture, Size, Style, Variant
from .rules import CARE_BY_NAME, CareSymbol, Completeness, rendition_name
from .states import StyleState

_TRAY = """
    SELECT s.id, s.code, s.name, coalesce(nullif(s.name_en, ''), s.name), shop.currency,
        (SELECT p.file FROM catalog_picture p WHERE p.style_id = s.id ORDER BY p.position, p.id LIMIT 1),
        (SELECT json_agg(json_build_object('id', c.id, 'name', c.name, 'swatch', c.swatch,
                                           'name_en', coalesce(nullif(c.name_en, ''), c.name))
                         ORDER BY c.position, c.id)
         FROM catalog_colour c WHERE c.style_id = s.id
           AND EXISTS (SELECT FROM catalog_variant v WHERE v.colour_id = c.id AND v.is_sold))::text,
        (SELECT json_agg(json_build_object('id', z.id, 'label', z.label) ORDER BY z.position, z.id)
         FROM catalog_size z WHERE z.style_id = s.id
           AND EXISTS (SELECT FROM catalog_variant v WHERE v.size_id = z.id AND v.is_sold))::text,
        (SELECT json_agg(json_build_object('variant', v.id, 'colour', v.colour_id, 'size', v.size_id,
                                           'price_minor', v.price_minor, 'item', v.item_id) ORDER BY v.id)
         FROM catalog_variant v WHERE v.style_id = s.id AND v.is_sold)::text
    FROM unnest(%s::bigint[]) WITH ORDINALITY AS wanted(id, turn)
    JOIN catalog_style s ON s.id = wanted.id AND s.state = 'published'
    JOIN shops_shop shop ON shop.id = s.shop_id
    ORDER BY wanted.turn
"""


def styles_for_tray(cursor: Cursor, style_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Published styles as a room's tray shows them (silkroom/live/room/README.md), in the order of ``style_ids``.

    Through any cursor, since the gateway has no ORM. A variant carries ``item`` (of the ledger) instead of ``left``.
    Styles without a variant on sale are left out.
    """
    cursor.execute(_TRAY, (list(style_ids),))
    rows = [row for row in cursor.fetchall() if row[8]]
    return [_tray_style(position, row) for position, row in enumerate(rows, start=1)]


def _tray_style(position: int, row: Sequence[Any]) -> dict[str, Any]:
    number, code, name, name_en, currency, picture, colours, sizes, variants = row
    decoded = json.loads(variants)
    return {
        "style": number,
        "code": code,
        "position": position,
        "name": name,
        "name_en": name_en,
        "picture": f"{settings.MEDIA_URL}{rendition_name(picture, 400)}" if picture else "",
        "price_minor": min(one["price_minor"] for one in decoded),
        "currency": currency,
        "colours": json.loads(colours),
        "sizes": json.loads(sizes),
        "variants": decoded,
    }


def items_of_variants(cursor: Cursor, variant_ids: Sequence[int]) -> dict[int, int]:
    """{variant: its item in the ledger}."""
    cursor.execute("SELECT id, item_id FROM catalog_variant WHERE id = ANY(%s)", (list(variant_ids),))
    return dict(cursor.fetchall())


def free_by_item(item_ids: Sequence[int]) -> dict[int, int]:
    """{item: pieces free to sell online}, through Django's connection."""
    return sellable_quantities(item_ids=item_ids)


def get_style_for(shop: Shop, code: str) -> Style:
    """A style of this shop, in whatever state. Raises NotFound."""
    style = Style.objects.select_related("shop").filter(shop=shop, code=code).first()
    if style is None:
        raise NotFound
    return style


def get_picture_of(style: Style, picture_id: int) -> Picture:
    """A picture of this style. Raises NotFound."""
    picture = Picture.objects.select_related("style").filter(style=style, pk=picture_id).first()
    if picture is None:
        raise NotFound
    return picture


def find_colour_of(style: Style, colour_id: int | None) -> Colour | None:
    """A colour of this style; None stays None. Raises NotFound for a foreign one."""
    if colour_id is None:
        return None
    colour = Colour.objects.filter(style=style, pk=colour_id).first()
    if colour is None:
        raise NotFound
    return colour


def has_prices(shop: Shop) -> bool:
    """Is any price written in the shop's currency?"""
    return Variant.objects.filter(shop=shop).exists()


def get_variant_for(shop: Shop, variant_id: int) -> Variant:
    """A variant of this shop. Raises NotFound."""
    variant = Variant.objects.select_related("style", "colour", "size", "item").filter(shop=shop, pk=variant_id).first()
    if variant is None:
        raise NotFound
    return variant


def completeness_of(style: Style) -> Completeness:
    """What the style has of all that buyers look for."""
    items = list(Variant.objects.filter(style=style, is_sold=True).values_list("item_id", flat=True))
    return Completeness(
        sold_variants=len(items),
        pictures=Picture.objects.filter(style=style).count(),
        free_pieces=sum(sellable_quantities(item_ids=items).values()),
        has_label=bool(style.composition and style.care),
        has_size_chart=Measure.objects.filter(size__style=style).exists(),
        has_english=bool(style.name_en),
    )


@dataclass(frozen=True)
class StyleCard:
    """A style in a list: its picture, price from, and pieces free to sell."""

    style: Style
    picture: Picture | None
    price_minor: int | None
    variants: int
    left: int
    swatches: Sequence[str]

    @property
    def currency(self) -> str:
        return self.style.shop.currency


_PICTURES = Prefetch("pictures", queryset=Picture.objects.order_by("position", "id"), to_attr="all_pictures")
_COLOURS = Prefetch("colours", queryset=Colour.objects.order_by("position", "id"), to_attr="all_colours")


def _cards(styles: QuerySet[Style], limit: int) -> list[StyleCard]:
    """4 SQL queries for any number of styles: styles, pictures, colours, variants; and 1 to the ledger."""
    rows = list(styles.select_related("shop").prefetch_related(_PICTURES, _COLOURS)[:limit])
    sold = Variant.objects.filter(style__in=rows, is_sold=True).values_list(
        "style_id", "item_id", "price_minor", "colour_id"
    )
    by_style: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for style_id, item_id, price_minor, colour_id in sold:
        by_style[style_id].append((item_id, price_minor, colour_id))
    left = sellable_quantities(item_ids=[item for variants in by_style.values() for item, _, _ in variants])
    cards = []
    for style in rows:
        variants = by_style[style.pk]
        shown = {colour for _, _, colour in variants}
        cards.append(
            StyleCard(
                style=style,
                picture=style.all_pictures[0] if style.all_pictures else None,
                price_minor=min((price for _, price, _ in variants), default=None),
                variants=len(variants),
                left=sum(left.get(item, 0) for item, _, _ in variants),
                swatches=[one.swatch for one in style.all_colours if one.pk in shown],
            )
        )
    return cards


def cards_of_shop(shop: Shop, *, words: str = "", state: str = "", limit: int = 200) -> list[StyleCard]:
    """The shop's own list: all states, newest first; ``words`` filters name, article and SKU."""
    styles = Style.objects.filter(shop=shop).order_by("-created_at", "-id")
    if state:
        styles = styles.filter(state=state)
    for word in words.split()[:5]:
        styles = styles.filter(
            Q(name__icontains=word)
            | Q(name_en__icontains=word)
            | Q(article__icontains=word)
            | Q(pk__in=Variant.objects.filter(shop=shop, sku__icontains=word).values("style_id"))
        )
    return _cards(styles, limit)


def cards_on_sale(shop: Shop, *, limit: int = 100) -> list[StyleCard]:
    """What buyers see of a shop, newest first."""
    return _cards(Style.objects.filter(shop=shop, state=StyleState.PUBLISHED).order_by("-created_at", "-id"), limit)


def cards_of_styles(style_ids: Sequence[int]) -> list[StyleCard]:
    """Cards in the given order, of whatever state."""
    cards = {card.style.pk: card for card in _cards(Style.objects.filter(pk__in=style_ids), len(style_ids))}
    return [cards[number] for number in style_ids if number in cards]


def latest_cards(*, limit: int = 12) -> list[StyleCard]:
    """The newest styles on sale of all shops."""
    return _cards(Style.objects.filter(state=StyleState.PUBLISHED).order_by("-created_at", "-id"), limit)


def counts_by_state(shop: Shop) -> dict[str, int]:
    """{state: styles}."""
    rows = Style.objects.filter(shop=shop).values_list("state").annotate(count=Count("id"))
    return dict(rows)


@dataclass(frozen=True)
class VariantFacts:
    """A style's colours, sizes and variants, and what lies where: {item: {place: on hand}}. 4 SQL queries."""

    colours: Sequence[Colour]
    sizes: Sequence[Size]
    variants: Mapping[tuple[int, int], Variant]
    on_hand: Mapping[int, Mapping[int, int]]


def variant_facts(style: Style) -> VariantFacts:
    """All variants, also those no longer sold; colours and sizes that have one."""
    variants = {(one.colour_id, one.size_id): one for one in Variant.objects.filter(style=style)}
    on_hand: dict[int, dict[int, int]] = defaultdict(dict)
    for row in stock_of_items(shop_id=style.shop_id, item_ids=[one.item_id for one in variants.values()]):
        on_hand[row.item_id][row.place_id] = row.on_hand
    colours = {colour for colour, _ in variants}
    sizes = {size for _, size in variants}
    return VariantFacts(
        [one for one in Colour.objects.filter(style=style) if one.pk in colours],
        [one for one in Size.objects.filter(style=style) if one.pk in sizes],
        variants,
        on_hand,
    )


@dataclass(frozen=True)
class ChartLine:
    """A line of the size chart: millimetres in the order of the sizes, None where nothing was entered."""

    name: str
    name_en: str
    millimetres: Sequence[int | None]


def size_chart(style: Style, sizes: Sequence[Size]) -> list[ChartLine]:
    """The size chart with a column for each of ``sizes``."""
    cells: dict[str, dict[int, int]] = defaultdict(dict)
    english: dict[str, str] = {}
    for measure in Measure.objects.filter(size__style=style).order_by("position", "id"):
        cells[measure.name][measure.size_id] = measure.millimetres
        english[measure.name] = measure.name_en
    return [ChartLine(name, english[name], [found.get(size.pk) for size in sizes]) for name, found in cells.items()]


@dataclass(frozen=True)
class CellView:
    """A variant on a product page."""

    variant: int
    colour: int
    size: int
    price_minor: int
    left: int


@dataclass(frozen=True)
class StylePage:
    """All that a product page shows. 6 SQL queries and 1 to the ledger."""

    style: Style
    shop: Shop
    pictures: Sequence[Picture]
    colours: Sequence[Colour]
    sizes: Sequence[Size]
    cells: Sequence[CellView]
    chart: Sequence[ChartLine]
    care: Sequence[CareSymbol]
    parts: Sequence[tuple[str, Sequence[tuple[str, int]]]] = field(default_factory=list)

    @property
    def left(self) -> int:
        return sum(cell.left for cell in self.cells)

    @property
    def lowest_minor(self) -> int:
        return min((cell.price_minor for cell in self.cells), default=0)

    @property
    def highest_minor(self) -> int:
        return max((cell.price_minor for cell in self.cells), default=0)


def find_style(code: str) -> Style | None:
    """A style in whatever state: callers decide who may see it."""
    return Style.objects.select_related("shop").filter(code=code).first()


def get_style_page(code: str) -> StylePage:
    """A published style as buyers see it. Raises NotFound."""
    style = find_style(code)
    if style is None or style.state != StyleState.PUBLISHED:
        raise NotFound
    return style_page(style)


def style_page(style: Style) -> StylePage:
    """The page of a style in whatever state: the shop's own preview takes it too."""
    sold = list(Variant.objects.filter(style=style, is_sold=True).order_by("id"))
    left = sellable_quantities(item_ids=[variant.item_id for variant in sold])
    colours = [one for one in Colour.objects.filter(style=style) if any(one.pk == v.colour_id for v in sold)]
    sizes = [one for one in Size.objects.filter(style=style) if any(one.pk == v.size_id for v in sold)]
    return StylePage(
        style=style,
        shop=style.shop,
        pictures=list(Picture.objects.filter(style=style)),
        colours=colours,
        sizes=sizes,
        cells=[CellView(one.pk, one.colour_id, one.size_id, one.price_minor, left.get(one.item_id, 0)) for one in sold],
        chart=size_chart(style, sizes),
        care=[CARE_BY_NAME[name] for name in style.care if name in CARE_BY_NAME],
        parts=_by_part(style.composition),
    )


def _by_part(composition: Sequence[dict[str, Any]]) -> list[tuple[str, list[tuple[str, int]]]]:
    parts: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for row in composition:
        parts[row["part"]].append((row["fibre"], row["percent"]))
    return list(parts.items())


def lowest_prices(style_ids: Sequence[int]) -> dict[int, int]:
    """{style: price of its cheapest variant on sale}."""
    rows = Variant.objects.filter(style__in=style_ids, is_sold=True).values_list("style_id")
    return dict(rows.annotate(lowest=Min("price_minor")))


def style_pictures(style: Style) -> list[Picture]:
    """All pictures of a style, in their order."""
    return list(Picture.objects.filter(style=style).select_related("style"))
