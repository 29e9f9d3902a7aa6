"""Smooth lines through given points, and their even division. Points are (x, y) in the picture's pixels."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence

Point = tuple[float, float]
WIDTH, HEIGHT = 1200, 1600
"""The sheet every pattern is drawn on."""


def smooth(points: Sequence[Point], steps: int = 16) -> list[Point]:
    """Curve through ``points`` (Catmull-Rom, centripetal: no loops where points lie close together)."""
    if len(points) < 3:
        return list(points)
    first, last = points[0], points[-1]
    chain = [
        (2 * first[0] - points[1][0], 2 * first[1] - points[1][1]),
        *points,
        (2 * last[0] - points[-2][0], 2 * last[1] - points[-2][1]),
    ]
    line: list[Point] = [first]
    for index in range(1, len(chain) - 2):
        before, start, end, after = chain[index - 1 : index + 3]
        line.extend(_between(before, start, end, after, steps))
    return line


def _between(before: Point, start: Point, end: Point, after: Point, steps: int) -> list[Point]:
    t0 = 0.0
    t1 = t0 + max(math.dist(before, start), 1e-6) ** 0.5
    t2 = t1 + max(math.dist(start, end), 1e-6) ** 0.5
    t3 = t2 + max(math.dist(end, after), 1e-6) ** 0.5

    def blend(a: Point, b: Point, ta: float, tb: float, t: float) -> Point:
        share = (t - ta) / (tb - ta)
        return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)

    made = []
    for step in range(1, steps + 1):
        t = t1 + (t2 - t1) * step / steps
        a1, a2, a3 = (
            blend(before, start, t0, t1, t),
            blend(start, end, t1, t2, t),
            blend(end, after, t2, t3, t),
        )
        made.append(blend(blend(a1, a2, t0, t2, t), blend(a2, a3, t1, t3, t), t1, t2, t))
    return made


def divide(line: Sequence[Point], parts: int) -> list[Point]:
    """``parts + 1`` points at equal distances along ``line``."""
    lengths = [0.0]
    for a, b in itertools.pairwise(line):
        lengths.append(lengths[-1] + math.dist(a, b))
    total = lengths[-1]
    made = []
    for part in range(parts + 1):
        want = total * part / parts
        index = min(max(bisect_left(lengths, want), 1), len(line) - 1)
        span = lengths[index] - lengths[index - 1] or 1.0
        share = (want - lengths[index - 1]) / span
        a, b = line[index - 1], line[index]
        made.append((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share))
    return made


def mirror(points: Sequence[Point], axis: float = WIDTH / 2) -> list[Point]:
    """The same points on the other side of the vertical ``axis``."""
    return [(2 * axis - x, y) for x, y in points]


def length(line: Sequence[Point]) -> float:
    return sum(math.dist(a, b) for a, b in itertools.pairwise(line))
