"""Writing styles: what they are, in which colours and sizes, their pictures, size chart and label; showing them.

Callers fetched the style through an access query. Every change of what buyers see writes ``style.changed``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import F
from procrastinate.contrib.django import app

from silkroom.accounts.models import Person
from silkroom.inventory.services import Pieces, create_item, receive_stock
from silkroom.journal.services import append_entry
from silkroom.kit.errors import NotFound
from silkroom.shops.models import Place, Shop
from silkroom.shops.queries import inside_places
from silkroom.shops.services import set_logo

from .errors import (
    ArticleTaken,
    EanTaken,
    NamedTwice,
    NotPublishable,
    QuantityUnusable,
    SkuTaken,
    TooManyPictures,
    TooManyStyles,
    WordsUnusable,
)
from .models import Colour, Measure, Picture, Size, Style, Variant
from .pictures import forget_picture, store_picture
from .queries import completeness_of
from .rules import (
    LARGEST_QUANTITY,
    MOST_MEASURES,
    MOST_PICTURES,
    MOST_STYLES,
    ColourRow,
    Fibre,
    Grid,
    GridCell,
    SizeColumn,
    Turn,
    check_care,
    check_composition,
    check_grid,
    clean_text,
    clean_words,
    turned,
)
from .states import SafetyClass, StyleState

Named = TypeVar("Named", Colour, Size)

WORDS = ("article", "name", "name_en", "description", "description_en")


@dataclass(frozen=True)
class StyleWords:
    """How a style is called and described."""

    article: str
    name: str
    name_en: str = ""
    description: str = ""
    description_en: str = ""

    def cleaned(self) -> StyleWords:
        """Raises WordsUnusable."""
        return StyleWords(
            clean_words(self.article, field="article", longest=30),
            clean_words(self.name, field="name", longest=80),
            clean_words(self.name_en, field="name", longest=80, required=False),
            clean_text(self.description, field="description", longest=4000),
            clean_text(self.description_en, field="description", longest=4000),
        )


def create_style(*, shop: Shop, words: StyleWords) -> Style:
    """A draft that only the shop sees. Raises WordsUnusable, ArticleTaken, TooManyStyles."""
    if Style.objects.filter(shop=shop).count() >= MOST_STYLES:
        raise TooManyStyles(most=MOST_STYLES)
    style = Style(shop=shop)
    _write_words(style, words)
    append_entry(kind="style.created", shop_id=shop.pk, data={"style": style.pk, "code": style.code})
    return style


def change_style(*, style: Style, words: StyleWords) -> Style:
    """Correct words; SKUs keep the article they were made with. Raises WordsUnusable, ArticleTaken."""
    _write_words(style, words)
    _tell(style)
    return style


def _write_words(style: Style, words: StyleWords) -> None:
    clean = words.cleaned()
    style.article, style.name, style.name_en = clean.article, clean.name, clean.name_en
    style.description, style.description_en = clean.description, clean.description_en
    try:
        with transaction.atomic():
            style.save(update_fields=WORDS if style.pk else None)
    except IntegrityError as error:
        raise ArticleTaken(article=clean.article) from error


def _tell(style: Style, kind: str = "style.changed") -> None:
    append_entry(kind=kind, shop_id=style.shop_id, data={"style": style.pk, "code": style.code})


def _lock(style: Style) -> None:
    """One writer of a style at a time: two tabs with the same grid do not make two of each variant."""
    Style.objects.select_for_update().get(pk=style.pk)


def enter_grid(*, style: Style, grid: Grid, person: Person) -> list[Variant]:
    """Make the style's variants what the grid says, and receive the opening pieces of new ones.

    Returns the variants in its order. Existing colours and sizes are found by ``id``, else by name. Variants that
    the grid leaves out are no longer sold, but keep their history. Raises what `rules.check_grid` raises, SkuTaken,
    EanTaken (with ``cell``), QuantityUnusable.
    """
    checked = check_grid(grid, article=style.article, currency=style.shop.currency)
    _lock(style)
    _refuse_taken(style, checked.cells)
    colours = _write_colours(style, checked.colours)
    sizes = _write_sizes(style, checked.sizes)
    known = {(one.colour_id, one.size_id): one for one in Variant.objects.filter(style=style)}
    places = {place.pk: place for place in inside_places(style.shop)}
    variants: list[Variant] = []
    opening: dict[int, list[Pieces]] = defaultdict(list)
    try:
        with transaction.atomic():
            changed: list[Variant] = []
            for cell in checked.cells:
                colour, size = colours[cell.colour], sizes[cell.size]
                variant = known.pop((colour.pk, size.pk), None)
                if variant is None:
                    variant = _create_variant(style, colour, size, cell)
                    for place_id, quantity in (cell.opening or {}).items():
                        _refuse_quantity(quantity)
                        if quantity:
                            opening[place_id].append(Pieces(variant.item_id, quantity))
                else:
                    variant.sku, variant.ean = cell.sku, cell.ean or None
                    variant.price_minor, variant.is_sold = cell.price_minor, cell.is_sold
                    changed.append(variant)
                variants.append(variant)
            for left_out in known.values():
                left_out.is_sold = False
            # One statement: SKUs and EANs that two variants swap are only compared at its end.
            Variant.objects.bulk_update([*changed, *known.values()], ["sku", "ean", "price_minor", "is_sold"])
    except IntegrityError as error:
        # Another style of the shop was quicker between the check above and here.
        raise (EanTaken(ean="") if "ean_in_shop" in str(error) else SkuTaken(sku="")) from error
    _receive(style, opening, places, person)
    _tell(style)
    return variants


def _refuse_quantity(quantity: int) -> None:
    if not 0 <= quantity <= LARGEST_QUANTITY:
        raise QuantityUnusable(most=LARGEST_QUANTITY)


def _refuse_taken(style: Style, cells: Sequence[GridCell]) -> None:
    others = Variant.objects.filter(shop=style.shop_id).exclude(style=style)
    skus = set(others.filter(sku__in=[cell.sku for cell in cells]).values_list("sku", flat=True))
    eans = set(others.filter(ean__in=[cell.ean for cell in cells if cell.ean]).values_list("ean", flat=True))
    for index, cell in enumerate(cells):
        if cell.sku in skus:
            raise SkuTaken(sku=cell.sku, cell=index)
        if cell.ean in eans:
            raise EanTaken(ean=cell.ean, cell=index)


def _write_colours(style: Style, rows: Sequence[ColourRow]) -> list[Colour]:
    existing = list(Colour.objects.filter(style=style))
    by_id, by_name = {one.pk: one for one in existing}, {one.name: one for one in existing}
    written = [by_id.get(row.id or 0) or by_name.get(row.name) or Colour(style=style) for row in rows]
    for position, (colour, row) in enumerate(zip(written, rows, strict=True)):
        colour.name, colour.name_en, colour.swatch, colour.position = row.name, row.name_en, row.swatch, position
    _write_all(Colour, written, ["name", "name_en", "swatch", "position"])
    return written


def _write_sizes(style: Style, columns: Sequence[SizeColumn]) -> list[Size]:
    existing = list(Size.objects.filter(style=style))
    by_id, by_label = {one.pk: one for one in existing}, {one.label: one for one in existing}
    written = [by_id.get(column.id or 0) or by_label.get(column.label) or Size(style=style) for column in columns]
    for position, (size, column) in enumerate(zip(written, columns, strict=True)):
        size.label, size.code, size.position = column.label, column.code, position
    _write_all(Size, written, ["label", "code", "position"])
    return written


def _write_all(model: type[Named], rows: Sequence[Named], fields: list[str]) -> None:
    manager = model._default_manager
    try:
        with transaction.atomic():
            manager.bulk_update([row for row in rows if row.pk], fields)
            manager.bulk_create([row for row in rows if not row.pk])
    except IntegrityError as error:
        # A name that an unlisted colour or size of the style still has.
        raise WordsUnusable(field=model._meta.model_name) from error


def _create_variant(style: Style, colour: Colour, size: Size, cell: GridCell) -> Variant:
    # The item's code outlives SKUs, which may be corrected or swapped.
    code = f"{style.code}.{colour.pk}.{size.pk}"
    item = create_item(shop=style.shop, code=code, name=f"{style.name} {colour.name} {size.label}")
    return Variant.objects.create(
        shop_id=style.shop_id,
        style=style,
        colour=colour,
        size=size,
        item=item,
        sku=cell.sku,
        ean=cell.ean or None,
        price_minor=cell.price_minor,
        is_sold=cell.is_sold,
    )


def _receive(
    style: Style, opening: Mapping[int, Sequence[Pieces]], places: Mapping[int, Place], person: Person
) -> None:
    for place_id, pieces in opening.items():
        if place_id not in places:
            raise NotFound
        receive_stock(
            shop=style.shop, place=places[place_id], pieces=pieces, source=f"opening:{style.code}", person=person
        )


def add_picture(*, style: Style, data: bytes, alt: str = "", colour: Colour | None = None) -> Picture:
    """Check and keep a picture, last in the order. Nothing is locked before the picture is encoded.

    Raises PictureUnusable, PictureTooLarge, Busy, TooManyPictures, WordsUnusable, NotFound for a foreign colour.
    """
    if colour is not None and colour.style_id != style.pk:
        raise NotFound
    words = clean_words(alt, field="alt", longest=120, required=False)
    _next_position(style)
    stored = store_picture(data)
    try:
        with transaction.atomic():
            _lock(style)
            count = _next_position(style)
            picture = Picture(style=style, colour=colour, alt=words, position=count)
            picture.file.name, picture.width, picture.height = stored.name, stored.width, stored.height
            picture.save()
            _tell(style)
    except BaseException:
        forget_picture(stored.name)
        raise
    return picture


def _next_position(style: Style) -> int:
    count = Picture.objects.filter(style=style).count()
    if count >= MOST_PICTURES:
        raise TooManyPictures(most=MOST_PICTURES)
    return count


def describe_picture(*, picture: Picture, alt: str, colour: Colour | None) -> Picture:
    """Words for those who do not see it, and the colour it shows. Raises WordsUnusable, NotFound."""
    if colour is not None and colour.style_id != picture.style_id:
        raise NotFound
    picture.alt = clean_words(alt, field="alt", longest=120, required=False)
    picture.colour = colour
    picture.save(update_fields=["alt", "colour"])
    _tell(picture.style)
    return picture


def order_pictures(*, style: Style, picture_ids: Sequence[int]) -> None:
    """Show the style's pictures in this order; those not named follow. Raises NotFound for a foreign one."""
    _lock(style)
    known = list(Picture.objects.filter(style=style).values_list("pk", flat=True))
    if not set(picture_ids) <= set(known):
        raise NotFound
    first = list(dict.fromkeys(picture_ids))
    _write_order([*first, *(number for number in known if number not in first)])
    _tell(style)


def turn_picture(*, picture: Picture, turn: Turn) -> None:
    """Make the picture the cover, or move it one place. Raises NotFound when it is gone."""
    _lock(picture.style)
    order = list(Picture.objects.filter(style=picture.style).values_list("pk", flat=True))
    if picture.pk not in order:
        raise NotFound
    _write_order(turned(order, picture.pk, turn))
    _tell(picture.style)


def _write_order(picture_ids: Sequence[int]) -> None:
    pictures = [Picture(pk=number, position=position) for position, number in enumerate(picture_ids)]
    Picture.objects.bulk_update(pictures, ["position"])


@dataclass(frozen=True)
class RemovedPicture:
    """What it takes to bring a removed picture back. Plain values: they wait in a session."""

    name: str
    width: int
    height: int
    alt: str
    colour_id: int | None
    position: int


FILES_KEPT = timedelta(minutes=30)
"""So long the files of a removed picture wait to be asked back."""


def remove_picture(*, picture: Picture) -> RemovedPicture:
    """Take a picture away; its files go half an hour later. Raises NotFound when it is gone."""
    style = picture.style
    _lock(style)
    found = Picture.objects.filter(pk=picture.pk).first()
    if found is None:
        raise NotFound
    name = found.file.name or ""
    removed = RemovedPicture(name, found.width, found.height, found.alt, found.colour_id, found.position)
    found.delete()
    Picture.objects.filter(style=style, position__gt=removed.position).update(position=F("position") - 1)
    _tell(style)
    app.configure_task("catalog.forget_files", schedule_in={"seconds": int(FILES_KEPT.total_seconds())}).defer(
        name=name
    )
    return removed


def restore_picture(*, style: Style, removed: RemovedPicture) -> Picture:
    """Bring a picture back where it stood. Raises NotFound when its files are gone, TooManyPictures."""
    _lock(style)
    count = Picture.objects.filter(style=style).count()
    if count >= MOST_PICTURES:
        raise TooManyPictures(most=MOST_PICTURES)
    if Picture.objects.filter(file=removed.name).exists() or not default_storage.exists(removed.name):
        raise NotFound
    position = min(removed.position, count)
    Picture.objects.filter(style=style, position__gte=position).update(position=F("position") + 1)
    picture = Picture(
        style=style,
        colour=None if removed.colour_id is None else Colour.objects.filter(style=style, pk=removed.colour_id).first(),
        alt=removed.alt,
        width=removed.width,
        height=removed.height,
        position=position,
    )
    picture.file.name = removed.name
    picture.save()
    _tell(style)
    return picture


def forget_files(*, name: str) -> None:
    """The files of a removed picture go, unless it was brought back."""
    if not Picture.objects.filter(file=name).exists():
        forget_picture(name)


def change_logo(*, shop: Shop, data: bytes) -> str:
    """The shop's mark, checked and encoded anew as every picture; its name in the storage.

    Raises PictureUnusable, PictureTooLarge, Busy.
    """
    stored = store_picture(data)
    try:
        with transaction.atomic():
            former = set_logo(shop=shop, name=stored.name)
    except BaseException:
        forget_picture(stored.name)
        raise
    _forget_logo(former)
    return stored.name


def remove_logo(*, shop: Shop) -> None:
    """The shop shows its first sign again."""
    _forget_logo(set_logo(shop=shop, name=""))


def _forget_logo(name: str) -> None:
    if name:
        transaction.on_commit(lambda: forget_picture(name))


@dataclass(frozen=True)
class MeasureRow:
    """A line of the size chart: millimetres by size id."""

    name: str
    name_en: str
    millimetres: Mapping[int, int]


def enter_size_chart(*, style: Style, rows: Iterable[MeasureRow]) -> None:
    """Replace the size chart. Raises WordsUnusable, NamedTwice, NotFound for a foreign size."""
    lines = list(rows)
    if len(lines) > MOST_MEASURES:
        raise WordsUnusable(field="size_chart")
    _lock(style)
    sizes = set(Size.objects.filter(style=style).values_list("pk", flat=True))
    measures: list[Measure] = []
    seen: set[str] = set()
    for position, line in enumerate(lines):
        name = clean_words(line.name, field="measure", longest=30)
        name_en = clean_words(line.name_en, field="measure", longest=30, required=False)
        if name in seen:
            raise NamedTwice(name=name)
        seen.add(name)
        for size_id, millimetres in line.millimetres.items():
            if size_id not in sizes:
                raise NotFound
            measures.append(
                Measure(size_id=size_id, name=name, name_en=name_en, millimetres=millimetres, position=position)
            )
    Measure.objects.filter(size__style=style).delete()
    Measure.objects.bulk_create(measures)
    _tell(style)


def enter_label(
    *,
    style: Style,
    composition: Sequence[Fibre],
    safety_class: SafetyClass | str = "",
    standard: str = "",
    care: Sequence[str] = (),
    weight_note: str = "",
) -> Style:
    """The fibre label of GB/T 5296.4. Raises CompositionWrong, CareWrong, WordsUnusable."""
    fibres = check_composition(composition)
    style.composition = [{"part": row.part, "fibre": row.fibre, "percent": row.percent} for row in fibres]
    style.safety_class = SafetyClass(safety_class) if safety_class else ""
    style.standard = clean_words(standard, field="standard", longest=40, required=False)
    style.care = check_care(care)
    style.weight_note = clean_words(weight_note, field="weight_note", longest=40, required=False)
    style.save(update_fields=["composition", "safety_class", "standard", "care", "weight_note"])
    _tell(style)
    return style


def publish_style(*, style: Style) -> Style:
    """Show the style to buyers. Raises NotPublishable with what is missing."""
    _lock(style)
    obstacles = completeness_of(style).obstacles
    if obstacles:
        raise NotPublishable(missing=[str(one) for one in obstacles])
    style.state = StyleState.PUBLISHED
    style.save(update_fields=["state"])
    _tell(style, "style.published")
    return style


def withdraw_style(*, style: Style) -> Style:
    """Take the style off the pages; publishing brings it back. Orders already placed stand."""
    _lock(style)
    style.state = StyleState.WITHDRAWN
    style.save(update_fields=["state"])
    _tell(style, "style.withdrawn")
    return style
