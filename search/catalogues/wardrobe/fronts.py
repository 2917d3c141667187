"""What closes or decorates a front: plackets, buttons, zips, belts, pockets, prints (units: centimetres)."""

from .cloth import Cloth, Wardrobe, flat
from .geometry import Line, corner, curve, ellipse, outline, rounded
from .palette import darker, lighter
from .sheet import Patch, Sheet
from .traits import Traits


def draw_buttons(
    sheet: Sheet,
    traits: Traits,
    wardrobe: Wardrobe,
    x: float,
    top: float,
    bottom: float,
    *,
    size: float = 1.0,
) -> None:
    """A column of buttons at `x`."""
    count = max(2, min(9, round((bottom - top) / traits.between("button step", 8, 13))))
    dark = darker(wardrobe.main.colour, 0.55)
    pale = lighter(wardrobe.main.colour, 0.65)
    cloth = traits.pick("button", (flat(dark, 0.2), flat(pale, 0.2), wardrobe.metal, flat((70, 48, 34), 0.2)))
    radius = size * traits.between("button size", 0.85, 1.25)
    for n in range(count):
        y = top + (bottom - top) * n / (count - 1)
        sheet.fill(ellipse(x, y, radius, radius, 12), cloth, shade=0, edge=0.9)


def draw_placket(
    sheet: Sheet, wardrobe: Wardrobe, x: float, top: float, bottom: float, width: float, within: Patch
) -> None:
    """A strip of cloth down the front with a seam on both sides."""
    strip = rounded(x - width / 2, top, x + width / 2, bottom + 4, 0.1)
    sheet.fill(strip, wardrobe.main, shade=0.0, edge=0.55, within=within)


def draw_opening(
    sheet: Sheet, wardrobe: Wardrobe, x: float, top: float, bottom: float, gap: float, within: Patch
) -> None:
    """Fronts that hang apart: the inside of the back shows between them."""
    shape = outline([corner(x, top - 2), (x + gap * 0.7, (top + bottom) / 2), corner(x + gap, bottom + 4),
                     corner(x - gap, bottom + 4), (x - gap * 0.7, (top + bottom) / 2)])  # fmt: skip
    sheet.fill(shape, wardrobe.lining, shade=0.1, edge=0.9, within=within)


def draw_zip(sheet: Sheet, traits: Traits, wardrobe: Wardrobe, line: Line, within: Patch) -> None:
    """A zip with teeth and a puller along `line`."""
    dark = darker(wardrobe.main.colour, 0.5)
    sheet.strokes([line], dark, 3.6, 0.85, within)
    sheet.strokes([line], wardrobe.metal.colour, 2.0, 0.95, within)
    sheet.stitches(line, dark, within, 0.9)
    x, y = line[0]
    drop = traits.between("puller", 1.6, 3.2)
    sheet.fill(
        rounded(x - 0.6, y + 0.4, x + 0.6, y + 0.8 + drop, 0.5),
        wardrobe.metal,
        shade=0,
        edge=0.8,
        within=within,
    )


def draw_belt(
    sheet: Sheet, traits: Traits, wardrobe: Wardrobe, y: float, half: float, within: Patch | None
) -> None:
    """A belt across the waist with a buckle or a knot."""
    high = traits.between("belt height", 2.4, 4.6)
    tied = traits.chance("tied belt", 0.4)
    leather = flat(traits.pick("belt colour", ((74, 50, 36), (38, 34, 34), (128, 86, 54))), 0.3)
    cloth = wardrobe.plain if tied or traits.chance("belt of cloth", 0.3) else leather
    strap = curve([(-half - 1, y), (0.0, y + 0.7), (half + 1, y)])
    back = curve([(half + 1, y + high), (0.0, y + high + 0.7), (-half - 1, y + high)])
    sheet.fill([*strap, *back], cloth, shade=0.25, within=within)
    x = traits.between("buckle place", -3, 3)
    middle = y + high / 2 + 0.6
    if not tied:
        wide = high * traits.between("buckle width", 0.6, 0.9)
        sheet.fill(
            rounded(x - wide, middle - high * 0.62, x + wide, middle + high * 0.62, 0.7),
            wardrobe.metal,
            shade=0,
        )
        sheet.fill(
            rounded(x - wide * 0.55, middle - high * 0.34, x + wide * 0.55, middle + high * 0.34, 0.4),
            cloth,
            shade=0,
        )
        return
    for side, long in ((-1, 12), (1, traits.between("knot", 13, 19))):
        end = x + side * traits.between(f"knot sway {side}", 2, 5)
        tail = outline([corner(x, middle), (x + side * 2.4, middle + 3), corner(end + 1.6, middle + long),
                        corner(end - 1.4, middle + long), (x + side * 0.4, middle + 5)])  # fmt: skip
        sheet.fill(tail, cloth, shade=0.2)
    sheet.fill(rounded(x - 1.8, middle - high * 0.6, x + 1.8, middle + high * 0.6, 1.2), cloth, shade=0.2)


def draw_patch_pocket(
    sheet: Sheet,
    traits: Traits,
    cloth: Cloth,
    box: tuple[float, float, float, float],
    within: Patch,
    *,
    flap: bool = False,
) -> None:
    """A pocket sewn on at `box` (left, top, right, bottom), pointed or straight below."""
    left, top, right, bottom = box
    point = traits.pick("pocket point", (0.0, 0.0, 1.4, 2.2))
    shape = outline([corner(left, top), corner(right, top), corner(right, bottom - point),
                     corner((left + right) / 2, bottom), corner(left, bottom - point)])  # fmt: skip
    sheet.fill(shape, cloth, shade=0.12, edge=0.7, within=within)
    sheet.stitches([(left, top + 1.1), (right, top + 1.1)], cloth.ink, within)
    if flap:
        lid = outline([corner(left - 0.4, top - 0.6), corner(right + 0.4, top - 0.6),
                       corner(right + 0.3, top + 2.2), corner((left + right) / 2, top + 2.4 + point),
                       corner(left - 0.3, top + 2.2)])  # fmt: skip
        sheet.fill(lid, cloth, shade=0.2, edge=0.8, within=within)


def draw_slit_pockets(sheet: Sheet, cloth: Cloth, x: float, y: float, lean: float, within: Patch) -> None:
    """Two welted openings at the sides."""
    for side in (-1, 1):
        line = [(side * x, y), (side * (x + lean), y + 13)]
        sheet.strokes([line], cloth.ink, 2.4, 0.75, within)
        sheet.stitches([(px - side * 1.0, py) for px, py in line], cloth.ink, within, 0.5)


def draw_kangaroo(sheet: Sheet, traits: Traits, wardrobe: Wardrobe, hem: float, within: Patch) -> None:
    """The wide belly pocket of a hoodie."""
    top = hem - traits.between("belly pocket", 19, 25)
    wide = traits.between("belly width", 10.5, 14)
    shape = outline([corner(-wide * 0.66, top), corner(wide * 0.66, top), (wide, top + 8),
                     corner(wide, hem - 5), corner(-wide, hem - 5), (-wide, top + 8)])  # fmt: skip
    sheet.fill(shape, wardrobe.main, shade=0.16, edge=0.8, within=within)


def draw_print(sheet: Sheet, traits: Traits, wardrobe: Wardrobe, y: float, within: Patch) -> None:
    """A small abstract motif on the chest."""
    size = traits.between("motif size", 3.5, 8.5)
    pale = flat(lighter(wardrobe.main.colour, 0.7))
    shape = traits.pick("motif", ("sun", "hills", "bars", "ring", "moon"))
    x = traits.between("motif place", -1.5, 1.5)
    if shape in ("hills", "bars"):
        inks = (flat(wardrobe.trim.colour), flat(wardrobe.thread), pale)
        shapes = _hills(x, y, size) if shape == "hills" else _bars(traits, x, y, size)
        for n, part in enumerate(shapes):
            sheet.fill(part, inks[n % 3], shade=0, edge=0, within=within)
        return
    sheet.fill(ellipse(x, y, size, size), pale, shade=0 if shape != "sun" else 0.1, edge=0, within=within)
    if shape == "sun":
        cut = rounded(x - size, y + size * 0.2, x + size, y + size * 0.5, 0.1)
        sheet.fill(cut, wardrobe.plain, edge=0, within=within)
    elif shape == "ring":
        sheet.fill(ellipse(x, y, size * 0.68, size * 0.68), wardrobe.plain, shade=0, edge=0, within=within)
    else:
        cut = ellipse(x + size * 0.4, y - size * 0.2, size * 0.85, size * 0.85)
        sheet.fill(cut, wardrobe.plain, shade=0, edge=0, within=within)


def _hills(x: float, y: float, size: float) -> list[Line]:
    peaks = [(x + (n - 1) * size * 0.7, y - size * (0.9 - 0.2 * n)) for n in range(3)]
    return [
        outline([corner(px - size, y + size), corner(px, py), corner(px + size, y + size)])
        for px, py in peaks
    ]


def _bars(traits: Traits, x: float, y: float, size: float) -> list[Line]:
    tops = [y - size + n * size * 0.5 for n in range(4)]
    ends = [x + size * traits.between(f"bar {n}", 0.2, 1.0) for n in range(4)]
    return [rounded(x - size, top, end, top + size * 0.28, 0.2) for top, end in zip(tops, ends, strict=True)]
