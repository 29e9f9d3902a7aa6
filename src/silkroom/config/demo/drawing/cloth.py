"""Panels of cloth as surfaces: shape, volume and folds in, direction of the surface towards the light out.

A panel lies between two edges, each a smooth line from top to bottom. ``u`` runs from the left edge (0) to the right
(1), ``v`` from top (0) to bottom (1). Volume and folds give every point a height over the sheet; from the heights
follows how far the cloth turns towards the light, which is all that ``silk`` needs. Heights and widths of folds are
in pixels of the sheet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageMath

from silkroom.config.demo.drawing.curves import HEIGHT, WIDTH, Point, divide, length, mirror, smooth

LIGHT = (-0.87, -0.49)
"""Direction in the sheet that the key light comes from: above left."""
SOFTEN = 4
"""Surfaces are averaged over squares of so many pixels: folds are soft; edges are drawn apart and stay sharp."""

GRID = 20
"""Boxes of panels start and end on this grid, so that averaging squares never straddle an edge."""

Box = tuple[int, int, int, int]
Band = Callable[[float], float]


@dataclass(frozen=True)
class Flute:
    """A cone that opens towards the hem, at ``at`` of the width there; it starts at ``start`` of the height."""

    at: float
    width: float
    height: float
    start: float = 0.0
    power: float = 1.4
    drift: float = 0.0
    end: float = 1.0


@dataclass(frozen=True)
class Crease:
    """A fold along a line of (u, v) points; ``lean`` above 1 makes its second side the softer one."""

    line: tuple[Point, ...]
    width: float
    height: float
    lean: float = 1.0
    fade: float = 0.35


@dataclass(frozen=True)
class Panel:
    """One piece of a garment, painted in the order of the list it stands in."""

    left: Sequence[Point]
    right: Sequence[Point]
    depth: float = 0.55
    flutes: Sequence[Flute] = ()
    creases: Sequence[Crease] = ()
    top: Band | None = None
    bottom: Band | None = None
    tilt: float = 0.0
    cuts: Sequence[Sequence[Point]] = ()
    role: str = "main"
    shade: float = 1.0
    casts: float = 0.35
    cast_by: tuple[float, float] = (10, 16)
    edge: float = 0.10
    straight: bool = False
    crease_sharpness: float = 1.0
    lean: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Seam:
    """A line sewn into the cloth below it; ``stitch`` above 0 makes it a row of stitches of that length."""

    line: Sequence[Point]
    width: float = 2.2
    darkness: float = 0.35
    stitch: float = 0.0


@dataclass(frozen=True)
class Button:
    """A small round thing, lit like a shell: shirt button, pearl, knot."""

    at: Point
    radius: float = 11
    role: str = "trim"
    holes: int = 0


Piece = Panel | Seam | Button


@dataclass
class Sheet:
    """A drawn garment without colour: ``turn`` (-1..1), ``shade`` and ``mask`` (0..255), masks of other roles."""

    turn: Image.Image
    shade: Image.Image
    mask: Image.Image
    roles: dict[str, Image.Image] = field(default_factory=dict)


def blank_sheet(size: tuple[int, int] = (WIDTH, HEIGHT)) -> Sheet:
    return Sheet(Image.new("F", size, 0.0), Image.new("L", size, 255), Image.new("L", size, 0))


def lay(pieces: Sequence[Piece]) -> Sheet:
    """The garment made of ``pieces``, the first at the bottom."""
    sheet = blank_sheet()
    for piece in pieces:
        if isinstance(piece, Panel):
            _lay_on(sheet, piece)
        elif isinstance(piece, Seam):
            _sew_on(sheet, piece)
        else:
            _button_on(sheet, piece)
    return sheet


def mirrored(piece: Panel) -> Panel:
    """The panel of the other side of the body."""
    return replace(
        piece,
        left=mirror(piece.right),
        right=mirror(piece.left),
        flutes=[replace(one, at=1 - one.at, drift=-one.drift) for one in piece.flutes],
        creases=[replace(one, line=tuple((1 - u, v) for u, v in one.line)) for one in piece.creases],
        cuts=[mirror(cut) for cut in piece.cuts],
        lean=(-piece.lean[0], piece.lean[1]),
    )


def cord(line: Sequence[Point], width: float, role: str = "main", casts: float = 0.3, depth: float = 0.8) -> Panel:
    """A thin round strip along ``line``: strap, piping, tie."""
    points = divide(smooth(line), max(6, round(length(smooth(line)) / 14)))
    left, right = [], []
    for index, (x, y) in enumerate(points):
        (ax, ay), (bx, by) = points[max(index - 1, 0)], points[min(index + 1, len(points) - 1)]
        span = math.hypot(bx - ax, by - ay) or 1.0
        ox, oy = (by - ay) / span * width / 2, -(bx - ax) / span * width / 2
        left.append((x + ox, y + oy))
        right.append((x - ox, y - oy))
    return Panel(left, right, depth=depth, role=role, casts=casts, cast_by=(3, 5), edge=0.16, straight=True)


def _sew_on(sheet: Sheet, seam: Seam) -> None:
    line = smooth(seam.line)
    drawn = Image.new("L", (WIDTH * 2, HEIGHT * 2), 0)
    draw = ImageDraw.Draw(drawn)
    width = max(1, round(seam.width * 2))
    if seam.stitch:
        points = divide(line, max(2, round(length(line) / seam.stitch) * 2))
        for a, b in zip(points[::2], points[1::2], strict=False):
            draw.line([(a[0] * 2, a[1] * 2), (b[0] * 2, b[1] * 2)], fill=255, width=width)
    else:
        draw.line([(x * 2, y * 2) for x, y in line], fill=255, width=width, joint="curve")
    drawn = ImageChops.multiply(drawn.reduce(2).filter(ImageFilter.GaussianBlur(0.7)), sheet.mask)
    dark = drawn.point([round(255 - seam.darkness * i) for i in range(256)])
    sheet.shade = ImageChops.multiply(sheet.shade, dark)
    # The far lip of a seam catches the light.
    lip = ImageChops.offset(drawn, 2, 2).convert("F")
    sheet.turn = ImageMath.lambda_eval(
        lambda a: a["turn"] + a["lip"] * (0.25 * seam.darkness / 255.0), turn=sheet.turn, lip=lip
    )


def _button_on(sheet: Sheet, button: Button) -> None:
    (x, y), radius = button.at, button.radius
    around = [(x + radius * math.cos(a * math.pi / 18), y + radius * math.sin(a * math.pi / 18)) for a in range(36)]
    right = [around[i % 36] for i in range(-9, 10)]
    left = [around[i % 36] for i in range(27, 8, -1)]
    _lay_on(
        sheet,
        Panel(left, right, depth=0.45, role=button.role, casts=0.5, cast_by=(3, 5), edge=0.05, straight=True),
    )
    draw = ImageDraw.Draw(sheet.shade)
    for hole in range(button.holes):
        angle = math.pi / 4 + hole * 2 * math.pi / button.holes
        hx, hy = x + radius * 0.3 * math.cos(angle), y + radius * 0.3 * math.sin(angle)
        draw.ellipse([hx - 1.6, hy - 1.6, hx + 1.6, hy + 1.6], fill=110)


def _lay_on(sheet: Sheet, panel: Panel) -> None:
    surface = _Surface(panel)
    box = surface.box()
    corner = (box[0], box[1])
    mask, turn = surface.mask(box), surface.turn(box)
    below = sheet.mask.crop(box)
    shade = sheet.shade.crop(box)
    if panel.casts:
        shadow = ImageChops.offset(mask, *map(int, panel.cast_by)).filter(ImageFilter.GaussianBlur(14))
        shade = ImageChops.multiply(shade, shadow.point([round(255 - panel.casts * i) for i in range(256)]))
    shade = Image.composite(_edge_shade(mask, panel), shade, mask)
    sheet.shade.paste(shade, corner)
    blended = ImageMath.lambda_eval(
        lambda a: a["below"] * (1 - a["m"] / 255.0) + a["top"] * (a["m"] / 255.0),
        below=sheet.turn.crop(box),
        top=turn,
        m=mask.convert("F"),
    )
    sheet.turn.paste(blended, corner)
    sheet.mask.paste(ImageChops.lighter(below, mask), corner)
    for role in {*sheet.roles, panel.role} - {"main"}:
        held = sheet.roles.setdefault(role, Image.new("L", sheet.mask.size, 0))
        held.paste(255 if role == panel.role else 0, corner, mask)


def _edge_shade(mask: Image.Image, panel: Panel) -> Image.Image:
    """The panel's own shade: a little darker along its edges, where cloth rolls away."""
    inner = mask.filter(ImageFilter.GaussianBlur(7))
    low = 255 * panel.shade * (1 - 2 * panel.edge)
    high = 255 * panel.shade
    # Outside a straight edge the blurred mask falls to one half: from there to full is the rolled part.
    return inner.point([round(low + (high - low) * max(0.0, min(1.0, (i - 128) / 110))) for i in range(256)])


class _Surface:
    """The mesh of one panel: positions, heights, and what they make of the light."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        line = (lambda points: list(points)) if panel.straight else smooth
        left, right = line(panel.left), line(panel.right)
        self.long = (length(left) + length(right)) / 2
        self.wide = max(math.dist(a, b) for a, b in zip(divide(left, 12), divide(right, 12), strict=True))
        self.nu = max(10, min(110, round(self.wide / 5)))
        self.nv = max(10, min(220, round(self.long / 6)))
        self._lefts, self._rights = divide(left, self.nv), divide(right, self.nv)
        self.z = self._heights()
        self.xy = self._positions()

    def _heights(self) -> list[list[float]]:
        panel, nu, nv = self.panel, self.nu, self.nv
        rounds = [max(0.0, 1 - abs(2 * i / nu - 1) ** 2.4) ** 0.5 for i in range(nu + 1)]
        rows = []
        for j in range(nv + 1):
            half = math.dist(self._lefts[j], self._rights[j]) / 2
            rows.append([panel.depth * half * r for r in rounds])
        for flute in panel.flutes:
            self._add_flute(rows, flute)
        for crease in panel.creases:
            self._add_crease(rows, crease)
        return rows

    def _add_flute(self, rows: list[list[float]], flute: Flute) -> None:
        nu, nv = self.nu, self.nv
        for j in range(int(flute.start * nv), nv + 1):
            v = j / nv
            grow = max(0.0, (v - flute.start) / max(1e-6, flute.end - flute.start))
            height = flute.height * min(1.0, grow) ** flute.power
            if height == 0:
                continue
            width = flute.width * (0.55 + 0.45 * min(1.0, grow)) / max(math.dist(self._lefts[j], self._rights[j]), 1)
            centre = flute.at + flute.drift * (1 - v)
            row = rows[j]
            for i in range(max(0, int((centre - 2.4 * width) * nu)), min(nu, int((centre + 2.4 * width) * nu) + 1) + 1):
                away = (i / nu - centre) / width
                row[i] += height * math.exp(-(away * away))

    def _add_crease(self, rows: list[list[float]], crease: Crease) -> None:
        wide, long = self.wide, self.long
        line = divide([(u * wide, v * long) for u, v in smooth(crease.line, 8)], 24)
        reach = 2.6 * crease.width * max(crease.lean, 1.0)
        us, vs = [x for x, _ in line], [y for _, y in line]
        columns = range(
            max(0, int((min(us) - reach) / wide * self.nu)),
            min(self.nu, int((max(us) + reach) / wide * self.nu) + 1) + 1,
        )
        for j in range(
            max(0, int((min(vs) - reach) / long * self.nv)),
            min(self.nv, int((max(vs) + reach) / long * self.nv) + 1) + 1,
        ):
            y = j / self.nv * long
            row = rows[j]
            for i in columns:
                row[i] += _ridge(line, i / self.nu * wide, y, reach, crease)

    def _positions(self) -> list[list[Point]]:
        panel, nu, nv = self.panel, self.nu, self.nv
        rows = []
        for j in range(nv + 1):
            v = j / nv
            (lx, ly), (rx, ry) = self._lefts[j], self._rights[j]
            row = []
            for i in range(nu + 1):
                u = i / nu
                y = ly + (ry - ly) * u
                if panel.top:
                    y += panel.top(u) * (1 - v) ** 2
                if panel.bottom:
                    y += panel.bottom(u) * v**2
                # A camera a little above the hem sees near folds hang lower.
                y += panel.tilt * self.z[j][i] * v**3
                row.append((lx + (rx - lx) * u, y))
            rows.append(row)
        return rows

    def outline(self) -> list[Point]:
        xy = self.xy
        return [*xy[0], *(row[-1] for row in xy[1:-1]), *reversed(xy[-1]), *(row[0] for row in reversed(xy[1:-1]))]

    def box(self) -> Box:
        """The part of the sheet that the panel and its shadow touch, in whole averaging squares."""
        line = self.outline()
        xs, ys = [x for x, _ in line], [y for _, y in line]
        return (
            max(0, int(min(xs) - 56) // GRID * GRID),
            max(0, int(min(ys) - 56) // GRID * GRID),
            min(WIDTH, -(-int(max(xs) + 56) // GRID) * GRID),
            min(HEIGHT, -(-int(max(ys) + 56) // GRID) * GRID),
        )

    def mask(self, box: Box) -> Image.Image:
        """Edges are drawn at twice the size and reduced: smooth without a seam."""
        left, top = box[0], box[1]
        mask = Image.new("L", ((box[2] - left) * 2, (box[3] - top) * 2), 0)
        draw = ImageDraw.Draw(mask)
        draw.polygon([((x - left) * 2, (y - top) * 2) for x, y in self.outline()], fill=255)
        for cut in self.panel.cuts:
            draw.polygon([((x - left) * 2, (y - top) * 2) for x, y in cut], fill=0)
        return mask.reduce(2)

    def turn(self, box: Box) -> Image.Image:
        left, top = box[0], box[1]
        size = (box[2] - left, box[3] - top)
        values, cover = Image.new("F", size, 0.0), Image.new("F", size, 0.0)
        draw, draw_cover = ImageDraw.Draw(values), ImageDraw.Draw(cover)
        xy = [[(x - left, y - top) for x, y in row] for row in self.xy]
        turns = [[self._towards_light(i, j) for i in range(self.nu + 1)] for j in range(self.nv + 1)]
        for j in range(self.nv):
            above, below = xy[j], xy[j + 1]
            for i in range(self.nu):
                quad = [above[i], above[i + 1], below[i + 1], below[i]]
                draw.polygon(quad, fill=(turns[j][i] + turns[j][i + 1] + turns[j + 1][i] + turns[j + 1][i + 1]) / 4)
            draw_cover.polygon([*above, *reversed(below)], fill=1.0)
        return _spread(values, cover)

    def _towards_light(self, i: int, j: int) -> float:
        i0, i1, j0, j1 = max(i - 1, 0), min(i + 1, self.nu), max(j - 1, 0), min(j + 1, self.nv)
        (ax, ay), (bx, by) = self.xy[j][i0], self.xy[j][i1]
        (cx, cy), (dx, dy) = self.xy[j0][i], self.xy[j1][i]
        ux, uy, uz = bx - ax, by - ay, self.z[j][i1] - self.z[j][i0]
        vx, vy, vz = dx - cx, dy - cy, self.z[j1][i] - self.z[j0][i]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        if nz < 0:
            nx, ny, nz = -nx, -ny, -nz
        lean = self.panel.lean
        size = math.sqrt(nx * nx + ny * ny + nz * nz) or 1.0
        nx, ny = nx / size + lean[0], ny / size + lean[1]
        return max(-1.0, min(1.0, nx * LIGHT[0] + ny * LIGHT[1]))


def _ridge(line: Sequence[Point], x: float, y: float, reach: float, crease: Crease) -> float:
    """Height of ``crease`` at a point: by distance to its line, less towards its ends."""
    best, nearest = reach * reach, -1
    for index, (px, py) in enumerate(line):
        away = (x - px) * (x - px) + (y - py) * (y - py)
        if away < best:
            best, nearest = away, index
    if nearest < 0:
        return 0.0
    # Exact distance and place: on one of the two pieces of the line that meet at the nearest of its points.
    last = len(line) - 1
    across, place = 0.0, float(nearest)
    for index in (nearest - 1, nearest):
        if not 0 <= index < last:
            continue
        (ax, ay), (bx, by) = line[index], line[index + 1]
        dx, dy = bx - ax, by - ay
        square = dx * dx + dy * dy or 1e-9
        share = max(0.0, min(1.0, ((x - ax) * dx + (y - ay) * dy) / square))
        px, py = x - ax - dx * share, y - ay - dy * share
        away = px * px + py * py
        if away <= best + 1e-9:
            best, place, across = away, index + share, dx * py - dy * px
    width = crease.width * (crease.lean if across > 0 else 1.0)
    end = min(place, last - place) / max(last * crease.fade, 1e-6)
    fade = 1.0 if end >= 1 else end * end * (3 - 2 * end)
    return crease.height * fade * math.exp(-best / (width * width))


def _spread(values: Image.Image, cover: Image.Image) -> Image.Image:
    """To full size, softly, and a little over the edge, so that no rim of nothing shows under the mask."""
    small = (values.width // SOFTEN, values.height // SOFTEN)
    tiny = (values.width // GRID, values.height // GRID)
    soft = [image.resize(small, Image.Resampling.HAMMING) for image in (values, cover)]
    wide = [image.resize(tiny, Image.Resampling.BOX).resize(small, Image.Resampling.BILINEAR) for image in soft]
    merged: Image.Image = ImageMath.lambda_eval(
        lambda a: (a["v"] + a["wv"] * 0.02) / (a["c"] + a["wc"] * 0.02 + 0.000001),
        v=soft[0],
        c=soft[1],
        wv=wide[0],
        wc=wide[1],
    )
    return merged.resize(values.size, Image.Resampling.BICUBIC)
