"""Pumps, flat shoes and sandals, seen from the side."""

from .cloth import Wardrobe, flat
from .geometry import along, corner, curve, ellipse, outline, rounded, strip
from .palette import lighter
from .sheet import Patch, Sheet
from .shoes import draw_laces, shoe_sheet
from .soles import Last, draw_sole, footbed, shape_last, sole_cloth, toe_points, turned
from .tops import Labels
from .traits import Traits


def draw_pump(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A low-cut shoe, mostly with a heel."""
    last = shape_last(traits, labels["heel"], labels["toe"])
    sheet, places = shoe_sheet(
        traits, last, last.heel + (11.5 if labels["closure"] == "ankle strap" else 7.5), wardrobe
    )
    for place in places:
        sheet.offset = place
        body = _low_cut(
            sheet,
            traits,
            labels,
            wardrobe,
            last,
            traits.between("throat", 16.5, 20.5),
            traits.between("throat rise", 3.4, 5.4),
        )
        if labels["closure"] == "ankle strap":
            _ankle_strap(sheet, traits, wardrobe, last)
        elif labels["closure"] == "buckle":
            _instep_strap(sheet, traits, wardrobe, last)
        _pump_ornament(sheet, traits, wardrobe, last, body)
    return sheet


def _low_cut(
    sheet: Sheet, traits: Traits, labels: Labels, wardrobe: Wardrobe, last: Last, throat: float, rise: float
) -> Patch:
    """Upper, lining and sole of a low-cut shoe; `throat` is where its opening ends, `rise` how high it is there."""
    h, p = last.heel, last.ball
    back = traits.between("heel cup", 5.4, 7.2)
    dip = traits.between("side dip", 2.2, 4.2)
    middle = (throat * 0.55, -(h * 0.55 + p * 0.45) - dip)
    far = outline(
        [
            corner(0.8, -h - back + 0.2),
            (middle[0], middle[1] - 1.5),
            corner(throat, -p - rise),
            (middle[0], middle[1] + 1.4),
            (4.6, -h * 0.95 - dip + 1.2),
        ]
    )
    sheet.fill(turned(last, far), wardrobe.lining, shade=0.2)
    vamp = min(rise, 4.2)
    upper = outline([corner(0.5, -h), (-0.4, -h - back * 0.5), corner(0.6, -h - back), (5.0, -h * 0.95 - dip - 0.8), middle,
                     corner(throat, -p - rise), (23.0, -p - vamp * 0.94), *toe_points(last, vamp),
                     *[corner(x, y) for x, y in reversed(footbed(last)[2:-1])]])  # fmt: skip
    body = sheet.fill(turned(last, upper), wardrobe.main, shade=0.4)
    draw_sole(
        sheet,
        traits,
        last,
        labels["heel"],
        sole_cloth(traits, wardrobe, labels["heel"], sporty=False),
        wardrobe.plain,
    )
    return body


def _ankle_strap(sheet: Sheet, traits: Traits, wardrobe: Wardrobe, last: Last) -> None:
    y = -last.heel - traits.between("strap height", 7.8, 10.0)
    wide = traits.between("strap width", 0.8, 1.7)
    ring = curve([(0.6, y + 1.0), (4.2, y + 1.9), (8.8, y + 0.2), (4.4, y - 1.2), (0.6, y + 1.0)])
    sheet.fill(
        turned(last, strip([(0.7, -last.heel - 5), (0.6, y + 0.6)], wide * 1.2)), wardrobe.plain, shade=0.2
    )
    sheet.fill(turned(last, strip(ring, wide)), wardrobe.plain, shade=0.2)
    sheet.fill(turned(last, rounded(4.0, y + 0.9, 5.6, y + 2.7, 0.4)), wardrobe.metal, shade=0)


def _instep_strap(sheet: Sheet, traits: Traits, wardrobe: Wardrobe, last: Last) -> None:
    h, p = last.heel, last.ball
    x = traits.between("strap place", 9.5, 14.0)
    base = -(h * (1 - x / 24) + p * x / 24)
    line = curve([(x + 1.4, base - 1.6), (x + 0.4, base - 4.6), (x - 1.2, base - 6.2)])
    sheet.fill(turned(last, strip(line, traits.between("strap width", 1.0, 1.9))), wardrobe.plain, shade=0.2)
    sheet.fill(turned(last, rounded(x + 0.2, base - 4.2, x + 2.0, base - 2.2, 0.4)), wardrobe.metal, shade=0)


def _pump_ornament(sheet: Sheet, traits: Traits, wardrobe: Wardrobe, last: Last, body: Patch) -> None:
    style = traits.pick("ornament", ("bow", "clip", "seam", "cap", "none", "none"))
    p = last.ball
    if style == "bow":
        for lean in (-1, 1):
            wing = outline(
                [corner(20.4, -p - 4.4), (20.4 + lean * 2.4, -p - 5.8), (20.6 + lean * 2.6, -p - 3.8)]
            )
            sheet.fill(turned(last, wing), wardrobe.trim, shade=0.2)
    elif style == "clip":
        sheet.fill(turned(last, rounded(19.4, -p - 5.0, 21.8, -p - 3.4, 0.5)), wardrobe.metal, shade=0.1)
    elif style == "seam":
        sheet.strokes(
            [turned(last, curve([(12.0, -p - 8), (15.0, -p - 3), (14.0, 0)]))],
            wardrobe.main.ink,
            1.2,
            0.6,
            body,
        )
    elif style == "cap":
        cap = outline(
            [corner(24.2, -p - 6), (23.6, -p - 2), corner(24.4, 0), corner(32, 0), corner(32, -p - 6)]
        )
        sheet.fill(turned(last, cap), wardrobe.trim, shade=0.1, within=body)


def draw_flat_shoe(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """Ballet flats, loafers, lace-ups and monk shoes."""
    last = shape_last(traits, labels["heel"], "round" if labels["toe"] == "toe cap" else labels["toe"])
    sheet, places = shoe_sheet(traits, last, last.heel + 9.0, wardrobe)
    closure = labels["closure"]
    ballet = closure == "slip-on" and traits.chance("ballet", 0.45)
    rise = traits.between("throat rise", 3.4, 4.6) if ballet else traits.between("throat rise", 6.2, 7.8)
    throat = traits.between("throat", 17.5, 20.5) if ballet else traits.between("throat", 11.5, 14.0)
    for place in places:
        sheet.offset = place
        body = _low_cut(sheet, traits, labels, wardrobe, last, throat, rise)
        if labels["toe"] == "toe cap":
            cap = outline([corner(23.4, -12), (22.7, -4), corner(23.6, 0), corner(32, 0), corner(32, -12)])
            sheet.fill(turned(last, cap), wardrobe.trim, shade=0.1, within=body)
        _flat_closure(sheet, traits, closure, wardrobe, last, body, throat, rise, ballet=ballet)
    return sheet


def _flat_closure(
    sheet: Sheet,
    traits: Traits,
    closure: str,
    wardrobe: Wardrobe,
    last: Last,
    body: Patch,
    throat: float,
    rise: float,
    *,
    ballet: bool,
) -> None:
    p = last.ball
    start = (throat - 0.3, -p - rise + 0.2)
    if closure == "laces":
        draw_laces(sheet, traits, wardrobe, last, (start[0] + 0.6, start[1] + 0.2), (19.4, -p - 4.4))
        sheet.strokes(
            [turned(last, curve([(throat - 3, -p - rise + 1), (15.5, -p - 2.4), (19.6, -p - 4.6)]))],
            wardrobe.main.ink,
            1.3,
            0.7,
            body,
        )
    elif closure == "buckle":
        strap = strip(
            [(throat + 2.4, -p - rise), (throat - 1.5, -p - 0.4)], traits.between("strap width", 2.2, 3.4)
        )
        sheet.fill(turned(last, strap), wardrobe.plain, shade=0.2, within=body)
        x, y = along((throat + 2.4, -p - rise), (throat - 1.5, -p - 0.4), 0.55)
        sheet.fill(turned(last, rounded(x - 1.2, y - 1.1, x + 1.2, y + 1.1, 0.4)), wardrobe.metal, shade=0)
    elif ballet:
        if traits.chance("bow", 0.6):
            _pump_ornament(sheet, traits, wardrobe, last, body)
    else:
        saddle = strip([(throat + 3.8, -p - rise), (throat + 1.6, -p)], traits.between("saddle", 2.6, 4.4))
        sheet.fill(turned(last, saddle), wardrobe.trim, shade=0.12, within=body)
        apron = curve([(throat + 3, -p - rise * 0.72), (21.0, -p - 3.2), (26.5, -p - 3.0)])
        sheet.stitches(turned(last, apron), wardrobe.thread, body)
        if traits.chance("tassel", 0.4):
            x = throat + 3.4
            for lean in (0.2, 1.4):
                sheet.fill(turned(last, outline([corner(x, -p - rise + 0.8), corner(x + lean + 0.9, -p - rise + 4.0), corner(x + lean - 0.6, -p - rise + 4.2)])), wardrobe.plain, shade=0.2)  # fmt: skip
        else:
            sheet.fill(
                turned(last, ellipse(throat + 2.7, -p - rise * 0.56, 1.0, 0.6)), wardrobe.metal, shade=0.1
            )


def draw_sandal(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A sole held by straps."""
    last = shape_last(traits, labels["heel"], "round")
    high = {"slip-on": 6.5, "laces": 15.0}.get(labels["closure"], 10.5)
    sheet, places = shoe_sheet(traits, last, last.heel + high, wardrobe)
    for place in places:
        sheet.offset = place
        _one_sandal(sheet, traits, labels, wardrobe, last)
    return sheet


def _one_sandal(sheet: Sheet, traits: Traits, labels: Labels, wardrobe: Wardrobe, last: Last) -> None:
    h, p = last.heel, last.ball
    thin = labels["heel"] not in ("wedge", "platform")
    cork = sole_cloth(traits, wardrobe, labels["heel"], sporty=traits.chance("sporty", 0.2))
    if thin and traits.chance("cork", 0.4):
        cork = flat((196, 158, 112))
    draw_sole(sheet, traits, last, labels["heel"], cork, wardrobe.plain)
    bed = footbed(last)
    sheet.fill(turned(last, strip(bed, 0.8)), flat(lighter(cork.colour, 0.25)), shade=0, edge=0.5)
    count = traits.pick("toe straps", (1, 1, 2, 3))
    step = 9.6 / count
    wide = step * traits.between("toe strap width", 0.5, 0.86)
    for n in range(count):
        x = 15.6 + n * step + traits.between("toe strap place", 0, 1.6)
        tall = traits.between("toe strap height", 3.8, 5.0) * (1 - 0.13 * n)
        strap = outline(
            [
                corner(x, -p + 0.2),
                (x + 0.7, -p - tall * 0.7),
                corner(x + 1.6, -p - tall),
                (x + 1.4 + wide * 0.6, -p - tall * 0.98),
                corner(x + 1.2 + wide, -p - tall * 0.86),
                (x + wide + 0.6, -p - tall * 0.4),
                corner(x + wide, -p + 0.2),
            ]
        )
        sheet.fill(turned(last, strap), wardrobe.main, shade=0.34)
    closure = labels["closure"]
    if closure in ("buckle", "ankle strap"):
        _sandal_back(sheet, traits, wardrobe, last)
    if closure == "buckle":
        sheet.fill(turned(last, rounded(19.0, -p - 3.9, 21.0, -p - 1.9, 0.4)), wardrobe.metal, shade=0)
    elif closure == "laces":
        steps = [
            (15.0, -p - 3.4),
            (3.0, -h - 5.0),
            (9.5, -h - 7.0),
            (2.2, -h - 9.4),
            (8.4, -h - 11.4),
            (2.2, -h - 13.4),
        ]
        sheet.fill(turned(last, strip(curve([(0.5, -h), (0.2, -h - 5.2)]), 1.3)), wardrobe.main, shade=0.2)
        for (x0, y0), (x1, y1) in zip(steps[1:], steps[2:], strict=False):
            for line in ([(x0, y0), (x1, y1)], [(x0, y1), (x1, y0)]):
                sheet.fill(turned(last, strip(line, 0.8)), wardrobe.main, shade=0.1)
        sheet.fill(turned(last, strip(steps[:2], 1.0)), wardrobe.main, shade=0.1)
    elif closure == "slip-on" and traits.chance("thong", 0.3):
        sheet.fill(
            turned(last, strip(curve([(22.6, -p - 4.2), (25.0, -p - 1.8), (25.6, -p)]), 0.9)),
            wardrobe.plain,
            shade=0.1,
        )


def _sandal_back(sheet: Sheet, traits: Traits, wardrobe: Wardrobe, last: Last) -> None:
    h, p = last.heel, last.ball
    style = traits.pick("back", ("cup", "sling", "t-bar"))
    if style == "cup":
        cup = outline(
            [
                corner(0.3, -h),
                (-0.4, -h - 3.0),
                corner(0.6, -h - 6.6),
                (4.0, -h - 5.2),
                corner(7.0, -h * 0.93),
            ]
        )
        sheet.fill(turned(last, cup), wardrobe.main, shade=0.34)
    else:
        sling = curve([(9.0, -(h * 0.7 + p * 0.3)), (4.6, -h - 3.4), (0.4, -h - 6.0)])
        sheet.fill(turned(last, strip(sling, traits.between("sling", 1.0, 1.8))), wardrobe.main, shade=0.25)
    if style == "t-bar":
        bar = curve([(20.0, -p - 3.9), (14.0, -(h + p) / 2 - 4.8), (8.6, -h - 8.4)])
        sheet.fill(turned(last, strip(bar, traits.between("bar", 1.0, 2.0))), wardrobe.main, shade=0.25)
    _ankle_strap(sheet, traits, wardrobe, last)
