"""T-shirts, shirts, sweaters, hoodies and cardigans, drawn from the front."""

from .cloth import Wardrobe
from .fronts import (
    draw_buttons,
    draw_kangaroo,
    draw_opening,
    draw_patch_pocket,
    draw_placket,
    draw_print,
    draw_zip,
)
from .geometry import Point, flipped
from .necks import (
    collar_rise,
    draw_hood_back,
    draw_hood_front,
    draw_lapels,
    draw_neck_band,
    draw_shirt_collar,
    draw_stand_collar,
    draw_turtleneck,
    neck_width,
    neckline_points,
)
from .sheet import Patch, Sheet
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
    sleeve_axis,
)
from .traits import Traits

Labels = dict[str, str]

LENGTHS = {"cropped": 47.0, "hip": 65.0, "long": 80.0}


def frame_of(torso: Torso, sleeve: Sleeve | None, top: float) -> tuple[float, float, float, float]:
    """The box a garment needs, sleeves included."""
    half = max(torso.hem[0], torso.armpit[0], torso.shoulder[0])
    bottom = torso.hem[1] + torso.sag
    if sleeve:
        outer, inner = sleeve_axis(torso, sleeve)
        half, bottom = max(half, outer[0]), max(bottom, outer[1], inner[1])
    return (-half, top, half, bottom)


def draw_raglan(sheet: Sheet, torso: Torso, wardrobe: Wardrobe, body: Patch) -> None:
    """Seams from the neck to the armpits."""
    right = [(torso.neck, 0.4), seam_between(torso, 0.98)]
    sheet.strokes([right, flipped(right)], wardrobe.main.ink, 1.4, 0.6, body)


def draw_top(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """Any of the five kinds; what the kind adds to the body is drawn last."""
    kind, neck_label = labels["kind"], labels.get("neckline", "hood")
    length = LENGTHS[labels["length"]] * traits.between("length", 0.94, 1.06)
    if neck_label == "shawl collar":
        points = neckline_points(traits, "lapel", neck_width(traits, "lapel"))
    else:
        points = neckline_points(traits, neck_label, neck_width(traits, neck_label))
    torso = shape_torso(traits, labels["fit"], length, neck=points[-1][0])
    sleeve = shape_sleeve(traits, labels["sleeve"], labels["fit"])
    top = {"hood": -18.0, "turtleneck": -9.0}.get(neck_label, -3.0)
    sheet = Sheet(traits, frame_of(torso, sleeve, top), wardrobe.main.ink)
    if neck_label == "hood":
        draw_hood_back(sheet, traits, torso, wardrobe)
    draw_back(sheet, torso, points, wardrobe, rise=collar_rise(neck_label))
    contrast = kind in ("t-shirt", "hoodie", "sweater") and traits.chance("contrast sleeves", 0.12)
    sleeves = (
        draw_sleeves(sheet, torso, sleeve, wardrobe.trim if contrast else wardrobe.main) if sleeve else []
    )
    body = sheet.fill(body_outline(torso, points), wardrobe.main)
    if sleeve and traits.chance("raglan", 0.25) and neck_label not in ("shirt collar", "stand collar"):
        draw_raglan(sheet, torso, wardrobe, body)
    _finish_edges(sheet, traits, labels, torso, sleeve, sleeves, body, wardrobe)
    _FRONTS[kind](sheet, traits, labels, torso, points, body, wardrobe)
    return sheet


def _finish_edges(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    torso: Torso,
    sleeve: Sleeve | None,
    sleeves: list[Patch],
    body: Patch,
    wardrobe: Wardrobe,
) -> None:
    """Ribbed bands on knitted kinds, stitched hems on the others."""
    ribbed = labels["kind"] in ("sweater", "hoodie", "cardigan") and traits.chance("ribbed", 0.8)
    height = traits.between("rib height", 3.5, 7.0)
    if ribbed:
        draw_hem_band(sheet, torso, wardrobe.trim, height, body)
        rib_lines(sheet, torso, height, wardrobe.trim, body)
    else:
        hx, hy = torso.hem
        sheet.stitches([(-hx, hy - 1.9), (0.0, hy + torso.sag - 1.9), (hx, hy - 1.9)], wardrobe.thread, body)
    if sleeve and sleeves:
        cuffs = ribbed or labels["kind"] == "shirt" or traits.chance("sleeve band", 0.3)
        cloth = wardrobe.main if labels["kind"] == "shirt" else wardrobe.trim
        if cuffs:
            draw_cuffs(
                sheet,
                torso,
                sleeve,
                cloth,
                height if ribbed else traits.between("cuff height", 2, 5),
                sleeves,
            )
    elif traits.chance("armhole band", 0.6):
        line = [torso.shoulder, seam_between(torso, 0.5), torso.armpit]
        sheet.strokes([line, flipped(line)], wardrobe.trim.colour, 3.0, 0.9, body)


def _front_tshirt(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    torso: Torso,
    points: list[Point],
    body: Patch,
    wardrobe: Wardrobe,
) -> None:
    draw_neck_band(sheet, points, wardrobe.trim, traits.between("neck band", 0.9, 2.4))
    if labels["pattern"] == "plain" and traits.chance("print", 0.22):
        draw_print(sheet, traits, wardrobe, max(point[1] for point in points) + 17, body)
    elif traits.chance("chest pocket", 0.25):
        left = traits.between("pocket left", 4.5, 7)
        top = traits.between("pocket top", 17, 21)
        draw_patch_pocket(sheet, traits, wardrobe.main, (left, top, left + 9, top + 10.5), body)


def _front_sweater(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    torso: Torso,
    points: list[Point],
    body: Patch,
    wardrobe: Wardrobe,
) -> None:
    if labels["neckline"] == "turtleneck":
        draw_turtleneck(sheet, traits, torso, wardrobe.plain)
        return
    draw_neck_band(sheet, points, wardrobe.trim, traits.between("neck band", 1.8, 3.4))
    if labels["pattern"] == "plain" and traits.chance("cables", 0.3):
        low = max(point[1] for point in points) + 4
        for x in (-9, 0, 9):
            for lean in (1.3, -1.3):
                steps = [(x + lean * (1 if n % 2 else -1), low + n * 4.0) for n in range(20)]
                sheet.strokes([list(steps)], wardrobe.main.ink, 1.6, 0.45, body)


def _front_shirt(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    torso: Torso,
    points: list[Point],
    body: Patch,
    wardrobe: Wardrobe,
) -> None:
    depth = points[0][1]
    bottom = torso.hem[1] + torso.sag
    half_way = traits.chance("half placket", 0.14)
    end = depth + 22 if half_way else bottom
    draw_placket(sheet, wardrobe, 0.0, depth - 1, end, traits.between("placket", 2.6, 4.0), body)
    draw_buttons(sheet, traits, wardrobe, 0.0, depth + 4, end - (2 if half_way else 6), size=0.8)
    for side, odds in ((1, 0.5), (-1, 0.25)):
        if traits.chance(f"pocket {side}", odds):
            x = side * 10.5
            top = traits.between("pocket top", 17, 21)
            draw_patch_pocket(sheet, traits, wardrobe.main, (x - 4.8, top, x + 4.8, top + 11), body,
                              flap=traits.chance("pocket flap", 0.4))  # fmt: skip
    if labels["neckline"] == "shirt collar":
        draw_shirt_collar(
            sheet,
            traits,
            torso,
            wardrobe.plain if traits.chance("plain collar", 0.3) else wardrobe.main,
            depth,
        )
    elif labels["neckline"] == "stand collar":
        draw_stand_collar(sheet, traits, torso, wardrobe.main, depth)
    else:
        draw_neck_band(sheet, points, wardrobe.main, 1.6)
    if traits.chance("yoke", 0.5):
        y = torso.shoulder[1] + traits.between("yoke height", 3, 7)
        sheet.stitches([(-torso.shoulder[0], y), (torso.shoulder[0], y)], wardrobe.thread, body)


def _front_hoodie(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    torso: Torso,
    points: list[Point],
    body: Patch,
    wardrobe: Wardrobe,
) -> None:
    hem = torso.hem[1]
    depth = points[0][1]
    if traits.chance("belly", 0.85):
        draw_kangaroo(sheet, traits, wardrobe, hem, body)
    if labels["closure"] == "zip":
        draw_zip(sheet, traits, wardrobe, [(0.0, depth), (0.0, hem + 3)], body)
    elif labels["pattern"] == "plain" and traits.chance("print", 0.25):
        draw_print(sheet, traits, wardrobe, depth + 13, body)
    draw_hood_front(sheet, traits, torso, wardrobe, depth, body)


def _front_cardigan(
    sheet: Sheet,
    traits: Traits,
    labels: Labels,
    torso: Torso,
    points: list[Point],
    body: Patch,
    wardrobe: Wardrobe,
) -> None:
    depth, hem = points[0][1], torso.hem[1] + torso.sag
    if labels["closure"] == "open":
        draw_opening(sheet, wardrobe, 0.0, depth, hem, traits.between("gap", 2.5, 6.5), body)
    else:
        draw_placket(sheet, wardrobe, 0.0, depth - 1, hem, traits.between("placket", 3.2, 5.2), body)
    if labels["neckline"] == "shawl collar":
        draw_lapels(sheet, traits, torso, wardrobe.trim, depth, shawl=True)
    else:
        draw_neck_band(sheet, points, wardrobe.trim, traits.between("neck band", 2.0, 3.6))
    if labels["closure"] == "buttons":
        draw_buttons(sheet, traits, wardrobe, 0.0, depth + 3, hem - 4, size=1.15)
    elif labels["closure"] == "zip":
        draw_zip(sheet, traits, wardrobe, [(0.0, depth), (0.0, hem)], body)
    if traits.chance("cardigan pockets", 0.5):
        for side in (-1, 1):
            x = side * torso.hem[0] * 0.55
            draw_patch_pocket(sheet, traits, wardrobe.main, (x - 5.5, hem - 20, x + 5.5, hem - 8), body)


_FRONTS = {
    "t-shirt": _front_tshirt,
    "shirt": _front_shirt,
    "sweater": _front_sweater,
    "hoodie": _front_hoodie,
    "cardigan": _front_cardigan,
}
