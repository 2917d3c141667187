"""Outlines from a few points: smooth runs between corners, mirrored halves, bands along a curve.

A point is (x, y) where the line passes smoothly and (x, y, 0) where it turns a corner. Units are the
drawing's own (centimetres of cloth); y grows downwards.
"""

from collections.abc import Sequence
from math import cos, hypot, pi, sin

Point = tuple[float, ...]
Line = list[tuple[float, float]]

_STEPS = 7


def corner(x: float, y: float) -> Point:
    """A point at which the outline turns sharply."""
    return (x, y, 0.0)


def curve(points: Sequence[Point]) -> Line:
    """An open line through `points`: Catmull-Rom between corners."""
    line: Line = []
    run: list[Point] = []
    for position, point in enumerate(points):
        run.append(point)
        if position and (len(point) == 3 or position == len(points) - 1):
            line.extend(_smooth(run)[1 if line else 0 :])
            run = [point]
    return line


def outline(points: Sequence[Point]) -> Line:
    """A closed outline through `points`, starting and ending at a corner where there is one."""
    first = next((n for n, point in enumerate(points) if len(point) == 3), None)
    if first is None:
        return _smooth([points[-1], *points, points[0], points[1]])[_STEPS:-_STEPS]
    turned = [*points[first:], *points[:first], points[first]]
    return curve(turned)[:-1]


def mirrored(half: Sequence[Point]) -> list[Point]:
    """The full symmetric outline of a right half that runs from top to bottom."""
    left = [(-point[0], *point[1:]) for point in reversed(half) if abs(point[0]) > 1e-6]
    return [*half, *left]


def flipped(line: Sequence[tuple[float, float]]) -> Line:
    """The same line on the other side of x = 0."""
    return [(-x, y) for x, y in line]


def ellipse(x: float, y: float, radius_x: float, radius_y: float, steps: int = 28) -> Line:
    """A closed ellipse around (x, y)."""
    return arc(x, y, radius_x, radius_y, 0, 2 * pi * (1 - 1 / steps), steps - 1)


def arc(
    x: float, y: float, radius_x: float, radius_y: float, start: float, end: float, steps: int = 14
) -> Line:
    """Part of an ellipse, angles in radians, clockwise from the right as y grows downwards."""
    angles = [start + (end - start) * n / steps for n in range(steps + 1)]
    return [(x + radius_x * cos(angle), y + radius_y * sin(angle)) for angle in angles]


def rounded(left: float, top: float, right: float, bottom: float, radius: float) -> Line:
    """A rectangle with round corners."""
    radius = min(radius, (right - left) / 2, (bottom - top) / 2)
    line: Line = []
    spots = ((right, bottom), (left, bottom), (left, top), (right, top))
    for turn, (x, y) in enumerate(spots):
        x += -radius if x == right else radius
        y += -radius if y == bottom else radius
        line += arc(x, y, radius, radius, turn * pi / 2, (turn + 1) * pi / 2, 5)
    return line


def band(line: Sequence[tuple[float, float]], width: float, end_width: float | None = None) -> Line:
    """A closed strip along `line`, `width` on its left side as one walks it (to its right if negative)."""
    last = len(line) - 1
    end_width = width if end_width is None else end_width
    shifted: Line = []
    for n, (x, y) in enumerate(line):
        before, after = line[max(n - 1, 0)], line[min(n + 1, last)]
        dx, dy = after[0] - before[0], after[1] - before[1]
        length = hypot(dx, dy) or 1.0
        reach = width + (end_width - width) * n / max(last, 1)
        shifted.append((x + dy / length * reach, y - dx / length * reach))
    return [*line, *reversed(shifted)]


def strip(line: Sequence[tuple[float, float]], width: float, end_width: float | None = None) -> Line:
    """A closed strip centred on `line`."""
    end_width = width if end_width is None else end_width
    one = band(line, width / 2, end_width / 2)[len(line) :]
    other = band(line, -width / 2, -end_width / 2)[len(line) :]
    return [*one, *reversed(other)]


def along(start: tuple[float, float], end: tuple[float, float], share: float) -> tuple[float, float]:
    """The point that lies `share` of the way from `start` to `end`."""
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def _smooth(points: Sequence[Point]) -> Line:
    """Catmull-Rom through all points, the ends' tangents taken from their only neighbour."""
    plain = [(point[0], point[1]) for point in points]
    if len(plain) == 2:
        return plain
    padded = [plain[0], *plain, plain[-1]]
    line: Line = [plain[0]]
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        for step in range(1, _STEPS + 1):
            t = step / _STEPS
            line.append((_blend(a[0], b[0], c[0], d[0], t), _blend(a[1], b[1], c[1], d[1], t)))
    return line


def _blend(a: float, b: float, c: float, d: float, t: float) -> float:
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
