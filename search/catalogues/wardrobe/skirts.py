"""Skirts, drawn from the front, and what dresses and trousers share with them."""

from math import sin

from .cloth import Wardrobe
from .fronts import draw_belt, draw_buttons, draw_patch_pocket, draw_zip
from .geometry import Line, along, band, corner, curve, mirrored, outline
from .sheet import Patch, Sheet
from .tops import Labels
from .traits import Traits

Spot = tuple[float, float]

_LENGTHS = {"mini": 40.0, "knee": 58.0, "midi": 77.0, "maxi": 98.0}


def draw_skirt_folds(
    sheet: Sheet,
    traits: Traits,
    style: str,
    waist: Spot,
    hem: Spot,
    wardrobe: Wardrobe,
    body: Patch,
) -> None:
    """Gathers, pleats, tiers or a wrapped edge between `waist` and `hem` (right ends)."""
    ink = wardrobe.main.ink
    if style in ("gathers", "pleats"):
        lines = _fold_lines(traits, style, waist, hem)
        sheet.strokes(lines, ink, 1.6, 0.42, body)
        pale = [[(x + 0.7, y) for x, y in line] for line in lines]
        sheet.strokes(pale, (255, 255, 255), 1.6, 0.16, body)
    elif style == "tiers":
        tiers = traits.pick("tiers", (2, 3, 4))
        for n in range(1, tiers):
            half, y = along(waist, hem, n / tiers)
            half += 2
            sheet.strokes([curve([(-half, y), (0.0, y + 1.4), (half, y)])], ink, 1.8, 0.7, body)
            places = [half * (2 * k / 14 - 1) for k in range(15)]
            sheet.strokes([[(x, y + 1), (x * 1.03, y + 5)] for x in places], ink, 1.2, 0.35, body)
    elif style == "wrap":
        (wx, wy), (hx, hy) = waist, hem
        side = traits.pick("wrap side", (-1, 1))
        middle = (side * hx * 0.42, wy + (hy - wy) * 0.6)
        edge = curve([(side * wx * 0.7, wy), middle, (side * hx * 0.2, hy + 3)])
        sheet.strokes([edge], ink, 1.8, 0.8, body)
        sheet.strokes([[(x + side * 0.8, y) for x, y in edge]], (40, 34, 40), 3.0, 0.14, body)


def _fold_lines(traits: Traits, style: str, waist: Spot, hem: Spot) -> list[Line]:
    """Pleats run through to the hem, gathers end on the way."""
    (wx, wy), (hx, hy) = waist, hem
    count = traits.pick("fold count", (5, 7, 9, 12) if style == "pleats" else (6, 8, 10))
    shift = traits.between("gather", 0, 3)
    lines: list[Line] = []
    for n in range(1, count):
        share = 2 * n / count - 1
        reach = 1.0 if style == "pleats" else 0.35 + 0.55 * abs(sin(n * 2.4 + shift))
        end = (wx + (hx - wx) * reach) * share
        middle = ((wx * share + end) / 2, wy + (hy - wy) * reach * 0.5)
        lines.append(curve([(wx * share, wy + 0.4), middle, (end, wy + (hy + 2 - wy) * reach)]))
    return lines


def draw_skirt(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A skirt."""
    length = _LENGTHS[labels["length"]] * traits.between("length", 0.94, 1.07)
    wx = traits.between("waist", 15.5, 18.5)
    spread = {"slim": (2.0, 6.5), "regular": (8.0, 15.0), "loose": (16.0, 28.0)}[labels["fit"]]
    hx = wx + traits.between("flare", *spread) * (0.75 + 0.25 * length / 60)
    sag = traits.between("hem sag", 0.5, 3.0)
    hip = max(wx + 3.2, wx + (hx - wx) * traits.between("hip", 0.34, 0.62))
    sheet = Sheet(traits, (-max(hx, hip), -1.0, max(hx, hip), length + sag), wardrobe.main.ink)
    half = [(0.0, 0.8), corner(wx, 0.0), (hip, min(20.0, length * 0.4)), corner(hx, length),
            (hx * 0.5, length + sag * 0.8), (0.0, length + sag)]  # fmt: skip
    body = sheet.fill(outline(mirrored(half)), wardrobe.main)
    style = traits.pick("skirt folds", ("gathers", "pleats", "tiers", "wrap", "none"))
    if labels["fit"] == "slim" and style in ("gathers", "pleats", "tiers"):
        style = "none"
    high = traits.between("waistband", 2.4, 5.0)
    draw_skirt_folds(sheet, traits, style, (wx, high), (hx, length), wardrobe, body)
    hem = [(-hx, length - 1.6), (0.0, length + sag - 1.6), (hx, length - 1.6)]
    sheet.stitches(hem, wardrobe.thread, body)
    if traits.chance("skirt pockets", 0.35) and length > 36:
        _draw_pockets(sheet, traits, labels, wardrobe, wx, body)
    draw_waistband(sheet, traits, labels, wardrobe, wx, high, body)
    _draw_closure(sheet, traits, labels, wardrobe, (wx, high, length, sag), body)
    return sheet


def _draw_pockets(
    sheet: Sheet, traits: Traits, labels: Labels, wardrobe: Wardrobe, wx: float, body: Patch
) -> None:
    """Curved openings as on jeans, or pockets sewn on."""
    for side in (-1, 1):
        if labels["material"] == "denim":
            line = curve([(side * (wx + 1.5), 9.0), (side * wx * 0.62, 8.0), (side * wx * 0.5, 3.0)])
            sheet.strokes([line], wardrobe.main.ink, 1.4, 0.8, body)
        else:
            box = (side * 9.5 - 5, 11.0, side * 9.5 + 5, 22.0)
            draw_patch_pocket(sheet, traits, wardrobe.main, box, body)


def _draw_closure(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    wardrobe: Wardrobe,
    measures: tuple[float, float, float, float],
    body: Patch,
) -> None:
    """Buttons or a zip; measures: half the waist, the waistband's height, the skirt's length and sag."""
    wx, high, length, sag = measures
    if labels["closure"] == "buttons":
        x = traits.pick("button side", (0.0, 0.0, 6.0))
        end = length - 4 if traits.chance("buttoned through", 0.65) else min(length - 4, 20.0)
        sheet.strokes([[(x + 1.7, high), (x + 1.7, length + sag)]], wardrobe.main.ink, 1.3, 0.7, body)
        draw_buttons(sheet, traits, wardrobe, x, high / 2, end, size=0.95)
    elif labels["closure"] == "zip":
        x = traits.pick("zip side", (0.0, wx * 0.55, -wx * 0.55))
        line = [(x, high * 0.4), (x, high + traits.between("zip length", 12, 18))]
        draw_zip(sheet, traits, wardrobe, line, body)


def draw_waistband(
    sheet: Sheet, traits: Traits, labels: Labels, wardrobe: Wardrobe, wx: float, high: float, body: Patch
) -> None:
    """The band at the top of a skirt or trousers: plain, elastic, drawn by a cord, or under a belt."""
    top = curve([(-wx - 1, 0.0), (0.0, 0.8), (wx + 1, 0.0)])
    cloth = wardrobe.main if labels["closure"] == "elastic" else wardrobe.plain
    sheet.fill(band(top, -high), cloth, shade=0.12, within=body)
    if labels["closure"] in ("elastic", "drawstring"):
        count = 22
        places = [wx * (2 * n / count - 1) for n in range(1, count)]
        sheet.strokes([[(x, -0.5), (x, high + 1.6)] for x in places], wardrobe.main.ink, 1.1, 0.45, body)
    if labels["closure"] == "drawstring":
        for side in (-1, 1):
            end = side * traits.between("cord sway", 1.6, 4.0)
            low = high + traits.between("cord", 9, 15)
            cord = curve([(side * 0.8, high * 0.6), (end * 0.5, high + 5), (end, low)])
            sheet.strokes([cord], wardrobe.trim.ink, 3.0, 0.7, body)
            sheet.strokes([cord], (236, 232, 224), 1.8, 1.0, body)
    elif labels["closure"] == "belt":
        draw_belt(sheet, traits, wardrobe, 0.2, wx + 0.4, None)
