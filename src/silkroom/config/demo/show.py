"""The generated show: a garment that sways in moving light, its name and price, a clock for people, one for machines.

A picture is three planes as the encoder takes them (brightness, and two of colour at half the size), so nothing is
converted on the way. What is dear is made once: the garment's surface, its poses, the wall. What moves is cheap: the
light is a table of 256 entries applied to the surface, then one multiplication and one paste. Measured on one core
of a shared AMD EPYC: 2 to 4 ms to compose a picture of 720 x 1280, 5 ms to encode it; with a new scene every fourteen
seconds the sending process took 30 % of the core.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import av
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from silkroom.config.demo import pictures
from silkroom.config.demo.brand import STYLES, Colour, Style
from silkroom.config.demo.clock_strip import draw_strip
from silkroom.config.demo.drawing import letters, scene, silk

SIZE = (720, 1280)
FPS = 25
SCALE = 0.62
SCALES = {"scarf": 0.46}
"""The sheet of a garment on the frame. It stands in the upper two thirds, for the room's controls lie over the lower
one, and leaves the left edge to its name."""
CENTRE = (376, 585)
MARGIN = 34
"""Pixels around a garment that it may sway into."""
SAFE_X = 82
"""A phone of 20:9 shows this show full-bleed and cuts 72 pixels off either side: words keep within."""
POSES = 32
SWAY_SECONDS = 7.2
LIGHTS = 96
LIGHT_SECONDS = 9.0
LIGHT_REACH = 0.62
FADE_SECONDS = 0.6
COLOUR_SECONDS = 14.0
"""So long one colourway of the garment is shown before the next comes."""
CREAM = (240, 232, 214)

Rgb = silk.Rgb
_Quad = tuple[tuple[int, int, int, int], tuple[float, float, float, float, float, float, float, float]]


@dataclass(frozen=True)
class Planes:
    """A picture in YUV 4:2:0, BT.709, studio range: three images of mode L."""

    y: Image.Image
    u: Image.Image
    v: Image.Image


def planes_of(picture: Image.Image) -> Planes:
    """An RGB picture of even size as planes."""
    frame: av.VideoFrame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
    frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
    made = [
        Image.frombytes("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size)
        for plane in frame.planes
    ]
    return Planes(*made)


def yuv(colour: Rgb) -> tuple[int, int, int]:
    """A colour in BT.709, studio range (16 to 235 and 16 to 240): ITU-R BT.709-6, section 3."""
    r, g, b = (channel / 255 for channel in colour)
    light = 0.2126 * r + 0.7152 * g + 0.0722 * b
    return (round(16 + 219 * light), round(128 + 224 * (b - light) / 1.8556), round(128 + 224 * (r - light) / 1.5748))


def luma(colour: Rgb) -> int:
    return yuv(colour)[0]


@dataclass(frozen=True)
class _Layers:
    """A garment's surface, shade and mask at one size, and the masks of its other roles."""

    turn: Image.Image
    shade: Image.Image
    mask: Image.Image
    roles: dict[str, Image.Image]

    def changed(self, change: Callable[[Image.Image], Image.Image]) -> _Layers:
        return _Layers(
            change(self.turn),
            change(self.shade),
            change(self.mask),
            {role: change(mask) for role, mask in self.roles.items()},
        )


@dataclass(frozen=True)
class _Pose:
    """The garment at one moment of its sway, for brightness and, half as large, for colour."""

    full: _Layers
    half: _Layers


class Stand:
    """A style ready for the stage: its layers, cut to the garment, their place, and its sway. Colourways share it."""

    def __init__(self, style: Style) -> None:
        self.style = style
        sheet = pictures.sheet_of(style)
        scale = SCALES.get(style.drawing, SCALE)
        size = (round(sheet.mask.width * scale / 2) * 2, round(sheet.mask.height * scale / 2) * 2)
        turn = sheet.turn.resize(size, Image.Resampling.BICUBIC).point(lambda value: value * 127.5 + 127.5)
        whole = _Layers(
            turn.convert("L"),
            sheet.shade.resize(size, Image.Resampling.LANCZOS),
            sheet.mask.resize(size, Image.Resampling.LANCZOS),
            {role: mask.resize(size, Image.Resampling.LANCZOS) for role, mask in sheet.roles.items()},
        )
        left, top, right, bottom = whole.mask.getbbox() or (0, 0, *size)
        # Even, for the planes of colour are half the size; with room to sway.
        box = (
            max(0, (left - MARGIN) // 2 * 2),
            max(0, (top - MARGIN) // 2 * 2),
            min(size[0], (right + MARGIN) // 2 * 2),
            min(size[1], (bottom + MARGIN) // 2 * 2),
        )
        corner = ((CENTRE[0] - size[0] // 2) // 2 * 2, (CENTRE[1] - size[1] // 2) // 2 * 2)
        self.at = (corner[0] + box[0], corner[1] + box[1])
        self.layers = whole.changed(lambda image: image.crop(box))
        half = (self.layers.mask.width // 2, self.layers.mask.height // 2)
        self._half = self.layers.changed(lambda image: image.resize(half, Image.Resampling.BOX))
        self._poses: dict[int, _Pose] = {}

    @property
    def shadow_mask(self) -> Image.Image:
        """The garment's outline on the whole frame."""
        whole = Image.new("L", SIZE, 0)
        whole.paste(self.layers.mask, self.at)
        return whole

    def pose(self, seconds: float) -> _Pose:
        """How it hangs ``seconds`` after the beginning. Each pose is made when it is first needed and kept."""
        swing = math.sin(2 * math.pi * seconds / SWAY_SECONDS)
        number = round((swing * 0.5 + 0.5) * (POSES - 1))
        pose = self._poses.get(number)
        if pose is None:
            swing = number / (POSES - 1) * 2 - 1
            pose = _Pose(_swayed(self.layers, swing, 1.0), _swayed(self._half, swing, 0.5))
            self._poses[number] = pose
        return pose

    def forget_poses(self) -> None:
        """Sixty megabytes that a style off the stage does not need."""
        self._poses.clear()


class Scene:
    """One garment in one colourway on the stage. Pictures follow from the time alone."""

    def __init__(self, stand: Stand, colour: Colour) -> None:
        self.stand, self.colour = stand, colour
        style = stand.style
        self._wall = planes_of(_stage(silk.rgb(colour.hex), stand.shadow_mask))
        self._lights = _light_tables(colour, style)
        self._bokeh = _Bokeh(style.number)
        self._caption, self._caption_mask, self._caption_at = _caption(style, colour)

    def planes(self, seconds: float) -> Planes:
        """The scene ``seconds`` after it began, without clocks."""
        pose = self.stand.pose(seconds)
        light = round((0.5 + 0.5 * math.sin(2 * math.pi * seconds / LIGHT_SECONDS)) * (LIGHTS - 1))
        cloth = ImageChops.multiply(self._lit(pose.full, light, 0), pose.full.shade)
        y, u, v = self._wall.y.copy(), self._wall.u.copy(), self._wall.v.copy()
        self._bokeh.shine(Planes(y, u, v), seconds)
        y.paste(cloth, self.stand.at, pose.full.mask)
        half_at = (self.stand.at[0] // 2, self.stand.at[1] // 2)
        u.paste(self._lit(pose.half, light, 1), half_at, pose.half.mask)
        v.paste(self._lit(pose.half, light, 2), half_at, pose.half.mask)
        shown = min(1.0, max(0.0, (seconds - 0.2) / FADE_SECONDS))
        if shown > 0:
            mask = self._caption_mask
            if shown < 1:
                mask = mask.point([round(i * shown) for i in range(256)])
            y.paste(self._caption, self._caption_at, mask)
        return Planes(y, u, v)

    def _lit(self, layers: _Layers, light: int, plane: int) -> Image.Image:
        cloth = layers.turn.point(self._lights["main"][light][plane])
        for role, mask in layers.roles.items():
            cloth.paste(layers.turn.point(self._lights[role][light][plane]), (0, 0), mask)
        return cloth


def _swayed(layers: _Layers, swing: float, scale: float) -> _Layers:
    """Hem and middle move: the hem swings like a pendulum, the front of the body turns further than its sides."""
    width, height = layers.mask.size
    margin = MARGIN * scale
    centre, reach = width / 2, max(1.0, width / 2 - margin)

    def source(x: float, y: float) -> tuple[float, float]:
        down = min(1.0, max(0.0, (y - margin) / max(1.0, height - 2 * margin)))
        across = max(-1.0, min(1.0, (x - centre) / reach))
        hang = 2.0 + 15.0 * down**1.7
        turn = 9.0 * math.sqrt(1 - across * across) * (0.4 + 0.6 * down)
        narrow = 0.012 * swing * swing * (x - centre)
        return (x - scale * swing * (hang + turn) + narrow, y + scale * 2.0 * swing * swing * down)

    columns, rows = 8, 14
    mesh: list[_Quad] = []
    for row in range(rows):
        y0, y1 = height * row // rows, height * (row + 1) // rows
        for column in range(columns):
            x0, x1 = width * column // columns, width * (column + 1) // columns
            corners = (*source(x0, y0), *source(x0, y1), *source(x1, y1), *source(x1, y0))
            mesh.append(((x0, y0, x1, y1), corners))
    return layers.changed(
        lambda image: image.transform(image.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)
    )


def _stage(tint: Rgb, mask: Image.Image) -> Image.Image:
    """The wall at night behind a garment: a wide warm glow where it hangs, its shadow in it."""
    wall = scene.wall(SIZE, tint, dusk=1.0)
    wall = ImageChops.multiply(wall, Image.new("RGB", SIZE, (206, 222, 234)))
    glow = Image.new("L", (SIZE[0] // 8, SIZE[1] // 8), 0)
    ImageDraw.Draw(glow).ellipse([8, 14, 84, 104], fill=112)
    glow = glow.filter(ImageFilter.GaussianBlur(13)).resize(SIZE, Image.Resampling.BICUBIC)
    lit = Image.new("RGB", SIZE, silk.mixed((214, 198, 174), tint, 0.34))
    wall = Image.composite(lit, wall, glow)
    return scene.grained(scene.with_shadow(wall, mask, tint), 2)


@lru_cache(maxsize=4)
def _tones(finish: silk.Finish) -> list[list[int]]:
    """For each place of the light: the step of a ramp of 512 by how far cloth turns (0 to 255)."""
    return [
        [
            round(511 * silk.tone(turn / 127.5 - 1, finish, LIGHT_REACH * (place / (LIGHTS - 1) * 2 - 1)))
            for turn in range(256)
        ]
        for place in range(LIGHTS)
    ]


def _light_tables(colour: Colour, style: Style) -> dict[str, list[list[list[int]]]]:
    """For each role, place of the light and plane: the plane's level by how far cloth turns."""
    tones = _tones(pictures.FINISHES[style.finish])
    tables = {}
    for role, rgb in pictures.colours_of(colour).items():
        ramp = [yuv(one) for one in silk.ramp(rgb, 512)]
        tables[role] = [[[ramp[step][plane] for step in steps] for plane in range(3)] for steps in tones]
    return tables


class _Bokeh:
    """Lamps far behind, out of focus, drifting up."""

    def __init__(self, seed: int) -> None:
        dice = random.Random(seed)
        self._lamps = []
        for _ in range(9):
            lamp = _lamp(dice.randint(16, 52), dice.uniform(0.08, 0.20))
            place = (dice.uniform(0, SIZE[0]), dice.uniform(0, SIZE[1]))
            self._lamps.append((lamp, lamp.reduce(2), place, dice.uniform(5, 13), dice.uniform(0, 6.3)))

    def shine(self, planes: Planes, seconds: float) -> None:
        for lamp, half, (x, y), speed, phase in self._lamps:
            away = (y - speed * seconds) % (SIZE[1] + 160) - 80
            side = x + 14 * math.sin(0.35 * seconds + phase)
            left, top = (round(side) - lamp.width // 2) // 2, (round(away) - lamp.height // 2) // 2
            planes.y.paste(_LAMP_LIGHT[0], (left * 2, top * 2), lamp)
            planes.u.paste(_LAMP_LIGHT[1], (left, top), half)
            planes.v.paste(_LAMP_LIGHT[2], (left, top), half)


_LAMP_LIGHT = yuv((255, 214, 160))


def _lamp(radius: int, strength: float) -> Image.Image:
    size = radius * 2 + 12
    disc = Image.new("L", (size * 2, size * 2), 0)
    draw = ImageDraw.Draw(disc)
    draw.ellipse([12, 12, size * 2 - 12, size * 2 - 12], fill=round(255 * strength))
    draw.ellipse([18, 18, size * 2 - 18, size * 2 - 18], fill=round(215 * strength))
    return disc.reduce(2).filter(ImageFilter.GaussianBlur(2.2))


def money(fen: int) -> str:
    return f"¥{fen // 100:,}" if fen % 100 == 0 else f"¥{fen / 100:,.2f}"


def _caption(style: Style, colour: Colour) -> tuple[Image.Image, Image.Image, tuple[int, int]]:
    """Name and price in the upper left, where no control of the room covers them: brightness, mask and place."""
    canvas = Image.new("L", (330, 640), 0)
    draw = ImageDraw.Draw(canvas)
    font, small = letters.chinese(40), letters.chinese(22)
    if font is not None and small is not None:
        name = letters.upright(style.name.zh, font, 40, 0.18)
        canvas.paste(name, (0, 0))
        canvas.paste(letters.upright(colour.name.zh, small, 22, 0.3), (54, 6))
        top = name.height + 10
    else:
        top = 0
        for word in style.name.en.split():
            letters.spaced(draw, (0, top), word, letters.latin(34), 255, 1)
            top += 44
        top += 14
    draw.line([4, top, 44, top], fill=200, width=2)
    price = money(style.price_fen)
    digits = letters.chinese(32)
    if digits is None:
        # Pillow's own typeface has no sign for the yuan.
        digits, price = letters.latin(32), price.replace("¥", "CNY ")
    letters.spaced(draw, (0, top + 8), price, digits, 255, 1)
    box = canvas.getbbox() or (0, 0, 1, 1)
    text = canvas.crop((0, 0, box[2] + 8, box[3] + 8))
    soft = Image.new("L", (text.width + 16, text.height + 16), 0)
    soft.paste(text, (8, 8))
    # A soft dark rim keeps the letters readable on bright cloth.
    rim = soft.filter(ImageFilter.GaussianBlur(5)).point([min(150, i * 2) for i in range(256)])
    mask = ImageChops.lighter(rim, soft)
    level = Image.composite(Image.new("L", soft.size, luma(CREAM)), Image.new("L", soft.size, 28), soft)
    return level, mask, (SAFE_X, 170)


@lru_cache(maxsize=1)
def _digits() -> dict[str, Image.Image]:
    font = letters.latin(25)
    made = {}
    for sign in "0123456789:.":
        wide = 16 if sign.isdigit() else 8
        mask = Image.new("L", (wide, 34), 0)
        ImageDraw.Draw(mask).text((wide / 2, 17), sign, font=font, fill=255, anchor="mm")
        made[sign] = mask
    return made


def draw_clock(y_plane: Image.Image, ms: int) -> None:
    """HH:MM:SS.mmm in the upper right, on a soft dark plate."""
    moment = datetime.fromtimestamp(ms / 1000).astimezone()
    text = f"{moment:%H:%M:%S}.{ms % 1000:03d}"
    digits = _digits()
    width = sum(digits[sign].width for sign in text)
    x, y = SIZE[0] - SAFE_X - width, 176
    y_plane.paste(34, (x - 10, y - 2), _plate(width + 20, 38))
    for sign in text:
        y_plane.paste(luma(CREAM), (x, y), digits[sign])
        x += digits[sign].width


@lru_cache(maxsize=8)
def _plate(width: int, height: int) -> Image.Image:
    plate = Image.new("L", (width * 2, height * 2), 0)
    ImageDraw.Draw(plate).rounded_rectangle([0, 0, width * 2 - 1, height * 2 - 1], height // 2, fill=120)
    return plate.reduce(2)


class ShowSource:
    """Pictures of the whole show. ``scene(n)`` brings the n-th style on; what is on fades into it.

    A new scene is made by a second thread while the old one goes on: it takes about a second. Colourways of one style
    follow each other by themselves.
    """

    def __init__(self, styles: Sequence[Style] = STYLES, first: int = 0) -> None:
        self._styles = styles
        self._stands: dict[int, Stand] = {}
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="scene")
        self._wanted = (first, 0)
        self._shown = (first, 0)
        self._on = self._made(first, 0)
        self._on_since: float | None = None
        self._off: Scene | None = None
        self._off_since = 0.0
        self._coming: Future[Scene] | None = None
        self._ahead: Future[Stand] | None = None

    @property
    def style(self) -> Style:
        """The style that is on, or coming on."""
        return self._styles[self._wanted[0]]

    def scene(self, style_index: int) -> None:
        """Show this style, in its first colour, as soon as it is ready."""
        if style_index % len(self._styles) != self._wanted[0]:
            self._ask_for(style_index % len(self._styles), 0)

    def close(self) -> None:
        self._maker.shutdown(wait=True, cancel_futures=True)

    def settle(self) -> None:
        """Wait until what was asked for is ready; the next picture shows it."""
        if self._coming is not None:
            self._coming.exception()

    def frame(self, ms: int) -> Planes:
        """The picture for the moment ``ms`` (milliseconds since 1970), with both clocks."""
        now = ms / 1000
        if self._on_since is None:
            self._on_since = now
        self._change_scene(now)
        planes = self._on.planes(now - self._on_since)
        share = (now - self._on_since) / FADE_SECONDS
        if self._off is not None and share < 1:
            old = self._off.planes(now - self._off_since)
            planes = Planes(
                Image.blend(old.y, planes.y, share),
                Image.blend(old.u, planes.u, share),
                Image.blend(old.v, planes.v, share),
            )
        elif self._off is not None:
            if self._off.stand is not self._on.stand:
                self._off.stand.forget_poses()
            self._off = None
        draw_clock(planes.y, ms)
        draw_strip(planes.y, ms)
        return planes

    def _change_scene(self, now: float) -> None:
        assert self._on_since is not None
        if self._coming is None:
            if now - self._on_since >= COLOUR_SECONDS:
                style, colour = self._shown
                self._ask_for(style, (colour + 1) % len(self._styles[style].colours))
        elif self._coming.done():
            self._off, self._off_since = self._on, self._on_since
            self._on, self._on_since = self._coming.result(), now
            self._shown, self._coming = self._wanted, None
            self._ahead = self._maker.submit(self._stand, (self._shown[0] + 1) % len(self._styles))

    def _ask_for(self, style_index: int, colour_index: int) -> None:
        self._wanted = (style_index, colour_index)
        if self._coming is not None:
            self._coming.cancel()
        self._coming = self._maker.submit(self._made, style_index, colour_index)

    def _made(self, style_index: int, colour_index: int) -> Scene:
        stand = self._stand(style_index)
        return Scene(stand, stand.style.colours[colour_index])

    def _stand(self, style_index: int) -> Stand:
        if style_index not in self._stands:
            self._stands[style_index] = Stand(self._styles[style_index])
        return self._stands[style_index]
