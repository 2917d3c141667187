"""What a shoe stands on, seen from the side: sole and heel."""

from .cloth import Cloth, flat
from .geometry import band, corner, curve, outline
from .lasts import Shoe, footbed
from .palette import darker, lighter, mix


def sole_cloth(shoe: Shoe, *, sporty: bool) -> Cloth:
    """Rubber or leather under the shoe; a wedge, as large as the upper, is covered in the upper's colour."""
    traits, heel, main = shoe.traits, shoe.labels["heel"], shoe.wardrobe.main.colour
    if heel == "wedge" or (heel == "platform" and not sporty):
        return flat(mix(main, darker(main, 0.5), traits.between("sole tone", 0.0, 0.5)), 0.1)
    rubber = ((240, 239, 235), (240, 239, 235), (196, 160, 116), (52, 50, 52), lighter(main, 0.5))
    dressy = (darker(main, 0.5), darker(main, 0.3), (62, 44, 36), (150, 112, 76), (36, 33, 34))
    return flat(traits.pick("sole colour", rubber if sporty else dressy), 0.1)


def draw_sole(shoe: Shoe, cloth: Cloth, upper: Cloth) -> None:
    """The sole and the heel for the shoe's heel label; some heels are covered in the `upper` cloth."""
    if shoe.labels["heel"] in ("flat", "platform", "wedge"):
        _draw_slab(shoe, cloth)
    else:
        _draw_heel(shoe, upper if shoe.traits.chance("covered heel", 0.55) else cloth)
        shoe.fill(band(footbed(shoe.last), -max(0.7, shoe.last.ball)), cloth, shade=0.2)


def _draw_slab(shoe: Shoe, cloth: Cloth) -> None:
    """A sole that reaches the ground along its whole length."""
    traits, last, heel = shoe.traits, shoe.last, shoe.labels["heel"]
    h, bed = last.heel, footbed(last)
    back, under = traits.between("sole back", -0.5, 0.5), traits.between("sole under", 0.0, 1.2)
    nose = 29.9 if last.toe == "pointed" else 28.5
    front = nose - traits.between("sole front", 0.9, 2.2)
    ground = [(front, 0.0), (20.0, 0.0), (under + 0.3, 0.0)]
    if heel == "wedge" and traits.chance("cut wedge", 0.4):
        ground = [(front, 0.0), (19.0, 0.0), (13.0, -1.0), (9.5, 0.0), (under + 0.8, 0.0)]
    tip = bed[-1][1]
    tip_line = curve([(nose, tip * 0.92), (nose - 0.1, tip * 0.5), (front + 0.5, tip * 0.12), (front, 0.0)])
    shoe.fill([(back, -h), *bed, *tip_line, *ground, (back - 0.2, -h * 0.3)], cloth, shade=0.28)
    if heel != "wedge" and traits.chance("sole line", 0.6):
        y = traits.between("sole line place", 0.35, 0.65)
        shoe.strokes([[(x, v * y) for x, v in bed]], cloth.ink, 1.2, 0.55)


def _draw_heel(shoe: Shoe, cloth: Cloth) -> None:
    """A heel that stands apart from the sole."""
    traits, h = shoe.traits, shoe.last.heel
    style = shoe.labels["heel"]
    width = {"block": traits.between("block width", 4.8, 7.6), "stiletto": 4.6, "kitten": 4.4}[style]
    foot = {"block": width * traits.between("block foot", 0.7, 1.05), "stiletto": 0.8, "kitten": 1.0}[style]
    lean = traits.between("heel lean", 0.2, 1.8)
    inner = (width * 0.62 + foot * 0.3 + lean * 0.5, -h * 0.5)
    shape = outline([corner(0.2, -h - 0.4), corner(width + 1.5, -h * 0.9 - 0.3), inner,
                     corner(lean + foot, 0.0), corner(lean, 0.0), (lean * 0.5 + 0.1, -h * 0.5)])  # fmt: skip
    shoe.fill(shape, cloth, shade=0.34)
    tip = [(lean, -0.6), (lean + foot, -0.6), (lean + foot, 0.0), (lean, 0.0)]
    shoe.fill(tip, flat((46, 42, 42)), shade=0, edge=0.4)
