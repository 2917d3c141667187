"""The drawing sheet: outlines are cut from cloth, shaded, inked and laid over one another.

Everything is drawn three times too large, part by part within its own box, and reduced, so edges are smooth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import ceil, cos, floor, radians, sin

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .cloth import Cloth
from .geometry import Line
from .palette import Colour, brightness
from .patterns import SWATCH
from .tiles import cut, smooth_noise
from .traits import Traits

SIZE = 320
_FINE = 3
_PAD = 2

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Patch:
    """Where a part lies: its box on the sheet and its coverage within it."""

    box: Box
    mask: Image.Image


class Sheet:
    """A SIZE x SIZE drawing in progress; `frame` (left, top, right, bottom, in the drawing's units) fits in.

    The item's own pose (a small turn, shift, scale and skew) is applied to everything drawn; `offset` moves
    what is drawn next (the second shoe of a pair).
    """

    def __init__(self, traits: Traits, frame: tuple[float, float, float, float], ground: Colour) -> None:
        self._traits = traits
        self._parts = 0
        self.offset = (0.0, 0.0)
        self.colour = Image.new("RGB", (SIZE, SIZE), ground)
        self.coverage = Image.new("L", (SIZE, SIZE), 0)
        left, top, right, bottom = frame
        room = SIZE - 2 * traits.own("margin", 15, 42)
        self.scale = min(room / (right - left), room / (bottom - top))
        self.turn = traits.own("turn", -5, 5)
        self._middle = ((left + right) / 2, (top + bottom) / 2)
        self._target = (SIZE / 2 + traits.own("shift x", -7, 7), SIZE / 2 + traits.own("shift y", -7, 7))
        self._skew = traits.own("skew", -0.04, 0.04)
        self._bend = traits.own("bend", -0.0005, 0.0005)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point in the drawing's units."""
        x = (x + self.offset[0] - self._middle[0]) * self.scale
        y = (y + self.offset[1] - self._middle[1]) * self.scale
        x += self._skew * y + self._bend * y * y
        angle = radians(self.turn)
        return (
            self._target[0] + x * cos(angle) - y * sin(angle),
            self._target[1] + x * sin(angle) + y * cos(angle),
        )

    def fill(
        self,
        shape: Line,
        cloth: Cloth,
        *,
        angle: float = 0.0,
        shade: float = 0.34,
        edge: float = 0.75,
        within: Patch | None = None,
    ) -> Patch:
        """Cut `shape` from `cloth` (its grain turned by `angle` degrees), shade it and ink its edge.

        `within` clips the shape to an earlier part. Returns where it came to lie.
        """
        points = [self.place(x, y) for x, y in shape]
        box = _box(points)
        mask = _polygon(points, box)
        ink = _lines([[*points, points[0]]], box, 1.5, edge) if edge else None
        if within is not None:
            clip = _crop(within, box)
            mask = ImageChops.multiply(mask, clip)
            ink = ImageChops.multiply(ink, clip) if ink else None
        self._parts += 1
        piece = _cut_piece(cloth, box, angle + self.turn)
        if shade:
            piece = self._light(piece, mask, cloth, shade)
        self.colour.paste(piece, box, mask)
        if ink:
            self.colour.paste(cloth.ink, box, ink)
        self.coverage.paste(255, box, mask)
        return Patch(box, mask)

    def strokes(
        self,
        lines: Sequence[Line],
        colour: Colour,
        width: float = 1.2,
        opacity: float = 0.7,
        within: Patch | None = None,
    ) -> None:
        """Lines `width` pixels wide over what is there; they do not widen the item itself."""
        placed = [[self.place(x, y) for x, y in line] for line in lines if len(line) > 1]
        if not placed:
            return
        box = _box([point for line in placed for point in line])
        mask = _lines(placed, box, width, opacity)
        clip = _crop(within, box) if within else self.coverage.crop(box)
        self.colour.paste(colour, box, ImageChops.multiply(mask, clip))

    def stitches(
        self, line: Line, colour: Colour, within: Patch | None = None, opacity: float = 0.65
    ) -> None:
        """A dashed seam along `line`."""
        dashes: list[Line] = []
        step = 3.4 / self.scale
        walked = 0.0
        for (x0, y0), (x1, y1) in pairwise(line):
            length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
            place = -walked
            while place < length:
                start, end = max(place, 0.0), min(place + step * 0.62, length)
                if end > start:
                    dashes.append(
                        [
                            (x0 + (x1 - x0) * start / length, y0 + (y1 - y0) * start / length),
                            (x0 + (x1 - x0) * end / length, y0 + (y1 - y0) * end / length),
                        ]
                    )
                place += step
            walked = length - (place - step)
        self.strokes(dashes, colour, 1.1, opacity, within)

    def _light(self, piece: Image.Image, mask: Image.Image, cloth: Cloth, shade: float) -> Image.Image:
        """Light from the upper left: darker towards the other edges, folds, and the gloss of the material."""
        name = f"part {self._parts}"
        width, height = mask.width // 4 + 9, mask.height // 4 + 9
        low = Image.new("L", (width, height), 0)
        low.paste(mask.reduce(4), (3, 3))
        pale = brightness(cloth.colour) > 190
        low = low.filter(ImageFilter.GaussianBlur(2.6)).point(_shading(round(shade * (50 if pale else 92))))
        if cloth.folds > 0.05:
            folds = cut(smooth_noise(11, 34, 61), self._traits, name, width, height)
            low = ImageChops.multiply(low, folds.point(_folding(round(cloth.folds * (11 if pale else 18)))))
        large = low.resize((width * 4, height * 4), Image.Resampling.BILINEAR)
        large = large.crop((16, 16, 16 + piece.width, 16 + piece.height))
        piece = ImageChops.multiply(piece, Image.merge("RGB", (large, large, large)))
        if cloth.gloss > 0.05:
            shine = cut(smooth_noise(16, 30, 62), self._traits, f"{name} shine", width, height)
            shine = shine.point(_shining(round(cloth.gloss * 20)))
            bright = shine.resize((width * 4, height * 4), Image.Resampling.BILINEAR)
            bright = bright.crop((0, 0, piece.width, piece.height))
            piece = ImageChops.screen(piece, Image.merge("RGB", (bright, bright, bright)))
        return piece


@cache
def _shading(percent: int) -> list[int]:
    return [255 - (255 - value) * percent // 100 for value in range(256)]


@cache
def _folding(strength: int) -> list[int]:
    """Dark valleys only: brighter blotches stay at full light."""
    return [255 - min(46, max(0, 138 - value) * strength // 16) for value in range(256)]


@cache
def _shining(strength: int) -> list[int]:
    return [min(200, max(0, value - 146) * strength // 7) for value in range(256)]


def _box(points: Sequence[tuple[float, float]]) -> Box:
    left = max(0, min(SIZE - 4, floor(min(x for x, _ in points)) - _PAD))
    top = max(0, min(SIZE - 4, floor(min(y for _, y in points)) - _PAD))
    right = min(SIZE, max(left + 4, ceil(max(x for x, _ in points)) + _PAD))
    bottom = min(SIZE, max(top + 4, ceil(max(y for _, y in points)) + _PAD))
    return (left, top, right, bottom)


def _polygon(points: Sequence[tuple[float, float]], box: Box) -> Image.Image:
    large = Image.new("L", ((box[2] - box[0]) * _FINE, (box[3] - box[1]) * _FINE))
    ImageDraw.Draw(large).polygon(_fine(points, box), 255)
    return large.reduce(_FINE)


def _lines(lines: Sequence[Line], box: Box, width: float, opacity: float) -> Image.Image:
    large = Image.new("L", ((box[2] - box[0]) * _FINE, (box[3] - box[1]) * _FINE))
    draw = ImageDraw.Draw(large)
    for line in lines:
        draw.line(_fine(line, box), round(opacity * 255), max(1, round(width * _FINE)), joint="curve")
    return large.reduce(_FINE)


def _fine(points: Sequence[tuple[float, float]], box: Box) -> list[tuple[int, int]]:
    return [(round((x - box[0]) * _FINE), round((y - box[1]) * _FINE)) for x, y in points]


def _crop(patch: Patch, box: Box) -> Image.Image:
    """The patch's coverage within another box, nothing outside its own."""
    left, top = patch.box[0], patch.box[1]
    return patch.mask.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))


def _cut_piece(cloth: Cloth, box: Box, angle: float) -> Image.Image:
    """A piece of cloth as large as `box`, middle on middle of the swatch, turned by `angle` degrees."""
    width, height = box[2] - box[0], box[3] - box[1]
    if cloth.swatch is None:
        return Image.new("RGB", (width, height), cloth.colour)
    c, s = cos(radians(angle)), sin(radians(angle))
    x, y, middle = width / 2, height / 2, SWATCH / 2
    matrix = (c, s, middle - c * x - s * y, -s, c, middle + s * x - c * y)
    return cloth.swatch.transform(
        (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=cloth.colour
    )
