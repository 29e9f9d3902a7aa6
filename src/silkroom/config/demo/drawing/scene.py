"""Where garments hang: a quiet wall with window light on it, and the soft shadow that a garment throws."""

from __future__ import annotations

import random
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from silkroom.config.demo.drawing.silk import Rgb, mixed

PAPER: Rgb = (240, 236, 229)
STONE: Rgb = (213, 205, 194)


def wall(size: tuple[int, int], tint: Rgb, *, dusk: float = 0.0) -> Image.Image:
    """A wall of ``size``, a breath of ``tint`` in its plaster; ``dusk`` from 0 (morning) to 1 (evening show)."""
    # Pale cloth hangs on a deeper wall, or its edge would be lost.
    pale = max(0.0, min(1.0, (sum(tint) / 765 - 0.66) / 0.22))
    paper, stone = mixed(PAPER, (196, 186, 174), pale * 0.75), mixed(STONE, (150, 139, 128), pale * 0.75)
    top = mixed(mixed(paper, tint, 0.07), (36, 32, 36), dusk * 0.72)
    bottom = mixed(mixed(stone, tint, 0.16), (18, 15, 19), dusk * 0.80)
    width, height = size
    strip = Image.new("RGB", (1, 256))
    strip.putdata([mixed(top, bottom, (i / 255) ** 1.5) for i in range(256)])
    plain = strip.resize(size, Image.Resampling.BICUBIC)
    light = window_light((width // 4, height // 4)).resize(size, Image.Resampling.BICUBIC)
    sunny = Image.new("RGB", size, mixed((255, 250, 240), tint, 0.05))
    strength = 0.62 * (1 - 0.86 * dusk)
    lit = Image.composite(sunny, plain, light.point([round(i * strength) for i in range(256)]))
    return ImageChops.multiply(lit, Image.merge("RGB", [_vignette(size)] * 3))


@lru_cache(maxsize=4)
def window_light(size: tuple[int, int]) -> Image.Image:
    """Two slanting panes of light, blurred by distance and by a curtain."""
    width, height = size
    light = Image.new("L", size, 0)
    draw = ImageDraw.Draw(light)
    for left, right, bright in ((0.06, 0.40, 165), (0.46, 0.78, 120)):
        draw.polygon(
            [
                (width * left, -height * 0.05),
                (width * right, -height * 0.05),
                (width * (right + 0.34), height * 0.86),
                (width * (left + 0.34), height * 0.72),
            ],
            fill=bright,
        )
    return light.filter(ImageFilter.GaussianBlur(width * 0.055))


@lru_cache(maxsize=4)
def _vignette(size: tuple[int, int]) -> Image.Image:
    small = Image.new("L", (60, 80), 226)
    ImageDraw.Draw(small).ellipse([-8, -14, 68, 88], fill=255)
    return small.filter(ImageFilter.GaussianBlur(9)).resize(size, Image.Resampling.BICUBIC)


def with_shadow(ground: Image.Image, mask: Image.Image, tint: Rgb) -> Image.Image:
    """``ground`` with the shadow of ``mask`` on it: a wide faint one from the window, a close one from the wall."""
    made = ground
    for move, blur, strength in (((46, 52), 42, 0.30), ((14, 18), 13, 0.26)):
        small = mask.reduce(4)
        shadow = Image.new("L", small.size, 0)
        shadow.paste(small, (move[0] // 4, move[1] // 4))
        shadow = shadow.filter(ImageFilter.GaussianBlur(blur / 4)).resize(mask.size, Image.Resampling.BICUBIC)
        dark = Image.new("RGB", ground.size, mixed((60, 52, 50), tint, 0.25))
        made = Image.composite(dark, made, shadow.point([round(i * strength) for i in range(256)]))
    return made


def grained(image: Image.Image, strength: int = 2, seed: int = 5) -> Image.Image:
    """A grain as of film: it hides the steps of eight bits in wide soft gradients."""
    tile = Image.frombytes("L", (256, 256), random.Random(seed).randbytes(65536))
    tile = tile.filter(ImageFilter.GaussianBlur(0.6)).point(
        [round(128 + (i - 128) * strength / 40) for i in range(256)]
    )
    whole = Image.new("L", image.size)
    for x in range(0, image.width, 256):
        for y in range(0, image.height, 256):
            whole.paste(tile, (x, y))
    return ImageChops.add(image, Image.merge("RGB", [whole] * 3), 1.0, -128)
