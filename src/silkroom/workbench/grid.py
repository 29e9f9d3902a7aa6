"""The page on which a style's colours, sizes, prices and opening stock are entered: one table, read from one form.

Inputs are named ``colour-0-name``, ``size-1-label``, ``cell-0-1-price``, ``cell-0-1-stock-7`` (place 7); numbers may
have holes, because rows can be taken away. What was typed is kept as text, so that an error loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext

from silkroom.catalog.errors import EanWrong
from silkroom.catalog.models import Style
from silkroom.catalog.queries import VariantFacts
from silkroom.catalog.rules import (
    LARGEST_QUANTITY,
    MOST_COLOURS,
    MOST_SIZES,
    ColourRow,
    Grid,
    GridCell,
    SizeColumn,
    check_grid,
    check_price,
    clean_ean,
    clean_sku,
    clean_swatch,
    clean_words,
)
from silkroom.kit.errors import Refusal
from silkroom.kit.money import MINOR_DIGITS, parse_minor
from silkroom.shops.models import Place

USUAL_SIZES = (("S", "155/80A"), ("M", "160/84A"), ("L", "165/88A"), ("XL", "170/92A"))
"""Women's sizes of GB/T 1335.2, with which a new style begins."""

MOST_STOCK_COLUMNS = 3
_INDEX = re.compile(r"(colour|size)-(\d{1,3})-(?:name|label)")


@dataclass
class Entry:
    """A colour or size as typed."""

    index: int
    id: str = ""
    name: str = ""
    second: str = ""
    swatch: str = "#cccccc"
    error: str = ""


@dataclass
class Cell:
    """A variant as typed. ``on_hand`` is set for one that exists: by place id, what lies there."""

    colour: int
    size: int
    price: str = ""
    sku: str = ""
    ean: str = ""
    is_sold: bool = True
    stock: dict[int, str] = field(default_factory=dict)
    on_hand: Mapping[int, int] | None = None
    variant: int | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        return f"cell-{self.colour}-{self.size}"


@dataclass(frozen=True)
class StockView:
    """A stock column of a row: what was typed for a new variant, or what lies there of a known one."""

    place: Place
    typed: str
    on_hand: int | None
    error: str


@dataclass(frozen=True)
class RowView:
    """A row of the table."""

    size: Entry
    cell: Cell
    stock: Sequence[StockView]


@dataclass
class GridForm:
    """The table: colours, sizes and a cell for each pair."""

    style: Style
    places: Sequence[Place]
    colours: list[Entry]
    sizes: list[Entry]
    cells: dict[tuple[int, int], Cell]
    errors: list[str] = field(default_factory=list)

    @property
    def groups(self) -> list[tuple[Entry, list[RowView]]]:
        """[(colour, its rows)] for the template."""
        return [(colour, [self._row(colour, size) for size in self.sizes]) for colour in self.colours]

    @property
    def blank(self) -> RowView:
        """The row that the page's script copies."""
        cell = Cell(0, 0)
        return RowView(Entry(0), cell, self._stock(cell))

    def _row(self, colour: Entry, size: Entry) -> RowView:
        cell = self.cells[colour.index, size.index]
        return RowView(size, cell, self._stock(cell))

    def _stock(self, cell: Cell) -> list[StockView]:
        return [
            StockView(
                place,
                cell.stock.get(place.pk, ""),
                None if cell.on_hand is None else cell.on_hand.get(place.pk, 0),
                cell.errors.get(f"stock-{place.pk}", ""),
            )
            for place in self.places
        ]

    @property
    def is_valid(self) -> bool:
        return not (
            self.errors
            or any(entry.error for entry in (*self.colours, *self.sizes))
            or any(cell.errors for cell in self.cells.values())
        )

    def add(self, what: str) -> None:
        """One more empty colour or size."""
        entries, most = (self.colours, MOST_COLOURS) if what == "colour" else (self.sizes, MOST_SIZES)
        if len(entries) < most:
            entries.append(Entry(max((entry.index for entry in entries), default=-1) + 1))
            self.fill()

    def fill(self) -> None:
        """A cell for every pair."""
        for colour in self.colours:
            for size in self.sizes:
                self.cells.setdefault((colour.index, size.index), Cell(colour.index, size.index))

    def to_grid(self) -> Grid | None:
        """The clean grid, or None with errors beside the inputs."""
        colours = [self._colour(entry) for entry in self.colours]
        sizes = [self._size(entry) for entry in self.sizes]
        cells: list[GridCell] = []
        used: list[Cell] = []
        for row, colour in enumerate(self.colours):
            for column, size in enumerate(self.sizes):
                cell = self.cells[colour.index, size.index]
                if cell.is_sold or cell.variant:
                    cells.append(self._cell(cell, row, column))
                    used.append(cell)
        if not self.is_valid:
            return None
        grid = Grid(colours, sizes, cells)
        try:
            check_grid(grid, article=self.style.article, currency=self.style.shop.currency)
        except Refusal as refusal:
            self.refuse(refusal, used)
            return None
        return grid

    def refuse(self, refusal: Refusal, used: Sequence[Cell] | None = None) -> None:
        """Show a refusal of the catalog beside the cell that it names, else above the table."""
        sentence = refusal.sentence(gettext)
        listed = used if used is not None else self.used_cells()
        index = refusal.data.get("cell")
        if isinstance(index, int) and index < len(listed):
            listed[index].errors["ean" if refusal.code.startswith("ean") else "sku"] = sentence
        else:
            self.errors.append(sentence)

    def used_cells(self) -> list[Cell]:
        """Cells in the order in which they are handed to the catalog."""
        cells = [self.cells[colour.index, size.index] for colour in self.colours for size in self.sizes]
        return [cell for cell in cells if cell.is_sold or cell.variant]

    def _colour(self, entry: Entry) -> ColourRow:
        row = ColourRow(entry.name, entry.second, entry.swatch, _number(entry.id))
        try:
            clean_words(entry.name, field="colour", longest=30)
            clean_words(entry.second, field="colour_en", longest=30, required=False)
            clean_swatch(entry.swatch)
        except Refusal as refusal:
            entry.error = gettext("Give this colour a name.") if not entry.name else refusal.sentence(gettext)
        return row

    def _size(self, entry: Entry) -> SizeColumn:
        try:
            clean_words(entry.name, field="size", longest=12)
            clean_words(entry.second, field="size_code", longest=12, required=False)
        except Refusal as refusal:
            entry.error = gettext("Give this size a name.") if not entry.name else refusal.sentence(gettext)
        return SizeColumn(entry.name, entry.second, _number(entry.id))

    def _cell(self, cell: Cell, row: int, column: int) -> GridCell:
        currency = self.style.shop.currency
        price = 1
        try:
            price = check_price(parse_minor(cell.price, currency), currency)
        except ValueError:
            cell.errors["price"] = gettext("Enter a price, such as 399.")
        except Refusal as refusal:
            cell.errors["price"] = refusal.sentence(gettext)
        if cell.sku:
            try:
                clean_sku(cell.sku)
            except Refusal:
                cell.errors["sku"] = gettext("Letters, digits and . _ / - only.")
        try:
            clean_ean(cell.ean)
        except EanWrong as refusal:
            cell.errors["ean"] = refusal.sentence(gettext)
        opening: dict[int, int] = {}
        for place_id, typed in cell.stock.items():
            quantity = _number(typed) if typed else 0
            if quantity is None or quantity > LARGEST_QUANTITY:
                cell.errors[f"stock-{place_id}"] = gettext("Enter a whole number.")
            else:
                opening[place_id] = quantity
        return GridCell(row, column, price, cell.sku, cell.ean, cell.is_sold, opening)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 15 else None


def show_price(minor: int, currency: str) -> str:
    """As it would be typed: "399" or "399.50"."""
    digits = MINOR_DIGITS[currency]
    whole, rest = divmod(minor, 10**digits)
    return f"{whole}.{rest:0{digits}d}" if rest else str(whole)


def grid_of(style: Style, places: Sequence[Place], facts: VariantFacts) -> GridForm:
    """The table of a style as it is; a new one begins with one colour and four sizes."""
    shown = list(places[:MOST_STOCK_COLUMNS])
    if not facts.colours:
        sizes = [Entry(number, name=label, second=code) for number, (label, code) in enumerate(USUAL_SIZES)]
        form = GridForm(style, shown, [Entry(0)], sizes, {})
        form.fill()
        return form
    colours = [
        Entry(number, str(one.pk), one.name, one.name_en, one.swatch) for number, one in enumerate(facts.colours)
    ]
    sizes = [Entry(number, str(one.pk), one.label, one.code) for number, one in enumerate(facts.sizes)]
    form = GridForm(style, shown, colours, sizes, {})
    for colour in colours:
        for size in sizes:
            form.cells[colour.index, size.index] = _known_cell(style, colour, size, facts)
    return form


def _known_cell(style: Style, colour: Entry, size: Entry, facts: VariantFacts) -> Cell:
    variant = facts.variants.get((int(colour.id or 0), int(size.id or 0)))
    if variant is None:
        return Cell(colour.index, size.index, is_sold=False)
    return Cell(
        colour.index,
        size.index,
        price=show_price(variant.price_minor, style.shop.currency),
        sku=variant.sku,
        ean=variant.ean or "",
        is_sold=variant.is_sold,
        on_hand=facts.on_hand.get(variant.item_id, {}),
        variant=variant.pk,
    )


def read_grid(post: QueryDict, style: Style, places: Sequence[Place], facts: VariantFacts) -> GridForm:
    """The table as it was sent."""
    shown = list(places[:MOST_STOCK_COLUMNS])
    colours = [
        Entry(
            index,
            _text(post, f"colour-{index}-id"),
            _text(post, f"colour-{index}-name"),
            _text(post, f"colour-{index}-name_en"),
            _text(post, f"colour-{index}-swatch") or "#cccccc",
        )
        for index in _indices(post, "colour", MOST_COLOURS)
    ]
    sizes = [
        Entry(
            index,
            _text(post, f"size-{index}-id"),
            _text(post, f"size-{index}-label"),
            _text(post, f"size-{index}-code"),
        )
        for index in _indices(post, "size", MOST_SIZES)
    ]
    form = GridForm(style, shown, colours, sizes, {})
    for colour in colours:
        for size in sizes:
            form.cells[colour.index, size.index] = _read_cell(post, colour, size, shown, facts)
    return form


def _indices(post: Mapping[str, object], kind: str, most: int) -> list[int]:
    found = (_INDEX.fullmatch(name) for name in post)
    return sorted({int(match[2]) for match in found if match and match[1] == kind})[:most]


def _text(post: QueryDict, name: str) -> str:
    return str(post.get(name, "")).strip()[:200]


def _read_cell(post: QueryDict, colour: Entry, size: Entry, places: Sequence[Place], facts: VariantFacts) -> Cell:
    prefix = f"cell-{colour.index}-{size.index}"
    variant = facts.variants.get((_number(colour.id) or 0, _number(size.id) or 0))
    return Cell(
        colour.index,
        size.index,
        price=_text(post, f"{prefix}-price"),
        sku=_text(post, f"{prefix}-sku"),
        ean=_text(post, f"{prefix}-ean"),
        is_sold=f"{prefix}-sold" in post,
        stock={place.pk: _text(post, f"{prefix}-stock-{place.pk}") for place in places} if variant is None else {},
        on_hand=facts.on_hand.get(variant.item_id, {}) if variant else None,
        variant=variant.pk if variant else None,
    )
