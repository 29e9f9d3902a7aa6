"""Two small tables with as many rows as one likes: size chart and composition. What was typed is kept as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext

from silkroom.catalog.errors import MeasureUnusable
from silkroom.catalog.models import Size, Style
from silkroom.catalog.queries import size_chart
from silkroom.catalog.rules import MOST_FIBRES, MOST_MEASURES, parse_centimetres, show_centimetres

_ROW = re.compile(r"(?:measure|fibre)-(\d{1,3})-(?:name|fibre)")


def usual_measures() -> list[tuple[str, str]]:
    """Measures that most garments have (GB/T 31907), in the person's language and in English."""
    return [
        (gettext("Chest"), "Chest"),
        (gettext("Waist"), "Waist"),
        (gettext("Shoulder"), "Shoulder"),
        (gettext("Sleeve"), "Sleeve"),
        (gettext("Length"), "Length"),
    ]


@dataclass
class ChartRow:
    """A measure as typed; ``cells`` in the order of the sizes."""

    index: int
    name: str = ""
    name_en: str = ""
    cells: list[tuple[Size, str]] = field(default_factory=list)
    error: str = ""
    wrong: set[int] = field(default_factory=set)
    millimetres: dict[int, int] = field(default_factory=dict)

    @property
    def is_filled(self) -> bool:
        return any(typed for _, typed in self.cells)


@dataclass
class ChartForm:
    """The size chart."""

    sizes: Sequence[Size]
    rows: list[ChartRow]
    errors: list[str] = field(default_factory=list)

    @property
    def is_valid(self) -> bool:
        return not self.errors and not any(row.error for row in self.rows)

    @property
    def filled(self) -> list[ChartRow]:
        """Rows that have a value: the others were only offered."""
        return [row for row in self.rows if row.is_filled]

    def add(self) -> None:
        if len(self.rows) < MOST_MEASURES:
            index = max((row.index for row in self.rows), default=-1) + 1
            self.rows.append(ChartRow(index, cells=[(size, "") for size in self.sizes]))


def chart_of(style: Style, sizes: Sequence[Size]) -> ChartForm:
    """The chart as it is; an empty one offers the usual measures."""
    rows = [
        ChartRow(
            number,
            line.name,
            line.name_en,
            [
                (size, "" if value is None else show_centimetres(value))
                for size, value in zip(sizes, line.millimetres, strict=True)
            ],
        )
        for number, line in enumerate(size_chart(style, sizes))
    ]
    if not rows:
        rows = [
            ChartRow(number, name, english, [(size, "") for size in sizes])
            for number, (name, english) in enumerate(usual_measures())
        ]
    return ChartForm(sizes, rows)


def read_chart(post: QueryDict, sizes: Sequence[Size]) -> ChartForm:
    """The chart as it was sent, with errors beside its rows."""
    rows = []
    for index in _indices(post)[:MOST_MEASURES]:
        row = ChartRow(
            index,
            _text(post, f"measure-{index}-name"),
            _text(post, f"measure-{index}-name_en"),
            [(size, _text(post, f"measure-{index}-{size.pk}")) for size in sizes],
        )
        if row.is_filled and not row.name:
            row.error = gettext("Give this measure a name.")
        for size, typed in row.cells:
            if typed:
                try:
                    row.millimetres[size.pk] = parse_centimetres(typed)
                except MeasureUnusable as refusal:
                    row.wrong.add(size.pk)
                    row.error = refusal.sentence(gettext)
        rows.append(row)
    return ChartForm(sizes, rows)


@dataclass
class FibreRow:
    """A fibre as typed."""

    index: int
    part: str = ""
    fibre: str = ""
    percent: str = ""
    error: str = ""

    @property
    def share(self) -> int:
        return int(self.percent) if self.percent.isascii() and self.percent.isdecimal() and len(self.percent) < 4 else 0


@dataclass
class FibreForm:
    """The composition."""

    rows: list[FibreRow]
    errors: list[str] = field(default_factory=list)

    @property
    def is_valid(self) -> bool:
        return not self.errors and not any(row.error for row in self.rows)

    @property
    def filled(self) -> list[FibreRow]:
        return [row for row in self.rows if row.fibre or row.percent]

    def add(self) -> None:
        if len(self.rows) < MOST_FIBRES:
            self.rows.append(FibreRow(max((row.index for row in self.rows), default=-1) + 1))


def fibres_of(style: Style) -> FibreForm:
    """The composition as it is; an empty one offers two rows."""
    rows = [
        FibreRow(number, row["part"], row["fibre"], str(row["percent"])) for number, row in enumerate(style.composition)
    ]
    return FibreForm(rows or [FibreRow(0), FibreRow(1)])


def read_fibres(post: QueryDict) -> FibreForm:
    """The composition as it was sent."""
    rows = []
    for index in _indices(post)[:MOST_FIBRES]:
        row = FibreRow(
            index,
            _text(post, f"fibre-{index}-part"),
            _text(post, f"fibre-{index}-fibre"),
            _text(post, f"fibre-{index}-percent").rstrip("%％ "),
        )
        if row.fibre and not 0 < row.share <= 100:
            row.error = gettext("Enter a whole percentage from 1 to 100.")
        elif row.percent and not row.fibre:
            row.error = gettext("Name the fibre.")
        rows.append(row)
    return FibreForm(rows)


def _indices(post: QueryDict) -> list[int]:
    return sorted({int(match[1]) for name in post if (match := _ROW.fullmatch(name))})


def _text(post: QueryDict, name: str) -> str:
    return str(post.get(name, "")).strip()[:200]
