"""Jackets and coats, drawn from the front."""

from .cloth import Wardrobe
from .fronts import (
    draw_belt,
    draw_buttons,
    draw_opening,
    draw_patch_pocket,
    draw_slit_pockets,
    draw_zip,
)
from .geometry import Line, Point, curve, flipped
from .necks import (
    collar_rise,
    draw_hood_back,
    draw_hood_front,
    draw_lapels,
    draw_neck_band,
    draw_shirt_collar,
    draw_stand_collar,
    neck_width,
    neckline_points,
)
from .sheet import Patch, Sheet
from .tops import LENGTHS, Labels, draw_raglan, frame_of
from .torso import (
    Sleeve,
    Torso,
    body_outline,
    draw_back,
    draw_cuffs,
    draw_hem_band,
    draw_sleeves,
    rib_lines,
    seam_between,
    shape_sleeve,
    shape_torso,
)
from .traits import Traits

_COAT_LENGTHS = {"thigh": 86.0, "knee": 103.0, "calf": 121.0}


def draw_outerwear(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A jacket or a coat."""
    coat = labels["kind"] == "coat"
    length = (_COAT_LENGTHS if coat else LENGTHS)[labels["length"]] * traits.between("length", 0.94, 1.06)
    label = labels["neckline"]
    points = neckline_points(traits, label, neck_width(traits, label))
    flare = traits.pick("flare", (0.0, 2.0, 6.0, 10.0)) if coat else traits.pick("flare", (-1.5, 0.0, 1.0))
    torso = shape_torso(traits, labels["fit"], length, flare=flare, neck=points[-1][0])
    sleeve = shape_sleeve(traits, labels["sleeve"], labels["fit"])
    sheet = Sheet(traits, frame_of(torso, sleeve, -18.0 if label == "hood" else -4.0), wardrobe.main.ink)
    if label == "hood":
        draw_hood_back(sheet, traits, torso, wardrobe)
    draw_back(sheet, torso, points, wardrobe, rise=collar_rise(label))
    contrast = labels["kind"] == "jacket" and traits.chance("contrast sleeves", 0.1)
    sleeves = (
        draw_sleeves(sheet, torso, sleeve, wardrobe.trim if contrast else wardrobe.main) if sleeve else []
    )
    body = sheet.fill(body_outline(torso, points), wardrobe.main)
    if sleeve and traits.chance("raglan", 0.15):
        draw_raglan(sheet, torso, wardrobe, body)
    quilted = labels["material"] == "nylon" and traits.chance("quilted", 0.65)
    if quilted:
        _draw_quilting(sheet, traits, torso, sleeve, wardrobe, body, sleeves)
    else:
        _draw_seams(sheet, traits, torso, wardrobe, body, coat=coat)
    _draw_edges(sheet, traits, torso, sleeve, sleeves, wardrobe, body, coat=coat)
    _draw_pockets(sheet, traits, torso, wardrobe, body, coat=coat)
    _draw_closure(sheet, traits, labels, torso, points, wardrobe, body)
    _draw_collar(sheet, traits, label, torso, points, wardrobe, body)
    return sheet


def _draw_closure(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    torso: Torso,
    points: list[Point],
    wardrobe: Wardrobe,
    body: Patch,
) -> None:
    depth, hem = points[0][1], torso.hem[1] + torso.sag
    closure = labels["closure"]
    if closure == "open":
        draw_opening(sheet, wardrobe, 0.0, depth, hem, traits.between("gap", 3, 7), body)
    elif closure == "zip":
        slant = traits.pick("zip slant", (0.0, 0.0, 0.0, 9.0)) if labels["kind"] == "jacket" else 0.0
        if traits.chance("storm flap", 0.25):
            sheet.strokes([[(3.4, depth), (3.4, hem + 3)]], wardrobe.main.ink, 1.3, 0.7, body)
        draw_zip(sheet, traits, wardrobe, [(slant, depth * 0.9), (slant * 0.15, hem + 3)], body)
    elif closure == "belt":
        overlap, (wx, wy) = traits.between("overlap", 3, 8), torso.waist
        edge = [(0.0, depth), (overlap, wy), (overlap * 1.2, hem + 3)]
        sheet.strokes([edge], wardrobe.main.ink, 1.6, 0.85, body)
        draw_belt(sheet, traits, wardrobe, wy + traits.between("belt place", 0, 5), wx + 1, body)
    else:
        _draw_buttoning(sheet, traits, wardrobe, depth, hem, body, double=closure == "double-breasted")


def _draw_buttoning(
    sheet: Sheet, traits: Traits, wardrobe: Wardrobe, depth: float, hem: float, body: Patch, *, double: bool
) -> None:
    """One row of buttons, or two beside an overlap, between the neckline and the hem."""
    ink = wardrobe.main.ink
    if double:
        overlap = traits.between("overlap", 6, 9)
        edge = [(0.0, depth), (overlap, depth + 7), (overlap, hem + 3)]
        sheet.strokes([edge], ink, 1.6, 0.85, body)
        low = min(hem - 8, depth + (hem - depth) * traits.between("button end", 0.5, 0.75))
        for x in (-overlap * 0.62, overlap * 0.62):
            draw_buttons(sheet, traits, wardrobe, x, depth + 6, low, size=1.45)
        return
    place = traits.pick("button line", (0.0, 0.0, 1.6))
    sheet.strokes([[(place + 1.9, depth), (place + 1.9, hem + 3)]], ink, 1.5, 0.8, body)
    low = hem - 6 if hem < 75 else depth + (hem - depth) * traits.between("button end", 0.6, 0.9)
    draw_buttons(sheet, traits, wardrobe, place, depth + 4, low, size=1.35)


def _draw_collar(
    sheet: Sheet,
    traits: Traits,
    label: str,
    torso: Torso,
    points: list[Point],
    wardrobe: Wardrobe,
    body: Patch,
) -> None:
    depth = points[0][1]
    cloth = wardrobe.trim if traits.chance("collar in trim", 0.15) else wardrobe.main
    if label == "lapel":
        draw_lapels(sheet, traits, torso, cloth, depth, shawl=traits.chance("shawl", 0.12))
    elif label == "shirt collar":
        draw_shirt_collar(sheet, traits, torso, cloth, depth)
    elif label == "stand collar":
        draw_stand_collar(sheet, traits, torso, cloth, depth)
    elif label == "hood":
        draw_hood_front(sheet, traits, torso, wardrobe, depth, body)
    else:
        draw_neck_band(sheet, points, cloth, traits.between("neck band", 1.0, 2.6))


def _draw_quilting(
    sheet: Sheet,
    traits: Traits,
    torso: Torso,
    sleeve: Sleeve | None,
    wardrobe: Wardrobe,
    body: Patch,
    sleeves: list[Patch],
) -> None:
    step = traits.between("quilt step", 6, 12)
    half, hem = max(torso.hem[0], torso.armpit[0]) + 2, torso.hem[1]
    lines: list[Line] = []
    if traits.chance("diamond quilt", 0.3):
        for n in range(-12, 24):
            y = n * step
            lines += [[(-half, y), (half, y + 2 * half)], [(half, y), (-half, y + 2 * half)]]
    else:
        for n in range(1, int(hem / step) + 1):
            y = n * step + 2
            lines.append(curve([(-half, y), (-half * 0.5, y + 1), (0.0, y), (half * 0.5, y + 1), (half, y)]))
    sheet.strokes(lines, wardrobe.main.ink, 1.5, 0.75, body)
    pale = [[(x, y + 1.3) for x, y in line] for line in lines]
    sheet.strokes(pale, (255, 255, 255), 2.2, 0.13, body)
    if sleeve:
        wide = torso.shoulder[0] + sleeve.length
        rows = [torso.shoulder[1] + n * step for n in range(1, int(sleeve.length / step) + 2)]
        for side, patch in zip((-1, 1), sleeves, strict=True):
            across = [[(side * torso.shoulder[0] * 0.6, y + 5), (side * wide, y - 5)] for y in rows]
            sheet.strokes([list(line) for line in across], wardrobe.main.ink, 1.4, 0.65, patch)


def _draw_seams(
    sheet: Sheet, traits: Traits, torso: Torso, wardrobe: Wardrobe, body: Patch, *, coat: bool
) -> None:
    """Long seams and a yoke; where they run is the design's own."""
    style = traits.pick("seams", ("princess", "yoke", "trucker", "none"))
    ink, thread = wardrobe.main.ink, wardrobe.thread
    if style == "princess":
        right = curve(
            [
                seam_between(torso, 0.6),
                (torso.waist[0] * 0.6, torso.waist[1]),
                (torso.hem[0] * 0.62, torso.hem[1] + 2),
            ]
        )
        sheet.strokes([right, flipped(right)], ink, 1.2, 0.6, body)
    elif style in ("yoke", "trucker"):
        y = torso.shoulder[1] + traits.between("yoke height", 8, 14)
        line = [(-30.0, y), (30.0, y)]
        sheet.strokes([line], ink, 1.2, 0.7, body)
        sheet.stitches([(-30.0, y + 0.9), (30.0, y + 0.9)], thread, body)
        if style == "trucker" and not coat:
            for side in (-1, 1):
                lean = [(side * 13.0, y), (side * 8.5, torso.hem[1] + 2)]
                sheet.strokes([lean], ink, 1.2, 0.6, body)
                sheet.stitches([(x + side, v) for x, v in lean], thread, body)


def _draw_edges(
    sheet: Sheet,
    traits: Traits,
    torso: Torso,
    sleeve: Sleeve | None,
    sleeves: list[Patch],
    wardrobe: Wardrobe,
    body: Patch,
    *,
    coat: bool,
) -> None:
    ribbed = not coat and traits.chance("ribbed", 0.4)
    height = traits.between("rib height", 4, 7)
    if ribbed:
        draw_hem_band(sheet, torso, wardrobe.trim, height, body)
        rib_lines(sheet, torso, height, wardrobe.trim, body)
    else:
        hx, hy = torso.hem
        sheet.stitches(
            [(-hx - 1, hy - 2.4), (0.0, hy + torso.sag - 2.4), (hx + 1, hy - 2.4)], wardrobe.thread, body
        )
    if sleeve and sleeves and (ribbed or traits.chance("cuffs", 0.5)):
        draw_cuffs(sheet, torso, sleeve, wardrobe.trim if ribbed else wardrobe.main, height, sleeves)


def _draw_pockets(
    sheet: Sheet, traits: Traits, torso: Torso, wardrobe: Wardrobe, body: Patch, *, coat: bool
) -> None:
    style = traits.pick("pockets", ("slit", "flap", "patch", "chest", "none"))
    y = torso.waist[1] + traits.between("pocket drop", 3, 9) + (6 if coat else -4)
    x = torso.waist[0] * traits.between("pocket place", 0.5, 0.66)
    low = min(y + 14, torso.hem[1] - 4)
    if style == "slit":
        draw_slit_pockets(
            sheet, wardrobe.main, x, min(y, torso.hem[1] - 18), traits.between("slit lean", 0, 5), body
        )
    elif style == "chest" and not coat:
        for side in (-1, 1):
            box = (side * 11.5 - 5, 19.0, side * 11.5 + 5, 30.5)
            draw_patch_pocket(sheet, traits, wardrobe.main, box, body, flap=True)
    elif style in ("flap", "patch", "chest") and low - y > 6:
        for side in (-1, 1):
            box = (side * x - 6.5, y, side * x + 6.5, y + 5 if style == "flap" else low)
            draw_patch_pocket(sheet, traits, wardrobe.main, box, body, flap=style != "patch")
