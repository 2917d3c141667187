"""Low-cut shoes, seen from the side: pumps and flat shoes."""

from .cloth import Wardrobe
from .geometry import along, corner, curve, ellipse, outline, rounded, strip
from .lasts import Shoe, draw_laces, shape_last, upper_end
from .sheet import Patch, Sheet
from .soles import draw_sole, sole_cloth
from .tops import Labels
from .traits import Traits


def draw_pump(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A low-cut shoe, mostly with a heel."""
    last = shape_last(traits, labels["heel"], labels["toe"])
    height = last.heel + (11.5 if labels["closure"] == "ankle strap" else 7.5)
    shoe = Shoe(traits, labels, wardrobe, last, height)
    throat, rise = traits.between("throat", 16.5, 20.5), traits.between("throat rise", 3.4, 5.4)
    for place in shoe.places:
        shoe.sheet.offset = place
        body = _draw_upper(shoe, throat, rise)
        if labels["closure"] == "ankle strap":
            draw_ankle_strap(shoe)
        elif labels["closure"] == "buckle":
            _draw_instep_strap(shoe)
        _draw_ornament(shoe, body)
    return shoe.sheet


def _draw_upper(shoe: Shoe, throat: float, rise: float) -> Patch:
    """Lining, upper and sole; `throat` is where the opening ends, `rise` how high the upper is there."""
    traits, wardrobe, last = shoe.traits, shoe.wardrobe, shoe.last
    h, p = last.heel, last.ball
    back, dip = traits.between("heel cup", 5.4, 7.2), traits.between("side dip", 2.2, 4.2)
    x, y = throat * 0.55, -(h * 0.55 + p * 0.45) - dip
    far = [corner(0.8, -h - back + 0.2), (x, y - 1.5), corner(throat, -p - rise), (x, y + 1.4),
           (4.6, -h * 0.95 - dip + 1.2)]  # fmt: skip
    shoe.fill(outline(far), wardrobe.lining, shade=0.2)
    vamp = min(rise, 4.2)
    upper = [corner(0.5, -h), (-0.4, -h - back * 0.5), corner(0.6, -h - back), (5.0, -h * 0.95 - dip - 0.8),
             (x, y), corner(throat, -p - rise), (23.0, -p - vamp * 0.94), *upper_end(last, vamp)]  # fmt: skip
    body = shoe.fill(outline(upper), wardrobe.main, shade=0.4)
    draw_sole(shoe, sole_cloth(shoe, sporty=False), wardrobe.plain)
    return body


def draw_ankle_strap(shoe: Shoe) -> None:
    """A strap around the ankle with a buckle, held at the heel."""
    traits, wardrobe, h = shoe.traits, shoe.wardrobe, shoe.last.heel
    y = -h - traits.between("strap height", 7.8, 10.0)
    wide = traits.between("strap width", 0.8, 1.7)
    ring = curve([(0.6, y + 1.0), (4.2, y + 1.9), (8.8, y + 0.2), (4.4, y - 1.2), (0.6, y + 1.0)])
    shoe.fill(strip([(0.7, -h - 5), (0.6, y + 0.6)], wide * 1.2), wardrobe.plain, shade=0.2)
    shoe.fill(strip(ring, wide), wardrobe.plain, shade=0.2)
    shoe.fill(rounded(4.0, y + 0.9, 5.6, y + 2.7, 0.4), wardrobe.metal, shade=0)


def _draw_instep_strap(shoe: Shoe) -> None:
    traits, wardrobe = shoe.traits, shoe.wardrobe
    x = traits.between("strap place", 9.5, 14.0)
    y = -(shoe.last.heel * (1 - x / 24) + shoe.last.ball * x / 24)
    line = curve([(x + 1.4, y - 1.6), (x + 0.4, y - 4.6), (x - 1.2, y - 6.2)])
    shoe.fill(strip(line, traits.between("strap width", 1.0, 1.9)), wardrobe.plain, shade=0.2)
    shoe.fill(rounded(x + 0.2, y - 4.2, x + 2.0, y - 2.2, 0.4), wardrobe.metal, shade=0)


def _draw_ornament(shoe: Shoe, body: Patch) -> None:
    style = shoe.traits.pick("ornament", ("bow", "clip", "seam", "cap", "none", "none"))
    wardrobe, p = shoe.wardrobe, shoe.last.ball
    if style == "bow":
        for lean in (-1, 1):
            far, near = (20.4 + lean * 2.4, -p - 5.8), (20.6 + lean * 2.6, -p - 3.8)
            shoe.fill(outline([corner(20.4, -p - 4.4), far, near]), wardrobe.trim, shade=0.2)
    elif style == "clip":
        shoe.fill(rounded(19.4, -p - 5.0, 21.8, -p - 3.4, 0.5), wardrobe.metal, shade=0.1)
    elif style == "seam":
        seam = curve([(12.0, -p - 8), (15.0, -p - 3), (14.0, 0)])
        shoe.strokes([seam], wardrobe.main.ink, 1.2, 0.6, body)
    elif style == "cap":
        cap = [corner(24.2, -p - 6), (23.6, -p - 2), corner(24.4, 0), corner(32, 0), corner(32, -p - 6)]
        shoe.fill(outline(cap), wardrobe.trim, shade=0.1, within=body)


def draw_flat_shoe(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """Ballet flats, loafers, lace-ups and monk shoes."""
    last = shape_last(traits, labels["heel"], "round" if labels["toe"] == "toe cap" else labels["toe"])
    shoe = Shoe(traits, labels, wardrobe, last, last.heel + 9.0)
    ballet = labels["closure"] == "slip-on" and traits.chance("ballet", 0.45)
    rise = traits.between("throat rise", *((3.4, 4.6) if ballet else (6.2, 7.8)))
    throat = traits.between("throat", *((17.5, 20.5) if ballet else (11.5, 14.0)))
    for place in shoe.places:
        shoe.sheet.offset = place
        body = _draw_upper(shoe, throat, rise)
        if labels["toe"] == "toe cap":
            cap = [corner(23.4, -12), (22.7, -4), corner(23.6, 0), corner(32, 0), corner(32, -12)]
            shoe.fill(outline(cap), wardrobe.trim, shade=0.1, within=body)
        if not ballet:
            _fasten(shoe, body, throat, rise)
        elif traits.chance("bow", 0.6):
            _draw_ornament(shoe, body)
    return shoe.sheet


def _fasten(shoe: Shoe, body: Patch, throat: float, rise: float) -> None:
    """Laces, a buckled strap, or a loafer's saddle."""
    traits, wardrobe, p = shoe.traits, shoe.wardrobe, shoe.last.ball
    top = -p - rise
    if shoe.labels["closure"] == "laces":
        draw_laces(shoe, (throat - 0.3 + 0.6, top + 0.2 + 0.2), (19.4, -p - 4.4))
        seam = curve([(throat - 3, top + 1), (15.5, -p - 2.4), (19.6, -p - 4.6)])
        shoe.strokes([seam], wardrobe.main.ink, 1.3, 0.7, body)
    elif shoe.labels["closure"] == "buckle":
        start, end = (throat + 2.4, top), (throat - 1.5, -p - 0.4)
        strap = strip([start, end], traits.between("strap width", 2.2, 3.4))
        shoe.fill(strap, wardrobe.plain, shade=0.2, within=body)
        x, y = along(start, end, 0.55)
        shoe.fill(rounded(x - 1.2, y - 1.1, x + 1.2, y + 1.1, 0.4), wardrobe.metal, shade=0)
    else:
        saddle = strip([(throat + 3.8, top), (throat + 1.6, -p)], traits.between("saddle", 2.6, 4.4))
        shoe.fill(saddle, wardrobe.trim, shade=0.12, within=body)
        apron = curve([(throat + 3, -p - rise * 0.72), (21.0, -p - 3.2), (26.5, -p - 3.0)])
        shoe.stitches(apron, wardrobe.thread, body)
        if not traits.chance("tassel", 0.4):
            shoe.fill(ellipse(throat + 2.7, -p - rise * 0.56, 1.0, 0.6), wardrobe.metal, shade=0.1)
            return
        x = throat + 3.4
        for lean in (0.2, 1.4):
            end, other = (x + lean + 0.9, top + 4.0), (x + lean - 0.6, top + 4.2)
            shoe.fill(
                outline([corner(x, top + 0.8), corner(*end), corner(*other)]), wardrobe.plain, shade=0.2
            )
