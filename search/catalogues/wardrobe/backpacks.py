"""Backpacks, drawn from the front (centimetres, the lower edge at y = 0)."""

from collections.abc import Callable

from .cloth import Wardrobe
from .fronts import draw_zip
from .geometry import Point, corner, curve, mirrored, outline, rounded, strip
from .sheet import Patch, Sheet
from .tops import Labels
from .traits import Traits

_SIZES = {"small": 0.78, "medium": 1.0, "large": 1.2}


def draw_backpack(traits: Traits, labels: Labels, wardrobe: Wardrobe) -> Sheet:
    """A backpack: straps at the sides, body, front pocket, closure."""
    size = _SIZES[labels["size"]] * traits.between("size", 0.94, 1.06)
    wide = 15.0 * size * traits.between("wide", 0.88, 1.14)
    tall = 42.0 * size * traits.between("tall", 0.84, 1.08)
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
    _draw_front(sheet, traits, wardrobe, body, wide, tall)
    _CLOSURES[labels["closure"]](sheet, traits, wardrobe, body, wide, tall)
    return sheet


def _draw_front(
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


def _draw_zip(
    sheet: Sheet, traits: Traits, wardrobe: Wardrobe, body: Patch, wide: float, tall: float
) -> None:
    top = traits.between("zip arch", 0.86, 0.95)
    line = curve([(-wide * 0.97, -tall * 0.56), (-wide * 0.84, -tall * 0.78), (0.0, -tall * top),
                  (wide * 0.84, -tall * 0.78), (wide * 0.97, -tall * 0.56)])  # fmt: skip
    draw_zip(sheet, traits, wardrobe, line, body)


def _draw_lid(
    sheet: Sheet, traits: Traits, wardrobe: Wardrobe, body: Patch, wide: float, tall: float
) -> None:
    """A flap with buckled straps."""
    low = -tall * traits.between("flap", 0.52, 0.66)
    lid = [corner(-wide - 1, -tall * 0.84), (-wide * 0.8, -tall - 0.6), (0.0, -tall - 1.2),
           (wide * 0.8, -tall - 0.6), corner(wide + 1, -tall * 0.84), (wide * 0.97, low - 2),
           (wide * 0.6, low), (-wide * 0.6, low), (-wide * 0.97, low - 2)]  # fmt: skip
    sheet.fill(outline(lid), wardrobe.main, shade=0.3)
    for share in traits.pick("buckles", ((-0.45, 0.45), (-0.45, 0.45), (0.0,))):
        x = wide * share
        sheet.fill(rounded(x - 1.1, low - 6.0, x + 1.1, low + 5.5, 0.6), wardrobe.trim, shade=0.15)
        sheet.fill(rounded(x - 1.8, low + 0.6, x + 1.8, low + 3.4, 0.5), wardrobe.metal, shade=0)


def _draw_cord(
    sheet: Sheet, traits: Traits, wardrobe: Wardrobe, body: Patch, wide: float, tall: float
) -> None:
    """A gathered top, tied."""
    places = [wide * (n / 7 - 1) for n in range(1, 14)]
    gathers = [[(x, -tall - 1), (x * 1.05, -tall * 0.82)] for x in places]
    sheet.strokes(gathers, wardrobe.main.ink, 1.5, 0.5, body)
    cord = curve([(-wide - 1, -tall * 0.87), (0.0, -tall * 0.85), (wide + 1, -tall * 0.87)])
    sheet.strokes([cord], wardrobe.trim.ink, 3.4, 0.8, body)
    sheet.strokes([cord], (234, 230, 222), 2.0, 1.0, body)
    for side in (-1, 1):
        sway = traits.own(f"cord {side}", 0.5, 3.0)
        middle, end = side * (1.0 + sway * 0.5), side * (0.8 + sway)
        tail = curve([(side * 0.8, -tall * 0.85), (middle, -tall * 0.76), (end, -tall * 0.68)])
        sheet.strokes([tail], wardrobe.trim.ink, 3.2, 0.8, body)
        sheet.strokes([tail], (234, 230, 222), 1.9, 1.0, body)


_CLOSURES: dict[str, Callable[[Sheet, Traits, Wardrobe, Patch, float, float], None]] = {
    "zip": _draw_zip,
    "buckle": _draw_lid,
    "drawstring": _draw_cord,
}
