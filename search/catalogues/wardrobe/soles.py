"""What a shoe stands on, seen from the side: footbed, sole, heel and toe (centimetres, ground at y = 0).

The heel's back is at x = 0 and the toe near x = 28; shoes that face left are mirrored as a whole.
"""

from dataclasses import dataclass

from .cloth import Cloth, Wardrobe, flat
from .geometry import Line, Point, band, corner, curve, outline
from .palette import darker, lighter, mix
from .sheet import Sheet
from .traits import Traits


@dataclass(frozen=True)
class Last:
    """The form a shoe is built on: footbed height at heel and ball, the toe's style, and the facing."""

    heel: float
    ball: float
    toe: str
    spring: float
    facing: int


HEIGHTS: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "flat": ((1.3, 2.6), (0.9, 1.0)),
    "platform": ((3.2, 4.9), (0.68, 0.9)),
    "wedge": ((5.0, 9.0), (0.2, 0.34)),
    "block": ((4.0, 8.5), (0.1, 0.2)),
    "stiletto": ((8.0, 11.0), (0.06, 0.1)),
    "kitten": ((3.4, 5.0), (0.14, 0.2)),
}


def shape_last(traits: Traits, heel: str, toe: str) -> Last:
    """Heights for a heel label; the second range is the ball's share of the heel's height."""
    high, share = HEIGHTS[heel]
    height = traits.between("heel height", *high)
    facing = 1 if traits.chance("facing right", 0.5) else -1
    return Last(
        height,
        max(0.7, height * traits.between("ball share", *share)),
        toe,
        traits.between("toe spring", 0.1, 0.9),
        facing,
    )


def turned(last: Last, line: Line) -> Line:
    """`line` as the shoe faces."""
    return [(x * last.facing, y) for x, y in line]


def footbed(last: Last) -> Line:
    """The upper's lower edge, from the heel's back to the toe."""
    h, p = last.heel, last.ball
    return curve([(0.5, -h), (5.0, -h * 0.98), (11.5, -(h * 0.62 + p * 0.38)), (17.5, -(h * 0.08 + p * 0.92)),
                  (21.5, -p), (25.5, -p - last.spring * 0.25), (28.0, -p - last.spring)])  # fmt: skip


def toe_points(last: Last, rise: float) -> list[Point]:
    """From the vamp (x about 23) around the toe to the footbed's end; `rise` is the vamp's height there."""
    base = -last.ball - last.spring
    if last.toe == "pointed":
        return [(25.0, base - rise * 0.66), (28.0, base - 1.7), (29.7, base - 0.7), corner(30.0, base - 0.05)]
    if last.toe == "square":
        return [(25.0, base - rise * 0.82), corner(28.3, base - rise * 0.58), corner(28.9, base)]
    if last.toe == "peep":
        return [corner(25.8, base - rise * 0.7), (26.4, base - rise * 0.3), corner(27.4, base)]
    return [
        (25.2, base - rise * 0.84),
        (27.6, base - rise * 0.55),
        (28.6, base - rise * 0.22),
        corner(28.1, base),
    ]


def sole_cloth(traits: Traits, wardrobe: Wardrobe, heel: str, *, sporty: bool) -> Cloth:
    """Rubber or leather under the shoe; a wedge, as large as the upper, is covered in the upper's colour."""
    main = wardrobe.main.colour
    if heel == "wedge" or (heel == "platform" and not sporty):
        return flat(mix(main, darker(main, 0.5), traits.between("sole tone", 0.0, 0.5)), 0.1)
    rubber = ((240, 239, 235), (240, 239, 235), (196, 160, 116), (52, 50, 52), lighter(main, 0.5))
    dressy = (darker(main, 0.5), darker(main, 0.3), (62, 44, 36), (150, 112, 76), (36, 33, 34))
    return flat(traits.pick("sole colour", rubber if sporty else dressy), 0.1)


def draw_sole(sheet: Sheet, traits: Traits, last: Last, heel: str, cloth: Cloth, upper_cloth: Cloth) -> None:
    """The sole and the heel for a heel label."""
    h, bed = last.heel, footbed(last)
    if heel in ("flat", "platform", "wedge"):
        back, under = traits.between("sole back", -0.5, 0.5), traits.between("sole under", 0.0, 1.2)
        nose = 29.9 if last.toe == "pointed" else 28.5
        front = nose - traits.between("sole front", 0.9, 2.2)
        ground = [(front, 0.0), (20.0, 0.0), (under + 0.3, 0.0)]
        if heel == "wedge" and traits.chance("cut wedge", 0.4):
            ground = [(front, 0.0), (19.0, 0.0), (13.0, -1.0), (9.5, 0.0), (under + 0.8, 0.0)]
        tip = bed[-1][1]
        round_off = curve(
            [(nose, tip * 0.92), (nose - 0.1, tip * 0.5), (front + 0.5, tip * 0.12), (front, 0.0)]
        )
        shape = [(back, -h), *bed, *round_off, *ground, (back - 0.2, -h * 0.3)]
        sheet.fill(turned(last, shape), cloth, shade=0.28)
        if heel != "wedge" and traits.chance("sole line", 0.6):
            y = traits.between("sole line place", 0.35, 0.65)
            sheet.strokes([turned(last, [(x, v * y) for x, v in bed])], cloth.ink, 1.2, 0.55)
        return
    covered = traits.chance("covered heel", 0.55)
    piece = upper_cloth if covered else cloth
    width = {"block": traits.between("block width", 4.8, 7.6), "stiletto": 4.6, "kitten": 4.4}[heel]
    foot = {"block": width * traits.between("block foot", 0.7, 1.05), "stiletto": 0.8, "kitten": 1.0}[heel]
    lean = traits.between("heel lean", 0.2, 1.8)
    shape = outline([corner(0.2, -h - 0.4), corner(width + 1.5, -h * 0.9 - 0.3), (width * 0.62 + foot * 0.3 + lean * 0.5, -h * 0.5),
                     corner(lean + foot, 0.0), corner(lean, 0.0), (lean * 0.5 + 0.1, -h * 0.5)])  # fmt: skip
    sheet.fill(turned(last, shape), piece, shade=0.34)
    sheet.fill(
        turned(last, [(lean, -0.6), (lean + foot, -0.6), (lean + foot, 0.0), (lean, 0.0)]),
        flat((46, 42, 42)),
        shade=0,
        edge=0.4,
    )
    slab = band(bed, -max(0.7, last.ball))
    sheet.fill(turned(last, slab), cloth, shade=0.2)
