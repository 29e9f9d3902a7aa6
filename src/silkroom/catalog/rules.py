"""Pure decisions of the catalog: SKUs, EANs, prices, size charts, fibre labels, and what a style needs to be shown."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from stdnum import ean as stdnum_ean
from stdnum.exceptions import ValidationError

from silkroom.kit.money import Money

from .errors import (
    CareWrong,
    CompositionWrong,
    EanTaken,
    EanWrong,
    GridEmpty,
    GridTooLarge,
    MeasureUnusable,
    NamedTwice,
    PriceUnusable,
    SkuTaken,
    WordsUnusable,
)

MOST_STYLES = 5_000
"""Styles of a shop: a bound against scripts, many seasons above any brand."""

MOST_COLOURS = 30
MOST_SIZES = 20
MOST_VARIANTS = 200
"""A grid page of 200 rows is still one form below Django's bound of 2,000 fields."""

MOST_PICTURES = 30
MOST_MEASURES = 30
MOST_FIBRES = 20

LARGEST_PRICE_MINOR = 10**9
"""Ten million yuan for a garment: above it a slip of the keyboard is likelier."""

LARGEST_QUANTITY = 1_000_000
LARGEST_MILLIMETRES = 5_000

WIDTHS = (400, 800, 1600)
"""Renditions of a picture: lists, product page on a phone, product page and zoom."""

_SKU = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/ -]{0,59}")
_SWATCH = re.compile(r"#[0-9a-f]{6}")


def rendition_name(name: str, width: int) -> str:
    """Storage name of a rendition: "pictures/K7-1600.webp" at 400 is "pictures/K7-400.webp"."""
    stem, dash, _ = name.rpartition("-")
    return f"{stem}-{width}.webp" if dash else name


def clean_words(text: str, *, field: str, longest: int, required: bool = True) -> str:
    """One line of words, composed and without unseen signs. Raises WordsUnusable."""
    composed = unicodedata.normalize("NFC", text)
    words = " ".join("".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in composed).split())
    if len(words) > longest or (required and not words):
        raise WordsUnusable(field=field)
    return words


def clean_text(text: str, *, field: str, longest: int) -> str:
    """Words on several lines. Raises WordsUnusable."""
    composed = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(sign for sign in composed if sign == "\n" or unicodedata.category(sign)[0] != "C").strip()
    if len(kept) > longest:
        raise WordsUnusable(field=field)
    return kept


def clean_sku(text: str) -> str:
    """A SKU: letters, digits and . _ / - in capitals, so that a label printer and a scanner can carry it."""
    sku = clean_words(text, field="sku", longest=60).upper()
    if not _SKU.fullmatch(sku):
        raise WordsUnusable(field="sku")
    return sku


def clean_swatch(text: str) -> str:
    """#rrggbb in small letters. Raises WordsUnusable."""
    swatch = text.strip().lower()
    if not _SWATCH.fullmatch(swatch):
        raise WordsUnusable(field="swatch")
    return swatch


def sku_of(article: str, colour: str, colour_en: str, number: int, size: str) -> str:
    """The SKU proposed for a variant: article, colour and size. A colour without Latin letters goes by its number."""
    parts = [_code(article) or "STYLE", _code(colour_en or colour)[:10] or f"C{number:02d}", _code(size) or "ONE"]
    return "-".join(part.strip("-") for part in parts)[:60]


def _code(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper()
    return re.sub(r"[^0-9A-Z]+", "-", plain).strip("-")


def clean_ean(text: str) -> str:
    """Thirteen digits with the right check digit; empty stays empty. Raises EanWrong."""
    if not text.strip():
        return ""
    try:
        digits: str = stdnum_ean.validate(unicodedata.normalize("NFKC", text))
    except ValidationError:
        raise EanWrong(ean=text.strip()[:20]) from None
    if len(digits) != 13:
        raise EanWrong(ean=text.strip()[:20])
    return digits


def check_price(minor: int, currency: str) -> int:
    """The price if it is one. Raises PriceUnusable."""
    if not 0 < minor <= LARGEST_PRICE_MINOR:
        raise PriceUnusable(most=str(Money(LARGEST_PRICE_MINOR, currency)))
    return minor


@dataclass(frozen=True)
class ColourRow:
    """A colour as entered. ``id`` names an existing one (then its name may change)."""

    name: str
    name_en: str = ""
    swatch: str = "#cccccc"
    id: int | None = None


@dataclass(frozen=True)
class SizeColumn:
    """A size as entered: the label on the page and its GB/T 1335 code."""

    label: str
    code: str = ""
    id: int | None = None


@dataclass(frozen=True)
class GridCell:
    """A variant as entered: indices of its colour and size, price of one piece, pieces to receive by place id.

    Without ``sku`` one is made. ``is_sold=False`` keeps the variant's history and takes it off the pages.
    """

    colour: int
    size: int
    price_minor: int
    sku: str = ""
    ean: str = ""
    is_sold: bool = True
    opening: Mapping[int, int] | None = None


@dataclass(frozen=True)
class Grid:
    """Colours × sizes with all cells that are sold."""

    colours: Sequence[ColourRow]
    sizes: Sequence[SizeColumn]
    cells: Sequence[GridCell]


def check_grid(grid: Grid, *, article: str, currency: str) -> Grid:
    """The grid with clean words and a SKU in every cell. Raises what `errors` lists."""
    sold = [cell for cell in grid.cells if cell.is_sold]
    if not grid.colours or not grid.sizes or not sold:
        raise GridEmpty
    if len(grid.colours) > MOST_COLOURS or len(grid.sizes) > MOST_SIZES or len(grid.cells) > MOST_VARIANTS:
        raise GridTooLarge(colours=MOST_COLOURS, sizes=MOST_SIZES, variants=MOST_VARIANTS)
    colours = [
        ColourRow(
            clean_words(row.name, field="colour", longest=30),
            clean_words(row.name_en, field="colour_en", longest=30, required=False),
            clean_swatch(row.swatch),
            row.id,
        )
        for row in grid.colours
    ]
    sizes = [
        SizeColumn(
            clean_words(column.label, field="size", longest=12),
            clean_words(column.code, field="size_code", longest=12, required=False),
            column.id,
        )
        for column in grid.sizes
    ]
    _refuse_twice([row.name for row in colours])
    _refuse_twice([column.label for column in sizes])
    return Grid(colours, sizes, _check_cells(grid.cells, colours, sizes, article, currency))


def _refuse_twice(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise NamedTwice(name=name)
        seen.add(name.casefold())


def _check_cells(
    cells: Sequence[GridCell],
    colours: Sequence[ColourRow],
    sizes: Sequence[SizeColumn],
    article: str,
    currency: str,
) -> list[GridCell]:
    checked: list[GridCell] = []
    skus: set[str] = {clean_sku(cell.sku) for cell in cells if cell.sku.strip()}
    used: set[str] = set()
    eans: set[str] = set()
    pairs: set[tuple[int, int]] = set()
    for index, cell in enumerate(cells):
        colour, size = colours[cell.colour], sizes[cell.size]
        if (cell.colour, cell.size) in pairs:
            raise NamedTwice(name=f"{colour.name} {size.label}")
        pairs.add((cell.colour, cell.size))
        if cell.sku.strip():
            sku = clean_sku(cell.sku)
        else:
            sku = _free(sku_of(article, colour.name, colour.name_en, cell.colour + 1, size.label), skus | used)
        if sku in used:
            raise SkuTaken(sku=sku, cell=index)
        used.add(sku)
        ean = clean_ean(cell.ean)
        if ean and ean in eans:
            raise EanTaken(ean=ean, cell=index)
        eans.add(ean)
        price = check_price(cell.price_minor, currency)
        checked.append(GridCell(cell.colour, cell.size, price, sku, ean, cell.is_sold, cell.opening))
    return checked


def _free(sku: str, taken: set[str]) -> str:
    if sku not in taken:
        return sku
    return next(made for number in range(2, 1000) if (made := f"{sku[:56]}-{number}") not in taken)


def parse_centimetres(text: str) -> int:
    """Millimetres of a length typed in centimetres: "58.5" is 585. Raises MeasureUnusable."""
    plain = unicodedata.normalize("NFKC", text).replace(",", ".").strip()
    try:
        millimetres = Decimal(plain) * 10
    except InvalidOperation:
        raise MeasureUnusable(typed=text[:20]) from None
    if not millimetres.is_finite() or millimetres != millimetres.to_integral_value():
        raise MeasureUnusable(typed=text[:20])
    if not 0 < millimetres <= LARGEST_MILLIMETRES:
        raise MeasureUnusable(typed=text[:20])
    return int(millimetres)


def show_centimetres(millimetres: int) -> str:
    """585 is "58.5", 580 is "58"."""
    whole, tenth = divmod(millimetres, 10)
    return f"{whole}.{tenth}" if tenth else str(whole)


@dataclass(frozen=True)
class Fibre:
    """A fibre's share of a part of the garment ("shell", "lining"; empty: the whole garment)."""

    part: str
    fibre: str
    percent: int


def check_composition(fibres: Sequence[Fibre]) -> list[Fibre]:
    """Clean words, and 100 percent in every part. Raises CompositionWrong, WordsUnusable."""
    if len(fibres) > MOST_FIBRES:
        raise WordsUnusable(field="composition")
    sums: dict[str, int] = defaultdict(int)
    checked: list[Fibre] = []
    for row in fibres:
        part = clean_words(row.part, field="part", longest=30, required=False)
        fibre = clean_words(row.fibre, field="fibre", longest=40)
        if not 0 < row.percent <= 100:
            raise CompositionWrong(part=part or fibre, sum=row.percent)
        sums[part] += row.percent
        checked.append(Fibre(part, fibre, row.percent))
    for part, total in sums.items():
        if total != 100:
            raise CompositionWrong(part=part or fibres[0].fibre, sum=total)
    return checked


class CareKind(StrEnum):
    """Kinds of care symbols, in the order of the label (ISO 3758)."""

    WASH = "wash"
    BLEACH = "bleach"
    TUMBLE = "tumble"
    DRY = "dry"
    IRON = "iron"
    CLEAN = "clean"
    WETCLEAN = "wetclean"


@dataclass(frozen=True)
class CareSymbol:
    """A symbol of ISO 3758; its drawing in care.svg has the same name, its meaning is in `labels`."""

    name: str
    kind: CareKind


CARE_SYMBOLS: tuple[CareSymbol, ...] = (
    CareSymbol("wash-95", CareKind.WASH),
    CareSymbol("wash-70", CareKind.WASH),
    CareSymbol("wash-60", CareKind.WASH),
    CareSymbol("wash-60-mild", CareKind.WASH),
    CareSymbol("wash-50", CareKind.WASH),
    CareSymbol("wash-50-mild", CareKind.WASH),
    CareSymbol("wash-40", CareKind.WASH),
    CareSymbol("wash-40-mild", CareKind.WASH),
    CareSymbol("wash-40-very-mild", CareKind.WASH),
    CareSymbol("wash-30", CareKind.WASH),
    CareSymbol("wash-30-mild", CareKind.WASH),
    CareSymbol("wash-30-very-mild", CareKind.WASH),
    CareSymbol("wash-hand", CareKind.WASH),
    CareSymbol("wash-no", CareKind.WASH),
    CareSymbol("bleach", CareKind.BLEACH),
    CareSymbol("bleach-oxygen", CareKind.BLEACH),
    CareSymbol("bleach-no", CareKind.BLEACH),
    CareSymbol("tumble-80", CareKind.TUMBLE),
    CareSymbol("tumble-60", CareKind.TUMBLE),
    CareSymbol("tumble-no", CareKind.TUMBLE),
    CareSymbol("dry-line", CareKind.DRY),
    CareSymbol("dry-drip", CareKind.DRY),
    CareSymbol("dry-flat", CareKind.DRY),
    CareSymbol("dry-flat-drip", CareKind.DRY),
    CareSymbol("dry-line-shade", CareKind.DRY),
    CareSymbol("dry-drip-shade", CareKind.DRY),
    CareSymbol("dry-flat-shade", CareKind.DRY),
    CareSymbol("dry-flat-drip-shade", CareKind.DRY),
    CareSymbol("iron-200", CareKind.IRON),
    CareSymbol("iron-150", CareKind.IRON),
    CareSymbol("iron-110", CareKind.IRON),
    CareSymbol("iron-no", CareKind.IRON),
    CareSymbol("clean-p", CareKind.CLEAN),
    CareSymbol("clean-p-mild", CareKind.CLEAN),
    CareSymbol("clean-f", CareKind.CLEAN),
    CareSymbol("clean-f-mild", CareKind.CLEAN),
    CareSymbol("clean-no", CareKind.CLEAN),
    CareSymbol("wetclean", CareKind.WETCLEAN),
    CareSymbol("wetclean-mild", CareKind.WETCLEAN),
    CareSymbol("wetclean-very-mild", CareKind.WETCLEAN),
    CareSymbol("wetclean-no", CareKind.WETCLEAN),
)

CARE_BY_NAME = {symbol.name: symbol for symbol in CARE_SYMBOLS}
_LABEL_ORDER = {symbol.name: (list(CareKind).index(symbol.kind), index) for index, symbol in enumerate(CARE_SYMBOLS)}


def check_care(names: Sequence[str]) -> list[str]:
    """Known names, one of a kind, in the order of the label. Raises CareWrong."""
    kinds = [CARE_BY_NAME[name].kind for name in names if name in CARE_BY_NAME]
    if len(kinds) != len(names) or len(set(kinds)) != len(kinds):
        raise CareWrong
    return sorted(names, key=_LABEL_ORDER.__getitem__)


class Turn(StrEnum):
    """Where a picture goes among those of its style."""

    COVER = "cover"
    FRONT = "front"
    END = "end"


def turned(order: Sequence[int], one: int, turn: Turn) -> list[int]:
    """The order after ``one`` became the cover, or went one place towards the front or the end."""
    place = order.index(one)
    rest = [other for other in order if other != one]
    goal = {Turn.COVER: 0, Turn.FRONT: max(0, place - 1), Turn.END: place + 1}[turn]
    return [*rest[:goal], one, *rest[goal:]]


class Missing(StrEnum):
    """What a style may lack. The first two keep it from being shown; the rest is advice."""

    VARIANT = "variant"
    PICTURE = "picture"
    STOCK = "stock"
    LABEL = "label"
    SIZE_CHART = "size_chart"
    ENGLISH = "english"


NEEDED = (Missing.VARIANT, Missing.PICTURE)


@dataclass(frozen=True)
class Completeness:
    """Facts about a style that decide whether it can be shown."""

    sold_variants: int
    pictures: int
    free_pieces: int
    has_label: bool
    has_size_chart: bool
    has_english: bool

    @property
    def missing(self) -> list[Missing]:
        """Everything that is not there yet, most important first."""
        present = {
            Missing.VARIANT: self.sold_variants > 0,
            Missing.PICTURE: self.pictures > 0,
            Missing.STOCK: self.free_pieces > 0,
            Missing.LABEL: self.has_label,
            Missing.SIZE_CHART: self.has_size_chart,
            Missing.ENGLISH: self.has_english,
        }
        return [one for one, there in present.items() if not there]

    @property
    def obstacles(self) -> list[Missing]:
        """What keeps it from being shown."""
        return [one for one in self.missing if one in NEEDED]
