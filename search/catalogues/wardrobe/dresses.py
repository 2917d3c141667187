"""Dresses, drawn from the front."""

from dataclasses import replace

from .cloth import Wardrobe
from .fronts import draw_belt, draw_buttons, draw_placket
from .geometry import Point, corner, curve, mirrored, outline
from .necks import collar_rise, draw_neck_band, draw_shirt_collar, neck_width, neckline_points
from .sheet import Patch, Sheet
from .skirts import draw_skirt_folds
from .tops import Labels, frame_of
from .torso import Torso, body_points, draw_back, draw_cuffs, draw_sleeves, shape_sleeve, shape_torso
from .traits import Traits

_DRESS_LENGTHS = {"mini": 84.0, "knee": 101.0, "midi": 119.0, "maxi": 140.0}


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
        torso = replace(torso, shoulder=(torso.neck + traits.between("strap", 1.6, 4.0), 1.0))
    sheet = Sheet(traits, frame_of(torso, sleeve, -3.0), wardrobe.main.ink)
    draw_back(sheet, torso, points, wardrobe, rise=collar_rise(label))
    sleeves = draw_sleeves(sheet, torso, sleeve, wardrobe.main) if sleeve else []
    body = sheet.fill(outline(mirrored(_dress_points(traits, torso, points))), wardrobe.main)
    _draw_skirt_part(sheet, traits, labels, torso, wardrobe, body)
    _draw_closure(sheet, traits, labels, torso, points[0][1], wardrobe, body)
    if label == "shirt collar":
        collar = wardrobe.plain if traits.chance("plain collar", 0.4) else wardrobe.main
        draw_shirt_collar(sheet, traits, torso, collar, points[0][1])
    else:
        draw_neck_band(sheet, points, wardrobe.trim, traits.between("neck band", 0.6, 1.8))
    if sleeve and traits.chance("sleeve band", 0.4):
        draw_cuffs(sheet, torso, sleeve, wardrobe.trim, traits.between("cuff height", 1.5, 4), sleeves)
    return sheet


def _draw_closure(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    torso: Torso,
    depth: float,
    wardrobe: Wardrobe,
    body: Patch,
) -> None:
    """Buttons or a belt; `depth` is the neckline's lowest point."""
    if labels["closure"] == "buttons":
        end = torso.hem[1] - 5 if traits.chance("buttoned through", 0.6) else torso.waist[1]
        draw_placket(sheet, wardrobe, 0.0, depth - 1, end, 3.2, body)
        draw_buttons(sheet, traits, wardrobe, 0.0, depth + 3, end - 2)
    elif labels["closure"] == "belt":
        draw_belt(sheet, traits, wardrobe, torso.waist[1] - 1, torso.waist[0] + 0.6, None)


def _dress_points(traits: Traits, torso: Torso, neckline: list[Point]) -> list[Point]:
    """The right half: to the waist as a top, below it a skirt of the design's own line."""
    upper = body_points(torso, neckline)
    cut = next(n for n, point in enumerate(upper) if point == torso.waist)
    (wx, wy), (hx, hy) = torso.waist, torso.hem
    style = traits.pick("skirt line", ("straight", "bell", "mermaid", "straight"))
    knee = wy + (hy - wy) * 0.5
    middle = wx + (hx - wx) * {"straight": 0.5, "bell": 0.78, "mermaid": 0.22}[style]
    low = hy + torso.sag
    return [
        *upper[:cut],
        (wx, wy),
        (middle + 1.2, knee),
        corner(hx, hy),
        (hx * 0.5, low + 0.9),
        (0.0, low + 1.2),
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
