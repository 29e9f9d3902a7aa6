"""A clock that machines read: the millisecond of a picture as a column of light and dark cells at its right edge.

From top to bottom: light, dark, light (where it starts), 42 bits of milliseconds since 1970, most significant first,
and 5 bits of check sum. Sizes are shares of the picture, so that a reader of a scaled or re-encoded copy finds the
same cells.
"""

from __future__ import annotations

from PIL import Image, ImageDraw

START = (1, 0, 1)
TIME_BITS = 42
CHECK_BITS = 5
CELLS = len(START) + TIME_BITS + CHECK_BITS
TOP, BOTTOM = 0.10, 0.70
"""Where the column lies, in shares of the height."""
WIDTH_SHARE = 1 / 90
LIGHT, DARK = 158, 44
"""Not white and black, so that the strip stays quiet; half way between lie 57 levels to both sides, encoders err by
ten."""


def check(ms: int) -> int:
    """Sum of the time's five-bit groups: a cell that was read wrong changes it."""
    total = 0
    while ms:
        total += ms & 31
        ms >>= 5
    return total & 31


def cells_of(ms: int) -> list[int]:
    value = (ms << CHECK_BITS) | check(ms)
    bits = TIME_BITS + CHECK_BITS
    return [*START, *((value >> (bits - 1 - index)) & 1 for index in range(bits))]


def draw_strip(luma: Image.Image, ms: int) -> None:
    """Draw the time into a picture's brightness (mode L), in place."""
    draw = ImageDraw.Draw(luma)
    left = luma.width - round(luma.width * WIDTH_SHARE)
    edges = [round(luma.height * (TOP + (BOTTOM - TOP) * index / CELLS)) for index in range(CELLS + 1)]
    for index, cell in enumerate(cells_of(ms)):
        draw.rectangle([left, edges[index], luma.width - 1, edges[index + 1] - 1], fill=LIGHT if cell else DARK)


def read_strip(luma: Image.Image) -> int | None:
    """The millisecond in a picture (mode L), or None where no strip with a right sum is seen."""
    x = luma.width - max(1, round(luma.width * WIDTH_SHARE / 2))
    step = luma.height * (BOTTOM - TOP) / CELLS
    levels: list[int] = []
    for index in range(CELLS):
        level = luma.getpixel((x, int(luma.height * TOP + step * (index + 0.5))))
        assert isinstance(level, int)
        levels.append(1 if level > (LIGHT + DARK) // 2 else 0)
    if tuple(levels[: len(START)]) != START:
        return None
    value = 0
    for level in levels[len(START) :]:
        value = value << 1 | level
    ms = value >> CHECK_BITS
    return ms if check(ms) == value & ((1 << CHECK_BITS) - 1) else None
