"""Light and colour of silk: from how far cloth turns towards the light to the colour one sees.

Satin is bright where it turns a certain way, dark right beside it, and never white all over: two soft bands of
reflected light on a broad, dim body. A finish says how strong and how narrow the bands are; a ramp goes from the deep
of a fold through the colour of the cloth to its gloss, in a colour space (Oklab) in which equal steps look equal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageChops, ImageMath

from silkroom.config.demo.drawing.cloth import Sheet

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Finish:
    """How cloth throws light back: strength and width of the key band, of the rim band, depth of the dark beside
    them."""

    body: float = 0.47
    spread: float = 0.24
    gloss: float = 0.46
    width: float = 0.18
    rim: float = 0.20
    dark: float = 0.15


CHARMEUSE = Finish()
CREPE = Finish(body=0.52, spread=0.20, gloss=0.26, width=0.25, rim=0.13, dark=0.10)
TWILL = Finish(body=0.50, spread=0.28, gloss=0.30, width=0.24, rim=0.12, dark=0.08)


def tone(turn: float, finish: Finish, light: float = 0.0) -> float:
    """Brightness from 0 to 1 of cloth turned by ``turn``; ``light`` moves the light along (0: where the stills have
    it)."""
    d = turn - light
    body = finish.body + finish.spread * math.tanh(1.3 * d)
    key = finish.gloss * math.exp(-(((d - 0.40) / finish.width) ** 2))
    rim = finish.rim * math.exp(-(((d + 0.60) / (finish.width * 1.1)) ** 2))
    dark = finish.dark * math.exp(-(((d + 0.20) / 0.20) ** 2))
    return max(0.0, min(1.0, body + key + rim - dark))


def rgb(colour: str) -> Rgb:
    """``#rrggbb`` as three numbers."""
    return (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))


def mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    """``one`` with ``share`` (0 to 1) of ``other`` in it."""
    return (
        round(one[0] + (other[0] - one[0]) * share),
        round(one[1] + (other[1] - one[1]) * share),
        round(one[2] + (other[2] - one[2]) * share),
    )


def ramp(colour: Rgb, steps: int = 256) -> list[Rgb]:
    """Colours of one cloth from deepest shade to brightest gloss; the cloth's own colour lies at 0.55."""
    lightness, a, b = _to_oklab(colour)
    chroma = math.hypot(a, b)
    made = []
    for step in range(steps):
        t = step / (steps - 1)
        if t < 0.55:
            share = t / 0.55
            # Shade keeps its colour and drinks a little more of it.
            l_ = lightness * (0.30 + 0.70 * share**0.9)
            c_ = 0.94 + 0.06 * math.sin(math.pi * share) - 0.25 * (1 - share) ** 2
        else:
            share = (t - 0.55) / 0.45
            top = lightness + (1 - lightness) * 0.76
            l_ = lightness + (top - lightness) * share**1.15
            c_ = 0.94 - 0.50 * share**1.5
        if chroma < 1e-4:
            made.append(_from_oklab(l_, 0, 0))
        else:
            made.append(_from_oklab(l_, a * c_, b * c_))
    return made


@lru_cache(maxsize=64)
def _tables(colour: Rgb, finish: Finish) -> tuple[list[int], list[int], list[int]]:
    """For each of 65536 turns the red, green and blue of the cloth."""
    colours = ramp(colour, 1024)
    coarse = [colours[round(tone(i / 1023 * 2 - 1, finish) * 1023)] for i in range(1024)]
    tables: tuple[list[int], list[int], list[int]] = ([], [], [])
    for channel, table in enumerate(tables):
        levels = [one[channel] for one in coarse]
        levels.append(levels[-1])
        for i in range(65536):
            place, part = divmod(i * 1023, 65535)
            table.append(levels[place] + (levels[place + 1] - levels[place]) * part // 65535)
    return tables


def coloured(sheet: Sheet, colours: dict[str, Rgb], finishes: dict[str, Finish]) -> Image.Image:
    """The garment in colour (RGB, undefined outside the mask). Both tables are by role and need ``main``."""
    turn = ImageMath.lambda_eval(
        lambda a: a["int"](a["min"](a["max"]((a["turn"] + 1.0) * 32767.5, 0.0), 65535.0)), turn=sheet.turn
    )
    made = _dyed(turn, colours["main"], finishes["main"])
    for role, mask in sheet.roles.items():
        made.paste(_dyed(turn, colours[role], finishes.get(role, finishes["main"])), (0, 0), mask)
    return ImageChops.multiply(made, _tinted_shade(sheet.shade, colours["main"]))


def _dyed(turn: Image.Image, colour: Rgb, finish: Finish) -> Image.Image:
    return Image.merge("RGB", [turn.point(table, "L") for table in _tables(colour, finish)])


def _tinted_shade(shade: Image.Image, colour: Rgb) -> Image.Image:
    """Shade between layers of cloth is lit by the cloth itself: not grey but a little of its colour."""
    strongest = max(colour) or 1
    bands = []
    for channel in colour:
        power = 1.0 + 0.22 * (1 - channel / strongest)
        bands.append(shade.point([round(255 * (i / 255) ** power) for i in range(256)]))
    return Image.merge("RGB", bands)


def _to_oklab(colour: Rgb) -> tuple[float, float, float]:
    """Björn Ottosson's Oklab of an sRGB colour: https://bottosson.github.io/posts/oklab/."""
    r, g, b = (_linear(channel / 255) for channel in colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _from_oklab(lightness: float, a: float, b: float) -> Rgb:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return tuple(  # type: ignore[return-value]
        round(255 * _encoded(max(0.0, min(1.0, channel))))
        for channel in (
            4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
        )
    )


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _encoded(channel: float) -> float:
    return channel * 12.92 if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
