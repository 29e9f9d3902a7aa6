"""The clock that machines read comes back exactly, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from silkroom.config.demo.clock_strip import CELLS, cells_of, draw_strip, read_strip

MS = 1_790_000_000_123


def picture(ms: int, size: tuple[int, int] = (720, 1280), ground: int = 90) -> Image.Image:
    luma = Image.new("L", size, ground)
    draw_strip(luma, ms)
    return luma


@given(st.integers(min_value=0, max_value=2**42 - 1))
def test_every_time_is_read_as_it_was_drawn(ms: int) -> None:
    assert read_strip(picture(ms, (180, 640))) == ms


@pytest.mark.parametrize("size", [(360, 640), (540, 960), (1080, 1920)])
def test_scaled_and_blurred_copies_are_read(size: tuple[int, int]) -> None:
    copy = picture(MS).resize(size, Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(1.5))
    assert read_strip(copy) == MS


@pytest.mark.parametrize("ground", [0, 100, 255])
def test_picture_without_strip_has_no_time(ground: int) -> None:
    assert read_strip(Image.new("L", (720, 1280), ground)) is None


def test_one_wrong_cell_is_noticed() -> None:
    right = cells_of(MS)
    luma = picture(MS)
    height = luma.height * 0.6 / CELLS
    for cell in (3, 20, CELLS - 1):
        spoiled = luma.copy()
        top = round(luma.height * 0.1 + height * cell)
        spoiled.paste(20 if right[cell] else 200, (700, top, 720, round(top + height)))
        assert read_strip(spoiled) is None
