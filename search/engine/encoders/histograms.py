"""The classical baselines: a colour histogram and a histogram of oriented gradients, in numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.base import EncoderInfo, FunctionEncoder, Image, Picture, Surroundings, Vectors
from search.engine.encoders.framing import fit_square

Floats = NDArray[np.float32]

SIDE = 64  # pixels of the square that both histograms look at

# Colour: CIE L*a*b*, soft bins; one fine histogram of the whole garment, a coarse one per cell of a grid.
FINE_BINS = (6, 8, 8)
COARSE_BINS = (3, 4, 4)
GRID = 3
LAB_LOW = np.array([0.0, -60.0, -60.0], dtype=np.float32)  # nearly all surface colours lie within
LAB_HIGH = np.array([100.0, 80.0, 80.0], dtype=np.float32)
GROUND_DISTANCE = 18.0  # colour difference at which a pixel surely is not the ground
GROUND_WEIGHT = 0.02  # what a pixel of the ground's own colour still counts
LEAST_GARMENT = 0.04  # share of the picture under which nothing but ground was found

# Gradients: Dalal and Triggs, "Histograms of oriented gradients for human detection", CVPR 2005.
ORIENTATIONS = 9
CELL = 8
BLOCK = 2
CLIPPING = 0.2

_COLOUR_DIMENSIONS = int(np.prod(FINE_BINS) + GRID * GRID * np.prod(COARSE_BINS))
_CELLS = SIDE // CELL
_GRADIENT_DIMENSIONS = (_CELLS - BLOCK + 1) ** 2 * BLOCK * BLOCK * ORIENTATIONS


def _info(name: str, title: str, dimensions: int) -> EncoderInfo:
    return EncoderInfo(
        name=name,
        family="histograms",
        title=title,
        dimensions=dimensions,
        version="1",
        sign_structured=False,
        network=name,
    )


_COLOUR = _info("colour-histogram", "Colour histogram", _COLOUR_DIMENSIONS)
_GRADIENT = _info("gradient-histogram", "Gradient histogram", _GRADIENT_DIMENSIONS)


def describe(surroundings: Surroundings) -> list[EncoderInfo]:
    """List both histograms, which need nothing and are always ready."""
    return [_COLOUR, _GRADIENT]


def create(infos: Sequence[EncoderInfo], surroundings: Surroundings) -> FunctionEncoder:
    """Make the histogram that is asked for."""
    (info,) = infos
    return FunctionEncoder(info, dict(FUNCTIONS)[info], surroundings.cores)


def count_colours(picture: Picture) -> Vectors:
    """Describe a picture's colours by (816,) float32: where in L*a*b*, and roughly where in the picture.

    Each histogram holds square roots of shares, so that L2 is the Hellinger distance between them and rare
    colours count; the fine and the coarse part weigh the same. A plain ground (white paper, a floor) hardly
    counts: it says how the picture was taken, not what is on it.
    """
    lab = _to_lab(fit_square(picture, SIDE))
    weights = _weigh_garment(lab)
    rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
    cells = rows * GRID // SIDE * GRID + columns * GRID // SIDE
    flat, flat_weights = lab.reshape(-1, 3), weights.reshape(-1)
    whole = _count_softly(flat, flat_weights, FINE_BINS, np.zeros_like(cells), 1)
    by_cell = _count_softly(flat, flat_weights, COARSE_BINS, cells, GRID * GRID)
    total = float(flat_weights.sum())
    return np.sqrt(np.concatenate([whole.ravel(), by_cell.ravel()]) / total).astype(np.float32)


def count_gradients(picture: Picture) -> Vectors:
    """Describe a picture's shapes by (1764,) float32: orientations of edges per cell, blocks normalised.

    Unsigned orientations in 9 soft bins, cells of 8 x 8 pixels, blocks of 2 x 2 cells with L2-Hys
    normalisation, the strongest of the three colour channels per pixel, after a square root of the
    intensities.
    """
    intensities = np.sqrt(fit_square(picture, SIDE).astype(np.float32) / 255.0)
    magnitudes, positions = _find_edges(intensities)
    lower = np.floor(positions)
    upper_share = positions - lower
    first = lower.astype(np.intp) % ORIENTATIONS
    rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
    cells = ((rows // CELL) * _CELLS + columns // CELL) * ORIENTATIONS
    counts = np.zeros(_CELLS * _CELLS * ORIENTATIONS)
    counts += np.bincount(cells + first, magnitudes * (1 - upper_share), len(counts))
    counts += np.bincount(cells + (first + 1) % ORIENTATIONS, magnitudes * upper_share, len(counts))
    return _normalise_blocks(counts.reshape(_CELLS, _CELLS, ORIENTATIONS))


def _find_edges(intensities: Floats) -> tuple[Floats, Floats]:
    """Return each pixel's gradient: magnitude, and orientation in bins from 0 to 9, both (side * side,)."""
    down = np.zeros_like(intensities)
    across = np.zeros_like(intensities)
    down[1:-1] = intensities[2:] - intensities[:-2]
    across[:, 1:-1] = intensities[:, 2:] - intensities[:, :-2]
    strength = (down * down + across * across).reshape(-1, 3)
    strongest = (np.arange(len(strength)), strength.argmax(axis=1))
    angle = np.arctan2(down.reshape(-1, 3)[strongest], across.reshape(-1, 3)[strongest])
    # Bin centres lie at half bins; the subtraction makes the lower neighbour's index a plain floor.
    positions = (angle / np.pi % 1.0) * ORIENTATIONS - 0.5
    return np.sqrt(strength[strongest]), positions


def _normalise_blocks(cells: NDArray[np.float64]) -> Vectors:
    """Normalise each block of 2 x 2 cells by L2-Hys: to unit length, clipped at 0.2, to unit length again."""
    windows = np.lib.stride_tricks.sliding_window_view(cells, (BLOCK, BLOCK), axis=(0, 1))
    blocks: NDArray[np.float64] = windows.reshape(-1, ORIENTATIONS * BLOCK * BLOCK)
    # The floor keeps the noise of an empty block from being blown up to the strength of an edge.
    blocks = blocks / np.sqrt((blocks**2).sum(axis=1, keepdims=True) + 1.0)
    blocks = np.minimum(blocks, CLIPPING)
    blocks = blocks / np.sqrt((blocks**2).sum(axis=1, keepdims=True) + 1e-3)
    return np.asarray(blocks.ravel(), dtype=np.float32)


def _linearise() -> Floats:
    """Tabulate sRGB's transfer function (IEC 61966-2-1) for the 256 levels."""
    levels = np.arange(256) / 255.0
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


_LINEAR = _linearise()
# sRGB to XYZ, each row divided by the D65 white point (IEC 61966-2-1).
_TO_XYZ = np.array(
    [
        [0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883],
    ],
    dtype=np.float32,
)


def _to_lab(image: Image) -> Floats:
    """Convert (h, w, 3) sRGB to CIE L*a*b* under D65 (CIE 15:2004)."""
    xyz = _LINEAR[image] @ _TO_XYZ.T
    bent = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = bent[..., 0], bent[..., 1], bent[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _weigh_garment(lab: Floats) -> Floats:
    """Weigh pixels (h, w) by how much they differ from the ground: the median colour of the frame.

    Where hardly anything differs (a white shirt on white), every pixel counts.
    """
    frame = np.concatenate([lab[0], lab[-1], lab[1:-1, 0], lab[1:-1, -1]])
    difference = np.sqrt(((lab - np.median(frame, axis=0)) ** 2).sum(axis=-1))
    weights = np.clip(difference / GROUND_DISTANCE, 0.0, 1.0) ** 2
    if weights.mean() < LEAST_GARMENT:
        return np.ones_like(weights)
    return np.asarray(np.maximum(weights, GROUND_WEIGHT), dtype=np.float32)


def _count_softly(
    lab: Floats, weights: Floats, bins: tuple[int, int, int], cells: NDArray[np.intp], cell_count: int
) -> NDArray[np.float64]:
    """Share each pixel among its 8 nearest bins; return (cells, bins) of weights."""
    sizes = np.array(bins)
    scaled = np.clip((lab - LAB_LOW) / (LAB_HIGH - LAB_LOW), 0.0, 1.0) * (sizes - 1)
    lower = np.minimum(scaled.astype(np.intp), sizes - 2)
    upper_share = scaled - lower
    strides = np.array([bins[1] * bins[2], bins[2], 1])
    size = int(np.prod(bins))
    base = cells * size + lower @ strides
    counts = np.zeros(cell_count * size)
    for corner in np.ndindex(2, 2, 2):
        share = np.where(np.array(corner, dtype=bool), upper_share, 1 - upper_share).prod(axis=1)
        counts += np.bincount(base + int(np.dot(corner, strides)), weights * share, len(counts))
    return counts.reshape(cell_count, size)


# What makes the vector of each, for who runs them without an encoder around.
FUNCTIONS = ((_COLOUR, count_colours), (_GRADIENT, count_gradients))
