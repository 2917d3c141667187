"""Hats, seen from a little above the brim (centimetres, the brim near y = 0)."""

from .cloth import Wardrobe
from .geometry import Point, band, corner, curve, ellipse, mirrored, outline
from .sheet import Patch, Sheet
from .tops import Labels
from .traits import Traits

_CROWNS = {"shallow": 0.78, "medium": 1.0, "deep": 1.3}


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
        low = 4.6 + droop * 0.4
        back = outline([(-wide - reach, droop * 0.7), (0.0, -3.4), (wide + reach, droop * 0.7),
                        (wide * 0.7, low), (0.0, 5.8 + droop * 0.2), (-wide * 0.7, low)])  # fmt: skip
        sheet.fill(back, wardrobe.main, shade=0.42)
    crown = _draw_crown(sheet, traits, brim, wardrobe, wide, tall)
    if brim == "peak":
        _draw_peak(sheet, traits, wardrobe, (wide * side, reach * side, tall), crown)
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
    sheet: Sheet, traits: Traits, wardrobe: Wardrobe, measures: tuple[float, float, float], crown: Patch
) -> None:
    """A cap's peak to one side, its button and its front mark.

    Measures: the crown's half width and the peak's reach, both negative to the left, and the crown's height.
    """
    wide, reach, tall = measures
    drop = traits.between("peak drop", 1.0, 4.0)
    shape = [corner(wide * 0.1, 2.4), (wide * 0.75, -0.4), (wide + reach * 0.6, 0.2 + drop * 0.4),
             corner(wide + reach, 1.8 + drop), (wide + reach * 0.3, 3.8 + drop * 0.5)]  # fmt: skip
    cloth = wardrobe.trim if traits.chance("peak in trim", 0.4) else wardrobe.plain
    sheet.fill(outline(shape), cloth, shade=0.36)
    if traits.chance("top button", 0.7):
        sheet.fill(ellipse(0.0, -tall - 0.2, 1.1, 0.7, 12), wardrobe.trim, shade=0.1)
    if traits.chance("front mark", 0.5):
        mark = ellipse(wide * 0.42, -tall * 0.4, 2.4, traits.between("mark height", 1.4, 2.8))
        sheet.fill(mark, wardrobe.trim, shade=0.1, within=crown)


def _draw_beanie_edge(
    sheet: Sheet, traits: Traits, wardrobe: Wardrobe, wide: float, tall: float, crown: Patch
) -> None:
    """A turned-up edge and perhaps a bobble."""
    high = traits.between("turn-up", 3.0, 6.0)
    line = curve([(-wide - 0.2, 0.8), (0.0, 3.2), (wide + 0.2, 0.8)])
    coloured = wardrobe.main is wardrobe.plain and traits.chance("edge in trim", 0.45)
    edge = sheet.fill(band(line, high), wardrobe.trim if coloured else wardrobe.plain, shade=0.3)
    ribs = [[(wide * (n / 8 - 1), -high - 1), (wide * (n / 8 - 1), 5.0)] for n in range(1, 16)]
    sheet.strokes([list(rib) for rib in ribs], wardrobe.main.ink, 1.1, 0.35, edge)
    if traits.chance("bobble", 0.35):
        size = traits.between("bobble size", 2.2, 3.6)
        sheet.fill(ellipse(0.0, -tall - size * 0.4, size, size * 0.92), wardrobe.trim, shade=0.4)
    elif traits.chance("beanie seam", 0.4):
        sheet.strokes(
            [curve([(0.0, -tall), (wide * 0.1, -tall * 0.5), (0.0, 0.0)])], wardrobe.main.ink, 1.2, 0.5, crown
        )
