"""The upper body of tops, coats and dresses: proportions, outline, sleeves (units: centimetres)."""

from dataclasses import dataclass
from math import cos, radians, sin

from .cloth import Cloth, Wardrobe
from .geometry import Line, Point, along, band, corner, curve, mirrored, outline
from .sheet import Patch, Sheet
from .traits import Traits

SLEEVES = {"short": 21.0, "three-quarter": 44.0, "long": 60.0}


@dataclass(frozen=True)
class Torso:
    """Key points of the right half; the left half mirrors it. y = 0 is where shoulder meets neck."""

    neck: float
    shoulder: tuple[float, float]
    armpit: tuple[float, float]
    waist: tuple[float, float]
    hem: tuple[float, float]
    sag: float


@dataclass(frozen=True)
class Sleeve:
    """The right sleeve: length, lean from the vertical in degrees, width at the cuff, bulge of a puff."""

    length: float
    lean: float
    cuff: float
    puff: float


def shape_torso(
    traits: Traits, fit: str, length: float, *, flare: float = 0.0, neck: float | None = None
) -> Torso:
    """Proportions for a fit; `flare` widens the hem (cm), `neck` is the neckline's half width."""
    ease = {"slim": 0.9, "regular": 1.0, "loose": 1.15}[fit]
    half = traits.between("shoulder", 19, 22.5) * (0.3 + 0.7 * ease)
    chest = traits.between("chest", 22, 25.5) * ease
    nip = {"slim": 0.84, "regular": 0.95, "loose": 1.0}[fit] * traits.between("nip", 0.95, 1.03)
    drop = traits.between("shoulder drop", 2.5, 5.5)
    armpit = traits.between("armhole", 20, 25) * (0.6 + 0.4 * ease)
    return Torso(
        neck=neck if neck is not None else traits.between("neck", 7, 9),
        shoulder=(half, drop),
        armpit=(chest, drop + armpit),
        waist=(chest * nip, max(40.0, drop + armpit + 8)),
        hem=(chest * (nip + 1) / 2 * traits.between("hem", 0.94, 1.06) + flare, length),
        sag=traits.pick("hem curve", (0.5, 0.5, 1.0, 2.5)),
    )


def shape_sleeve(traits: Traits, label: str, fit: str) -> Sleeve | None:
    """The sleeve for a label, None for sleeveless."""
    if label == "sleeveless":
        return None
    ease = {"slim": 0.84, "regular": 1.0, "loose": 1.16}[fit]
    length = SLEEVES[label] * traits.between("sleeve length", 0.9, 1.08)
    lean = (
        traits.between("sleeve lean", 34, 54) if label == "short" else traits.between("sleeve lean", 12, 30)
    )
    style = traits.pick("sleeve style", ("plain", "plain", "plain", "bell", "narrow"))
    cuff = {"plain": 1.0, "bell": 1.35, "narrow": 0.85}[style] * traits.between("cuff", 0.92, 1.08)
    width = {"short": 16.0, "three-quarter": 14.5, "long": 11.5}[label]
    return Sleeve(length, lean, width * cuff * ease, traits.between("sleeve puff", 0, 1.4))


def body_points(torso: Torso, neckline: list[Point]) -> list[Point]:
    """The right half of the front, from the middle of the neckline to the middle of the hem."""
    sx, sy = torso.shoulder
    ax, ay = torso.armpit
    points = [*neckline, corner(sx, sy), (min(sx, ax) - 1.6, (sy * 0.45 + ay * 0.55)), corner(ax, ay)]
    if torso.hem[1] > torso.waist[1] + 6:
        points.append(torso.waist)
    return [*points, corner(*torso.hem), (0.0, torso.hem[1] + torso.sag)]


def body_outline(torso: Torso, neckline: list[Point]) -> Line:
    """The whole front."""
    return outline(mirrored(body_points(torso, neckline)))


def sleeve_axis(torso: Torso, sleeve: Sleeve) -> tuple[tuple[float, float], tuple[float, float]]:
    """The outer and the inner end of the right cuff."""
    lean = radians(sleeve.lean)
    dx, dy = sin(lean), cos(lean)
    outer = (torso.shoulder[0] + dx * sleeve.length, torso.shoulder[1] + dy * sleeve.length)
    return outer, (outer[0] - dy * sleeve.cuff, outer[1] + dx * sleeve.cuff)


def draw_sleeves(
    sheet: Sheet, torso: Torso, sleeve: Sleeve, cloth: Cloth, shade: float = 0.36
) -> list[Patch]:
    """Both sleeves, to be covered by the body; returns their patches (left, right)."""
    (ox, oy), (ix, iy) = sleeve_axis(torso, sleeve)
    sx, sy = torso.shoulder
    ax, ay = torso.armpit
    lean = radians(sleeve.lean)
    bulge = 1.2 + sleeve.puff
    right: list[Point] = [
        corner(sx - 5, sy + 0.6),
        corner(sx, sy),
        (sx + (ox - sx) * 0.35 + cos(lean) * bulge, sy + (oy - sy) * 0.35 - sin(lean) * bulge * 0.4),
        (sx + (ox - sx) * 0.75 + cos(lean) * bulge * 0.6, sy + (oy - sy) * 0.75),
        corner(ox, oy),
        corner(ix, iy),
        (ax + (ix - ax) * 0.45 + 0.5, ay + (iy - ay) * 0.45),
        corner(ax, ay),
        corner(ax - 6, ay),
    ]
    patches = []
    for side in (-1, 1):
        shape = outline([(side * point[0], *point[1:]) for point in right])
        patches.append(sheet.fill(shape, cloth, angle=-side * sleeve.lean, shade=shade))
    return patches


def draw_cuffs(
    sheet: Sheet, torso: Torso, sleeve: Sleeve, cloth: Cloth, height: float, patches: list[Patch]
) -> None:
    """A band of `height` cm at the end of both sleeves."""
    outer, inner = sleeve_axis(torso, sleeve)
    for side, patch in zip((-1, 1), patches, strict=True):
        line = [(side * (outer[0] + 1), outer[1]), (side * (inner[0] - 1), inner[1])]
        shape = band(line, -side * height)
        sheet.fill(shape, cloth, angle=-side * sleeve.lean, shade=0.2, within=patch)


def draw_hem_band(sheet: Sheet, torso: Torso, cloth: Cloth, height: float, within: Patch) -> None:
    """A band of `height` cm along the hem."""
    hx, hy = torso.hem
    line = curve([(-hx - 1, hy), (0.0, hy + torso.sag), (hx + 1, hy)])
    sheet.fill(band(line, height), cloth, shade=0.15, within=within)


def rib_lines(sheet: Sheet, torso: Torso, height: float, cloth: Cloth, within: Patch) -> None:
    """The fine upright lines of a knitted hem."""
    hx, hy = torso.hem
    count = int(hx * 1.6)
    lines = [
        [(-hx + 2 * hx * n / count, hy - height + 0.4), (-hx + 2 * hx * n / count, hy + 3)]
        for n in range(count)
    ]
    sheet.strokes([list(line) for line in lines], cloth.ink, 0.9, 0.4, within)


def draw_back(
    sheet: Sheet, torso: Torso, neckline: list[Point], wardrobe: Wardrobe, rise: float = 1.2
) -> None:
    """The inside of the back that shows in the neck opening, and of a collar `rise` cm high."""
    nx = torso.neck
    low = max(point[1] for point in neckline)
    reach = nx - 0.2 if rise > 2 else nx + 0.5
    half = [
        (0.0, 0.9 - rise),
        corner(reach, -0.2 - rise * 0.7),
        corner(nx + 0.6, 0.3),
        (nx * 0.78, low * 0.75 + 1),
        (0.0, low + 1.5),
    ]
    shape = outline(mirrored(half))
    sheet.fill(shape, wardrobe.lining, shade=0.3, edge=0.5)


def seam_between(torso: Torso, share: float) -> tuple[float, float]:
    """A point on the right armhole, `share` of the way down."""
    return along(torso.shoulder, torso.armpit, share)
