"""Boots, seen from the side."""

from dataclasses import dataclass

from .cloth import Wardrobe
from .fronts import draw_zip
from .geometry import Point, corner, curve, outline, rounded, strip
from .lasts import Shoe, Spot, draw_laces, shape_last, upper_end
from .sheet import Patch, Sheet
from .soles import draw_sole, sole_cloth
from .tops import Labels
from .traits import Traits

_SHAFTS = {"ankle": 11.5, "calf": 23.0, "knee": 36.0}


@dataclass(frozen=True)
class _Shaft:
    """The shaft's top, back and width, and the front of the ankle."""

    top: float
    back: float
    wide: float
    front: Spot


def draw_boot(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A boot up to the ankle, the calf or the knee."""
    last = shape_last(traits, labels["heel"], labels["toe"])
    tall = _SHAFTS[labels["length"]] * traits.between("shaft", 0.92, 1.1)
    shoe = Shoe(traits, labels, wardrobe, last, last.heel + tall + 2.0)
    for place in shoe.places:
        shoe.sheet.offset = place
        _draw_one(shoe, tall)
    return shoe.sheet


def _draw_one(shoe: Shoe, tall: float) -> None:
    traits, wardrobe, last = shoe.traits, shoe.wardrobe, shoe.last
    h, p = last.heel, last.ball
    top, vamp = -h - tall, traits.between("toe box", 3.8, 5.4)
    wide = 10.5 + (tall - 11) * 0.13 + traits.between("shaft width", -0.6, 2.4)
    back = -0.4 - (tall - 11) * traits.between("shaft lean", 0.0, 0.06)
    tip = traits.between("shaft top", -0.8, 1.6)
    opening = [(back + 0.4, top), (back + wide / 2, top - 1.0), (back + wide - 0.3, top - tip * 0.6),
               (back + wide / 2, top + 1.2)]  # fmt: skip
    shoe.fill(outline(opening), wardrobe.lining, shade=0.2)
    front = (back + wide + (11.0 - back - wide) * 0.75, -h - 8.5)
    calf = (top - h - 8) / 2
    points: list[Point] = [corner(0.5, -h), (-0.6, -h - 3.6), (0.9, -h - 8.0),
                           (back + 0.2, calf) if tall > 16 else (0.6, -h - 9.4),
                           corner(back, top), (back + wide / 2, top + 0.9),
                           corner(back + wide, top - tip)]  # fmt: skip
    if tall > 16:
        points.append((back + wide - 0.3, calf))
    points += [front, (15.0, -(h * 0.3 + p * 0.7) - 6.4), (20.5, -p - vamp - 0.6), *upper_end(last, vamp)]
    body = shoe.fill(outline(points), wardrobe.main, shade=0.4)
    draw_sole(shoe, sole_cloth(shoe, sporty=traits.chance("rubber sole", 0.25)), wardrobe.plain)
    _draw_seams(shoe, body)
    _fasten(shoe, body, _Shaft(top, back, wide, front))


def _draw_seams(shoe: Shoe, body: Patch) -> None:
    traits, ink = shoe.traits, shoe.wardrobe.main.ink
    h, p = shoe.last.heel, shoe.last.ball
    if traits.chance("toe seam", 0.4):
        x = traits.between("toe seam place", 21.0, 24.0)
        seam = curve([(x, -p - 8), (x - 1.0, -p - 3), (x + 0.4, -p)])
        shoe.stitches(seam, shoe.wardrobe.thread, body)
    if traits.chance("counter seam", 0.5):
        shoe.strokes([curve([(1.0, -h - 8.0), (5.0, -h - 5.0), (6.4, -h)])], ink, 1.2, 0.6, body)
    if traits.chance("ankle seam", 0.4):
        line = curve([(-1.0, -h - 8.6), (5.0, -h - 7.2), (13.0, -h * 0.6 - 7.6)])
        shoe.strokes([line], ink, 1.2, 0.55, body)


def _fasten(shoe: Shoe, body: Patch, shaft: _Shaft) -> None:
    traits, wardrobe, closure = shoe.traits, shoe.wardrobe, shoe.labels["closure"]
    h, p = shoe.last.heel, shoe.last.ball
    (fx, fy), top, back, wide = shaft.front, shaft.top, shaft.back, shaft.wide
    if closure == "laces":
        draw_laces(shoe, (fx - 1.0, fy + 1), (17.4, -(h * 0.15 + p * 0.85) - 5.4))
        if top < -h - 9:
            draw_laces(shoe, (back + wide - 1.6, top + 1.4), (fx - 1.2, fy - 0.4))
    elif closure == "zip":
        x = back + wide * traits.between("zip place", 0.35, 0.7)
        line = curve([(x, top), (x - 0.2, top * 0.5 - h * 0.5), (x + 0.8, -h - 0.8)])
        draw_zip(shoe.sheet, traits, wardrobe, shoe.turned(line), body)
    elif closure == "buckle":
        slope, high = traits.between("strap slope", -1.5, 2.0), traits.between("strap width", 1.4, 2.2)
        x = traits.between("buckle place", 5.0, 8.5)
        for n in range(traits.pick("buckles", (1, 1, 2, 3))):
            y = -h - 8.2 - n * 3.8
            shoe.fill(
                strip([(-2.0, y + 0.6), (14.0, y + 0.4 + slope)], high), wardrobe.trim, shade=0.1, within=body
            )
            shoe.fill(rounded(x - 1.1, y - 0.9, x + 1.1, y + 1.7, 0.5), wardrobe.metal, shade=0)
    else:
        if traits.chance("elastic", 0.6):
            gore = [corner(back + wide * 0.3, top - 2), corner(back + wide * 0.75, top - 2), (6.8, -h - 6.0),
                    (5.2, -h - 5.2)]  # fmt: skip
            shoe.fill(outline(gore), wardrobe.lining, shade=0.1, within=body)
        if traits.chance("pull tab", 0.6):
            tab = rounded(back - 0.3, top - 2.2, back + 1.3, top + 2.4, 0.6)
            shoe.fill(tab, wardrobe.trim, shade=0.1)
