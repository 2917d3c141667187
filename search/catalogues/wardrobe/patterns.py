"""Patterns: printed or woven onto a plain swatch, as anti-aliased coverage of one or two accent colours.

Every pattern leaves the base colour in the majority, so that the label `colour` stays true to the eye.
"""

from collections.abc import Callable
from functools import lru_cache
from math import cos, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .geometry import arc, ellipse, strip
from .palette import Colour, mix
from .tiles import cut, smooth_noise
from .traits import Traits

SWATCH = 336

Field = NDArray[np.float32]


@lru_cache(maxsize=1)
def _grid() -> tuple[Field, Field]:
    """Column and row numbers, shapes (1, SWATCH) and (SWATCH, 1)."""
    steps = np.arange(SWATCH, dtype=np.float32)
    return steps[None, :], steps[:, None]


def _ground(swatch: Image.Image) -> Colour:
    """The colour of a swatch that has no pattern yet."""
    red, green, blue = (int(band.getpixel((0, 0))) for band in swatch.split())  # type: ignore[arg-type]
    return (red, green, blue)


def _mask(coverage: Field) -> Image.Image:
    clipped = np.clip(coverage, 0, 1) * np.float32(255)
    return Image.fromarray(np.broadcast_to(clipped, (SWATCH, SWATCH)).astype(np.uint8))


def _bars(line: Field, period: float, share: float, shift: float) -> Field:
    """Soft-edged bars along one axis: 1 inside the first `share` of every period."""
    place = (line + np.float32(shift)) % np.float32(period)
    half = np.float32(period * share / 2)
    coverage: Field = half - np.abs(place - half) + np.float32(0.5)
    return coverage.clip(0, 1)


def _stripes(swatch: Image.Image, traits: Traits, accents: list[Colour], upright: bool) -> None:
    columns, rows = _grid()
    line = columns if upright else rows
    period = traits.between("stripe period", 6, 13 if upright else 16)
    if traits.chance("wide stripes", 0.4):
        period *= traits.between("stripe widening", 1.7, 2.6)
    share = traits.between("stripe share", 0.16, 0.36)
    shift = traits.between("stripe shift", 0, period)
    swatch.paste(accents[0], None, _mask(_bars(line, period, share, shift)))
    if traits.chance("second stripe", 0.3):
        thin = _bars(line, period, 0.1, shift + period * traits.between("second place", 0.25, 0.45))
        swatch.paste(accents[1], None, _mask(thin))


def horizontal_stripes(swatch: Image.Image, traits: Traits, accents: list[Colour]) -> None:
    """Bars across."""
    _stripes(swatch, traits, accents, upright=False)


def vertical_stripes(swatch: Image.Image, traits: Traits, accents: list[Colour]) -> None:
    """Bars from top to bottom, pinstripes among them."""
    _stripes(swatch, traits, accents, upright=True)


def check(swatch: Image.Image, traits: Traits, accents: list[Colour]) -> None:
    """Gingham, windowpane and tartan: crossing bars, stronger where they cross."""
    columns, rows = _grid()
    period = traits.between("check period", 12, 44)
    share = traits.between("check share", 0.09, 0.22)
    strength = np.float32(traits.between("check strength", 0.5, 0.95))
    across = _bars(columns, period, share, traits.between("check left", 0, period)) * strength
    down = _bars(rows, period, share, traits.between("check top", 0, period)) * strength
    swatch.paste(accents[0], None, _mask(across + down - across * down))
    if traits.chance("tartan", 0.5):
        place = period * traits.between("tartan place", 0.4, 0.6)
        thin = np.maximum(_bars(columns, period, 0.06, place), _bars(rows, period, 0.06, place))
        swatch.paste(accents[1], None, _mask(thin * np.float32(0.8)))


def dots(swatch: Image.Image, traits: Traits, accents: list[Colour]) -> None:
    """Round dots in staggered rows."""
    columns, rows = _grid()
    period = np.float32(traits.between("dot period", 9, 30))
    radius = np.float32(float(period) * traits.between("dot radius", 0.16, 0.31))
    down = (rows + np.float32(traits.between("dot top", 0, 30))) % (2 * period)
    column_shift = np.where(down >= period, period / 2, np.float32(0))
    x = (columns + column_shift) % period - period / 2
    y = down % period - period / 2
    reach = x * x + y * y
    swatch.paste(accents[0], None, _mask((radius * radius - reach) / (2 * radius) + np.float32(0.5)))


def zigzag(swatch: Image.Image, traits: Traits, accents: list[Colour]) -> None:
    """Chevron lines across."""
    columns, rows = _grid()
    wave = np.float32(traits.between("zigzag wave", 14, 40))
    height = np.float32(traits.between("zigzag height", 0.35, 0.8))
    period = traits.between("zigzag period", 12, 34)
    tooth = np.abs(columns % wave - wave / 2) * height
    share = traits.between("zigzag share", 0.18, 0.36)
    swatch.paste(
        accents[0], None, _mask(_bars(rows + tooth, period, share, traits.between("zigzag top", 0, 9)))
    )


def diamonds(swatch: Image.Image, traits: Traits, accents: list[Colour]) -> None:
    """Argyle: lozenges with a thin lattice over them."""
    columns, rows = _grid()
    period = np.float32(traits.between("diamond period", 22, 52))
    tall = np.float32(traits.between("diamond height", 0.55, 0.95))
    left, top = (
        np.float32(traits.between("diamond left", 0, 50)),
        np.float32(traits.between("diamond top", 0, 50)),
    )
    x = np.abs((columns + left) % period - period / 2)
    y = np.abs((rows + top) % (period / tall) - period / tall / 2) * tall
    size = period * np.float32(traits.between("diamond size", 0.24, 0.36))
    swatch.paste(accents[0], None, _mask((size - (x + y)) * np.float32(0.7) + np.float32(0.5)))
    if traits.chance("lattice", 0.6):
        edge = np.float32(1.1) - np.abs(x + y - period / 2) * np.float32(0.9)
        swatch.paste(accents[1], None, _mask(edge))


def camouflage(swatch: Image.Image, traits: Traits, accents: list[Colour]) -> None:
    """Blotches of neighbouring tones."""
    cells = traits.pick("blotch size", ((26, 16), (34, 22), (20, 14)))
    near = _ground(swatch)
    tones = (mix(near, (28, 26, 24), 0.5), mix(near, accents[0], 0.45), mix(near, (235, 230, 215), 0.35))
    for layer, tone in enumerate(tones):
        tile = cut(smooth_noise(*cells, 31 + layer), traits, f"blotch {layer}", SWATCH, SWATCH)
        edge = 149 + int(traits.between(f"blotch edge {layer}", 0, 22)) + 6 * layer
        swatch.paste(tone, None, tile.point([max(0, min(255, (value - edge) * 48)) for value in range(256)]))


def colour_block(swatch: Image.Image, traits: Traits, accents: list[Colour]) -> None:
    """One or two large fields, straight or slanting, away from the middle."""
    columns, rows = _grid()
    slope = np.float32(traits.pick("block slope", (0.0, 0.0, 0.35, -0.35, 0.9)))
    offset = SWATCH / 2 + traits.between("block offset", 22, 52) * traits.pick("block side", (1, 1, -1))
    lie = traits.pick("block lie", ("across", "across", "across", "down"))
    along, over = (rows, columns) if lie == "across" else (columns, rows)
    depth = along + (over - np.float32(SWATCH / 2)) * slope - np.float32(offset)
    field = depth if offset > SWATCH / 2 else -depth
    swatch.paste(accents[0], None, _mask(field + np.float32(0.5)))
    if traits.chance("block line", 0.5):
        edge = np.float32(traits.between("block line width", 2, 7)) - np.abs(field + np.float32(8))
        swatch.paste(accents[1], None, _mask(edge))


def _stamps(traits: Traits, name: str, side: int, count: int) -> list[tuple[float, float, float, float]]:
    """Places on a `side` x `side` tile, on a jittered lattice: (x, y, turn 0..6.28, size 0.7..1.3)."""
    across = max(1, round(count**0.5))
    step = side / across
    spots = []
    for n in range(across * across):
        x = (n % across + 0.5 * (n // across % 2) + traits.between(f"{name} x{n}", 0.2, 0.8)) * step
        y = (n // across + traits.between(f"{name} y{n}", 0.2, 0.8)) * step
        turn = traits.between(f"{name} turn{n}", 0, 6.28)
        spots.append((x, y, turn, traits.between(f"{name} size{n}", 0.7, 1.3)))
    return spots


def _repeat(tile: Image.Image, side: int) -> Image.Image:
    """A drawn tile (three times the size, L) reduced and repeated over the swatch."""
    small = np.asarray(tile.reduce(3))
    times = SWATCH // side + 1
    return Image.fromarray(np.tile(small, (times, times))[:SWATCH, :SWATCH])


def _wrap(
    draw: ImageDraw.ImageDraw, side: int, points: list[tuple[float, float]], fill: int, around: int = 3
) -> None:
    """A polygon drawn on a tile of 3 x `side` pixels and wherever it hangs over an edge."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    for move_x in (-side, 0, side):
        for move_y in (-side, 0, side):
            if (
                max(xs) + move_x < 0
                or min(xs) + move_x > side
                or max(ys) + move_y < 0
                or min(ys) + move_y > side
            ):
                continue
            draw.polygon(
                [(round((x + move_x) * around), round((y + move_y) * around)) for x, y in points], fill
            )


def floral(swatch: Image.Image, traits: Traits, accents: list[Colour]) -> None:
    """Scattered blossoms with a heart and leaves."""
    side = int(traits.between("flower tile", 56, 112))
    layers = [Image.new("L", (side * 3, side * 3)) for _ in range(3)]
    petals_draw, heart_draw, leaf_draw = (ImageDraw.Draw(layer) for layer in layers)
    petals = traits.pick("petals", (4, 5, 5, 6))
    size = side * traits.between("flower size", 0.045, 0.085)
    for x, y, turn, grow in _stamps(traits, "flower", side, traits.pick("flowers", (4, 9, 9))):
        reach = size * grow
        for n in range(petals):
            angle = turn + n * 6.2832 / petals
            cx, cy = x + reach * cos(angle), y + reach * sin(angle)
            _wrap(petals_draw, side, ellipse(cx, cy, reach * 0.72, reach * 0.72, 10), 255)
        _wrap(heart_draw, side, ellipse(x, y, reach * 0.5, reach * 0.5, 10), 255)
        lx, ly = x + 2.3 * reach * cos(turn + 0.6), y + 2.3 * reach * sin(turn + 0.6)
        _wrap(leaf_draw, side, ellipse(lx, ly, reach * 0.85, reach * 0.4, 10), 220)
    leaf = traits.pick("leaf colour", ((86, 118, 78), (120, 140, 92), (52, 84, 70)))
    for layer, colour in zip((2, 0, 1), (leaf, accents[0], accents[1]), strict=True):
        swatch.paste(colour, None, _repeat(layers[layer], side))


def leopard(swatch: Image.Image, traits: Traits, accents: list[Colour]) -> None:
    """Broken rings around a darker heart."""
    side = int(traits.between("spot tile", 60, 104))
    rings, hearts = Image.new("L", (side * 3, side * 3)), Image.new("L", (side * 3, side * 3))
    ring_draw, heart_draw = ImageDraw.Draw(rings), ImageDraw.Draw(hearts)
    near = _ground(swatch)
    size = side * traits.between("spot size", 0.05, 0.075)
    for n, (x, y, turn, grow) in enumerate(_stamps(traits, "spot", side, 16)):
        reach = size * grow
        wide = traits.between(f"spot wide{n}", 0.9, 1.4)
        _wrap(heart_draw, side, ellipse(x, y, reach * wide * 0.75, reach * 0.75, 9), 255)
        for start, parts in ((turn, 3), (turn + 2.6, 2), (turn + 4.4, 2)):
            bow = arc(x, y, reach * wide, reach, start, start + 0.62 * parts, 4)
            _wrap(ring_draw, side, strip(bow, reach * 0.55), 255)
    dark = mix(near, (24, 18, 16), 0.8) if sum(near) > 260 else mix(near, (235, 220, 190), 0.5)
    swatch.paste(mix(near, dark, 0.2), None, _repeat(hearts, side))
    swatch.paste(dark, None, _repeat(rings, side))


PATTERNS: dict[str, Callable[[Image.Image, Traits, list[Colour]], None]] = {
    "horizontal stripes": horizontal_stripes,
    "vertical stripes": vertical_stripes,
    "check": check,
    "dots": dots,
    "zigzag": zigzag,
    "diamonds": diamonds,
    "camouflage": camouflage,
    "colour block": colour_block,
    "floral": floral,
    "leopard": leopard,
}
