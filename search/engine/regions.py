"""Where in a photo things are: boxes proposed by contrast alone, whatever the thing is, without any weights.

Windows of a coarse grid are judged by what Alexe, Deselaers and Ferrari ("What is an object?", CVPR 2010)
look at, how far the colours inside differ from those of the ring around and how many edges lie inside; and
besides by how unlike the picture's border they are and by where things usually are in photos.
docs/decisions/regions.md tells where the weights are from. A web process calls this while a person waits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from search.engine.colours import to_lab
from search.engine.errors import ImageRejected

LEAST_CROP = 24  # pixels a side: less shows nothing that could be searched for
OVERLAP = 0.6  # intersection over union beyond which only the better of two regions is kept

_SIDE, _CELLS, _LEAST_CELLS = 64, 16, 3
_RING = 2  # cells around a window that it is compared with
_LARGEST = 0.92  # share of the picture; beyond it a window is the picture
_LEAST_CONTRAST = 0.12  # 0: as the ring around, 1: no colour in common with it
_CONSIDERED = 1000
_WORDS = 12  # colours a picture is reduced to
_ROUNDS = 5  # of k-means
_NEAR = 12.0  # CIELAB units within which colours count as much the same
_LIGHTNESS = 0.6  # how much lightness counts beside colour: shadows are not things
_BORDER = 4  # pixels of _SIDE
_DOUBT = 0.02  # share of a colour that is taken for granted in border and middle
_LEAST_COARSE = 0.2  # share of a picture's variance between its cells: noise has a sixteenth, photos above .4
_LEAST_EDGE = (
    2.0  # CIELAB units a pixel, of the strongest fiftieth: light that falls off reaches 1.5, photos 3
)
_STRONG = 40.0  # CIELAB units a pixel beyond which an edge counts no more

Array: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True)
class Region:
    """A box in fractions of the picture; ``score``, 0 to 1, is the higher the likelier a thing fills it."""

    left: float
    top: float
    width: float
    height: float
    score: float


def propose_regions(picture: Image.Image, *, limit: int = 6) -> list[Region]:
    """The ``limit`` likeliest boxes of things in a picture of any size, the best first.

    The whole picture is never among them. Where nothing stands out (one colour, noise) there are none.
    """
    grid = _look(picture)
    if grid is None:
        return []
    boxes, scores = _judge(grid)
    return [
        Region(left, top, right - left, bottom - top, score)
        for (left, top, right, bottom), score in (
            (boxes[place].tolist(), float(scores[place]))
            for place in suppress(boxes, scores, overlap=OVERLAP, limit=limit)
        )
    ]


def suppress(boxes: Array, scores: Array, *, overlap: float, limit: int) -> list[int]:
    """Non-maximum suppression of (n, 4) boxes (left, top, right, end): at most ``limit`` places, best first.

    Of boxes whose intersection over union exceeds ``overlap`` the one with the highest score stays; of equal
    ones, the first.
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order) and len(kept) < limit:
        kept.append(int(order[0]))
        order = order[1:]
        order = order[overlaps(boxes[order], boxes[kept[-1]]) <= overlap]
    return kept


def overlaps(boxes: Array, box: Array) -> Array:
    """Intersection over union of (n, 4) boxes with one: (n,), 0 where both are empty."""
    corner, end = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    shared = np.maximum(end - corner, 0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    union = np.maximum(areas - shared, 1e-12)
    found: Array = shared / union
    return found


def crop_region(
    picture: Image.Image, *, left: float, top: float, width: float, height: float, least: int = LEAST_CROP
) -> Image.Image:
    """The part of a picture in a box in fractions of it, in whole pixels.

    Raises ImageRejected("bad-box") for a box without a size, beyond the picture, or of fewer than ``least``
    pixels a side.
    """
    edges = (left, top, left + width, top + height)
    if not all(math.isfinite(edge) for edge in edges) or width <= 0 or height <= 0:
        raise ImageRejected(
            "bad-box", "The crop has no size. Mark a part of the photo, or search with the whole photo."
        )
    if min(edges) < -_ROUNDING or max(edges) > 1 + _ROUNDING:
        raise ImageRejected(
            "bad-box",
            f"The crop from {left:.0%}, {top:.0%} to {edges[2]:.0%}, {edges[3]:.0%} lies beyond the photo. "
            "Mark a part within it.",
        )
    across, down = picture.size
    box = (
        max(0, round(edges[0] * across)),
        max(0, round(edges[1] * down)),
        min(across, round(edges[2] * across)),
        min(down, round(edges[3] * down)),
    )
    found = (box[2] - box[0], box[3] - box[1])
    if min(found) < least:
        raise ImageRejected(
            "bad-box",
            f"The crop is {found[0]} x {found[1]} pixels; at least {least} x {least} are needed to see "
            "anything. Mark a larger part, or take the photo from nearer.",
        )
    return picture.crop(box)


@dataclass(frozen=True)
class _Grid:
    """What windows are judged by, as sums over the grid: (k, cells, cells).

    ``counts`` of pixels of each colour word, ``kinship`` (k, k) of the words, and sums of what is unlike the
    border and of edges.
    """

    counts: Array
    kinship: Array
    unlike: Array
    edges: Array


def _look(picture: Image.Image) -> _Grid | None:
    """None for a picture in which there is nothing but noise, light that falls off, or one colour."""
    small = picture if picture.mode in ("RGB", "L") else picture.convert("RGB")
    small = small.resize((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=2.0).convert("RGB")
    lab = to_lab(np.asarray(small, np.float64)).astype(np.float32)
    lab[..., 0] *= _LIGHTNESS
    coarse = _sum_cells(lab.reshape(-1, 3).T) / _PIXELS
    if coarse.var(axis=(1, 2)).sum() < _LEAST_COARSE * lab.var(axis=(0, 1)).sum():
        return None
    lab = _blur(lab)
    across, down = (np.abs(np.diff(lab, axis=axis)).sum(axis=2) for axis in (1, 0))
    if np.quantile(np.concatenate([across.ravel(), down.ravel()]), 0.98) < _LEAST_EDGE:
        return None
    words, named = _name_colours(lab.reshape(-1, 3))
    between = ((words[:, None] - words) ** 2).sum(axis=2)
    kinship = np.exp(-between / (2 * _NEAR**2))
    one_hot = (named[:, None] == np.arange(_WORDS)).astype(np.float32)
    border = kinship @ (one_hot[_IN_BORDER].mean(axis=0))
    middle = kinship @ (_IN_MIDDLE @ one_hot)
    unlike = np.log((middle + _DOUBT) / (border + _DOUBT))[named]
    steps = np.zeros((_SIDE, _SIDE), np.float32)
    steps[:, 1:] += across
    steps[1:] += down
    return _Grid(
        _sum_cells(one_hot.T),
        kinship,
        _sum_cells(unlike[None]),
        _sum_cells(np.minimum(steps, _STRONG).reshape(1, -1)),
    )


def _blur(lab: Array) -> Array:
    """The mean of 3 x 3 pixels, mirrored at the edges; without scipy, which a decoder would load for it."""
    wide = np.pad(lab, ((1, 1), (1, 1), (0, 0)), mode="symmetric")
    rows = wide[:-2] + wide[1:-1] + wide[2:]
    blurred: Array = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9)
    return blurred


def _name_colours(pixels: Array) -> tuple[Array, NDArray[np.int64]]:
    """k-means of (n, 3) colours, begun at quantiles of lightness: words (k, 3), and each pixel's (n,)."""
    some = pixels[::3]
    begin = np.argsort(some[:, 0], kind="stable")
    words = some[begin[((np.arange(_WORDS) + 0.5) / _WORDS * len(some)).astype(int)]]
    for _ in range(_ROUNDS):
        named = _name(some, words)
        sizes = np.bincount(named, minlength=_WORDS)
        sums = np.stack([np.bincount(named, some[:, part], _WORDS) for part in range(3)], axis=1)
        words = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], words).astype(np.float32)
    return words, _name(pixels, words)


def _name(pixels: Array, words: Array) -> NDArray[np.int64]:
    named: NDArray[np.int64] = ((words**2).sum(axis=1) - 2 * pixels @ words.T).argmin(axis=1)
    return named


def _sum_cells(values: Array) -> Array:
    """(k, pixels) -> (k, cells, cells)."""
    step = _SIDE // _CELLS
    sums: Array = values.reshape(-1, _CELLS, step, _CELLS, step).sum(axis=(2, 4))
    return sums


def _judge(grid: _Grid) -> tuple[Array, Array]:
    """The windows that stand out, best first: (n, 4) boxes in fractions, and their scores."""
    measures, contrast = _measure(grid)
    logits = (measures - _MEANS) @ _WEIGHTS + _BIAS
    standing = np.flatnonzero(contrast >= _LEAST_CONTRAST)
    best = standing[np.argsort(-logits[standing], kind="stable")[:_CONSIDERED]]
    return _BOXES[best], (1 / (1 + np.exp(-logits[best]))).astype(np.float32)


def _measure(grid: _Grid) -> tuple[Array, Array]:
    """What each window is judged by, (windows, measures), and its contrast with its ring."""
    inside, around = (_sum_windows(grid.counts, spans) for spans in (_SPANS, _WIDER))
    size, ring_size = _SIZE, _RING_SIZE
    gap = inside * (1 / size + 1 / ring_size) - around * (1 / ring_size)
    contrast = np.sqrt(np.maximum(np.einsum("kw,kw->w", gap, grid.kinship @ gap), 0))
    unlike, unlike_around = (_sum_windows(grid.unlike, spans)[0] for spans in (_SPANS, _WIDER))
    edges = _sum_windows(grid.edges, _SPANS)[0] / size
    usual = grid.edges.mean() * (_CELLS / _SIDE) ** 2
    changing = [
        contrast,
        unlike / size,
        (unlike_around - unlike) / ring_size,
        np.log((edges + 1) / (usual + 1)),
    ]
    return np.concatenate([np.stack(changing, axis=1), _PLACES], axis=1).astype(np.float32), contrast


def _sum_windows(cells: Array, spans: NDArray[np.int64]) -> Array:
    """Sums of (k, cells, cells) over all windows: (k, windows). ``spans`` are (n, 2): from, up to."""
    begin, end = spans.T
    table = np.zeros((len(cells), _CELLS + 1, _CELLS + 1), np.float32)
    table[:, 1:, 1:] = cells.cumsum(axis=1).cumsum(axis=2)
    rows = table[:, end] - table[:, begin]
    sums: Array = (rows[:, :, end] - rows[:, :, begin]).reshape(len(cells), -1)[:, _USED]
    return sums


def _place_windows() -> Array:
    """What is known of windows before a picture is seen: where they lie, their size and shape."""
    left, top, right, bottom = _BOXES.T
    area = np.log((right - left) * (bottom - top))
    shape = np.abs(np.log((right - left) / (bottom - top)))
    touched = ((_BOXES == 0) | (_BOXES == 1)).sum(axis=1)
    places = [((left + right) / 2 - 0.5) ** 2, ((top + bottom) / 2 - 0.5) ** 2, area, area**2, touched, shape]
    return np.stack(places, axis=1).astype(np.float32)


# Of the ten measures, in order: contrast, unlike the border inside and around, edges, place across and down,
# size and its square, sides of the picture touched, narrowness. Fitted: see docs/decisions/regions.md.
_MEANS = np.array(
    [0.2985, 0.2436, 0.1121, 0.0917, 0.0333, 0.0332, -1.7844, 3.6468, 0.5221, 0.5462], np.float32
)
_WEIGHTS = np.array(
    [7.861, -1.074, -1.335, 2.689, -39.75, -41.347, 0.564, -0.215, -0.389, -1.206], np.float32
)
_BIAS = -5.259
_ROUNDING = 1e-6  # what fractions may lose on their way through an address
_SPANS = np.array(
    [(a, b) for a in range(_CELLS) for b in range(a + _LEAST_CELLS, _CELLS + 1)], np.int64
)  # of cells, along one side
_WIDER = np.clip(_SPANS + np.array([-_RING, _RING]), 0, _CELLS)
_ROW, _COLUMN = np.indices((len(_SPANS), len(_SPANS))).reshape(2, -1)
_AREA = np.diff(_SPANS)[_ROW, 0] * np.diff(_SPANS)[_COLUMN, 0]
_USED = np.flatnonzero(_AREA <= _LARGEST * _CELLS**2)
_EDGES = np.stack([_SPANS[_COLUMN, 0], _SPANS[_ROW, 0], _SPANS[_COLUMN, 1], _SPANS[_ROW, 1]], axis=1)
_BOXES: Array = (_EDGES[_USED] / _CELLS).astype(np.float32)
_PLACES = _place_windows()
_PIXELS = np.full((1, _CELLS, _CELLS), (_SIDE / _CELLS) ** 2, np.float32)
_SIZE = _sum_windows(_PIXELS, _SPANS)[0]
_RING_SIZE = np.maximum(_sum_windows(_PIXELS, _WIDER)[0] - _SIZE, 1)
_FRAME = np.zeros((_SIDE, _SIDE), bool)
_FRAME[:_BORDER] = _FRAME[-_BORDER:] = _FRAME[:, :_BORDER] = _FRAME[:, -_BORDER:] = True
_IN_BORDER = np.flatnonzero(_FRAME)
_OFFSET = np.linspace(-1.0, 1.0, _SIDE)
_CENTRE = np.exp(-1.5 * (_OFFSET[:, None] ** 2 + _OFFSET**2)).ravel().astype(np.float32)
_IN_MIDDLE = _CENTRE / _CENTRE.sum()
