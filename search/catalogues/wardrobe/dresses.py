"""Dresses and skirts, drawn from the front."""

from math import sin

from .cloth import Wardrobe
from .fronts import draw_belt, draw_buttons, draw_patch_pocket, draw_placket, draw_zip
from .geometry import Line, Point, band, corner, curve, mirrored, outline
from .necks import collar_rise, draw_neck_band, draw_shirt_collar, neck_width, neckline_points
from .sheet import Patch, Sheet
from .tops import Labels, frame_of
from .torso import Torso, body_points, draw_back, draw_cuffs, draw_sleeves, shape_sleeve, shape_torso
from .traits import Traits

_DRESS_LENGTHS = {"mini": 84.0, "knee": 101.0, "midi": 119.0, "maxi": 140.0}
_SKIRT_LENGTHS = {"mini": 40.0, "knee": 58.0, "midi": 77.0, "maxi": 98.0}


def draw_dress(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A dress: bodice, skirt, and what joins them."""
    length = _DRESS_LENGTHS[labels["length"]] * traits.between("length", 0.95, 1.05)
    label = labels["neckline"]
    points = neckline_points(traits, label, neck_width(traits, label))
    widening = {"slim": (-2.0, 4.0), "regular": (6.0, 15.0), "loose": (15.0, 27.0)}[labels["fit"]]
    flare = traits.between("flare", *widening) * (0.6 + 0.4 * length / 110)
    fit = "slim" if traits.chance("fitted bodice", 0.6) else labels["fit"]
    torso = shape_torso(traits, fit, length, flare=flare, neck=points[-1][0])
    sleeve = shape_sleeve(traits, labels["sleeve"], fit)
    straps = sleeve is None and label in ("scoop", "square", "v-neck") and traits.chance("straps", 0.6)
    if straps:
        torso = Torso(
            torso.neck,
            (torso.neck + traits.between("strap", 1.6, 4.0), 1.0),
            torso.armpit,
            torso.waist,
            torso.hem,
            torso.sag,
        )
    sheet = Sheet(traits, frame_of(torso, sleeve, -3.0), wardrobe.main.ink)
    draw_back(sheet, torso, points, wardrobe, rise=collar_rise(label))
    sleeves = draw_sleeves(sheet, torso, sleeve, wardrobe.main) if sleeve else []
    body = sheet.fill(outline(mirrored(_dress_points(traits, torso, points))), wardrobe.main)
    _draw_skirt_part(sheet, traits, labels, torso, wardrobe, body)
    depth = points[0][1]
    if labels["closure"] == "buttons":
        end = torso.hem[1] - 5 if traits.chance("buttoned through", 0.6) else torso.waist[1]
        draw_placket(sheet, wardrobe, 0.0, depth - 1, end, 3.2, body)
        draw_buttons(sheet, traits, wardrobe, 0.0, depth + 3, end - 2)
    if labels["closure"] == "belt":
        draw_belt(sheet, traits, wardrobe, torso.waist[1] - 1, torso.waist[0] + 0.6, None)
    if label == "shirt collar":
        draw_shirt_collar(
            sheet,
            traits,
            torso,
            wardrobe.plain if traits.chance("plain collar", 0.4) else wardrobe.main,
            depth,
        )
    else:
        draw_neck_band(sheet, points, wardrobe.trim, traits.between("neck band", 0.6, 1.8))
    if sleeve and traits.chance("sleeve band", 0.4):
        draw_cuffs(sheet, torso, sleeve, wardrobe.trim, traits.between("cuff height", 1.5, 4), sleeves)
    return sheet


def _dress_points(traits: Traits, torso: Torso, neckline: list[Point]) -> list[Point]:
    """The right half: to the waist as a top, below it a skirt of the design's own line."""
    upper = body_points(torso, neckline)
    cut = next(n for n, point in enumerate(upper) if point == torso.waist)
    (wx, wy), (hx, hy) = torso.waist, torso.hem
    style = traits.pick("skirt line", ("straight", "bell", "mermaid", "straight"))
    knee = wy + (hy - wy) * 0.5
    middle = wx + (hx - wx) * {"straight": 0.5, "bell": 0.78, "mermaid": 0.22}[style]
    return [
        *upper[:cut],
        (wx, wy),
        (middle + 1.2, knee),
        corner(hx, hy),
        (hx * 0.5, hy + torso.sag + 0.9),
        (0.0, hy + torso.sag + 1.2),
    ]


def _draw_skirt_part(
    sheet: Sheet, traits: Traits, labels: Labels, torso: Torso, wardrobe: Wardrobe, body: Patch
) -> None:
    (wx, wy), (hx, hy) = torso.waist, torso.hem
    if traits.chance("waist seam", 0.65):
        line = curve([(-wx - 1, wy), (0.0, wy + 1.0), (wx + 1, wy)])
        sheet.strokes([line], wardrobe.main.ink, 1.4, 0.75, body)
    style = traits.pick("skirt folds", ("gathers", "pleats", "tiers", "none", "wrap"))
    if labels["fit"] == "slim" and style in ("gathers", "pleats"):
        style = "none"
    draw_skirt_folds(sheet, traits, style, (wx, wy), (hx, hy), wardrobe, body)
    sheet.stitches(
        [(-hx - 1, hy - 1.6), (0.0, hy + torso.sag - 0.6), (hx + 1, hy - 1.6)], wardrobe.thread, body
    )


def draw_skirt_folds(
    sheet: Sheet,
    traits: Traits,
    style: str,
    waist: tuple[float, float],
    hem: tuple[float, float],
    wardrobe: Wardrobe,
    body: Patch,
) -> None:
    """Gathers, pleats, tiers or a wrapped edge between `waist` and `hem` (right ends)."""
    (wx, wy), (hx, hy) = waist, hem
    ink = wardrobe.main.ink
    if style in ("gathers", "pleats"):
        count = traits.pick("fold count", (5, 7, 9, 12) if style == "pleats" else (6, 8, 10))
        lines: list[Line] = []
        for n in range(1, count):
            share = 2 * n / count - 1
            reach = (
                1.0 if style == "pleats" else 0.35 + 0.55 * abs(sin(n * 2.4 + traits.between("gather", 0, 3)))
            )
            end = (wx + (hx - wx) * reach) * share
            lines.append(
                curve(
                    [
                        (wx * share, wy + 0.4),
                        ((wx * share + end) / 2, wy + (hy - wy) * reach * 0.5),
                        (end, wy + (hy + 2 - wy) * reach),
                    ]
                )
            )
        sheet.strokes(lines, ink, 1.6, 0.42, body)
        pale = [[(x + 0.7, y) for x, y in line] for line in lines]
        sheet.strokes(pale, (255, 255, 255), 1.6, 0.16, body)
    elif style == "tiers":
        tiers = traits.pick("tiers", (2, 3, 4))
        for n in range(1, tiers):
            y = wy + (hy - wy) * n / tiers
            half = wx + (hx - wx) * n / tiers + 2
            sheet.strokes([curve([(-half, y), (0.0, y + 1.4), (half, y)])], ink, 1.8, 0.7, body)
            ticks = [
                [(half * (2 * k / 14 - 1), y + 1), (half * (2 * k / 14 - 1) * 1.03, y + 5)] for k in range(15)
            ]
            sheet.strokes([list(tick) for tick in ticks], ink, 1.2, 0.35, body)
    elif style == "wrap":
        side = traits.pick("wrap side", (-1, 1))
        edge = curve(
            [(side * wx * 0.7, wy), (side * hx * 0.42, wy + (hy - wy) * 0.6), (side * hx * 0.2, hy + 3)]
        )
        sheet.strokes([edge], ink, 1.8, 0.8, body)
        sheet.strokes([[(x + side * 0.8, y) for x, y in edge]], (40, 34, 40), 3.0, 0.14, body)


def draw_skirt(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A skirt."""
    length = _SKIRT_LENGTHS[labels["length"]] * traits.between("length", 0.94, 1.07)
    wx = traits.between("waist", 15.5, 18.5)
    spread = {"slim": (2.0, 6.5), "regular": (8.0, 15.0), "loose": (16.0, 28.0)}[labels["fit"]]
    hx = wx + traits.between("flare", *spread) * (0.75 + 0.25 * length / 60)
    sag = traits.between("hem sag", 0.5, 3.0)
    hip = max(wx + 3.2, wx + (hx - wx) * traits.between("hip", 0.34, 0.62))
    sheet = Sheet(traits, (-max(hx, hip), -1.0, max(hx, hip), length + sag), wardrobe.main.ink)
    half = [
        (0.0, 0.8),
        corner(wx, 0.0),
        (hip, min(20.0, length * 0.4)),
        corner(hx, length),
        (hx * 0.5, length + sag * 0.8),
        (0.0, length + sag),
    ]
    body = sheet.fill(outline(mirrored(half)), wardrobe.main)
    style = traits.pick("skirt folds", ("gathers", "pleats", "tiers", "wrap", "none"))
    if labels["fit"] == "slim" and style in ("gathers", "pleats", "tiers"):
        style = "none"
    high = traits.between("waistband", 2.4, 5.0)
    draw_skirt_folds(sheet, traits, style, (wx, high), (hx, length), wardrobe, body)
    sheet.stitches(
        [(-hx, length - 1.6), (0.0, length + sag - 1.6), (hx, length - 1.6)], wardrobe.thread, body
    )
    if traits.chance("skirt pockets", 0.35) and length > 36:
        for side in (-1, 1):
            if labels["material"] == "denim":
                sheet.strokes(
                    [curve([(side * (wx + 1.5), 9.0), (side * wx * 0.62, 8.0), (side * wx * 0.5, 3.0)])],
                    wardrobe.main.ink,
                    1.4,
                    0.8,
                    body,
                )
            else:
                draw_patch_pocket(
                    sheet, traits, wardrobe.main, (side * 9.5 - 5, 11, side * 9.5 + 5, 22), body
                )
    draw_waistband(sheet, traits, labels, wardrobe, wx, high, body)
    if labels["closure"] == "buttons":
        x = traits.pick("button side", (0.0, 0.0, 6.0))
        end = length - 4 if traits.chance("buttoned through", 0.65) else min(length - 4, 20.0)
        sheet.strokes([[(x + 1.7, high), (x + 1.7, length + sag)]], wardrobe.main.ink, 1.3, 0.7, body)
        draw_buttons(sheet, traits, wardrobe, x, high / 2, end, size=0.95)
    elif labels["closure"] == "zip":
        x = traits.pick("zip side", (0.0, wx * 0.55, -wx * 0.55))
        draw_zip(
            sheet, traits, wardrobe, [(x, high * 0.4), (x, high + traits.between("zip length", 12, 18))], body
        )
    return sheet


def draw_waistband(
    sheet: Sheet, traits: Traits, labels: Labels, wardrobe: Wardrobe, wx: float, high: float, body: Patch
) -> None:
    """The band at the top of a skirt or trousers: plain, elastic, drawn by a cord, or under a belt."""
    top = curve([(-wx - 1, 0.0), (0.0, 0.8), (wx + 1, 0.0)])
    sheet.fill(
        band(top, -high),
        wardrobe.plain if labels["closure"] != "elastic" else wardrobe.main,
        shade=0.12,
        within=body,
    )
    if labels["closure"] in ("elastic", "drawstring"):
        count = 22
        ticks = [
            [(wx * (2 * n / count - 1), -0.5), (wx * (2 * n / count - 1), high + 1.6)]
            for n in range(1, count)
        ]
        sheet.strokes([list(tick) for tick in ticks], wardrobe.main.ink, 1.1, 0.45, body)
    if labels["closure"] == "drawstring":
        for side in (-1, 1):
            end = side * traits.between("cord sway", 1.6, 4.0)
            cord = curve(
                [(side * 0.8, high * 0.6), (end * 0.5, high + 5), (end, high + traits.between("cord", 9, 15))]
            )
            sheet.strokes([cord], wardrobe.trim.ink, 3.0, 0.7, body)
            sheet.strokes([cord], (236, 232, 224), 1.8, 1.0, body)
    elif labels["closure"] == "belt":
        draw_belt(sheet, traits, wardrobe, 0.2, wx + 0.4, None)
