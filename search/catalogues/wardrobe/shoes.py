"""Sneakers and boots, seen from the side."""

from .cloth import Cloth, Wardrobe, flat
from .fronts import draw_zip
from .geometry import Line, along, corner, curve, ellipse, outline, rounded, strip
from .palette import lighter
from .sheet import Patch, Sheet
from .soles import Last, draw_sole, footbed, shape_last, sole_cloth, toe_points, turned
from .tops import Labels
from .traits import Traits

_SHAFTS = {"ankle": 11.5, "calf": 23.0, "knee": 36.0}


def shoe_sheet(
    traits: Traits, last: Last, height: float, wardrobe: Wardrobe
) -> tuple[Sheet, list[tuple[float, float]]]:
    """The sheet for a shoe of this height and where its one or two shoes stand (the nearer one last)."""
    pair = traits.chance("pair", 0.4)
    behind = (
        (traits.between("pair x", -6.5, 6.5), -traits.between("pair y", 2.5, 5.0)) if pair else (0.0, 0.0)
    )
    left, right = min(-1.5 * last.facing, 30.0 * last.facing), max(-1.5 * last.facing, 30.0 * last.facing)
    frame = (left + min(behind[0], 0), -height + behind[1], right + max(behind[0], 0), 0.3)
    return Sheet(traits, frame, wardrobe.main.ink), [behind, (0.0, 0.0)] if pair else [(0.0, 0.0)]


def draw_sneaker(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A sports shoe, low or over the ankle."""
    last = shape_last(traits, labels["heel"], "round")
    collar = (7.4 if labels["length"] == "low" else 13.0) * traits.between("collar", 0.92, 1.1)
    sheet, places = shoe_sheet(traits, last, last.heel + collar + 3.0, wardrobe)
    for place in places:
        sheet.offset = place
        _one_sneaker(sheet, traits, labels, wardrobe, last, collar)
    return sheet


def _one_sneaker(
    sheet: Sheet, traits: Traits, labels: Labels, wardrobe: Wardrobe, last: Last, collar: float
) -> None:
    h, p = last.heel, last.ball
    top, vamp = -h - collar, traits.between("toe box", 4.2, 5.6)
    throat = (traits.between("throat", 16.5, 19.0), -p - vamp - 1.3)
    eye = (traits.between("eyestay", 8.6, 10.4), top - traits.between("eyestay rise", -0.6, 1.4))
    if labels["closure"] != "slip-on":
        tongue = outline([corner(eye[0] - 1.4, eye[1] - 2.2), corner(eye[0] + 1.6, eye[1] - 1.8), (15.0, (eye[1] + throat[1]) / 2 - 1.3),
                          corner(throat[0] + 0.4, throat[1]), corner(eye[0], eye[1] + 3)])  # fmt: skip
        sheet.fill(turned(last, tongue), wardrobe.plain, shade=0.3)
    inside = outline(
        [corner(0.9, top + 0.3), (4.6, top + 0.6), corner(eye[0] - 0.4, eye[1] + 0.2), (4.8, top + 3.0)]
    )
    sheet.fill(turned(last, inside), wardrobe.lining, shade=0.2)
    upper = outline([corner(0.5, -h), (-0.5, -h - collar * 0.45), corner(0.7, top - traits.between("heel tab", -0.3, 1.2)),
                     (4.4, top + traits.between("collar dip", 1.0, 2.4)), corner(*eye), (along(eye, throat, 0.5)[0], along(eye, throat, 0.5)[1] + 0.3),
                     throat, (22.0, -p - vamp - 0.1), *toe_points(last, vamp), *[corner(x, y) for x, y in reversed(footbed(last)[2:-1])]])  # fmt: skip
    body = sheet.fill(turned(last, upper), wardrobe.main, shade=0.36)
    _sneaker_panels(sheet, traits, labels, wardrobe, last, body, (top, vamp, eye, throat))
    draw_sole(
        sheet,
        traits,
        last,
        labels["heel"],
        sole_cloth(traits, wardrobe, labels["heel"], sporty=True),
        wardrobe.main,
    )
    _fasten(sheet, traits, labels, wardrobe, last, body, eye, throat)


def _sneaker_panels(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    wardrobe: Wardrobe,
    last: Last,
    body: Patch,
    measures: tuple[float, float, tuple[float, float], tuple[float, float]],
) -> None:
    """Toe cap, heel counter, eyestay and side mark; measures: collar height, toe box, eyestay, throat."""
    top, vamp, eye, throat = measures
    h, p = last.heel, last.ball
    if labels["toe"] == "toe cap":
        start = traits.between("cap start", 22.4, 24.6)
        cap = outline(
            [
                corner(start, -p - vamp - 2),
                (start - 0.9, -p - vamp * 0.5),
                corner(start + 0.4, 0.0),
                corner(31.0, 0.0),
                corner(31.0, -p - vamp - 2),
            ]
        )
        rubber = flat((238, 236, 231)) if traits.chance("rubber cap", 0.5) else wardrobe.plain
        sheet.fill(turned(last, cap), rubber, shade=0.2, within=body)
    if traits.chance("heel counter", 0.6):
        edge = traits.between("counter", 3.4, 6.0)
        counter = outline(
            [
                corner(-2.0, top - 3),
                corner(edge * 0.6, top - 3),
                (edge, -h - 3.5),
                corner(edge + 1.6, 0.0),
                corner(-2.0, 0.0),
            ]
        )
        sheet.fill(
            turned(last, counter),
            wardrobe.trim if wardrobe.main is wardrobe.plain else wardrobe.plain,
            shade=0.14,
            within=body,
        )
    if traits.chance("eyestay panel", 0.5):
        stay = strip(
            [(eye[0] + 0.6, eye[1]), (throat[0] + 0.6, throat[1] + 0.4)],
            traits.between("stay width", 3.2, 5.0),
        )
        sheet.fill(turned(last, stay), wardrobe.plain, shade=0.05, within=body)
    mark = traits.pick("side mark", ("stripes", "swirl", "disc", "slash", "none", "none"))
    cloth, y = wardrobe.trim, -h * 0.5 - p * 0.5
    x = traits.between("mark place", 9.0, 12.0)
    lines: list[Line] = []
    if mark == "stripes":
        lines = [
            [(x + n * 1.9, y - 5.6), (x + n * 1.9 - 2.2, y + 2)]
            for n in range(traits.pick("mark count", (2, 3, 4)))
        ]
    elif mark == "swirl":
        lines = [curve([(x - 4.0, y - 4.2), (x, y - 1.4), (x + 4.0, y - 2.4), (x + 7.0, y - 4.4)])]
    elif mark == "slash":
        lines = [[(x - 3.0, y - 5.0), (x + 5.0, y + 1.0)]]
    elif mark == "disc":
        sheet.fill(
            turned(last, ellipse(x - 4, top + 4.6, 1.7, 1.7)),
            flat(lighter(cloth.colour, 0.3)),
            shade=0,
            within=body,
        )
    sheet.strokes(
        [turned(last, line) for line in lines],
        cloth.colour,
        sheet.scale * traits.between("mark width", 0.7, 1.3),
        1.0,
        body,
    )
    seam = curve([(4.0, -h - 0.5), (8.0, y - 3.2), (14.0, y - 2.2), (20.0, -p - 1.2)])
    if traits.chance("side seam", 0.5):
        sheet.stitches(turned(last, seam), wardrobe.thread, body)


def _fasten(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    wardrobe: Wardrobe,
    last: Last,
    body: Patch,
    eye: tuple[float, float],
    throat: tuple[float, float],
) -> None:
    """Laces, straps, a zip or elastic between the eyestay's ends."""
    closure = labels["closure"]
    if closure == "laces":
        draw_laces(
            sheet, traits, wardrobe, last, (eye[0] + 0.3, eye[1] + 0.6), (throat[0] - 0.4, throat[1] + 0.3)
        )
    elif closure == "straps":
        count = traits.pick("strap count", (2, 2, 3))
        wide = traits.between("strap width", 2.4, 3.2)
        for n in range(count):
            x, y = along(eye, throat, (n + 0.5) / count)
            strap = strip([(x + 1.2, y - 1.2), (x - 2.6, y + 4.4)], wide)
            sheet.fill(
                turned(last, strap),
                wardrobe.trim if traits.chance("strap trim", 0.25) else wardrobe.plain,
                shade=0.2,
            )
    elif closure == "zip":
        x, y = along(eye, throat, 0.15)
        draw_zip(
            sheet, traits, wardrobe, turned(last, [(x - 1.4, y + 1.0), (x + 1.2, -last.ball - 1.2)]), body
        )
    else:
        gore = outline(
            [
                corner(eye[0] - 0.6, eye[1] - 1),
                corner(eye[0] + 3.4, eye[1] - 0.5),
                corner(eye[0] + 2.4, eye[1] + 5.0),
            ]
        )
        patch = sheet.fill(turned(last, gore), wardrobe.lining, shade=0.1, within=body)
        lines = [[(eye[0] - 1 + n * 0.8, eye[1] - 2), (eye[0] - 0.2 + n * 0.8, eye[1] + 6)] for n in range(6)]
        sheet.strokes([turned(last, list(line)) for line in lines], (20, 20, 22), 0.9, 0.5, patch)


def draw_laces(
    sheet: Sheet,
    traits: Traits,
    wardrobe: Wardrobe,
    last: Last,
    start: tuple[float, float],
    end: tuple[float, float],
) -> None:
    """Crossing laces between two points and a bow at the first."""
    colour = traits.pick(
        "lace colour", ((244, 242, 238), (244, 242, 238), wardrobe.trim.colour, (40, 38, 40))
    )
    cloth: Cloth = flat(colour)
    count = max(3, round(abs(end[1] - start[1]) / 1.9 + abs(end[0] - start[0]) / 3.2))
    lines: list[Line] = []
    for n in range(count):
        x, y = along(start, end, n / (count - 1))
        lines.append([(x + 1.0, y - 0.9), (x - 1.3, y + 1.2)])
    if traits.chance("bow", 0.6):
        x, y = start
        lines += [
            curve([(x, y), (x + 3.2, y - 1.8), (x + 3.6, y + 0.4), (x, y)]),
            curve([(x, y), (x - 2.4, y + 2.8), (x - 0.6, y + 3.2), (x, y)]),
        ]
    placed = [turned(last, line) for line in lines]
    sheet.strokes(placed, cloth.ink, max(3.0, sheet.scale * 0.75), 0.9)
    sheet.strokes(placed, colour, max(1.8, sheet.scale * 0.5), 1.0)


def draw_boot(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A boot up to the ankle, the calf or the knee."""
    last = shape_last(traits, labels["heel"], labels["toe"])
    shaft = _SHAFTS[labels["length"]] * traits.between("shaft", 0.92, 1.1)
    sheet, places = shoe_sheet(traits, last, last.heel + shaft + 2.0, wardrobe)
    for place in places:
        sheet.offset = place
        _one_boot(sheet, traits, labels, wardrobe, last, shaft)
    return sheet


def _one_boot(
    sheet: Sheet, traits: Traits, labels: Labels, wardrobe: Wardrobe, last: Last, shaft: float
) -> None:
    h, p = last.heel, last.ball
    top, vamp = -h - shaft, traits.between("toe box", 3.8, 5.4)
    wide = 10.5 + (shaft - 11) * 0.13 + traits.between("shaft width", -0.6, 2.4)
    back = -0.4 - (shaft - 11) * traits.between("shaft lean", 0.0, 0.06)
    tip = traits.between("shaft top", -0.8, 1.6)
    opening = outline(
        [
            (back + 0.4, top),
            (back + wide / 2, top - 1.0),
            (back + wide - 0.3, top - tip * 0.6),
            (back + wide / 2, top + 1.2),
        ]
    )
    sheet.fill(turned(last, opening), wardrobe.lining, shade=0.2)
    front = (back + wide + (11.0 - back - wide) * 0.75, -h - 8.5)
    points = [corner(0.5, -h), (-0.6, -h - 3.6), (0.9, -h - 8.0), (back + 0.2, (top - h - 8) / 2) if shaft > 16 else (0.6, -h - 9.4),
              corner(back, top), (back + wide / 2, top + 0.9), corner(back + wide, top - tip)]  # fmt: skip
    if shaft > 16:
        points.append((back + wide - 0.3, (top - h - 8) / 2))
    points += [front, (15.0, -(h * 0.3 + p * 0.7) - 6.4), (20.5, -p - vamp - 0.6), *toe_points(last, vamp)]
    points += [corner(x, y) for x, y in reversed(footbed(last)[2:-1])]
    body = sheet.fill(turned(last, outline(points)), wardrobe.main, shade=0.4)
    draw_sole(
        sheet,
        traits,
        last,
        labels["heel"],
        sole_cloth(traits, wardrobe, labels["heel"], sporty=traits.chance("rubber sole", 0.25)),
        wardrobe.plain,
    )
    _boot_seams(sheet, traits, wardrobe, last, body)
    _boot_closure(sheet, traits, labels, wardrobe, last, body, (top, back, wide, front))


def _boot_seams(sheet: Sheet, traits: Traits, wardrobe: Wardrobe, last: Last, body: Patch) -> None:
    h, p = last.heel, last.ball
    if traits.chance("toe seam", 0.4):
        x = traits.between("toe seam place", 21.0, 24.0)
        sheet.stitches(
            turned(last, curve([(x, -p - 8), (x - 1.0, -p - 3), (x + 0.4, -p)])), wardrobe.thread, body
        )
    if traits.chance("counter seam", 0.5):
        sheet.strokes(
            [turned(last, curve([(1.0, -h - 8.0), (5.0, -h - 5.0), (6.4, -h)]))],
            wardrobe.main.ink,
            1.2,
            0.6,
            body,
        )
    if traits.chance("ankle seam", 0.4):
        sheet.strokes(
            [turned(last, curve([(-1.0, -h - 8.6), (5.0, -h - 7.2), (13.0, -h * 0.6 - 7.6)]))],
            wardrobe.main.ink,
            1.2,
            0.55,
            body,
        )


def _boot_closure(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    wardrobe: Wardrobe,
    last: Last,
    body: Patch,
    measures: tuple[float, float, float, tuple[float, float]],
) -> None:
    """Measures: the shaft's top, back and width, and the front of the ankle."""
    top, back, wide, front = measures
    h, p = last.heel, last.ball
    closure = labels["closure"]
    if closure == "laces":
        instep = (17.4, -(h * 0.15 + p * 0.85) - 5.4)
        draw_laces(sheet, traits, wardrobe, last, (front[0] - 1.0, front[1] + 1), instep)
        if top < -h - 9:
            draw_laces(
                sheet,
                traits,
                wardrobe,
                last,
                (back + wide - 1.6, top + 1.4),
                (front[0] - 1.2, front[1] - 0.4),
            )
    elif closure == "zip":
        x = back + wide * traits.between("zip place", 0.35, 0.7)
        draw_zip(
            sheet,
            traits,
            wardrobe,
            turned(last, curve([(x, top), (x - 0.2, top * 0.5 - h * 0.5), (x + 0.8, -h - 0.8)])),
            body,
        )
    elif closure == "buckle":
        for n in range(traits.pick("buckles", (1, 1, 2, 3))):
            y = -h - 8.2 - n * 3.8
            belt = strip(
                [(-2.0, y + 0.6), (14.0, y + 0.4 + traits.between("strap slope", -1.5, 2.0))],
                traits.between("strap width", 1.4, 2.2),
            )
            sheet.fill(turned(last, belt), wardrobe.trim, shade=0.1, within=body)
            x = traits.between("buckle place", 5.0, 8.5)
            sheet.fill(
                turned(last, rounded(x - 1.1, y - 0.9, x + 1.1, y + 1.7, 0.5)), wardrobe.metal, shade=0
            )
    else:
        if traits.chance("elastic", 0.6):
            gore = outline(
                [
                    corner(back + wide * 0.3, top - 2),
                    corner(back + wide * 0.75, top - 2),
                    (6.8, -h - 6.0),
                    (5.2, -h - 5.2),
                ]
            )
            sheet.fill(turned(last, gore), wardrobe.lining, shade=0.1, within=body)
        if traits.chance("pull tab", 0.6):
            sheet.fill(
                turned(last, rounded(back - 0.3, top - 2.2, back + 1.3, top + 2.4, 0.6)),
                wardrobe.trim,
                shade=0.1,
            )
