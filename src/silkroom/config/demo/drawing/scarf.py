"""The printed square: moon over a shallow shore, ripples, reeds and a heron, in four colours.

The print is drawn as masks, one a colour, on a square of 1000 pixels; cloth and light are those of every other
garment.
"""

from __future__ import annotations

import itertools
import math
import random

from PIL import Image, ImageChops, ImageDraw

from silkroom.config.demo.drawing.cloth import Band, Crease, Panel, Sheet, cord, lay
from silkroom.config.demo.drawing.curves import HEIGHT, WIDTH, Point, smooth

SIDE = 1000
CORNERS: tuple[Point, Point, Point, Point] = ((126, 338), (1040, 292), (1082, 1206), (168, 1252))
"""Where the square lies on the sheet, from the upper left corner round by the right: laid by hand, not by ruler."""


def square() -> Sheet:
    """The scarf on the sheet; roles ``main`` (ground), ``trim``, ``deep`` and ``accent``."""
    upper_left, upper_right, lower_right, lower_left = CORNERS
    cloth = Panel(
        [upper_left, lower_left],
        [upper_right, lower_right],
        depth=0.0,
        edge=0.04,
        top=lambda u: 7 * math.sin(7.5 * u + 0.4),
        bottom=lambda u: 8 * math.sin(6.2 * u + 2.0),
        casts=0,
        creases=[
            Crease(((-0.05, 0.30), (0.30, 0.20), (0.62, 0.26), (1.05, 0.10)), 60, 34, 1.8, 0.3),
            Crease(((-0.05, 0.66), (0.26, 0.52), (0.60, 0.60), (1.05, 0.42)), 62, 36, 2.0, 0.3),
            Crease(((-0.02, 0.98), (0.36, 0.84), (0.70, 0.90), (1.02, 0.74)), 50, 30, 1.8, 0.3),
            Crease(((0.30, 1.02), (0.44, 0.74), (0.40, 0.40), (0.56, 0.0)), 60, 18, 2.0, 0.4),
        ],
        lean=(0.05, 0.03),
    )

    def wavy(a: Point, b: Point, band: Band) -> list[Point]:
        return [(a[0] + (b[0] - a[0]) * i / 24, a[1] + (b[1] - a[1]) * i / 24 + band(i / 24)) for i in range(25)]

    rims = [
        cord(line, 9, "deep", casts=0.15)
        for line in (
            wavy(upper_left, upper_right, cloth.top or (lambda u: 0.0)),
            wavy(lower_left, lower_right, cloth.bottom or (lambda u: 0.0)),
            [upper_left, lower_left],
            [upper_right, lower_right],
        )
    ]
    sheet = lay([cloth])
    for role, mask in _print().items():
        placed = _on_sheet(mask)
        if role == "deep":
            # The border colour goes on to the very edge, which is not as straight as the print.
            placed = ImageChops.invert(_on_sheet(ImageChops.invert(mask)))
        sheet.roles[role] = ImageChops.multiply(placed, sheet.mask)
    rimmed = lay([cloth, *rims])
    rim = rimmed.roles["deep"]
    rimmed.roles = {role: ImageChops.multiply(mask, ImageChops.invert(rim)) for role, mask in sheet.roles.items()}
    rimmed.roles["deep"] = ImageChops.lighter(rimmed.roles["deep"], rim)
    return rimmed


def _on_sheet(mask: Image.Image) -> Image.Image:
    """The square laid to its corners."""
    (ax, ay), (bx, by), _, (dx, dy) = CORNERS
    # The corners are a parallelogram but for two pixels, so the affine map of three of them serves.
    ux, uy = (bx - ax) / SIDE, (by - ay) / SIDE
    vx, vy = (dx - ax) / SIDE, (dy - ay) / SIDE
    size = ux * vy - vx * uy
    a, b = vy / size, -vx / size
    d, e = -uy / size, ux / size
    return mask.reduce(2).transform(
        (WIDTH, HEIGHT),
        Image.Transform.AFFINE,
        (a, b, -(a * ax + b * ay), d, e, -(d * ax + e * ay)),
        Image.Resampling.BICUBIC,
    )


class _Ink:
    """A mask of one colour, drawn at twice its size."""

    def __init__(self) -> None:
        self.image = Image.new("L", (SIDE * 2, SIDE * 2), 0)
        self.draw = ImageDraw.Draw(self.image)

    def disc(self, x: float, y: float, radius: float, fill: int = 255) -> None:
        self.draw.ellipse([(x - radius) * 2, (y - radius) * 2, (x + radius) * 2, (y + radius) * 2], fill=fill)

    def arc(self, x: float, y: float, rx: float, ry: float, start: float, end: float, width: float) -> None:
        box = [(x - rx) * 2, (y - ry) * 2, (x + rx) * 2, (y + ry) * 2]
        self.draw.arc(box, start, end, fill=255, width=max(1, round(width * 2)))

    def stroke(self, line: list[Point], thick: float, thin: float = 0.0, fill: int = 255) -> None:
        """A brush stroke that swells to ``thick`` and ends in ``thin``."""
        points = smooth(line, 14)
        count = len(points) - 1
        for index, ((ax, ay), (bx, by)) in enumerate(itertools.pairwise(points)):
            share = index / count
            width = thin + (thick - thin) * math.sin(math.pi * min(1.0, share * 0.8 + 0.2))
            self.draw.line([ax * 2, ay * 2, bx * 2, by * 2], fill=fill, width=max(1, round(width * 2)))
            self.disc(bx, by, width / 2, fill)

    def box(self, inset: float, width: float) -> None:
        self.draw.rectangle(
            [inset * 2, inset * 2, (SIDE - inset) * 2, (SIDE - inset) * 2], outline=255, width=round(width * 2)
        )

    def shape(self, line: list[Point], fill: int = 255) -> None:
        self.draw.polygon([(x * 2, y * 2) for x, y in smooth(line, 10)], fill=fill)


def _print() -> dict[str, Image.Image]:
    trim, deep, accent = _Ink(), _Ink(), _Ink()
    _border(trim, deep, accent)
    accent.disc(640, 372, 132)
    # Bands of mist across the moon.
    for y, x0, x1 in ((402, 440, 700), (436, 560, 850), (470, 480, 640)):
        trim.stroke([(x0, y), ((x0 + x1) / 2, y - 5), (x1, y)], 10, 2)
        accent.stroke([(x0, y), ((x0 + x1) / 2, y - 5), (x1, y)], 10, 2, fill=0)
    _water(trim, accent)
    _reeds(deep, accent)
    _heron(trim, deep, accent)
    return {"accent": accent.image, "deep": deep.image, "trim": trim.image}


def _border(trim: _Ink, deep: _Ink, accent: _Ink) -> None:
    """A frame of scale waves between two lines."""
    outer, inner = 26, 100
    deep.draw.rectangle([0, 0, SIDE * 2, SIDE * 2], fill=255)
    deep.draw.rectangle([inner * 2, inner * 2, (SIDE - inner) * 2, (SIDE - inner) * 2], fill=0)
    trim.box(outer, 3)
    trim.box(inner - 4, 5)
    accent.box(inner + 10, 2)
    radius = 30.6
    waves = _Ink()
    for row in range(-1, 36):
        for column in range(-1, 18):
            x = column * radius * 2 + (radius if row % 2 else 0)
            y = 16 + row * radius
            waves.disc(x, y + radius * 0.5, radius, 0)
            for ring in (0.94, 0.66, 0.38):
                waves.arc(x, y + radius * 0.5, radius * ring, radius * ring, 180, 360, 2.0)
            # The next row covers the lower half, as scales do.
    frame = Image.new("L", waves.image.size, 0)
    ImageDraw.Draw(frame).rectangle(
        [(outer + 8) * 2, (outer + 8) * 2, (SIDE - outer - 8) * 2, (SIDE - outer - 8) * 2], fill=150
    )
    ImageDraw.Draw(frame).rectangle(
        [(inner - 10) * 2, (inner - 10) * 2, (SIDE - inner + 10) * 2, (SIDE - inner + 10) * 2], fill=0
    )
    trim.image.paste(
        ImageChops.multiply(waves.image, frame), (0, 0), frame.point([255 if i else 0 for i in range(256)])
    )
    trim.draw = ImageDraw.Draw(trim.image)


def _water(trim: _Ink, accent: _Ink) -> None:
    dice = random.Random(7)
    for row in range(13):
        y = 600 + row * 21
        x = 150 + dice.uniform(0, 60)
        while x < 850:
            long = dice.uniform(60, 200) * (0.6 + row / 16)
            end = min(850, x + long)
            if end - x > 20:
                trim.stroke([(x, y), ((x + end) / 2, y + dice.uniform(-3, 3)), (end, y)], 2.4 + row * 0.12, 0.6)
            x = end + dice.uniform(24, 110)
    for ring in range(5):
        trim.arc(392, 742, 62 + ring * 34, 13 + ring * 7, 0, 360, 2.2)
    # The moon's path on the water.
    for row in range(9):
        y = 596 + row * 25
        half = 70 - row * 5 + dice.uniform(-14, 14)
        accent.stroke([(640 - half, y), (640, y + 2), (640 + half, y)], 6, 1)


def _reeds(deep: _Ink, accent: _Ink) -> None:
    dice = random.Random(23)
    for _ in range(17):
        foot = dice.uniform(690, 850)
        top = dice.uniform(330, 640)
        bend = dice.uniform(-70, 60)
        deep.stroke([(foot, 862), (foot + bend * 0.2, (862 + top) / 2), (foot + bend, top)], 5.5, 1.0)
        if dice.random() < 0.5:
            x, y = foot + bend, top
            accent.stroke([(x - 2, y + 4), (x + bend * 0.06, y - 22), (x + bend * 0.16, y - 48)], 9, 3)
    for _ in range(9):
        foot = dice.uniform(140, 270)
        top = dice.uniform(600, 760)
        bend = dice.uniform(-30, 80)
        deep.stroke([(foot, 866), (foot + bend * 0.25, (866 + top) / 2), (foot + bend, top)], 5, 1.0)


def _heron(trim: _Ink, deep: _Ink, accent: _Ink) -> None:
    body: list[Point] = [
        (330, 560),
        (352, 520),
        (398, 506),
        (446, 540),
        (492, 610),
        (470, 622),
        (420, 640),
        (368, 622),
        (336, 592),
        (330, 560),
    ]
    trim.shape(body)
    trim.stroke([(346, 566), (318, 520), (326, 474), (356, 440), (350, 404), (332, 392)], 17, 11)
    trim.disc(336, 396, 15)
    for ink in (deep, accent):
        ink.shape(body, 0)
    deep.stroke([(326, 396), (290, 404), (248, 416)], 7, 1.5)
    deep.stroke([(342, 388), (372, 380), (408, 392)], 6, 1)
    deep.disc(333, 393, 3.2)
    deep.stroke([(398, 520), (450, 570), (500, 622)], 10, 2)
    deep.stroke([(380, 560), (424, 592), (470, 616)], 5, 1)
    deep.stroke([(392, 634), (396, 690), (390, 744)], 4.5, 3)
    deep.stroke([(414, 634), (424, 680), (402, 700)], 4.5, 3)
