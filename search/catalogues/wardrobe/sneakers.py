"""Sneakers, seen from the side."""

from dataclasses import dataclass

from .cloth import Wardrobe, flat
from .fronts import draw_zip
from .geometry import Line, along, corner, curve, ellipse, outline, strip
from .lasts import Shoe, Spot, draw_laces, shape_last, upper_end
from .palette import lighter
from .sheet import Patch, Sheet
from .soles import draw_sole, sole_cloth
from .tops import Labels
from .traits import Traits


@dataclass(frozen=True)
class _Cut:
    """Where the upper ends: the collar's top, the toe box's height, both ends of the lacing."""

    top: float
    vamp: float
    eye: Spot
    throat: Spot


def draw_sneaker(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A sports shoe, low or over the ankle."""
    last = shape_last(traits, labels["heel"], "round")
    collar = (7.4 if labels["length"] == "low" else 13.0) * traits.between("collar", 0.92, 1.1)
    shoe = Shoe(traits, labels, wardrobe, last, last.heel + collar + 3.0)
    for place in shoe.places:
        shoe.sheet.offset = place
        _draw_one(shoe, collar)
    return shoe.sheet


def _draw_one(shoe: Shoe, collar: float) -> None:
    traits, wardrobe, last = shoe.traits, shoe.wardrobe, shoe.last
    h = last.heel
    top, vamp = -h - collar, traits.between("toe box", 4.2, 5.6)
    throat = (traits.between("throat", 16.5, 19.0), -last.ball - vamp - 1.3)
    eye = (traits.between("eyestay", 8.6, 10.4), top - traits.between("eyestay rise", -0.6, 1.4))
    middle = along(eye, throat, 0.5)
    if shoe.labels["closure"] != "slip-on":
        tongue = [corner(eye[0] - 1.4, eye[1] - 2.2), corner(eye[0] + 1.6, eye[1] - 1.8),
                  (15.0, (eye[1] + throat[1]) / 2 - 1.3), corner(throat[0] + 0.4, throat[1]),
                  corner(eye[0], eye[1] + 3)]  # fmt: skip
        shoe.fill(outline(tongue), wardrobe.plain, shade=0.3)
    inside = [corner(0.9, top + 0.3), (4.6, top + 0.6), corner(eye[0] - 0.4, eye[1] + 0.2), (4.8, top + 3.0)]
    shoe.fill(outline(inside), wardrobe.lining, shade=0.2)
    tab, dip = traits.between("heel tab", -0.3, 1.2), traits.between("collar dip", 1.0, 2.4)
    upper = [corner(0.5, -h), (-0.5, -h - collar * 0.45), corner(0.7, top - tab), (4.4, top + dip),
             corner(*eye), (middle[0], middle[1] + 0.3), throat, (22.0, -last.ball - vamp - 0.1),
             *upper_end(last, vamp)]  # fmt: skip
    body = shoe.fill(outline(upper), wardrobe.main, shade=0.36)
    cut = _Cut(top, vamp, eye, throat)
    _draw_panels(shoe, body, cut)
    _draw_mark(shoe, body, cut)
    draw_sole(shoe, sole_cloth(shoe, sporty=True), wardrobe.main)
    _fasten(shoe, body, eye, throat)


def _draw_panels(shoe: Shoe, body: Patch, cut: _Cut) -> None:
    """Toe cap, heel counter and eyestay."""
    traits, wardrobe, last = shoe.traits, shoe.wardrobe, shoe.last
    h, p, vamp = last.heel, last.ball, cut.vamp
    if shoe.labels["toe"] == "toe cap":
        x = traits.between("cap start", 22.4, 24.6)
        cap = [corner(x, -p - vamp - 2), (x - 0.9, -p - vamp * 0.5), corner(x + 0.4, 0.0), corner(31.0, 0.0),
               corner(31.0, -p - vamp - 2)]  # fmt: skip
        rubber = flat((238, 236, 231)) if traits.chance("rubber cap", 0.5) else wardrobe.plain
        shoe.fill(outline(cap), rubber, shade=0.2, within=body)
    if traits.chance("heel counter", 0.6):
        edge, top = traits.between("counter", 3.4, 6.0), cut.top
        counter = [corner(-2.0, top - 3), corner(edge * 0.6, top - 3), (edge, -h - 3.5),
                   corner(edge + 1.6, 0.0), corner(-2.0, 0.0)]  # fmt: skip
        cloth = wardrobe.trim if wardrobe.main is wardrobe.plain else wardrobe.plain
        shoe.fill(outline(counter), cloth, shade=0.14, within=body)
    if traits.chance("eyestay panel", 0.5):
        (ex, ey), (tx, ty) = cut.eye, cut.throat
        stay = strip([(ex + 0.6, ey), (tx + 0.6, ty + 0.4)], traits.between("stay width", 3.2, 5.0))
        shoe.fill(stay, wardrobe.plain, shade=0.05, within=body)


def _draw_mark(shoe: Shoe, body: Patch, cut: _Cut) -> None:
    """The mark on the side, and a seam."""
    traits, last = shoe.traits, shoe.last
    mark = traits.pick("side mark", ("stripes", "swirl", "disc", "slash", "none", "none"))
    colour = shoe.wardrobe.trim.colour
    x, y = traits.between("mark place", 9.0, 12.0), -last.heel * 0.5 - last.ball * 0.5
    lines: list[Line] = []
    if mark == "stripes":
        count = traits.pick("mark count", (2, 3, 4))
        lines = [[(x + n * 1.9, y - 5.6), (x + n * 1.9 - 2.2, y + 2)] for n in range(count)]
    elif mark == "swirl":
        lines = [curve([(x - 4.0, y - 4.2), (x, y - 1.4), (x + 4.0, y - 2.4), (x + 7.0, y - 4.4)])]
    elif mark == "slash":
        lines = [[(x - 3.0, y - 5.0), (x + 5.0, y + 1.0)]]
    elif mark == "disc":
        disc = ellipse(x - 4, cut.top + 4.6, 1.7, 1.7)
        shoe.fill(disc, flat(lighter(colour, 0.3)), shade=0, within=body)
    shoe.strokes(lines, colour, shoe.sheet.scale * traits.between("mark width", 0.7, 1.3), 1.0, body)
    if traits.chance("side seam", 0.5):
        seam = curve([(4.0, -last.heel - 0.5), (8.0, y - 3.2), (14.0, y - 2.2), (20.0, -last.ball - 1.2)])
        shoe.stitches(seam, shoe.wardrobe.thread, body)


def _fasten(shoe: Shoe, body: Patch, eye: Spot, throat: Spot) -> None:
    """Laces, straps, a zip or elastic between the eyestay's ends."""
    traits, wardrobe, closure = shoe.traits, shoe.wardrobe, shoe.labels["closure"]
    if closure == "laces":
        draw_laces(shoe, (eye[0] + 0.3, eye[1] + 0.6), (throat[0] - 0.4, throat[1] + 0.3))
    elif closure == "straps":
        count = traits.pick("strap count", (2, 2, 3))
        wide = traits.between("strap width", 2.4, 3.2)
        cloth = wardrobe.trim if traits.chance("strap trim", 0.25) else wardrobe.plain
        for n in range(count):
            x, y = along(eye, throat, (n + 0.5) / count)
            shoe.fill(strip([(x + 1.2, y - 1.2), (x - 2.6, y + 4.4)], wide), cloth, shade=0.2)
    elif closure == "zip":
        x, y = along(eye, throat, 0.15)
        line = shoe.turned([(x - 1.4, y + 1.0), (x + 1.2, -shoe.last.ball - 1.2)])
        draw_zip(shoe.sheet, traits, wardrobe, line, body)
    else:
        x, y = eye
        gore = outline([corner(x - 0.6, y - 1), corner(x + 3.4, y - 0.5), corner(x + 2.4, y + 5.0)])
        patch = shoe.fill(gore, wardrobe.lining, shade=0.1, within=body)
        lines = [[(x - 1 + n * 0.8, y - 2), (x - 0.2 + n * 0.8, y + 6)] for n in range(6)]
        shoe.strokes(lines, (20, 20, 22), 0.9, 0.5, patch)
