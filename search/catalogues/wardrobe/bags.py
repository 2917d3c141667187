"""Handbags, totes and backpacks, drawn from the front (centimetres, the bag's lower edge near y = 0)."""

from .cloth import Wardrobe, flat
from .fronts import draw_zip
from .geometry import Line, Point, arc, corner, curve, ellipse, mirrored, outline, rounded, strip
from .sheet import Patch, Sheet
from .tops import Labels
from .traits import Traits

_SIZES = {"small": 0.72, "medium": 1.0, "large": 1.32}


def _bag_outline(traits: Traits, shape: str, wide: float, tall: float) -> Line:
    """A bag's body, half width `wide`, height `tall`."""
    if shape == "trapezoid":
        top = wide * traits.between("taper", 0.66, 0.88)
        half: list[Point] = [
            (0.0, -tall),
            corner(top, -tall),
            (wide * 0.98, -tall * 0.22),
            (wide * 0.93, -0.6),
            (0.0, 0.0),
        ]
    elif shape == "flared":
        low = wide * traits.between("taper", 0.72, 0.92)
        half = [(0.0, -tall), corner(wide, -tall), (low * 1.02, -tall * 0.2), (low * 0.94, -0.5), (0.0, 0.0)]
    elif shape == "moon":
        half = [
            (0.0, -tall),
            corner(wide, -tall),
            (wide * 1.02, -tall * 0.62),
            (wide * 0.6, -tall * 0.09),
            (0.0, 0.0),
        ]
    elif shape == "round":
        return ellipse(0.0, -tall / 2, wide * 0.88, tall / 2)
    elif shape == "slouch":
        half = [
            (0.0, -tall * 0.93),
            corner(wide * 0.8, -tall),
            (wide * 1.0, -tall * 0.42),
            (wide * 0.86, -1.0),
            (0.0, 0.0),
        ]
    else:
        return rounded(-wide, -tall, wide, 0.0, traits.between("round corners", 0.6, 4.5))
    return outline(mirrored(half))


def _draw_handle(sheet: Sheet, wardrobe: Wardrobe, line: Line, width: float, *, chain: bool = False) -> None:
    if not chain:
        sheet.fill(strip(line, width), wardrobe.plain, shade=0.25)
        return
    sheet.fill(strip(line, width * 0.55), wardrobe.metal, shade=0)
    sheet.stitches(line, wardrobe.metal.ink, None, 0.9)


def draw_handbag(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A handbag: body, handle, closure, seams."""
    size = _SIZES[labels["size"]] * traits.between("size", 0.92, 1.08)
    shape = traits.pick("bag shape", ("trapezoid", "box", "moon", "round", "slouch", "flared"))
    wide = 15.0 * size * traits.between("wide", 0.85, 1.15)
    tall = 20.0 * size * traits.between("tall", 0.74, 1.05)
    if shape == "moon":
        tall *= 0.8
    loop = {"top handle": 11.0, "shoulder strap": 25.0, "chain": 23.0}[labels["handle"]]
    loop *= traits.between("loop", 0.85, 1.15)
    loop *= 0.6 + 0.4 * size
    sheet = Sheet(traits, (-max(wide, 15.0), -tall - loop, max(wide, 15.0), 0.5), wardrobe.main.ink)
    sunk = tall * 0.22 if shape == "round" else 0.0
    _handbag_handle(sheet, traits, labels, wardrobe, (wide, tall, loop), sunk)
    body = sheet.fill(_bag_outline(traits, shape, wide, tall), wardrobe.main, shade=0.42)
    _bag_seams(sheet, traits, wardrobe, body, wide, tall)
    _handbag_closure(sheet, traits, labels, wardrobe, body, wide, tall)
    return sheet


def _handbag_handle(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    wardrobe: Wardrobe,
    measures: tuple[float, float, float],
    sunk: float,
) -> None:
    """The handle behind the body; measures: the bag's half width and height, the handle's own height.

    `sunk` is how far below the bag's top the handle's feet are fixed.
    """
    wide, tall, loop = measures
    loop, tall = loop + sunk, tall - sunk
    if sunk:
        wide *= 0.78
    chain = labels["handle"] == "chain"
    span = (0.42, 0.66) if labels["handle"] == "top handle" else (0.7, 0.9)
    foot = wide * traits.between("handle foot", *span)
    width = 1.7 if labels["handle"] == "top handle" else 1.5
    width *= traits.between("handle width", 0.8, 1.3)
    style = traits.pick("handle line", ("arch", "pointed", "square"))
    line = curve(_handle_points(style, foot, -tall, -tall - loop + width, loop))
    _draw_handle(sheet, wardrobe, line, width, chain=chain)
    for side in (-1, 1):
        left, right = side * foot - width * 0.75, side * foot + width * 0.75
        sheet.fill(rounded(left, -tall - 0.6, right, -tall + 1.8, 0.5), wardrobe.metal, shade=0)


def _handle_points(style: str, foot: float, top: float, peak: float, loop: float) -> list[Point]:
    """A handle from one foot over its peak to the other; `top` is the bag's upper edge."""
    low = top + 1.5
    if style == "square":
        return [corner(-foot, low), (-foot, top - loop * 0.7), (-foot * 0.6, peak), (foot * 0.6, peak),
                (foot, top - loop * 0.7), corner(foot, low)]  # fmt: skip
    wide, high = (foot * 0.8, top - loop * 0.6) if style == "arch" else (foot * 0.4, top - loop * 0.62)
    return [(-foot, low), (-wide, high), (0.0, peak), (wide, high), (foot, low)]


def _bag_seams(
    sheet: Sheet, traits: Traits, wardrobe: Wardrobe, body: Patch, wide: float, tall: float
) -> None:
    style = traits.pick("bag seams", ("base", "sides", "quilt", "front pocket", "none"))
    ink, thread = wardrobe.main.ink, wardrobe.thread
    if style == "base":
        y = -tall * traits.between("base", 0.14, 0.28)
        base = [(-wide - 2, y), (wide + 2, y), (wide + 2, 2.0), (-wide - 2, 2.0)]
        sheet.fill(base, wardrobe.trim, shade=0.08, within=body)
    elif style == "sides":
        x = wide * traits.between("side seam", 0.66, 0.84)
        for side in (-1, 1):
            sheet.strokes(
                [curve([(side * x * 0.9, -tall), (side * x, -tall * 0.5), (side * x, 1.0)])],
                ink,
                1.3,
                0.6,
                body,
            )
    elif style == "quilt":
        step = traits.between("quilt", 3.0, 5.5)
        lines: list[Line] = []
        for n in range(-14, 15):
            lines += [
                [(n * step - tall, -tall), (n * step + tall, tall)],
                [(n * step + tall, -tall), (n * step - tall, tall)],
            ]
        sheet.strokes(lines, ink, 1.2, 0.5, body)
    elif style == "front pocket":
        pocket = rounded(-wide * 0.6, -tall * 0.5, wide * 0.6, -tall * 0.1, 1.5)
        sheet.fill(pocket, wardrobe.main, shade=0.12, within=body)
        sheet.stitches([(-wide * 0.6, -tall * 0.46), (wide * 0.6, -tall * 0.46)], thread, body)


def _handbag_closure(
    sheet: Sheet, traits: Traits, labels: Labels, wardrobe: Wardrobe, body: Patch, wide: float, tall: float
) -> None:
    closure = labels["closure"]
    if closure == "zip":
        y = -tall + traits.between("zip place", 1.4, 3.4)
        draw_zip(sheet, traits, wardrobe, [(-wide * 0.74, y), (wide * 0.74, y)], body)
    elif closure == "flap":
        low = -tall * traits.between("flap", 0.34, 0.6)
        tip = {"round": 0.2, "straight": 0.0, "pointed": 0.3}[
            traits.pick("flap line", ("round", "straight", "pointed"))
        ]
        points = [
            corner(-wide - 1, -tall - 1),
            corner(wide + 1, -tall - 1),
            (wide * 0.96, low * 1.1),
            (wide * 0.5, low + tall * tip * 0.6),
            (0.0, low + tall * tip),
            (-wide * 0.5, low + tall * tip * 0.6),
            (-wide * 0.96, low * 1.1),
        ]
        sheet.fill(outline(points), wardrobe.main, shade=0.26, edge=0.9, within=body)
        if traits.chance("lock", 0.7):
            y = low + tall * tip
            sheet.fill(rounded(-1.2, y - 2.0, 1.2, y + 0.8, 0.5), wardrobe.metal, shade=0.1)
    elif closure == "clasp":
        bar = [
            (-wide * 0.9, -tall - 0.2),
            (wide * 0.9, -tall - 0.2),
            (wide * 0.9, -tall + 1.3),
            (-wide * 0.9, -tall + 1.3),
        ]
        sheet.fill(bar, wardrobe.metal, shade=0.1)
        for side in (-1, 1):
            sheet.fill(ellipse(side * 0.8, -tall - 0.7, 0.9, 0.9, 12), wardrobe.metal, shade=0)
    else:
        for x in traits.pick("buckles", ((0.0,), (0.0,), (-0.5, 0.5))):
            cx = x * wide
            strap = rounded(cx - 1.3, -tall - 0.3, cx + 1.3, -tall * 0.48, 1.2)
            sheet.fill(strap, wardrobe.trim, shade=0.15)
            sheet.fill(rounded(cx - 1.9, -tall * 0.68, cx + 1.9, -tall * 0.56, 0.4), wardrobe.metal, shade=0)


def draw_tote(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """An open carrier with two handles."""
    size = _SIZES[labels["size"]] * traits.between("size", 0.92, 1.08)
    shape = traits.pick("tote shape", ("box", "flared", "trapezoid", "slouch"))
    wide = 18.0 * size * traits.between("wide", 0.86, 1.16)
    tall = 33.0 * size * traits.between("tall", 0.8, 1.08)
    loop = 11.0 if labels["handle"] == "short handles" else 25.0
    loop *= traits.between("loop", 0.88, 1.12) * (0.5 + 0.5 * size)
    sheet = Sheet(traits, (-wide, -tall - loop, wide, 0.5), wardrobe.main.ink)
    foot = wide * traits.between("handle foot", 0.36, 0.56)
    width = traits.between("handle width", 1.4, 2.6)
    shift = traits.between("back handle", -1.8, 1.8)
    for back in (True, False):
        bend = loop * (0.9 if back else 1.0)
        dx = shift if back else 0.0
        line = [
            (dx - foot, -tall + (1 if back else 5)),
            (dx - foot * 0.9, -tall - bend * 0.6),
            (dx, -tall - bend + width),
            (dx + foot * 0.9, -tall - bend * 0.6),
            (dx + foot, -tall + (1 if back else 5)),
        ]
        if back:
            _draw_handle(sheet, wardrobe, curve(line), width)
            body = sheet.fill(_bag_outline(traits, shape, wide, tall), wardrobe.main, shade=0.36)
        else:
            cloth = wardrobe.trim if traits.chance("handles in trim", 0.4) else wardrobe.plain
            sheet.fill(strip(curve(line), width), cloth, shade=0.2)
    _bag_seams(sheet, traits, wardrobe, body, wide, tall)
    sheet.stitches([(-wide, -tall + 2.2), (wide, -tall + 2.2)], wardrobe.thread, body)
    _tote_closure(sheet, traits, labels, wardrobe, body, wide, tall)
    return sheet


def _tote_closure(
    sheet: Sheet, traits: Traits, labels: Labels, wardrobe: Wardrobe, body: Patch, wide: float, tall: float
) -> None:
    if labels["closure"] == "zip":
        draw_zip(sheet, traits, wardrobe, [(-wide * 0.94, -tall + 0.9), (wide * 0.94, -tall + 0.9)], body)
    elif labels["closure"] == "clasp":
        tab = rounded(-1.5, -tall - 0.3, 1.5, -tall + 6.5, 1.3)
        sheet.fill(tab, wardrobe.trim, shade=0.15)
        sheet.fill(ellipse(0.0, -tall + 4.8, 0.9, 0.9, 12), wardrobe.metal, shade=0)
    if labels["pattern"] == "plain" and traits.chance("tote motif", 0.35):
        y, size = -tall * 0.45, wide * traits.between("motif size", 0.25, 0.45)
        cloth = flat(wardrobe.thread) if traits.chance("motif thread", 0.5) else wardrobe.trim
        if traits.chance("motif ring", 0.5):
            sheet.fill(
                strip(arc(0.0, y, size, size, 0, 6.2832, 26), size * 0.25),
                cloth,
                shade=0,
                edge=0,
                within=body,
            )
        else:
            for n in range(3):
                line = [
                    (-size, y + (n - 1) * size * 0.6),
                    (size * traits.between(f"motif {n}", 0.1, 1.0), y + (n - 1) * size * 0.6),
                ]
                sheet.fill(strip(line, size * 0.26), cloth, shade=0, edge=0, within=body)
