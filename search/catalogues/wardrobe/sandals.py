"""Sandals, seen from the side."""

from itertools import pairwise

from .cloth import Wardrobe, flat
from .geometry import corner, curve, outline, rounded, strip
from .lasts import Shoe, footbed, shape_last
from .palette import lighter
from .pumps import draw_ankle_strap
from .sheet import Sheet
from .soles import draw_sole, sole_cloth
from .tops import Labels
from .traits import Traits


def draw_sandal(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A sole held by straps."""
    last = shape_last(traits, labels["heel"], "round")
    height = last.heel + {"slip-on": 6.5, "laces": 15.0}.get(labels["closure"], 10.5)
    shoe = Shoe(traits, labels, wardrobe, last, height)
    for place in shoe.places:
        shoe.sheet.offset = place
        _draw_bed(shoe)
        _draw_toe_straps(shoe)
        _fasten(shoe)
    return shoe.sheet


def _draw_bed(shoe: Shoe) -> None:
    traits = shoe.traits
    sole = sole_cloth(shoe, sporty=traits.chance("sporty", 0.2))
    if shoe.labels["heel"] not in ("wedge", "platform") and traits.chance("cork", 0.4):
        sole = flat((196, 158, 112))
    draw_sole(shoe, sole, shoe.wardrobe.plain)
    shoe.fill(strip(footbed(shoe.last), 0.8), flat(lighter(sole.colour, 0.25)), shade=0, edge=0.5)


def _draw_toe_straps(shoe: Shoe) -> None:
    traits, p = shoe.traits, shoe.last.ball
    count = traits.pick("toe straps", (1, 1, 2, 3))
    step = 9.6 / count
    wide = step * traits.between("toe strap width", 0.5, 0.86)
    for n in range(count):
        x = 15.6 + n * step + traits.between("toe strap place", 0, 1.6)
        tall = traits.between("toe strap height", 3.8, 5.0) * (1 - 0.13 * n)
        strap = [corner(x, -p + 0.2), (x + 0.7, -p - tall * 0.7), corner(x + 1.6, -p - tall),
                 (x + 1.4 + wide * 0.6, -p - tall * 0.98), corner(x + 1.2 + wide, -p - tall * 0.86),
                 (x + wide + 0.6, -p - tall * 0.4), corner(x + wide, -p + 0.2)]  # fmt: skip
        shoe.fill(outline(strap), shoe.wardrobe.main, shade=0.34)


def _fasten(shoe: Shoe) -> None:
    wardrobe, closure = shoe.wardrobe, shoe.labels["closure"]
    h, p = shoe.last.heel, shoe.last.ball
    if closure in ("buckle", "ankle strap"):
        _draw_back(shoe)
    if closure == "buckle":
        shoe.fill(rounded(19.0, -p - 3.9, 21.0, -p - 1.9, 0.4), wardrobe.metal, shade=0)
    elif closure == "laces":
        steps = [(3.0, -h - 5.0), (9.5, -h - 7.0), (2.2, -h - 9.4), (8.4, -h - 11.4), (2.2, -h - 13.4)]
        shoe.fill(strip(curve([(0.5, -h), (0.2, -h - 5.2)]), 1.3), wardrobe.main, shade=0.2)
        for (x0, y0), (x1, y1) in pairwise(steps):
            for line in ([(x0, y0), (x1, y1)], [(x0, y1), (x1, y0)]):
                shoe.fill(strip(line, 0.8), wardrobe.main, shade=0.1)
        shoe.fill(strip([(15.0, -p - 3.4), steps[0]], 1.0), wardrobe.main, shade=0.1)
    elif closure == "slip-on" and shoe.traits.chance("thong", 0.3):
        thong = curve([(22.6, -p - 4.2), (25.0, -p - 1.8), (25.6, -p)])
        shoe.fill(strip(thong, 0.9), wardrobe.plain, shade=0.1)


def _draw_back(shoe: Shoe) -> None:
    """A heel cup, a sling or a T-bar, and the strap around the ankle."""
    traits, cloth = shoe.traits, shoe.wardrobe.main
    h, p = shoe.last.heel, shoe.last.ball
    style = traits.pick("back", ("cup", "sling", "t-bar"))
    if style == "cup":
        cup = [
            corner(0.3, -h),
            (-0.4, -h - 3.0),
            corner(0.6, -h - 6.6),
            (4.0, -h - 5.2),
            corner(7.0, -h * 0.93),
        ]
        shoe.fill(outline(cup), cloth, shade=0.34)
    else:
        sling = curve([(9.0, -(h * 0.7 + p * 0.3)), (4.6, -h - 3.4), (0.4, -h - 6.0)])
        shoe.fill(strip(sling, traits.between("sling", 1.0, 1.8)), cloth, shade=0.25)
    if style == "t-bar":
        bar = curve([(20.0, -p - 3.9), (14.0, -(h + p) / 2 - 4.8), (8.6, -h - 8.4)])
        shoe.fill(strip(bar, traits.between("bar", 1.0, 2.0)), cloth, shade=0.25)
    draw_ankle_strap(shoe)
