"""Trousers and shorts, drawn from the front."""

from .cloth import Wardrobe
from .fronts import draw_buttons, draw_patch_pocket
from .geometry import corner, curve, flipped, mirrored, outline
from .sheet import Patch, Sheet
from .skirts import draw_waistband
from .tops import Labels
from .traits import Traits

_LENGTHS = {"cropped": 80.0, "ankle": 93.0, "full": 104.0, "mini": 34.0, "mid-thigh": 43.0, "knee": 56.0}


def draw_bottoms(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """Trousers or shorts: two legs, a waistband, and the seams of the design."""
    length = _LENGTHS[labels["length"]] * traits.between("length", 0.96, 1.04)
    short = labels["kind"] == "shorts"
    wx = traits.between("waist", 17.0, 20.0)
    rise = traits.between("rise", 23, 31)
    ease = {"slim": 0.86, "regular": 1.0, "loose": 1.24}[labels["fit"]]
    hip = max(wx + 1.2, 21.5 * (0.5 + 0.5 * ease) * traits.between("hip", 0.96, 1.05))
    gap = traits.between("leg gap", 1.0, 4.0)
    line = traits.pick("leg line", ("taper", "straight", "flare"))
    cuff = {"taper": 8.5, "straight": 10.5, "flare": 13.5}[line] * ease * traits.between("cuff", 0.92, 1.1)
    if short:
        cuff = (
            (11.8 if line == "straight" else 12.8) * (0.35 + 0.65 * ease) * traits.between("cuff", 0.92, 1.1)
        )
    knee = (hip * 0.8 + cuff) / 2 * traits.between("knee", 0.92, 1.0)
    outer = gap + 2 * cuff if short else gap + 2 * cuff + traits.between("stance", 0.0, 4.5)
    inner = outer - 2 * cuff
    half = [(0.0, 0.7), corner(wx, 0.0), (hip, rise * 0.7)]
    if not short:
        half.append(((gap + outer) / 2 * 0.5 + knee + 1.0, rise + (length - rise) * 0.48))
    half += [corner(outer, length), corner(inner, length + traits.between("hem lean", -0.5, 1.0))]
    if not short:
        half.append((max(0.8, (inner + 0.8) * 0.5), rise + (length - rise) * 0.4))
    half.append(corner(0.25, rise + 1.5))
    sheet = Sheet(traits, (-max(hip, outer), -1.0, max(hip, outer), length + 1), wardrobe.main.ink)
    body = sheet.fill(outline(mirrored([*half, corner(0.0, rise)])), wardrobe.main)
    _draw_legs(sheet, traits, wardrobe, body, (hip, rise, length, inner, outer))
    high = traits.between("waistband", 3.0, 4.6)
    _draw_pockets(sheet, traits, labels, wardrobe, body, (wx, hip, rise, length))
    draw_waistband(sheet, traits, labels, wardrobe, wx, high, body)
    _draw_fly(sheet, traits, labels, wardrobe, body, high, rise)
    return sheet


def _draw_legs(
    sheet: Sheet,
    traits: Traits,
    wardrobe: Wardrobe,
    body: Patch,
    measures: tuple[float, float, float, float, float],
) -> None:
    """Creases, knees, side seams and hems; measures: hip, rise, length, inner and outer end of the hem."""
    hip, rise, length, inner, outer = measures
    ink = wardrobe.main.ink
    middle = (inner + outer) / 2
    style = traits.pick("leg seams", ("crease", "stripe", "patch", "none", "none"))
    if style == "crease":
        right = curve([(middle * 0.8, 8.0), (middle * 0.92, length * 0.5), (middle, length)])
        sheet.strokes([right, flipped(right)], ink, 1.2, 0.5, body)
    elif style == "stripe":
        right = curve(
            [
                (hip - 1.6, rise * 0.7),
                ((hip + outer) / 2 - 1.8, (rise + length) / 2),
                (outer - 2.0, length + 1),
            ]
        )
        sheet.strokes([right, flipped(right)], wardrobe.trim.colour, 4.5, 0.9, body)
    elif style == "patch" and length > 70:
        for side in (-1, 1):
            y = rise + (length - rise) * 0.36
            inside, outside = side * (inner - 4), side * (outer + 6)
            edges = [[(inside, y), (outside, y + 1)], [(inside, y + 14), (outside, y + 15)]]
            sheet.strokes(edges, ink, 1.2, 0.6, body)
    turned = traits.chance("turn-up", 0.25)
    for side in (-1, 1):
        rise_of_hem = 3.6 if turned else 1.7
        hem = [(side * (inner - 2), length - rise_of_hem), (side * (outer + 2), length - rise_of_hem)]
        if turned:
            sheet.strokes([hem], ink, 1.6, 0.8, body)
            sheet.strokes([[(x, y - 0.8) for x, y in hem]], (30, 26, 30), 2.4, 0.18, body)
        else:
            sheet.stitches(hem, wardrobe.thread, body)


def _draw_pockets(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    wardrobe: Wardrobe,
    body: Patch,
    measures: tuple[float, float, float, float],
) -> None:
    """Measures: half waist, half hip, rise, length."""
    wx, hip, rise, length = measures
    ink = wardrobe.main.ink
    style = (
        "curved"
        if labels["material"] == "denim"
        else traits.pick("pockets", ("slant", "curved", "none", "cargo"))
    )
    deep = traits.between("pocket depth", 11, 16)
    for side in (-1, 1):
        if style == "curved":
            line = curve(
                [(side * wx * 0.5, 2.0), (side * wx * 0.62, deep * 0.62), (side * (hip + 0.6), deep * 0.86)]
            )
        elif style != "none":
            line = [(side * wx * 0.72, 2.0), (side * (hip + 0.4), deep + 2)]
        else:
            continue
        sheet.strokes([line], ink, 1.5, 0.8, body)
        sheet.stitches([(x - side * 0.9, y + 0.8) for x, y in line], wardrobe.thread, body)
    if style == "cargo" and length > rise + 22:
        for side in (-1, 1):
            x, y = side * hip * 0.86, rise + traits.between("cargo", 4, 10)
            draw_patch_pocket(sheet, traits, wardrobe.main, (x - 5.5, y, x + 5.5, y + 13), body, flap=True)


def _draw_fly(
    sheet: Sheet, traits: Traits, labels: Labels, wardrobe: Wardrobe, body: Patch, high: float, rise: float
) -> None:
    ink = wardrobe.main.ink
    sheet.strokes([[(0.0, high), (0.0, rise + 1)]], ink, 1.3, 0.7, body)
    if labels["closure"] in ("buttons", "belt"):
        side = traits.pick("fly side", (-1, 1))
        fly = curve([(side * 2.8, high), (side * 2.6, rise * 0.5), (side * 0.2, rise * 0.68)])
        sheet.stitches(fly, wardrobe.thread, body)
    if labels["closure"] == "buttons":
        if traits.chance("button fly", 0.25):
            draw_buttons(sheet, traits, wardrobe, 0.0, high * 0.5, rise * 0.62, size=0.8)
        else:
            draw_buttons(sheet, traits, wardrobe, 0.0, high * 0.5, high * 0.5 + 0.01, size=0.95)
    if labels["material"] == "denim" or traits.chance("loops", 0.4):
        loops = [[(x, -0.5), (x, high + 0.8)] for x in (-13.0, -6.5, 6.5, 13.0)]
        sheet.strokes([list(loop) for loop in loops], ink, 3.4, 0.55, body)
