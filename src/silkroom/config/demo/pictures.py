"""Pictures of the demo's goods: every garment in every colourway, the cover of the show, the mark of the shop.

Everything is drawn by ``drawing`` from the data in ``brand``; the same data give the same pixels. A style takes under
two seconds of one core with all its colours, so the pictures are made at the first start and kept by the catalog's
storage.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from silkroom.config.demo.brand import BRAND, SHOW_TITLE, STYLES, Colour, Style
from silkroom.config.demo.drawing import garments, letters, scarf, scene, silk
from silkroom.config.demo.drawing.cloth import Sheet, lay
from silkroom.config.demo.drawing.curves import HEIGHT, WIDTH

COVER = (1080, 1920)
LOGO = 512
FINISHES = {"charmeuse": silk.CHARMEUSE, "crepe": silk.CREPE, "twill": silk.TWILL}
MOST_BYTES = 200_000
"""A picture of a garment on a phone over a slow net: no more than this."""


def sheet_of(style: Style) -> Sheet:
    """The garment's surface without colour; the same for all its colourways."""
    if style.drawing == "scarf":
        return scarf.square()
    return lay(garments.fitted(garments.PATTERNS[style.drawing]()))


def colours_of(colour: Colour) -> dict[str, silk.Rgb]:
    return {
        "main": silk.rgb(colour.hex),
        "trim": silk.rgb(colour.trim),
        "deep": silk.rgb(colour.deep),
        "accent": silk.rgb(colour.accent),
    }


def garment(style: Style, colour: Colour, sheet: Sheet) -> Image.Image:
    """The picture of one colourway, 1200 x 1600."""
    main = silk.rgb(colour.hex)
    cloth = silk.coloured(sheet, colours_of(colour), {"main": FINISHES[style.finish]})
    picture = scene.with_shadow(scene.wall((WIDTH, HEIGHT), main), sheet.mask, main)
    picture.paste(cloth, (0, 0), sheet.mask)
    return scene.grained(picture)


def garments_of(style: Style) -> Iterator[tuple[Colour, Image.Image]]:
    """All colourways of a style."""
    sheet = sheet_of(style)
    for colour in style.colours:
        yield colour, garment(style, colour, sheet)


def encoded(picture: Image.Image) -> bytes:
    """WebP below ``MOST_BYTES``, as good as that allows."""
    for quality in (86, 78, 68, 55):
        stream = io.BytesIO()
        picture.save(stream, "WEBP", quality=quality, method=4)
        if stream.tell() <= MOST_BYTES:
            break
    return stream.getvalue()


def encoded_pictures(style: Style) -> list[bytes]:
    """All colourways of a style, encoded, in the order of its colours."""
    return [encoded(picture) for _, picture in garments_of(style)]


def cover() -> Image.Image:
    """The cover of the show: the first style before a rising moon, evening light, the title from top to bottom."""
    style = STYLES[0]
    colour = style.colours[2]
    main = silk.rgb(colour.hex)
    ground = scene.wall(COVER, main, dusk=0.9)
    ground = ImageChops.multiply(ground, Image.new("RGB", COVER, (176, 204, 212)))
    ground = _moonlit(ground, (706, 610), 320)
    sheet = sheet_of(style)
    cloth = silk.coloured(sheet, colours_of(colour), {"main": FINISHES[style.finish]})
    placed = Image.new("RGB", COVER)
    mask = Image.new("L", COVER, 0)
    size = (round(WIDTH * 1.04), round(HEIGHT * 1.04))
    at = ((COVER[0] - size[0]) // 2 + 96, 158)
    placed.paste(cloth.resize(size, Image.Resampling.LANCZOS), at)
    mask.paste(sheet.mask.resize(size, Image.Resampling.LANCZOS), at)
    picture = scene.with_shadow(ground, mask, main)
    picture.paste(placed, (0, 0), mask)
    _title(picture)
    return scene.grained(picture)


def _moonlit(ground: Image.Image, at: tuple[int, int], radius: int) -> Image.Image:
    x, y = at
    disc = Image.new("L", (ground.width // 2, ground.height // 2), 0)
    ImageDraw.Draw(disc).ellipse([(x - radius) / 2, (y - radius) / 2, (x + radius) / 2, (y + radius) / 2], fill=255)
    glow = disc.filter(ImageFilter.GaussianBlur(90)).point([round(i * 0.55) for i in range(256)])
    disc = disc.filter(ImageFilter.GaussianBlur(1.2)).point([round(i * 0.86) for i in range(256)])
    light = ImageChops.lighter(glow, disc).resize(ground.size, Image.Resampling.BICUBIC)
    return Image.composite(Image.new("RGB", ground.size, (233, 222, 198)), ground, light)


def _title(picture: Image.Image) -> None:
    cream = (240, 232, 214)
    draw = ImageDraw.Draw(picture)
    font = letters.chinese(92)
    if font is not None:
        name, rest = SHOW_TITLE.zh.split("：")
        upright = letters.upright(name, font, 92, 0.22)
        picture.paste(Image.new("RGB", upright.size, cream), (96, 170), upright)
        small = letters.chinese(40)
        assert small is not None
        upright = letters.upright(rest, small, 40, 0.34)
        picture.paste(Image.new("RGB", upright.size, cream), (226, 186), upright)
    letters.spaced(draw, (100, 1746), BRAND.name.en.upper(), letters.latin(46), cream, 16)
    letters.spaced(draw, (100, 1812), SHOW_TITLE.en.split(": ")[1], letters.latin(26), cream, 2)


def logo() -> Image.Image:
    """The mark: a moon and three ripples on the colour of the house."""
    big = LOGO * 3
    ground = silk.rgb(BRAND.accent)
    mark = Image.new("RGB", (big, big), ground)
    draw = ImageDraw.Draw(mark)
    cream = (243, 236, 222)
    draw.ellipse([big * 0.34, big * 0.20, big * 0.66, big * 0.52], fill=cream)
    for row, (half, y) in enumerate(((0.30, 0.62), (0.22, 0.71), (0.12, 0.80))):
        width = round(big * (0.026 - 0.004 * row))
        draw.line([big * (0.5 - half), big * y, big * (0.5 + half), big * y], fill=cream, width=width)
        for end in (0.5 - half, 0.5 + half):
            radius = width / 2
            draw.ellipse([big * end - radius, big * y - radius, big * end + radius, big * y + radius], fill=cream)
    return mark.resize((LOGO, LOGO), Image.Resampling.LANCZOS)
