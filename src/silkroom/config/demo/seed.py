"""Puts the demo's shop into the database, through the departments' services only, and plans its next show.

Idempotent: what is there is kept. A show that has not ended is taken up again; else a new one is planned. Needs
Django; see ``seeding`` for the process around it.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass

from django.core.files.base import ContentFile
from django.db import transaction

from silkroom.accounts.models import Person
from silkroom.accounts.services import register_person
from silkroom.catalog.models import Style as CatalogStyle
from silkroom.catalog.models import Variant
from silkroom.catalog.queries import free_by_item
from silkroom.catalog.rules import ColourRow, Fibre, Grid, GridCell, SizeColumn
from silkroom.catalog.services import (
    MeasureRow,
    StyleWords,
    add_picture,
    change_logo,
    create_style,
    enter_grid,
    enter_label,
    enter_size_chart,
    publish_style,
)
from silkroom.catalog.states import StyleState
from silkroom.config.demo import pictures
from silkroom.config.demo.brand import BRAND, DEALS, OPERATOR, SHOW_TITLE, STYLES, Style
from silkroom.inventory.services import Pieces, receive_stock
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.queries import shows_of
from silkroom.live.broadcasts.states import OVER
from silkroom.live.deals.rules import Terms
from silkroom.live.deals.services import prepare_deal
from silkroom.live.room.services import change_cover, plan_show
from silkroom.shops.models import Shop
from silkroom.shops.queries import inside_places
from silkroom.shops.services import add_staff, open_shop
from silkroom.shops.states import PlaceKind, Role

MEASURE_NAMES = {
    "bust": ("胸围", "Bust"),
    "waist": ("腰围", "Waist"),
    "hip": ("臀围", "Hip"),
    "length": ("衣长", "Length"),
    "width": ("宽", "Width"),
    "shoulder": ("肩宽", "Shoulder"),
    "sleeve": ("袖长", "Sleeve"),
    "inseam": ("内侧长", "Inseam"),
}

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Seeded:
    """Where the demo's things are, for whoever starts it."""

    shop: str
    show: str
    title: str
    host: str
    is_new: bool

    def as_json(self) -> dict[str, str | bool]:
        return asdict(self)


def seed(
    passwords: Mapping[str, str], tell: Tell, *, language: str = "zh-hans", styles: Sequence[Style] = STYLES
) -> Seeded:
    """Make what is missing. ``passwords``: by login, for accounts that do not exist yet."""
    with transaction.atomic():
        people = _people(passwords)
        shop, is_new = _shop(people)
    if is_new:
        tell("the shop is open")
    _enter_styles(shop, people["owner"], styles, tell)
    with transaction.atomic():
        show = find_open_show(shop, people["host"])
        if show is None:
            _fill_up(shop, people["warehouse"], styles)
            show = _plan_show(shop, people["host"], styles, language)
            tell("the next show is planned")
    return Seeded(shop.slug, show.code, show.title, people["host"].email or "", is_new)


def _people(passwords: Mapping[str, str]) -> dict[str, Person]:
    made = {}
    for one in BRAND.staff:
        person = Person.objects.filter(email=one.email).first()
        made[one.key] = person or register_person(
            name=one.name, email=one.email, password=passwords[one.email], verified=True
        )
    if not Person.objects.filter(email=OPERATOR.email).exists():
        # An operator is Django's superuser: no service makes one, as no page may.
        Person.objects.create_superuser(OPERATOR.email, passwords[OPERATOR.email], name=OPERATOR.name)
    return made


def _shop(people: Mapping[str, Person]) -> tuple[Shop, bool]:
    held = Shop.objects.filter(staff__person=people["owner"], name=BRAND.name.zh).first()
    if held is not None:
        return held, False
    shop = open_shop(
        person=people["owner"],
        name=BRAND.name.zh,
        name_en=BRAND.name.en,
        about=f"{BRAND.claim.zh}\n{BRAND.claim.en}",
        region_code=BRAND.region,
        places={PlaceKind(place.kind): place.name.zh for place in BRAND.places},
    )
    for one in BRAND.staff:
        if one.role != Role.OWNER:
            add_staff(shop=shop, person=people[one.key], role=Role(one.role))
    change_logo(shop=shop, data=pictures.encoded(pictures.logo()))
    return shop, True


def _enter_styles(shop: Shop, owner: Person, styles: Sequence[Style], tell: Tell) -> None:
    """Each style with all its pictures is one transaction: a start that was cut short goes on where it was."""
    published = set(
        CatalogStyle.objects.filter(shop=shop, state=StyleState.PUBLISHED).values_list("article", flat=True)
    )
    missing = [style for style in styles if style.code not in published]
    for number, (style, drawn) in enumerate(_drawn(missing), start=1):
        with transaction.atomic():
            _enter_style(shop, owner, style, drawn)
        tell(f"garment {number} of {len(missing)}: {style.name.zh} {style.name.en}")


def _drawn(styles: list[Style]) -> Iterator[tuple[Style, list[bytes]]]:
    """Pictures of each style, drawn by other processes while this one stores them."""
    if not styles:
        return
    # A fresh interpreter each: this one holds database connections, which no child may inherit.
    workers = max(1, min(4, os.cpu_count() or 1, len(styles)))
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from zip(styles, pool.map(pictures.encoded_pictures, styles), strict=True)


def _enter_style(shop: Shop, owner: Person, style: Style, drawn: list[bytes]) -> None:
    entered = create_style(
        shop=shop,
        words=StyleWords(style.code, style.name.zh, style.name.en, style.description.zh, style.description.en),
    )
    enter_grid(style=entered, grid=_grid(shop, style), person=owner)
    sizes = {size.label: size.pk for size in entered.sizes.all()}
    measures = list(dict.fromkeys(measure for chart in style.chart.values() for measure in chart))
    enter_size_chart(
        style=entered,
        rows=[
            MeasureRow(
                *MEASURE_NAMES[measure],
                {sizes[label]: chart[measure] for label, chart in style.chart.items() if measure in chart},
            )
            for measure in measures
        ],
    )
    label = style.label
    enter_label(
        style=entered,
        composition=[Fibre("", fibre.name.zh, fibre.percent) for fibre in label.fibres],
        safety_class=label.safety,
        standard=label.standard,
        care=label.care,
        weight_note=f"{label.momme} 姆米（momme）",
    )
    colours = {colour.name: colour for colour in entered.colours.all()}
    for colour, data in zip(style.colours, drawn, strict=True):
        add_picture(style=entered, data=data, alt=f"{style.name.zh} {colour.name.zh}", colour=colours[colour.name.zh])
    publish_style(style=entered)


def _grid(shop: Shop, style: Style) -> Grid:
    places = {place.kind: place.pk for place in inside_places(shop)}
    cells = []
    for number, variant in enumerate(style.variants()):
        colour, size = divmod(number, len(style.sizes))
        warehouse, store = style.opening_stock(colour, size)
        opening = {places[PlaceKind.WAREHOUSE]: warehouse, places[PlaceKind.STORE]: store}
        cells.append(GridCell(colour, size, style.price_fen, variant.sku, variant.ean, opening=opening))
    return Grid(
        [ColourRow(colour.name.zh, colour.name.en, colour.hex) for colour in style.colours],
        [SizeColumn(size.code, size.body) for size in style.sizes],
        cells,
    )


def find_open_show(shop: Shop, host: Person) -> Broadcast | None:
    """The show that runs or waits, newest first."""
    return shows_of(shop.pk).exclude(state__in=OVER).filter(host=host).first()


def _fill_up(shop: Shop, person: Person, styles: Sequence[Style]) -> None:
    """What the last show sold comes from the workshop: a variant below a third of its opening gets it back."""
    warehouse = inside_places(shop).get(kind=PlaceKind.WAREHOUSE)
    opening = {}
    for style in styles:
        for number, variant in enumerate(style.variants()):
            opening[variant.sku] = style.opening_stock(*divmod(number, len(style.sizes)))[0]
    items = dict(Variant.objects.filter(shop=shop, sku__in=opening).values_list("sku", "item_id"))
    free = free_by_item(list(items.values()))
    pieces = [
        Pieces(item_id, opening[sku])
        for sku, item_id in sorted(items.items())
        if free.get(item_id, 0) < opening[sku] / 3
    ]
    if pieces:
        receive_stock(
            shop=shop,
            place=warehouse,
            pieces=pieces,
            source="workshop:demo",
            origin=PlaceKind.WORK_IN_PROGRESS,
            person=person,
        )


def _plan_show(shop: Shop, host: Person, styles: Sequence[Style], language: str) -> Broadcast:
    """A new show with all styles, its cover and its prepared deals."""
    entered = {one.article: one.pk for one in CatalogStyle.objects.filter(shop=shop, state=StyleState.PUBLISHED)}
    order = [entered[style.code] for style in styles if style.code in entered]
    title = SHOW_TITLE.zh if language.startswith("zh") else SHOW_TITLE.en
    show = plan_show(shop=shop, host=host, title=title, style_ids=order)
    change_cover(broadcast=show, picture=ContentFile(pictures.encoded(pictures.cover()), "cover.webp"))
    prices = {style.code: style.deal_fen for style in styles}
    for deal in DEALS:
        if deal.style in prices and deal.style in entered:
            terms = Terms(entered[deal.style], prices[deal.style], deal.seconds, deal.pieces, deal.per_person)
            prepare_deal(broadcast=show, terms=terms)
    return show
