"""Pictures of garments: the same every time, not blank, in the colour they are sold in, small enough for a phone."""

import io

import pytest
from PIL import Image, ImageChops, ImageStat

from silkroom.config.demo import pictures
from silkroom.config.demo.brand import STYLES, Style
from silkroom.config.demo.drawing import silk

BY_DRAWING = {style.drawing: style for style in STYLES}


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.code)
def test_garment_fills_the_sheet_and_leaves_a_margin(style: Style) -> None:
    left, top, right, bottom = pictures.sheet_of(style).mask.getbbox()
    assert left >= 80 and right <= 1120 and top >= 60 and bottom <= 1550
    assert (right - left) > 500 or (bottom - top) > 1000


def test_same_data_give_the_same_pixels() -> None:
    style = BY_DRAWING["camisole"]
    first, second = (pictures.garment(style, style.colours[0], pictures.sheet_of(style)) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_cloth_has_folds_in_light_and_shade() -> None:
    style = BY_DRAWING["skirt"]
    sheet = pictures.sheet_of(style)
    picture = pictures.garment(style, style.colours[0], sheet).convert("L")
    inside = ImageStat.Stat(picture, sheet.mask)
    assert inside.stddev[0] > 20
    low, high = inside.extrema[0]
    assert high - low > 120


@pytest.mark.parametrize("drawing", ["camisole", "shirt"])
def test_colourways_look_like_their_colours(drawing: str) -> None:
    style = BY_DRAWING[drawing]
    sheet = pictures.sheet_of(style)
    means = []
    for colour in style.colours:
        mean = ImageStat.Stat(pictures.garment(style, colour, sheet), sheet.mask).mean
        means.append(mean)
        want = silk.rgb(colour.hex)
        assert sum(abs(a - b) for a, b in zip(mean, want, strict=True)) < 150
    assert len({tuple(round(value / 12) for value in mean) for mean in means}) == len(style.colours)


def test_all_pictures_of_the_scarf_are_small_enough() -> None:
    """The print has the finest detail of all: if it fits, everything does."""
    for _, picture in pictures.garments_of(BY_DRAWING["scarf"]):
        data = pictures.encoded(picture)
        assert len(data) <= pictures.MOST_BYTES
        read = Image.open(io.BytesIO(data))
        assert (read.format, read.size) == ("WEBP", (1200, 1600))


def test_cover_and_logo() -> None:
    cover, logo = pictures.cover(), pictures.logo()
    assert cover.size == pictures.COVER
    assert logo.size == (512, 512)
    assert ImageStat.Stat(cover.convert("L")).stddev[0] > 20
    # The mark is the same from the left as from the right.
    turned = logo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert ImageChops.difference(logo, turned).convert("L").getextrema()[1] < 40


def test_ramp_rises_from_fold_to_gloss_and_passes_the_colour_itself() -> None:
    wanted = silk.rgb("#8e1f30")
    colours = silk.ramp(wanted)
    light = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in colours]
    assert light == sorted(light)
    nearest = min(sum(abs(a - b) for a, b in zip(colour, wanted, strict=True)) for colour in colours)
    assert nearest < 30
