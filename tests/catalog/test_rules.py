"""SKUs, EANs, prices, measures, compositions, care symbols; what a style needs to be shown."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silkroom.catalog.errors import (
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
from silkroom.catalog.labels import CARE_KIND_NAMES, CARE_NAMES, MISSING_NAMES, SAFETY_NAMES, STATE_NAMES
from silkroom.catalog.rules import (
    CARE_SYMBOLS,
    CareKind,
    ColourRow,
    Completeness,
    Fibre,
    Grid,
    GridCell,
    Missing,
    SizeColumn,
    check_care,
    check_composition,
    check_grid,
    clean_ean,
    clean_sku,
    clean_swatch,
    clean_text,
    clean_words,
    parse_centimetres,
    rendition_name,
    show_centimetres,
    sku_of,
)
from silkroom.catalog.states import SafetyClass, StyleState

RIGHT_EAN = "6901234567892"


def small_grid(**cell: object) -> Grid:
    """One colour, two sizes."""
    cells = [GridCell(0, 0, 39_900), GridCell(0, 1, 39_900)]
    return Grid(
        [ColourRow("月白", "Moon white")], [SizeColumn("S"), SizeColumn("M")], [replace(cells[0], **cell), cells[1]]
    )


def checked(grid: Grid) -> Grid:
    return check_grid(grid, article="SR-1", currency="CNY")


@pytest.mark.parametrize("typed", [RIGHT_EAN, "690 1234 567892", "690-1234567892", "６９０１２３４５６７８９２", ""])
def test_an_ean_with_the_right_digit_is_kept_plain(typed: str) -> None:
    assert clean_ean(typed) == (RIGHT_EAN if typed else "")


@pytest.mark.parametrize(
    "typed", ["6901234567890", "690123456789", "69012345678921", "x", "96385074", "6901234567892x"]
)
def test_a_wrong_ean_is_refused(typed: str) -> None:
    with pytest.raises(EanWrong):
        clean_ean(typed)


@given(st.integers(0, 10**12 - 1))
def test_exactly_one_last_digit_makes_an_ean(first: int) -> None:
    right = []
    for last in range(10):
        try:
            right.append(clean_ean(f"{first:012d}{last}"))
        except EanWrong:
            continue
    assert len(right) == 1


def test_a_sku_is_made_of_article_colour_and_size() -> None:
    assert sku_of("SR-2401", "月白", "Moon white", 1, "M") == "SR-2401-MOON-WHITE-M"
    assert sku_of("sr 2401", "月白", "", 3, "均码") == "SR-2401-C03-ONE"
    assert [cell.sku for cell in checked(small_grid()).cells] == ["SR-1-MOON-WHITE-S", "SR-1-MOON-WHITE-M"]


def test_made_skus_never_meet_typed_ones() -> None:
    grid = checked(small_grid(sku="sr-1-moon-white-m"))
    assert [cell.sku for cell in grid.cells] == ["SR-1-MOON-WHITE-M", "SR-1-MOON-WHITE-M-2"]


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=20), st.integers(1, 30), st.text(max_size=15))
def test_every_made_sku_is_one(article: str, colour: str, english: str, number: int, size: str) -> None:
    assert clean_sku(sku_of(article, colour, english, number, size))


@pytest.mark.parametrize("typed", ["", "丝绸", "-A", "A;B", "A" * 61, "<b>"])
def test_what_a_scanner_cannot_carry_is_no_sku(typed: str) -> None:
    with pytest.raises(WordsUnusable):
        clean_sku(typed)


@pytest.mark.parametrize(
    ("grid", "refusal"),
    [
        (Grid([], [SizeColumn("S")], []), GridEmpty),
        (Grid([ColourRow("Red")], [], []), GridEmpty),
        (Grid([ColourRow("Red")], [SizeColumn("S")], []), GridEmpty),
        (small_grid(is_sold=True, price_minor=0), PriceUnusable),
        (small_grid(price_minor=-1), PriceUnusable),
        (small_grid(price_minor=10**9 + 1), PriceUnusable),
        (small_grid(ean="123"), EanWrong),
        (Grid([ColourRow("Red"), ColourRow("red")], [SizeColumn("S")], [GridCell(0, 0, 1)]), NamedTwice),
        (Grid([ColourRow("Red")], [SizeColumn("S"), SizeColumn("s")], [GridCell(0, 0, 1)]), NamedTwice),
        (Grid([ColourRow("Red")], [SizeColumn("S")], [GridCell(0, 0, 1), GridCell(0, 0, 1)]), NamedTwice),
        (Grid([ColourRow("")], [SizeColumn("S")], [GridCell(0, 0, 1)]), WordsUnusable),
        (Grid([ColourRow("Red", "", "red")], [SizeColumn("S")], [GridCell(0, 0, 1)]), WordsUnusable),
        (Grid([ColourRow("Red")] * 31, [SizeColumn("S")], [GridCell(0, 0, 1)]), GridTooLarge),
    ],
)
def test_a_grid_that_cannot_be_is_refused(grid: Grid, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        checked(grid)


def test_a_sku_or_ean_twice_names_its_cell() -> None:
    grid = small_grid()
    twice = Grid(grid.colours, grid.sizes, [replace(cell, sku="A") for cell in grid.cells])
    with pytest.raises(SkuTaken) as refused:
        checked(twice)
    assert refused.value.data == {"sku": "A", "cell": 1}
    twice = Grid(grid.colours, grid.sizes, [replace(cell, ean=RIGHT_EAN) for cell in grid.cells])
    with pytest.raises(EanTaken) as refused_ean:
        checked(twice)
    assert refused_ean.value.data == {"ean": RIGHT_EAN, "cell": 1}


@pytest.mark.parametrize(
    ("typed", "millimetres"), [("58.5", 585), ("58", 580), ("58,5", 585), ("５８", 580), (" 0.1 ", 1)]
)
def test_centimetres_become_millimetres(typed: str, millimetres: int) -> None:
    assert parse_centimetres(typed) == millimetres


@pytest.mark.parametrize("typed", ["", "x", "58.55", "0", "-3", "501", "NaN", "Infinity", "1e9", "1" * 30])
def test_what_is_no_length_is_refused(typed: str) -> None:
    with pytest.raises(MeasureUnusable):
        parse_centimetres(typed)


@given(st.integers(1, 5000))
def test_a_measure_shown_reads_back(millimetres: int) -> None:
    assert parse_centimetres(show_centimetres(millimetres)) == millimetres


def test_each_part_adds_up_to_a_hundred() -> None:
    rows = [Fibre("Shell", "Silk", 94), Fibre("Shell", "Elastane", 6), Fibre("Lining", "Silk", 100)]
    assert check_composition(rows) == rows
    assert check_composition([]) == []


@pytest.mark.parametrize(
    ("rows", "total"),
    [
        ([Fibre("", "Silk", 99)], 99),
        ([Fibre("", "Silk", 60), Fibre("", "Wool", 41)], 101),
        ([Fibre("Shell", "Silk", 100), Fibre("Lining", "Silk", 50)], 50),
    ],
)
def test_a_part_that_does_not_add_up_is_refused_with_its_sum(rows: list[Fibre], total: int) -> None:
    with pytest.raises(CompositionWrong) as refused:
        check_composition(rows)
    assert refused.value.data["sum"] == total
    assert str(total) in refused.value.sentence()


@pytest.mark.parametrize("percent", [0, -5, 101])
def test_a_share_is_between_one_and_a_hundred(percent: int) -> None:
    with pytest.raises(CompositionWrong):
        check_composition([Fibre("", "Silk", percent)])


def test_care_symbols_stand_in_the_order_of_the_label() -> None:
    assert check_care(["clean-p", "iron-110", "wash-hand", "bleach-no"]) == [
        "wash-hand", "bleach-no", "iron-110", "clean-p",
    ]  # fmt: skip
    for wrong in (["wash-30", "wash-40"], ["no-such"], ["iron-110", "iron-110"]):
        with pytest.raises(CareWrong):
            check_care(wrong)


def test_every_fixed_list_has_words_and_every_symbol_a_drawing() -> None:
    assert set(CARE_NAMES) == {symbol.name for symbol in CARE_SYMBOLS}
    assert set(CARE_KIND_NAMES) == set(CareKind)
    assert set(MISSING_NAMES) == set(Missing)
    assert set(SAFETY_NAMES) == set(SafetyClass)
    assert set(STATE_NAMES) == set(StyleState)
    drawings = (Path(__file__).parents[2] / "src/silkroom/config/static/design/care.svg").read_text()
    assert {symbol.name for symbol in CARE_SYMBOLS} <= set(re.findall(r'id="([^"]+)"', drawings))


def test_what_keeps_a_style_from_being_shown_and_what_is_advice() -> None:
    empty = Completeness(0, 0, 0, has_label=False, has_size_chart=False, has_english=False)
    assert empty.obstacles == [Missing.VARIANT, Missing.PICTURE]
    assert empty.missing == list(Missing)
    enough = replace(empty, sold_variants=1, pictures=1)
    assert enough.obstacles == []
    assert Missing.STOCK in enough.missing
    full = Completeness(1, 1, 1, has_label=True, has_size_chart=True, has_english=True)
    assert full.missing == []


def test_words_are_composed_and_bounded() -> None:
    assert clean_words(" Sil\u202ek \n shirt ", field="name", longest=20) == "Sil k shirt"
    assert clean_text("a\r\nb\x00c", field="text", longest=10) == "a\nbc"
    assert clean_swatch(" #ABCDEF ") == "#abcdef"
    for wrong in ("#abc", "red", "#12345g", "#1234567"):
        with pytest.raises(WordsUnusable):
            clean_swatch(wrong)
    with pytest.raises(WordsUnusable):
        clean_words("x" * 21, field="name", longest=20)


def test_renditions_are_named_beside_each_other() -> None:
    assert rendition_name("pictures/K7-1600.webp", 400) == "pictures/K7-400.webp"
