"""The form a shoe is built on, seen from the side, and the shoe in progress on it.

Centimetres, ground at y = 0; the heel's back is at x = 0 and the toe near x = 28. Shoes that face left are
mirrored as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .cloth import Cloth, Wardrobe, flat
from .geometry import Line, Point, along, corner, curve
from .palette import Colour
from .sheet import Patch, Sheet
from .tops import Labels
from .traits import Traits

Spot = tuple[float, float]


@dataclass(frozen=True)
class Last:
    """Footbed height at heel and ball, the toe's style and lift, and the facing (1 right, -1 left)."""

    heel: float
    ball: float
    toe: str
    spring: float
    facing: int


# Per heel label: the heel's height, and the ball's height as a share of it.
_HEIGHTS: dict[str, tuple[Spot, Spot]] = {
    "flat": ((1.3, 2.6), (0.9, 1.0)),
    "platform": ((3.2, 4.9), (0.68, 0.9)),
    "wedge": ((5.0, 9.0), (0.2, 0.34)),
    "block": ((4.0, 8.5), (0.1, 0.2)),
    "stiletto": ((8.0, 11.0), (0.06, 0.1)),
    "kitten": ((3.4, 5.0), (0.14, 0.2)),
}


def shape_last(traits: Traits, heel: str, toe: str) -> Last:
    """The last for a heel and a toe label."""
    high, share = _HEIGHTS[heel]
    height = traits.between("heel height", *high)
    ball = max(0.7, height * traits.between("ball share", *share))
    facing = 1 if traits.chance("facing right", 0.5) else -1
    return Last(height, ball, toe, traits.between("toe spring", 0.1, 0.9), facing)


class Shoe:
    """One shoe or a pair being drawn: everything said about it is turned to the side it faces."""

    def __init__(self, traits: Traits, labels: Labels, wardrobe: Wardrobe, last: Last, height: float) -> None:
        self.traits = traits
        self.labels = labels
        self.wardrobe = wardrobe
        self.last = last
        self.places: list[Spot] = [(0.0, 0.0)]
        if traits.chance("pair", 0.4):
            self.places.insert(0, (traits.between("pair x", -6.5, 6.5), -traits.between("pair y", 2.5, 5.0)))
        x, y = self.places[0]
        left, right = sorted((-1.5 * last.facing, 30.0 * last.facing))
        frame = (left + min(x, 0), -height + y, right + max(x, 0), 0.3)
        self.sheet = Sheet(traits, frame, wardrobe.main.ink)

    def turned(self, line: Line) -> Line:
        """`line` as the shoe faces."""
        return [(x * self.last.facing, y) for x, y in line]

    def fill(
        self, shape: Line, cloth: Cloth, *, shade: float, edge: float = 0.75, within: Patch | None = None
    ) -> Patch:
        """As Sheet.fill."""
        return self.sheet.fill(self.turned(shape), cloth, shade=shade, edge=edge, within=within)

    def strokes(
        self,
        lines: Sequence[Line],
        colour: Colour,
        width: float,
        opacity: float,
        within: Patch | None = None,
    ) -> None:
        """As Sheet.strokes."""
        self.sheet.strokes([self.turned(line) for line in lines], colour, width, opacity, within)

    def stitches(self, line: Line, colour: Colour, within: Patch) -> None:
        """As Sheet.stitches."""
        self.sheet.stitches(self.turned(line), colour, within)


def footbed(last: Last) -> Line:
    """The upper's lower edge, from the heel's back to the toe."""
    h, p = last.heel, last.ball
    return curve([(0.5, -h), (5.0, -h * 0.98), (11.5, -(h * 0.62 + p * 0.38)), (17.5, -(h * 0.08 + p * 0.92)),
                  (21.5, -p), (25.5, -p - last.spring * 0.25), (28.0, -p - last.spring)])  # fmt: skip


def upper_end(last: Last, rise: float) -> list[Point]:
    """The end of every upper's outline: around the toe and back along the footbed to the heel.

    `rise` is the vamp's height at x = 23 or so.
    """
    return [*_toe_points(last, rise), *[corner(x, y) for x, y in reversed(footbed(last)[2:-1])]]


def _toe_points(last: Last, rise: float) -> list[Point]:
    base = -last.ball - last.spring
    if last.toe == "pointed":
        return [(25.0, base - rise * 0.66), (28.0, base - 1.7), (29.7, base - 0.7), corner(30.0, base - 0.05)]
    if last.toe == "square":
        return [(25.0, base - rise * 0.82), corner(28.3, base - rise * 0.58), corner(28.9, base)]
    if last.toe == "peep":
        return [corner(25.8, base - rise * 0.7), (26.4, base - rise * 0.3), corner(27.4, base)]
    return [(25.2, base - rise * 0.84), (27.6, base - rise * 0.55), (28.6, base - rise * 0.22),
            corner(28.1, base)]  # fmt: skip


def draw_laces(shoe: Shoe, start: Spot, end: Spot) -> None:
    """Crossing laces between two points and a bow at the first."""
    traits = shoe.traits
    white = (244, 242, 238)
    colour = traits.pick("lace colour", (white, white, shoe.wardrobe.trim.colour, (40, 38, 40)))
    count = max(3, round(abs(end[1] - start[1]) / 1.9 + abs(end[0] - start[0]) / 3.2))
    lines: list[Line] = []
    for n in range(count):
        x, y = along(start, end, n / (count - 1))
        lines.append([(x + 1.0, y - 0.9), (x - 1.3, y + 1.2)])
    if traits.chance("bow", 0.6):
        x, y = start
        lines.append(curve([(x, y), (x + 3.2, y - 1.8), (x + 3.6, y + 0.4), (x, y)]))
        lines.append(curve([(x, y), (x - 2.4, y + 2.8), (x - 0.6, y + 3.2), (x, y)]))
    scale = shoe.sheet.scale
    shoe.strokes(lines, flat(colour).ink, max(3.0, scale * 0.75), 0.9)
    shoe.strokes(lines, colour, max(1.8, scale * 0.5), 1.0)
