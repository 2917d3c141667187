"""Necklines and collars (units: centimetres, y = 0 at the shoulder's neck point)."""

from .cloth import Cloth, Wardrobe
from .geometry import Line, Point, band, corner, curve, flipped, mirrored, outline
from .sheet import Patch, Sheet
from .torso import Torso
from .traits import Traits

WIDTHS = {"boat": 12.5, "scoop": 10.5, "square": 10.0, "turtleneck": 7.0, "hood": 8.5}


def neck_width(traits: Traits, label: str) -> float:
    """Half the width of the opening."""
    return WIDTHS.get(label, 7.8) * traits.between("neck width", 0.9, 1.12)


def collar_rise(label: str) -> float:
    """How high the back of the collar stands, so that nothing behind shows between its ends."""
    return {"shirt collar": 3.4, "stand collar": 4.4, "lapel": 3.2, "shawl collar": 3.2}.get(label, 1.0)


def neckline_points(traits: Traits, label: str, half: float) -> list[Point]:
    """The right half of the opening's edge, from its lowest point to the shoulder."""
    deep = traits.between("neck depth", 0.8, 1.25)
    if label == "v-neck":
        depth = 17 * deep
        return [corner(0, depth), (half * 0.52, depth * 0.46), corner(half, 0)]
    if label == "square":
        depth = 11 * deep
        return [corner(0, depth), corner(half * 0.86, depth), corner(half, 0)]
    depth = {"boat": 3.2, "scoop": 14.0, "turtleneck": 3.5, "hood": 9.0, "lapel": 20.0}.get(label, 7.0) * deep
    return [(0.0, depth), (half * 0.55, depth * 0.86), (half * 0.92, depth * 0.42), corner(half, 0)]


def draw_neck_band(sheet: Sheet, points: list[Point], cloth: Cloth, width: float) -> None:
    """A narrow band around the opening."""
    right = curve(points)
    whole = [*flipped(list(reversed(right)))[:-1], *right]
    sheet.fill(band(whole, -width), cloth, shade=0.12, edge=0.6)


def draw_turtleneck(sheet: Sheet, traits: Traits, torso: Torso, cloth: Cloth) -> None:
    """A folded tube around the neck."""
    nx = torso.neck + 0.8
    tall = traits.between("turtleneck", 6, 10)
    top = nx * traits.between("turtleneck taper", 0.86, 0.98)
    shape = outline(
        mirrored([(0.0, -tall + 0.8), corner(top, -tall), (nx, -tall * 0.3), corner(nx, 1.5), (0.0, 5.2)])
    )
    patch = sheet.fill(shape, cloth, shade=0.4)
    if traits.chance("turtleneck fold", 0.6):
        sheet.strokes([curve([(-nx, 0.2), (0.0, 2.6), (nx, 0.2)])], cloth.ink, 1.3, 0.6, patch)
    ribs = [[(nx * (n / 6 - 1), -tall - 1), (nx * (n / 6 - 1), 6.0)] for n in range(1, 12)]
    sheet.strokes([list(line) for line in ribs], cloth.ink, 0.8, 0.28, patch)


def draw_shirt_collar(sheet: Sheet, traits: Traits, torso: Torso, cloth: Cloth, depth: float) -> None:
    """Two pointed or round wings that meet at the top of the front opening."""
    nx = torso.neck
    spread = traits.between("collar spread", 0.55, 1.0) * nx
    tip = traits.between("collar tip", 5.5, 9.0)
    low = depth * 0.72
    bend = traits.chance("round collar", 0.2)
    for side in (-1, 1):
        wing: list[Point] = [
            corner(0.2 * side, low),
            corner(side * nx * 0.86, -2.2),
            (side * (nx + 1.2), -0.4),
            (side * spread * 1.1, low + tip) if bend else corner(side * spread, low + tip),
        ]
        sheet.fill(outline(wing), cloth, shade=0.22, angle=side * 24)


def draw_stand_collar(sheet: Sheet, traits: Traits, torso: Torso, cloth: Cloth, depth: float) -> None:
    """A low upright band, open at the front."""
    tall = traits.between("stand", 2.6, 5.0)
    nx = torso.neck
    for side in (-1, 1):
        part = [
            corner(0.3 * side, depth * 0.8),
            (side * nx * 0.62, depth * 0.5),
            corner(side * (nx + 0.6), 0.8),
            corner(side * (nx - 0.6), -tall),
            (side * nx * 0.55, depth * 0.4 - tall * 0.8),
            corner(0.3 * side, depth * 0.8 - tall),
        ]
        sheet.fill(outline(part), cloth, shade=0.25)


def draw_lapels(
    sheet: Sheet, traits: Traits, torso: Torso, cloth: Cloth, depth: float, *, shawl: bool
) -> None:
    """Turned-back fronts, with a notch unless it is a shawl collar."""
    nx = torso.neck
    wide = traits.between("lapel width", 6.5, 11.0)
    notch = traits.between("lapel notch", 0.32, 0.5) * depth
    peak = traits.chance("peaked lapel", 0.3)
    for side in (-1, 1):
        if shawl:
            shape: list[Point] = [
                corner(0.0, depth),
                (side * nx * 0.55, depth * 0.45),
                corner(side * nx * 0.8, -2.6),
                (side * (nx + wide * 0.6), 1.5),
                (side * (nx * 0.6 + wide * 0.55), depth * 0.55),
            ]
            sheet.fill(outline(shape), cloth, shade=0.26, angle=side * 20)
            continue
        lower = [
            corner(0.0, depth),
            corner(side * nx * 0.62, notch * 0.6),
            corner(side * (nx * 0.7 + wide), notch + (-2.5 if peak else 0.8)),
            (side * (nx * 0.5 + wide * 0.62), depth * 0.66),
        ]
        sheet.fill(outline(lower), cloth, shade=0.26, angle=side * 16)
        upper = [
            corner(side * nx * 0.5, notch + 0.6),
            corner(side * nx * 0.82, -2.6),
            (side * (nx + 1.6), -0.4),
            corner(side * (nx + wide * 0.62), notch * 0.62),
            corner(side * (nx * 0.7 + wide * 0.52), notch),
        ]
        sheet.fill(outline(upper), cloth, shade=0.24, angle=side * 30)


def draw_hood_back(sheet: Sheet, traits: Traits, torso: Torso, wardrobe: Wardrobe) -> None:
    """The hood lying up behind the neck, its inside showing."""
    nx = torso.neck
    tall = traits.between("hood height", 13, 20)
    wide = nx + traits.between("hood width", 3.5, 7)
    top = traits.between("hood top", 0.45, 0.75)
    shell = [(0.0, -tall), (wide * top, -tall * 0.9), (wide, -tall * 0.35), corner(nx + 2.5, 3.0), (0.0, 9.0)]
    sheet.fill(outline(mirrored(shell)), wardrobe.main, shade=0.4)
    inside = [
        (0.0, -tall + 2.6),
        (wide * top * 0.72, -tall * 0.76),
        (wide * 0.72, -tall * 0.28),
        (nx * 0.8, 4.0),
        (0.0, 9.0),
    ]
    sheet.fill(outline(mirrored(inside)), wardrobe.lining, shade=0.5, edge=0.5)


def draw_hood_front(
    sheet: Sheet, traits: Traits, torso: Torso, wardrobe: Wardrobe, depth: float, within: Patch
) -> None:
    """The hood's rim where it crosses in front, and its cord."""
    nx = torso.neck
    wide = traits.between("hood rim", 2.4, 4.0)
    for side in (-1, 1):
        rim = curve([(side * (nx + 1.6), -1.5), (side * nx * 0.78, depth * 0.55), (0.0, depth + 1.0)])
        sheet.fill(band(rim, side * wide, side * wide * 0.8), wardrobe.plain, shade=0.25, angle=side * 25)
    if traits.chance("hood cord", 0.75):
        long = traits.between("cord length", 9, 18)
        cords: list[Line] = []
        for side in (-1, 1):
            x = side * traits.between("cord place", 2.2, 4.0)
            sway = traits.own(f"cord sway {side}", -1.4, 1.4)
            cords.append(
                curve([(x, depth + 0.8), (x + sway * 0.3, depth + long * 0.5), (x + sway, depth + long)])
            )
        sheet.strokes(cords, wardrobe.trim.ink, 3.0, 0.8, within)
        sheet.strokes(cords, wardrobe.trim.colour, 1.9, 1.0, within)
