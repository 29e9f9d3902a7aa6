"""The demo's goods are what real goods would be: numbers check, fibres add up, charts grow with the size."""

import pytest
from stdnum import ean

from silkroom.catalog.rules import clean_sku
from silkroom.config.demo import brand
from silkroom.config.demo.brand import BRAND, DEALS, STYLES
from silkroom.shops.regions import find_region

VARIANTS = [variant for style in STYLES for variant in style.variants()]


def opening(style: brand.Style) -> list[tuple[int, int]]:
    return [
        style.opening_stock(colour, size) for colour in range(len(style.colours)) for size in range(len(style.sizes))
    ]


def test_ten_styles_with_three_or_four_colours() -> None:
    assert len(STYLES) == 10
    assert {len(style.colours) for style in STYLES} <= {3, 4}


def test_every_variant_has_its_own_sku_and_bar_code() -> None:
    assert len({variant.sku for variant in VARIANTS}) == len(VARIANTS)
    assert all(clean_sku(variant.sku) == variant.sku for variant in VARIANTS)
    assert len({variant.ean for variant in VARIANTS}) == len(VARIANTS)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.sku)
def test_bar_codes_check_and_stay_inside_the_shop_range(variant: brand.Variant) -> None:
    assert ean.is_valid(variant.ean)
    assert len(variant.ean) == 13
    assert variant.ean.startswith("20")


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.code)
def test_style_can_be_sold(style: brand.Style) -> None:
    assert sum(fibre.percent for fibre in style.label.fibres) == 100
    assert 0 < style.deal_fen < style.price_fen
    assert style.label.safety == "B"
    assert style.name.zh and style.name.en and style.description.zh and style.description.en
    assert set(style.chart) == {size.code for size in style.sizes}
    assert len({colour.code for colour in style.colours}) == len(style.colours)


@pytest.mark.parametrize("style", [style for style in STYLES if len(style.sizes) > 1], ids=lambda style: style.code)
def test_every_measure_grows_with_the_size(style: brand.Style) -> None:
    for small, large in zip(style.sizes, style.sizes[1:], strict=False):
        assert small.body < large.body
        for measure, value in style.chart[small.code].items():
            assert value < style.chart[large.code][measure]


def test_opening_stock_is_positive_and_largest_in_the_middle() -> None:
    style = STYLES[0]
    assert style.opening_stock(0, 1)[0] > style.opening_stock(0, 3)[0] > 0
    assert all(min(pieces) > 0 for one in STYLES for pieces in opening(one))


def test_region_is_a_district_of_gb_t_2260() -> None:
    region = find_region(BRAND.region)
    assert region is not None
    assert (region.name, region.group) == ("吴江区", "苏州市")


def test_deals_are_for_goods_of_the_house_and_smaller_than_the_stock() -> None:
    by_code = {style.code: style for style in STYLES}
    for deal in DEALS:
        style = by_code[deal.style]
        assert 0 < deal.per_person < deal.pieces < sum(map(sum, opening(style)))


def test_house_has_every_role_and_kind_of_place() -> None:
    assert {one.role for one in BRAND.staff} == {"owner", "host", "assistant", "warehouse", "clerk"}
    assert {one.kind for one in BRAND.places} == {"workshop", "warehouse", "store"}
    assert all(one.email.endswith(".example") for one in BRAND.staff)
