"""Patterns: each garment as pieces of cloth on the sheet, seen from the front as if a body stood in it.

The right half is given, the left one mirrored where the garment is symmetrical. Proportions follow a figure of nine
heads, the usual one of fashion drawing. ``PATTERNS`` names them all.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from silkroom.config.demo.drawing.cloth import Band, Button, Crease, Flute, Panel, Piece, Seam, cord, mirrored
from silkroom.config.demo.drawing.curves import Point, mirror

MIDDLE = 600.0


def both(panel: Panel) -> list[Piece]:
    """The panel and its twin on the other side."""
    return [mirrored(panel), panel]


def bowl(drop: float, power: float = 2.0) -> Band:
    """A rounded neckline or hem, ``drop`` pixels deep in the middle; power 1 is a V."""
    return lambda u: drop * (1 - abs(2 * u - 1) ** power)


def flutes(
    seed: int,
    count: int,
    *,
    height: float,
    width: float,
    start: float = 0.2,
    power: float = 1.3,
    margin: float = 0.06,
    lean: float = 0.0,
) -> list[Flute]:
    """Folds of a hanging hem: evenly set, then moved a little, as cloth does by itself."""
    dice = random.Random(seed)
    made = []
    for index in range(count):
        place = margin + (1 - 2 * margin) * (index + 0.5 + dice.uniform(-0.28, 0.28)) / count
        made.append(
            Flute(
                at=place,
                width=width * dice.uniform(0.7, 1.3),
                height=height * dice.uniform(0.65, 1.3),
                start=max(0.0, start + dice.uniform(-0.12, 0.16)),
                power=power,
                drift=lean + (0.5 - place) * 0.06 + dice.uniform(-0.03, 0.03),
            )
        )
    return made


def ripples(
    seed: int, count: int, *, height: float, width: float, area: tuple[float, float, float, float], tilt: float
) -> list[Crease]:
    """Small soft folds strewn over ``area`` (u0, v0, u1, v1), each along ``tilt`` (v per u)."""
    dice = random.Random(seed)
    u0, v0, u1, v1 = area
    made = []
    for _ in range(count):
        u, v = dice.uniform(u0, u1), dice.uniform(v0, v1)
        long = dice.uniform(0.10, 0.26)
        slope = tilt * dice.uniform(0.6, 1.4)
        line = ((u - long, v - long * slope), (u, v + dice.uniform(-0.01, 0.01)), (u + long, v + long * slope))
        made.append(
            Crease(line, width * dice.uniform(0.7, 1.4), height * dice.uniform(0.5, 1.2), dice.uniform(1.0, 2.4), 0.5)
        )
    return made


def slip_dress() -> list[Piece]:
    side = [
        (702, 292),
        (741, 372),
        (752, 428),
        (722, 520),
        (700, 610),
        (738, 760),
        (760, 900),
        (800, 1130),
        (868, 1452),
    ]
    back = Panel(
        mirror([(690, 318), (742, 420)]),
        [(690, 318), (742, 420)],
        depth=0.2,
        shade=0.62,
        top=bowl(34),
        bottom=bowl(40),
        casts=0,
        lean=(0.25, 0.1),
    )
    cowl = [
        Crease(((0.10, 0.0), (0.30, 0.075), (0.52, 0.105), (0.72, 0.072), (0.92, 0.0)), 13, 15, 2.0, 0.4),
        Crease(((0.06, 0.01), (0.28, 0.115), (0.48, 0.160), (0.74, 0.110), (0.95, 0.012)), 14, 15, 2.2, 0.4),
        Crease(((0.03, 0.03), (0.24, 0.150), (0.50, 0.222), (0.72, 0.160), (0.97, 0.04)), 17, 13, 2.2, 0.45),
    ]
    drape = [
        Crease(((0.02, 0.24), (0.30, 0.32), (0.56, 0.44), (0.70, 0.60)), 24, 10, 2.2, 0.5),
        Crease(((0.98, 0.27), (0.78, 0.33), (0.60, 0.40)), 20, 8, 2.0, 0.5),
        Crease(((0.03, 0.31), (0.26, 0.41), (0.44, 0.56)), 20, 9, 2.0, 0.5),
        *ripples(5, 4, height=4, width=13, area=(0.15, 0.30, 0.85, 0.50), tilt=0.5),
    ]
    body = Panel(
        mirror(side),
        side,
        depth=0.34,
        top=bowl(92),
        bottom=bowl(26),
        tilt=0.55,
        creases=[*cowl, *drape],
        flutes=flutes(11, 7, height=30, width=48, start=0.40, power=1.5, lean=0.02),
    )
    behind = both(cord([(672, 338), (676, 260), (682, 190), (684, 166)], 6))
    straps = both(cord([(699, 302), (697, 250), (690, 190), (684, 164)], 7, casts=0.2))
    return [*behind, back, body, *straps]


def camisole() -> list[Piece]:
    side = [(748, 330), (806, 440), (842, 560), (812, 760), (806, 900), (858, 1230)]
    back = Panel(
        mirror([(738, 360), (836, 540)]),
        [(738, 360), (836, 540)],
        depth=0.2,
        shade=0.6,
        top=bowl(50),
        bottom=bowl(60),
        casts=0,
        lean=(0.25, 0.1),
    )
    creases = [
        Crease(((0.14, 0.06), (0.32, 0.20), (0.44, 0.30)), 20, 10, 2.2, 0.5),
        Crease(((0.88, 0.06), (0.72, 0.19), (0.60, 0.30)), 20, 10, 2.2, 0.5),
        Crease(((0.02, 0.30), (0.28, 0.40), (0.52, 0.56)), 26, 9, 2.4, 0.5),
        Crease(((0.98, 0.28), (0.74, 0.40), (0.56, 0.58)), 26, 9, 2.4, 0.5),
        *ripples(9, 7, height=6, width=16, area=(0.15, 0.36, 0.85, 0.75), tilt=0.5),
    ]
    body = Panel(
        mirror(side),
        side,
        depth=0.32,
        top=bowl(150, 1.25),
        bottom=bowl(30),
        tilt=0.35,
        creases=creases,
        flutes=flutes(21, 6, height=24, width=58, start=0.42, power=1.4),
    )
    behind = both(cord([(706, 392), (712, 300), (720, 220), (723, 176)], 7))
    front = both(cord([(745, 346), (742, 280), (732, 210), (723, 174)], 9, casts=0.2))
    neck = [(744, 336), (688, 420), (640, 466), (600, 483), (560, 466), (512, 420), (456, 336)]
    return [*behind, back, body, *front, cord(neck, 9, casts=0.15), Seam([(x, y + 13) for x, y in neck], 1.6, 0.25)]


def skirt() -> list[Piece]:
    side = [(742, 268), (770, 330), (812, 470), (838, 640), (872, 900), (930, 1360)]
    band = [(738, 214), (742, 276)]
    creases = [
        Crease(((0.05, 0.05), (0.30, 0.20), (0.46, 0.44)), 24, 10, 2.4, 0.5),
        Crease(((0.95, 0.04), (0.72, 0.17), (0.60, 0.40)), 24, 10, 2.4, 0.5),
        Crease(((0.30, 0.0), (0.38, 0.16), (0.36, 0.36)), 22, 7, 2.0, 0.5),
        *ripples(3, 6, height=5, width=18, area=(0.2, 0.1, 0.8, 0.42), tilt=1.1),
    ]
    back = Panel(
        mirror([(736, 222), (740, 262)]), [(736, 222), (740, 262)], depth=0.2, shade=0.55, top=bowl(-14), casts=0
    )
    body = Panel(
        mirror(side),
        side,
        depth=0.28,
        bottom=bowl(34),
        tilt=0.6,
        creases=creases,
        flutes=flutes(31, 8, height=40, width=56, start=0.22, power=1.25, lean=0.02),
    )
    hem = Panel(
        mirror([(890, 1290), (918, 1366)]), [(890, 1290), (918, 1366)], depth=0.2, shade=0.42, bottom=bowl(10), casts=0
    )
    belt = Panel(mirror(band), band, depth=0.40, top=bowl(16), bottom=bowl(18), casts=0.3, cast_by=(0, 8), edge=0.14)
    return [hem, back, body, belt, Seam([(460, 276), (600, 294), (740, 276)], 2, 0.3)]


def trousers() -> list[Piece]:
    inner = [(600, 236), (600, 470), (604, 640), (622, 900), (640, 1200), (652, 1500)]
    outer = [(724, 236), (752, 320), (800, 470), (826, 680), (856, 1000), (892, 1496)]
    leg = Panel(
        inner,
        outer,
        depth=0.30,
        tilt=0.22,
        bottom=bowl(12),
        creases=[
            Crease(((0.42, 0.0), (0.46, 0.30), (0.48, 0.98)), 12, 13, 2.6, 0.06),
            Crease(((0.72, 0.02), (0.70, 0.12), (0.64, 0.26)), 12, 10, 2.0, 0.4),
            Crease(((0.06, 0.27), (0.40, 0.30), (0.72, 0.38)), 20, 9, 2.2, 0.5),
            Crease(((0.04, 0.30), (0.30, 0.38), (0.52, 0.50)), 20, 8, 2.2, 0.5),
            *ripples(8, 5, height=5, width=17, area=(0.2, 0.3, 0.8, 0.7), tilt=0.5),
        ],
        flutes=flutes(41, 5, height=30, width=40, start=0.34, power=1.2),
        casts=0.25,
    )
    band = [(716, 176), (726, 244)]
    back = Panel(
        mirror([(716, 184), (722, 230)]), [(716, 184), (722, 230)], depth=0.2, shade=0.55, top=bowl(-12), casts=0
    )
    belt = Panel(mirror(band), band, depth=0.42, top=bowl(14), bottom=bowl(16), casts=0.35, cast_by=(0, 9), edge=0.14)
    fly = Seam([(600, 258), (601, 420), (600, 560)], 2.4, 0.4)
    pocket = both_seams([(752, 330), (768, 420), (796, 480)], 2.0, 0.3)
    tie: list[Piece] = [
        cord([(600, 218), (566, 262), (556, 340), (568, 430)], 13, depth=0.6),
        cord([(604, 218), (632, 270), (636, 356), (622, 452)], 13, depth=0.6),
        cord([(600, 218), (560, 196), (538, 222), (566, 240), (602, 220)], 11, depth=0.6),
        cord([(600, 218), (640, 194), (664, 222), (634, 240), (602, 220)], 11, depth=0.6),
        Button((601, 219), 12, "main"),
    ]
    return [back, *both(leg), fly, *pocket, belt, *tie]


def both_seams(line: Sequence[Point], width: float, darkness: float, stitch: float = 0.0) -> list[Piece]:
    return [Seam(line, width, darkness, stitch), Seam(mirror(line), width, darkness, stitch)]


def _sleeve(
    outer: Sequence[Point], inner: Sequence[Point], seed: int, *, gather: float = 18.0, folds: float = 12.0
) -> Panel:
    """A long sleeve with the folds that an arm makes: at the elbow and above the cuff."""
    return Panel(
        inner,
        outer,
        depth=0.55,
        casts=0.15,
        creases=[
            Crease(((0.05, 0.30), (0.40, 0.36), (0.80, 0.48)), 15, folds, 2.0, 0.5),
            Crease(((0.08, 0.42), (0.50, 0.46), (0.92, 0.58)), 15, folds * 0.9, 2.0, 0.5),
            Crease(((0.95, 0.40), (0.60, 0.56), (0.20, 0.66)), 16, folds * 0.8, 2.0, 0.5),
            Crease(((0.10, 0.60), (0.45, 0.72), (0.80, 0.86)), 15, folds * 0.8, 1.8, 0.5),
            Crease(((0.50, 0.02), (0.58, 0.16), (0.55, 0.34)), 18, folds * 0.7, 2.0, 0.5),
        ],
        flutes=flutes(seed, 4, height=gather, width=16, start=0.62, power=1.2, margin=0.08),
    )


def _cuff(outer: tuple[Point, Point], inner: tuple[Point, Point], role: str = "main") -> Panel:
    return Panel(
        inner, outer, depth=0.55, casts=0.25, cast_by=(2, -6), edge=0.14, role=role, bottom=bowl(7), top=bowl(7)
    )


def _shirt_body(hem: float, seed: int, *, waist: float = 806, wide: float = 836, tail: Band | None = None) -> Panel:
    side = [(680, 262), (752, 290), (806, 328), (792, 420), (806, 508), (waist, 760), (wide, hem)]
    return Panel(
        mirror(side),
        side,
        depth=0.27,
        top=bowl(58),
        bottom=tail or bowl(40, 3),
        tilt=0.25,
        creases=[
            Crease(((0.12, 0.26), (0.30, 0.33), (0.44, 0.46)), 18, 10, 2.2, 0.5),
            Crease(((0.88, 0.26), (0.70, 0.34), (0.57, 0.47)), 18, 10, 2.2, 0.5),
            Crease(((0.04, 0.34), (0.24, 0.46), (0.40, 0.66)), 24, 10, 2.4, 0.5),
            Crease(((0.96, 0.34), (0.76, 0.48), (0.60, 0.70)), 24, 10, 2.4, 0.5),
            Crease(((0.24, 0.10), (0.30, 0.24), (0.28, 0.42)), 20, 8, 2.0, 0.5),
            Crease(((0.77, 0.10), (0.72, 0.22), (0.74, 0.40)), 20, 8, 2.0, 0.5),
            *ripples(seed, 7, height=5, width=16, area=(0.12, 0.4, 0.88, 0.85), tilt=0.8),
        ],
        flutes=flutes(seed + 1, 6, height=18, width=44, start=0.45, power=1.2),
    )


def _collar(role: str = "main", drop: float = 0.0) -> list[Piece]:
    back = Panel(
        [(524, 244), (530, 292)],
        [(676, 244), (670, 292)],
        depth=0.3,
        shade=0.62,
        top=bowl(-22),
        bottom=bowl(26),
        casts=0,
    )
    leaf = Panel(
        [(668, 232), (656, 284), (603, 352 + drop)],
        [(706, 276), (712, 340), (688, 436 + drop)],
        depth=0.16,
        role=role,
        casts=0.42,
        cast_by=(6, 12),
        edge=0.10,
        lean=(-0.10, -0.06),
    )
    return [
        back,
        *both(leaf),
        *both_seams([(700, 282), (704, 340), (682, 420 + drop), (612, 356 + drop)], 1.4, 0.22, 7),
    ]


def shirt() -> list[Piece]:
    outer = [(800, 318), (862, 400), (906, 560), (944, 780), (966, 1010)]
    inner = [(786, 440), (802, 540), (828, 680), (866, 860), (890, 1018)]
    sleeve = _sleeve(outer, inner, 51, gather=12)
    cuff = _cuff(((968, 1004), (976, 1094)), ((886, 1014), (892, 1104)))
    body = _shirt_body(1196, 55, tail=bowl(68, 2.2))
    placket = Panel(
        [(584, 346), (582, 1266)],
        [(624, 340), (624, 1266)],
        depth=0.12,
        casts=0.28,
        cast_by=(6, 3),
        edge=0.10,
        straight=True,
    )
    buttons = [Button((604, y), 10, holes=4) for y in (420, 560, 700, 840, 980, 1120)]
    pocket = Panel(
        [(664, 560), (666, 664)],
        [(756, 556), (756, 660)],
        depth=0.08,
        casts=0.16,
        cast_by=(3, 5),
        edge=0.07,
        bottom=bowl(16, 1.2),
        creases=[Crease(((0.2, 0.2), (0.6, 0.6)), 20, 5, 2.0, 0.5)],
    )
    return [
        *both(sleeve),
        *both(cuff),
        _collar()[0],
        body,
        *both_seams([(700, 286), (752, 306), (800, 344)], 1.6, 0.2),
        pocket,
        Seam([(668, 576), (754, 572)], 1.4, 0.22, 7),
        placket,
        Seam([(590, 370), (589, 1260)], 1.2, 0.18, 7),
        Seam([(618, 360), (618, 1262)], 1.2, 0.18, 7),
        *buttons,
        *_collar()[1:],
        *[Button((cuff_x, 1052), 8, holes=4) for cuff_x in (904, 296)],
    ]


def qipao() -> list[Piece]:
    side = [
        (664, 262),
        (712, 278),
        (748, 300),
        (738, 372),
        (752, 452),
        (742, 540),
        (712, 640),
        (744, 770),
        (768, 880),
        (758, 1100),
        (746, 1420),
    ]
    behind = Panel(
        mirror([(762, 900), (764, 1100), (770, 1400)]),
        [(762, 900), (764, 1100), (770, 1400)],
        depth=0.2,
        shade=0.55,
        bottom=bowl(14),
        casts=0,
    )
    sleeve = Panel(
        [(690, 280), (722, 350), (738, 440)],
        [(742, 288), (806, 344), (834, 424)],
        depth=0.4,
        casts=0.1,
        bottom=bowl(12, 2),
        creases=[Crease(((0.4, 0.1), (0.45, 0.5), (0.5, 0.9)), 14, 6, 1.8, 0.4)],
    )
    hem_of_sleeve = cord([(752, 443), (796, 446), (832, 426)], 8, "trim", casts=0.1)
    body = Panel(
        mirror(side),
        side,
        depth=0.34,
        top=bowl(46),
        bottom=bowl(20),
        tilt=0.2,
        creases=[
            Crease(((0.06, 0.17), (0.28, 0.22), (0.42, 0.30)), 20, 9, 2.2, 0.5),
            Crease(((0.94, 0.17), (0.72, 0.22), (0.58, 0.30)), 20, 9, 2.2, 0.5),
            Crease(((0.02, 0.30), (0.32, 0.335), (0.60, 0.325)), 13, 8, 2.0, 0.5),
            Crease(((0.98, 0.315), (0.66, 0.35), (0.40, 0.36)), 13, 8, 2.0, 0.5),
            Crease(((0.05, 0.345), (0.30, 0.38), (0.52, 0.44)), 18, 8, 2.2, 0.5),
            Crease(((0.96, 0.36), (0.74, 0.40), (0.50, 0.52)), 20, 8, 2.2, 0.5),
            Crease(((0.10, 0.62), (0.40, 0.66), (0.80, 0.64)), 24, 6, 2.4, 0.5),
            *ripples(14, 5, height=5, width=18, area=(0.2, 0.45, 0.8, 0.9), tilt=0.5),
        ],
        flutes=flutes(61, 3, height=14, width=60, start=0.55, power=1.2),
    )
    opening = [(600, 318), (622, 352), (668, 396), (712, 420), (744, 428)]
    back_collar = Panel(
        [(538, 206), (532, 262)],
        [(662, 206), (668, 262)],
        depth=0.25,
        shade=0.58,
        top=bowl(-16),
        bottom=bowl(30),
        casts=0,
    )
    stand = Panel(
        [(596, 258), (598, 290), (601, 320)],
        [(664, 202), (670, 236), (672, 272)],
        depth=0.25,
        casts=0.3,
        cast_by=(3, 8),
        edge=0.08,
        lean=(-0.08, 0),
    )
    rim = cord([(601, 320), (598, 288), (596, 262), (612, 246), (640, 224), (665, 201)], 7, "trim", casts=0.15)
    knots: list[Piece] = []
    for x, y, slope in ((602, 306, 0.1), (650, 384, 0.75), (728, 430, 0.3)):
        knots += _frog(x, y, slope)
    slit = cord([(762, 930), (757, 1100), (747, 1420)], 6, "trim", casts=0.1)
    hem = cord([(454, 1420), (520, 1436), (600, 1441), (680, 1436), (746, 1420)], 7, "trim", casts=0.1)
    return [
        behind,
        *both(sleeve),
        *both(hem_of_sleeve),
        back_collar,
        body,
        *both_seams([(738, 304), (734, 372), (748, 446)], 1.8, 0.25),
        *both_seams([(690, 470), (684, 560), (676, 640), (684, 760)], 1.8, 0.22),
        cord(opening, 8, "trim", casts=0.3),
        *both(stand),
        *both(rim),
        *both(slit),
        hem,
        *knots,
    ]


def _frog(x: float, y: float, slope: float) -> list[Piece]:
    """A knot button with its two loops, tied from a cord."""
    cos, sin = math.cos(math.atan(slope)), math.sin(math.atan(slope))

    def at(right: float, down: float) -> Point:
        return (x + right * cos - down * sin, y + right * sin + down * cos)

    wing = [at(4, 0), at(22, -9), at(38, -7), at(40, 2), at(30, 7), at(18, 3), at(8, 1)]
    other = [at(-4, 0), at(-22, -9), at(-38, -7), at(-40, 2), at(-30, 7), at(-18, 3), at(-8, 1)]
    return [cord(wing, 6, "trim"), cord(other, 6, "trim"), Button((x, y), 9, "trim")]


def robe() -> list[Piece]:
    outer = [(772, 312), (846, 372), (918, 520), (978, 720), (1012, 858)]
    inner = [(728, 430), (758, 520), (786, 640), (808, 780), (826, 900)]
    sleeve = Panel(
        inner,
        outer,
        depth=0.34,
        casts=0.2,
        bottom=bowl(10),
        creases=[
            Crease(((0.15, 0.25), (0.45, 0.36), (0.85, 0.52)), 20, 13, 2.2, 0.5),
            Crease(((0.10, 0.40), (0.45, 0.52), (0.85, 0.72)), 20, 12, 2.2, 0.5),
            Crease(((0.55, 0.02), (0.60, 0.20), (0.52, 0.40)), 20, 9, 2.0, 0.5),
        ],
        flutes=flutes(71, 3, height=22, width=30, start=0.45, power=1.2, margin=0.12),
    )
    band = Panel(
        [(812, 800), (827, 902)],
        [(993, 764), (1013, 862)],
        depth=0.34,
        role="trim",
        bottom=bowl(10),
        top=bowl(10),
        casts=0.12,
        cast_by=(0, -4),
        flutes=[Flute(0.35, 26, 14, 0.0, 0.4), Flute(0.72, 26, 12, 0.0, 0.4)],
    )
    side = [
        (668, 250),
        (730, 280),
        (778, 318),
        (764, 430),
        (776, 520),
        (744, 640),
        (772, 760),
        (806, 1000),
        (838, 1392),
    ]
    back = Panel(
        [(532, 236), (520, 520)],
        [(668, 236), (680, 520)],
        depth=0.25,
        shade=0.58,
        top=bowl(-18),
        casts=0,
        lean=(0.1, 0.15),
    )
    drape = [
        Crease(((0.55, 0.10), (0.62, 0.22), (0.50, 0.33)), 20, 10, 2.2, 0.5),
        Crease(((0.80, 0.14), (0.66, 0.24), (0.44, 0.335)), 18, 11, 2.0, 0.5),
        Crease(((0.97, 0.20), (0.78, 0.28), (0.62, 0.345)), 16, 11, 2.0, 0.5),
        Crease(((0.95, 0.38), (0.74, 0.45), (0.60, 0.60)), 22, 11, 2.2, 0.5),
        Crease(((0.30, 0.36), (0.42, 0.48), (0.44, 0.64)), 20, 10, 2.2, 0.5),
        Crease(((0.66, 0.355), (0.62, 0.46), (0.66, 0.62)), 16, 11, 2.2, 0.5),
    ]
    under_edge = [(664, 246), (650, 330), (622, 450), (580, 600), (560, 690), (540, 1392)]
    under = Panel(
        under_edge,
        side,
        depth=0.20,
        tilt=0.35,
        bottom=bowl(10),
        creases=drape,
        flutes=flutes(75, 5, height=26, width=42, start=0.42),
    )
    over_edge = [(536, 246), (550, 330), (578, 450), (626, 600), (652, 700), (690, 1000), (716, 1396)]
    over = Panel(
        mirror(side),
        over_edge,
        depth=0.20,
        tilt=0.35,
        bottom=bowl(14),
        casts=0.45,
        cast_by=(12, 6),
        creases=[
            Crease(tuple((1 - u, v) for u, v in one.line), one.width, one.height, one.lean, one.fade) for one in drape
        ],
        flutes=flutes(77, 6, height=28, width=42, start=0.42),
    )
    lapel_under = _ribbon(under_edge[:5], 46, "trim")
    lapel_over = _ribbon(over_edge, 46, "trim")
    belt = Panel(
        mirror([(747, 612), (748, 672)]),
        [(747, 612), (748, 672)],
        depth=0.26,
        role="trim",
        casts=0.4,
        cast_by=(2, 10),
        top=bowl(10),
        bottom=bowl(12),
        edge=0.12,
        creases=[
            Crease(((0.1, 0.6), (0.5, 0.35), (0.8, 0.5)), 9, 5, 1.6, 0.5),
            Crease(((0.3, 0.9), (0.6, 0.75), (0.9, 0.2)), 9, 4, 1.6, 0.5),
        ],
    )
    ends = [
        Panel(
            [(628, 668), (612, 780), (596, 1010)],
            [(664, 668), (664, 800), (652, 1004)],
            depth=0.2,
            role="trim",
            casts=0.35,
            tilt=0.2,
            flutes=[Flute(0.3, 12, 10, 0.0, 0.6)],
            cast_by=(8, 8),
        ),
        Panel(
            [(640, 668), (660, 780), (680, 960)],
            [(674, 664), (708, 780), (736, 950)],
            depth=0.2,
            role="trim",
            casts=0.35,
            tilt=0.2,
            flutes=[Flute(0.6, 12, 10, 0.0, 0.6)],
            cast_by=(8, 8),
        ),
    ]
    knot = Panel(
        [(628, 616), (622, 650), (632, 688)],
        [(672, 610), (684, 650), (670, 690)],
        depth=0.5,
        role="trim",
        casts=0.4,
        cast_by=(5, 8),
        creases=[Crease(((0.1, 0.2), (0.5, 0.5), (0.9, 0.8)), 8, 7, 1.6, 0.4)],
    )
    loop = Panel(
        [(590, 604), (560, 640), (584, 690)],
        [(648, 632), (640, 650), (648, 668)],
        depth=0.3,
        role="trim",
        casts=0.35,
        cast_by=(6, 8),
        creases=[Crease(((0.1, 0.5), (0.6, 0.5), (1.0, 0.5)), 9, 9, 1.6, 0.4)],
    )
    return [
        *both(sleeve),
        *both(band),
        back,
        under,
        lapel_under,
        over,
        lapel_over,
        *both_seams([(760, 330), (758, 430), (770, 512)], 1.8, 0.25),
        belt,
        *ends,
        loop,
        knot,
    ]


def _ribbon(line: Sequence[Point], width: float, role: str) -> Panel:
    band = cord(line, width, role, casts=0.35, depth=0.16)
    return Panel(band.left, band.right, depth=0.16, role=role, casts=0.35, cast_by=(5, 6), edge=0.09)


def blouse() -> list[Piece]:
    outer = [(786, 322), (866, 376), (930, 540), (976, 760), (968, 960), (936, 1010)]
    inner = [(782, 440), (796, 540), (808, 680), (826, 860), (862, 990), (880, 1016)]
    sleeve = Panel(
        inner,
        outer,
        depth=0.40,
        casts=0.2,
        creases=[
            Crease(((0.50, 0.02), (0.50, 0.18), (0.44, 0.38)), 18, 12, 2.0, 0.5),
            Crease(((0.72, 0.05), (0.70, 0.18), (0.66, 0.34)), 15, 10, 2.0, 0.5),
            Crease(((0.10, 0.32), (0.45, 0.44), (0.80, 0.62)), 20, 12, 2.2, 0.5),
            Crease(((0.10, 0.50), (0.50, 0.62), (0.85, 0.80)), 20, 12, 2.2, 0.5),
        ],
        flutes=flutes(81, 5, height=22, width=20, start=0.50, power=0.9, margin=0.06),
    )
    cuff = _cuff(((938, 1004), (936, 1080)), ((876, 1012), (880, 1088)))
    side = [(676, 262), (740, 288), (792, 330), (780, 430), (794, 512), (776, 760), (800, 1110)]
    gathers = [
        Crease(((0.5 + s * a, 0.03), (0.5 + s * (a + 0.03), 0.14), (0.5 + s * (a + b), 0.30)), 12, 10, 1.9, 0.5)
        for s in (-1, 1)
        for a, b in ((0.05, 0.02), (0.12, 0.07), (0.19, 0.13))
    ]
    body = Panel(
        mirror(side),
        side,
        depth=0.27,
        top=bowl(56),
        bottom=bowl(34),
        tilt=0.35,
        creases=[
            *gathers,
            Crease(((0.05, 0.34), (0.26, 0.46), (0.42, 0.66)), 24, 10, 2.4, 0.5),
            Crease(((0.95, 0.34), (0.72, 0.48), (0.56, 0.68)), 24, 10, 2.4, 0.5),
            *ripples(17, 6, height=5, width=16, area=(0.15, 0.42, 0.85, 0.8), tilt=0.8),
        ],
        flutes=flutes(85, 7, height=24, width=36, start=0.35, power=1.2),
    )
    back = Panel(
        [(534, 238), (528, 300)],
        [(666, 238), (672, 300)],
        depth=0.25,
        shade=0.60,
        top=bowl(-16),
        bottom=bowl(30),
        casts=0,
    )
    band = cord([(668, 240), (676, 268), (660, 296), (630, 316), (602, 324)], 30, casts=0.3, depth=0.5)
    return [
        *both(sleeve),
        *both(cuff),
        back,
        body,
        *both_seams([(776, 342), (774, 430), (788, 506)], 1.8, 0.22),
        *both(band),
        *_bow(604, 330),
    ]


def _bow(x: float, y: float) -> list[Piece]:
    tail = Panel(
        [(x - 14, y + 6), (x + 6, y + 120), (x - 6, y + 260), (x + 2, y + 436)],
        [(x + 16, y + 4), (x + 62, y + 120), (x + 88, y + 260), (x + 104, y + 410)],
        depth=0.16,
        tilt=0.25,
        casts=0.35,
        flutes=[Flute(0.30, 17, 15, 0.0, 0.6, 0.08), Flute(0.72, 15, 12, 0.0, 0.6, -0.10)],
    )
    other = Panel(
        [(x - 18, y + 4), (x - 66, y + 110), (x - 96, y + 230), (x - 118, y + 352)],
        [(x + 12, y + 8), (x - 12, y + 120), (x - 14, y + 240), (x - 22, y + 380)],
        depth=0.16,
        tilt=0.25,
        casts=0.35,
        flutes=[Flute(0.35, 16, 14, 0.0, 0.6, 0.08), Flute(0.75, 14, 11, 0.0, 0.6, -0.08)],
    )
    loop = Panel(
        [(x + 8, y - 16), (x + 8, y), (x + 8, y + 22)],
        [(x + 132, y - 58), (x + 170, y + 12), (x + 136, y + 84)],
        depth=0.30,
        casts=0.40,
        creases=[
            Crease(((0.0, 0.45), (0.45, 0.34), (0.80, 0.26)), 11, 13, 1.8, 0.4),
            Crease(((0.0, 0.60), (0.45, 0.66), (0.78, 0.74)), 11, 12, 1.8, 0.4),
        ],
    )
    knot = Panel(
        [(x - 26, y - 22), (x - 30, y + 4), (x - 22, y + 34)],
        [(x + 24, y - 22), (x + 28, y + 4), (x + 22, y + 34)],
        depth=0.5,
        casts=0.45,
        cast_by=(5, 8),
        top=bowl(-5),
        bottom=bowl(6),
        creases=[
            Crease(((0.25, 0.05), (0.35, 0.5), (0.25, 0.95)), 7, 6, 1.6, 0.3),
            Crease(((0.70, 0.05), (0.62, 0.5), (0.72, 0.95)), 7, 6, 1.6, 0.3),
        ],
    )
    left_loop = replace(mirrored(loop), left=mirror(loop.right, x), right=mirror(loop.left, x))
    return [other, tail, left_loop, loop, knot]


def pyjamas() -> list[Piece]:
    return [*_placed(_pyjama_trousers(), 0.80, (122, 392)), *_placed(_pyjama_top(), 0.82, (108, 6))]


def _pyjama_trousers() -> list[Piece]:
    pieces = [piece for piece in trousers() if isinstance(piece, Panel)][:3]
    hems = both(cord([(652, 1440), (700, 1452), (760, 1456), (830, 1452), (888, 1438)], 6, "trim", casts=0.1))
    return [*pieces, *hems]


def _pyjama_top() -> list[Piece]:
    outer = [(806, 322), (870, 400), (920, 560), (958, 760), (984, 960)]
    inner = [(790, 440), (806, 540), (826, 680), (852, 840), (872, 976)]
    sleeve = _sleeve(outer, inner, 91, gather=10)
    cuff = Panel(
        [(866, 930), (876, 1010)],
        [(978, 914), (990, 992)],
        depth=0.5,
        casts=0.2,
        cast_by=(2, -5),
        edge=0.12,
        bottom=bowl(7),
        top=bowl(7),
    )
    pipe_cuff = cord([(866, 932), (920, 928), (978, 916)], 6, "trim", casts=0.15)
    side = [(680, 262), (752, 290), (812, 330), (798, 424), (812, 516), (818, 760), (830, 1120)]
    body = Panel(
        mirror(side),
        side,
        depth=0.27,
        top=bowl(150, 1.3),
        bottom=bowl(16, 4),
        tilt=0.2,
        creases=_shirt_body(1120, 95).creases,
        flutes=flutes(96, 6, height=16, width=44, start=0.5),
    )
    back = Panel(
        [(526, 244), (510, 430)],
        [(674, 244), (690, 430)],
        depth=0.3,
        shade=0.62,
        top=bowl(-20),
        casts=0,
        lean=(0.1, 0.12),
    )
    lapel = Panel(
        [(640, 330), (624, 390), (602, 452)],
        [(708, 356), (726, 398), (604, 462)],
        depth=0.10,
        casts=0.35,
        cast_by=(5, 9),
        lean=(-0.06, -0.05),
        straight=True,
    )
    collar = Panel(
        [(672, 236), (660, 290), (634, 346)],
        [(708, 262), (738, 330), (700, 384)],
        depth=0.14,
        casts=0.4,
        cast_by=(5, 9),
        lean=(-0.10, -0.06),
    )
    pipe_collar = cord([(636, 350), (698, 384), (736, 332), (708, 264)], 5, "trim", casts=0.1)
    pipe_lapel = cord([(690, 380), (724, 398), (664, 430), (606, 462)], 5, "trim", casts=0.1)
    placket = cord([(606, 462), (608, 800), (607, 1134)], 5, "trim", casts=0.25)
    buttons = [Button((588, y), 10, "trim", 4) for y in (520, 680, 840, 1000)]
    pocket = Panel(
        [(662, 600), (664, 714)],
        [(766, 596), (766, 710)],
        depth=0.06,
        casts=0.16,
        cast_by=(3, 5),
        edge=0.07,
        bottom=bowl(10, 3),
        creases=[Crease(((0.2, 0.2), (0.6, 0.6)), 20, 5, 2.0, 0.5)],
    )
    pipe_pocket = cord([(662, 624), (766, 619)], 5, "trim", casts=0.1)
    return [
        *both(sleeve),
        *both(cuff),
        *both(pipe_cuff),
        back,
        body,
        *both_seams([(796, 340), (792, 424), (806, 508)], 1.8, 0.22),
        pocket,
        pipe_pocket,
        *both(lapel),
        *both(pipe_lapel),
        *both(collar),
        *both(pipe_collar),
        placket,
        *buttons,
    ]


def _placed(pieces: Sequence[Piece], scale: float, move: Point) -> list[Piece]:
    """The same pieces smaller and elsewhere; folds shrink with them."""

    def at(points: Sequence[Point]) -> list[Point]:
        return [(x * scale + move[0], y * scale + move[1]) for x, y in points]

    def band(one: Band | None) -> Band | None:
        return None if one is None else (lambda u: scale * one(u))

    placed: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Seam):
            placed.append(replace(piece, line=at(piece.line), width=piece.width * scale))
        elif isinstance(piece, Button):
            placed.append(replace(piece, at=at([piece.at])[0], radius=piece.radius * scale))
        else:
            placed.append(
                replace(
                    piece,
                    left=at(piece.left),
                    right=at(piece.right),
                    flutes=[replace(one, width=one.width * scale, height=one.height * scale) for one in piece.flutes],
                    creases=[replace(one, width=one.width * scale, height=one.height * scale) for one in piece.creases],
                    top=band(piece.top),
                    bottom=band(piece.bottom),
                )
            )
    return placed


def fitted(
    pieces: Sequence[Piece], *, wide: float = 880, tall: float = 1240, centre: Point = (600, 788)
) -> list[Piece]:
    """The garment as large as fits the box, in the middle of the sheet."""
    points = [point for piece in pieces if isinstance(piece, Panel) for point in (*piece.left, *piece.right)]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    scale = min(wide / (right - left), tall / (bottom - top))
    return _placed(pieces, scale, (centre[0] - scale * (left + right) / 2, centre[1] - scale * (top + bottom) / 2))


PATTERNS: dict[str, Callable[[], list[Piece]]] = {
    "slip_dress": slip_dress,
    "shirt": shirt,
    "qipao": qipao,
    "pyjamas": pyjamas,
    "camisole": camisole,
    "trousers": trousers,
    "robe": robe,
    "blouse": blouse,
    "skirt": skirt,
}
