"""Backpacks from the front and hats from a little above the brim."""

from .cloth import Wardrobe
from .fronts import draw_zip
from .geometry import Point, band, corner, curve, ellipse, mirrored, outline, rounded, strip
from .sheet import Patch, Sheet
from .tops import Labels
from .traits import Traits

_SIZES = {"small": 0.78, "medium": 1.0, "large": 1.2}
_CROWNS = {"shallow": 0.78, "medium": 1.0, "deep": 1.3}


def draw_backpack(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A backpack: straps at the sides, body, front pocket, closure."""
    size = _SIZES[labels["size"]] * traits.between("size", 0.94, 1.06)
    wide, tall = (
        15.0 * size * traits.between("wide", 0.88, 1.14),
        42.0 * size * traits.between("tall", 0.84, 1.08),
    )
    sheet = Sheet(traits, (-wide - 4.5, -tall - 5.0, wide + 4.5, 0.5), wardrobe.main.ink)
    strap = (4.4 if labels["handle"] == "wide straps" else 1.9) * traits.between("strap width", 0.9, 1.15)
    for side in (-1, 1):
        line = curve(
            [
                (side * wide * 0.5, -tall + 1),
                (side * (wide + 2.0), -tall * 0.72),
                (side * (wide + 2.6), -tall * 0.35),
                (side * wide * 0.86, -1.5),
            ]
        )
        sheet.fill(strip(line, strap), wardrobe.plain, shade=0.3)
    grip = curve([(-3.4, -tall + 1), (-2.6, -tall - 3.2), (2.6, -tall - 3.2), (3.4, -tall + 1)])
    sheet.fill(strip(grip, 1.5), wardrobe.trim, shade=0.2)
    shoulder = traits.between("shoulder", 0.62, 0.96)
    foot = traits.between("foot", 0.86, 1.0)
    half: list[Point] = [
        (0.0, -tall),
        (wide * shoulder * 0.7, -tall * 0.985),
        (wide * shoulder, -tall * 0.93),
        (wide, -tall * 0.7),
        (wide * 1.01, -tall * 0.3),
        (wide * foot, -1.4),
        (wide * foot * 0.8, 0.0),
        (0.0, 0.0),
    ]
    body = sheet.fill(outline(mirrored(half)), wardrobe.main, shade=0.42)
    _backpack_front(sheet, traits, wardrobe, body, wide, tall)
    _backpack_closure(sheet, traits, labels, wardrobe, body, wide, tall)
    return sheet


def _backpack_front(
    sheet: Sheet, traits: Traits, wardrobe: Wardrobe, body: Patch, wide: float, tall: float
) -> None:
    style = traits.pick("front", ("pocket", "pocket", "two pockets", "base", "net"))
    if style == "base":
        y = -tall * traits.between("base", 0.18, 0.34)
        sheet.fill(
            [(-wide - 2, y), (wide + 2, y), (wide + 2, 2), (-wide - 2, 2)],
            wardrobe.trim,
            shade=0.1,
            within=body,
        )
        return
    high = tall * traits.between("pocket height", 0.34, 0.46)
    cloth = wardrobe.trim if traits.chance("pocket in trim", 0.25) else wardrobe.main
    spans = ((-0.82, -0.06), (0.06, 0.82)) if style == "two pockets" else ((-0.76, 0.76),)
    for left, right in spans:
        shape = rounded(
            wide * left, -high - 2.0, wide * right, -2.0, traits.between("pocket corners", 1.0, 5.0)
        )
        sheet.fill(shape, cloth, shade=0.22)
        if style == "net":
            continue
        draw_zip(
            sheet,
            traits,
            wardrobe,
            [(wide * left * 0.86, -high - 0.2), (wide * right * 0.86, -high - 0.2)],
            body,
        )
    if traits.chance("patch", 0.4):
        x = traits.between("patch place", -2.0, 2.0)
        sheet.fill(
            rounded(x - 2.4, -high * 0.62, x + 2.4, -high * 0.62 + 3.0, 0.4),
            wardrobe.metal,
            shade=0,
            within=body,
        )


def _backpack_closure(
    sheet: Sheet, traits: Traits, labels: Labels, wardrobe: Wardrobe, body: Patch, wide: float, tall: float
) -> None:
    if labels["closure"] == "zip":
        top = traits.between("zip arch", 0.86, 0.95)
        line = curve(
            [
                (-wide * 0.97, -tall * 0.56),
                (-wide * 0.84, -tall * 0.78),
                (0.0, -tall * top),
                (wide * 0.84, -tall * 0.78),
                (wide * 0.97, -tall * 0.56),
            ]
        )
        draw_zip(sheet, traits, wardrobe, line, body)
        return
    low = -tall * traits.between("flap", 0.52, 0.66)
    lid = outline(
        [
            corner(-wide - 1, -tall * 0.84),
            (-wide * 0.8, -tall - 0.6),
            (0.0, -tall - 1.2),
            (wide * 0.8, -tall - 0.6),
            corner(wide + 1, -tall * 0.84),
            (wide * 0.97, low - 2),
            (wide * 0.6, low),
            (-wide * 0.6, low),
            (-wide * 0.97, low - 2),
        ]
    )
    if labels["closure"] == "buckle":
        sheet.fill(lid, wardrobe.main, shade=0.3)
        for x in traits.pick("buckles", ((-0.45, 0.45), (-0.45, 0.45), (0.0,))):
            sheet.fill(
                rounded(wide * x - 1.1, low - 6.0, wide * x + 1.1, low + 5.5, 0.6), wardrobe.trim, shade=0.15
            )
            sheet.fill(
                rounded(wide * x - 1.8, low + 0.6, wide * x + 1.8, low + 3.4, 0.5), wardrobe.metal, shade=0
            )
        return
    gathers = [
        [(wide * (n / 7 - 1), -tall - 1), (wide * (n / 7 - 1) * 1.05, -tall * 0.82)] for n in range(1, 14)
    ]
    sheet.strokes([list(line) for line in gathers], wardrobe.main.ink, 1.5, 0.5, body)
    cord = curve([(-wide - 1, -tall * 0.87), (0.0, -tall * 0.85), (wide + 1, -tall * 0.87)])
    sheet.strokes([cord], wardrobe.trim.ink, 3.4, 0.8, body)
    sheet.strokes([cord], (234, 230, 222), 2.0, 1.0, body)
    for side in (-1, 1):
        sway = traits.own(f"cord {side}", 0.5, 3.0)
        tail = curve(
            [
                (side * 0.8, -tall * 0.85),
                (side * (1.0 + sway * 0.5), -tall * 0.76),
                (side * (0.8 + sway), -tall * 0.68),
            ]
        )
        sheet.strokes([tail], wardrobe.trim.ink, 3.2, 0.8, body)
        sheet.strokes([tail], (234, 230, 222), 1.9, 1.0, body)


def draw_hat(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A beanie, cap, bucket hat, fedora or sun hat, by its brim."""
    tall = 13.0 * _CROWNS[labels["size"]] * traits.between("crown", 0.92, 1.08)
    brim = labels["brim"]
    if brim == "none":
        tall *= 1.22
    wide = 11.0 * traits.between("head", 0.93, 1.07)
    reach = {"none": 0.8, "peak": 8.0, "narrow": 6.0, "wide": 14.0}[brim] * traits.between("brim", 0.86, 1.16)
    side = traits.pick("peak side", (-1, 1))
    right, left = (wide + reach, -wide - (1.0 if brim == "peak" else reach))
    frame = (left, -tall - 4.0, right, 6.5) if side > 0 else (-right, -tall - 4.0, -left, 6.5)
    sheet = Sheet(traits, frame, wardrobe.main.ink)
    if brim in ("narrow", "wide"):
        droop = traits.between("droop", -1.6, 4.5)
        back = outline(
            [
                (-wide - reach, droop * 0.7),
                (0.0, -3.4),
                (wide + reach, droop * 0.7),
                (wide * 0.7, 4.6 + droop * 0.4),
                (0.0, 5.8 + droop * 0.2),
                (-wide * 0.7, 4.6 + droop * 0.4),
            ]
        )
        sheet.fill(back, wardrobe.main, shade=0.42)
    crown = _draw_crown(sheet, traits, brim, wardrobe, wide, tall)
    if brim == "peak":
        _draw_peak(sheet, traits, wardrobe, wide, reach, tall, side, crown)
    elif brim == "none":
        _draw_beanie_edge(sheet, traits, wardrobe, wide, tall, crown)
    elif traits.chance("hat band", 0.7):
        high = traits.between("band height", 1.6, 4.2)
        line = curve([(-wide - 2, 0.6), (0.0, 3.0), (wide + 2, 0.6)])
        sheet.fill(band(line, high), wardrobe.trim, shade=0.1, within=crown)
    return sheet


def _draw_crown(
    sheet: Sheet, traits: Traits, brim: str, wardrobe: Wardrobe, wide: float, tall: float
) -> Patch:
    shapes = {
        "none": ("round", "slouch", "round"),
        "peak": ("round", "flat"),
        "narrow": ("flat", "pinched", "bucket"),
        "wide": ("round", "flat", "pinched"),
    }
    shape = traits.pick("crown shape", shapes[brim])
    tops: dict[str, list[Point]] = {
        "round": [(0.0, -tall), (wide * 0.62, -tall * 0.86), (wide * 0.96, -tall * 0.42)],
        "slouch": [(wide * 0.15, -tall * 1.12), (wide * 0.75, -tall * 0.98), (wide * 1.06, -tall * 0.5)],
        "flat": [(0.0, -tall), (wide * 0.72, -tall * 0.97), (wide * 0.92, -tall * 0.7)],
        "pinched": [
            (0.0, -tall * 0.86),
            (wide * 0.42, -tall),
            (wide * 0.78, -tall * 0.86),
            (wide * 0.95, -tall * 0.4),
        ],
        "bucket": [(0.0, -tall), corner(wide * 0.72, -tall * 0.96)],
    }
    half = [*tops[shape], corner(wide, 0.2), (wide * 0.55, 2.2), (0.0, 2.8)]
    crown = sheet.fill(outline(mirrored(half)), wardrobe.main, shade=0.44)
    if shape in ("round", "flat", "bucket") and traits.chance("panels", 0.5):
        lean = traits.between("panel lean", 0.3, 0.6) * wide
        lines = [curve([(0.0, -tall), (s * lean, -tall * 0.6), (s * lean * 1.3, 3.0)]) for s in (-1, 1)]
        sheet.strokes(lines, wardrobe.main.ink, 1.3, 0.6, crown)
    if shape == "pinched":
        sheet.strokes(
            [curve([(-wide * 0.3, -tall * 0.92), (0.0, -tall * 0.6), (wide * 0.3, -tall * 0.92)])],
            wardrobe.main.ink,
            1.6,
            0.5,
            crown,
        )
    return crown


def _draw_peak(
    sheet: Sheet,
    traits: Traits,
    wardrobe: Wardrobe,
    wide: float,
    reach: float,
    tall: float,
    side: int,
    crown: Patch,
) -> None:
    """A cap's peak to one side, its button and its front mark."""
    drop = traits.between("peak drop", 1.0, 4.0)
    shape = outline(
        [
            corner(side * wide * 0.1, 2.4),
            (side * wide * 0.75, -0.4),
            (side * (wide + reach * 0.6), 0.2 + drop * 0.4),
            corner(side * (wide + reach), 1.8 + drop),
            (side * (wide + reach * 0.3), 3.8 + drop * 0.5),
        ]
    )
    sheet.fill(shape, wardrobe.trim if traits.chance("peak in trim", 0.4) else wardrobe.plain, shade=0.36)
    if traits.chance("top button", 0.7):
        sheet.fill(ellipse(0.0, -tall - 0.2, 1.1, 0.7, 12), wardrobe.trim, shade=0.1)
    if traits.chance("front mark", 0.5):
        x = side * wide * 0.42
        sheet.fill(
            ellipse(x, -tall * 0.4, 2.4, traits.between("mark height", 1.4, 2.8)),
            wardrobe.trim,
            shade=0.1,
            within=crown,
        )


def _draw_beanie_edge(
    sheet: Sheet, traits: Traits, wardrobe: Wardrobe, wide: float, tall: float, crown: Patch
) -> None:
    """A turned-up edge and perhaps a bobble."""
    high = traits.between("turn-up", 3.0, 6.0)
    line = curve([(-wide - 0.2, 0.8), (0.0, 3.2), (wide + 0.2, 0.8)])
    edge = sheet.fill(
        band(line, high),
        wardrobe.trim
        if wardrobe.main is wardrobe.plain and traits.chance("edge in trim", 0.45)
        else wardrobe.plain,
        shade=0.3,
    )
    ribs = [[(wide * (n / 8 - 1), -high - 1), (wide * (n / 8 - 1), 5.0)] for n in range(1, 16)]
    sheet.strokes([list(rib) for rib in ribs], wardrobe.main.ink, 1.1, 0.35, edge)
    if traits.chance("bobble", 0.35):
        size = traits.between("bobble size", 2.2, 3.6)
        sheet.fill(ellipse(0.0, -tall - size * 0.4, size, size * 0.92), wardrobe.trim, shade=0.4)
    elif traits.chance("beanie seam", 0.4):
        sheet.strokes(
            [curve([(0.0, -tall), (wide * 0.1, -tall * 0.5), (0.0, 0.0)])], wardrobe.main.ink, 1.2, 0.5, crown
        )
