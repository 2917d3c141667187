"""Small catalogues as encoders that know aspects see them, made of labels: colour and shape."""

import numpy as np

from search.engine.aspect_views import AspectHeads, HeadGround, MaskGround
from search.engine.navigation.terrain import Space

COLOURS, SHAPES = 4, 5


def make_table(*, items=120, seed=0):
    """(items, 2) labels; the first value of each aspect is common, the others are rare."""
    draws = np.random.default_rng(seed)
    colours = draws.choice(COLOURS, items, p=[0.7, 0.1, 0.1, 0.1])
    shapes = draws.choice(SHAPES, items, p=[0.6, 0.1, 0.1, 0.1, 0.1])
    return np.stack([colours, shapes], axis=1)


def make_vectors(table, *, seed=1, noise=0.1):
    """(n, 9) float32: places of the colours, then of the shapes, a little off."""
    sizes = (COLOURS, SHAPES)
    hot = [np.eye(size)[table[:, column]] for column, size in enumerate(sizes)]
    vectors = np.concatenate(hot, axis=1)
    return (vectors + np.random.default_rng(seed).normal(0, noise, vectors.shape)).astype(np.float32)


def masked(vectors, aspect):
    mask = np.zeros(COLOURS + SHAPES, np.float32)
    mask[slice(None, COLOURS) if aspect == "colour" else slice(COLOURS, None)] = 1
    return vectors * mask


def make_masks(vectors):
    spaces = {aspect: Space(aspect, masked(vectors, aspect)) for aspect in ("colour", "shape")}
    return MaskGround(Space("pupil", vectors), spaces)


def make_heads(vectors):
    values = {"colour": tuple("rgbw"), "shape": tuple("abcde")}
    weights = 8 * np.eye(COLOURS + SHAPES, dtype=np.float32)
    heads = AspectHeads(values, weights, np.zeros(len(weights), np.float32), (1.0, 2.0), 0.5)
    return HeadGround(Space("pupil", vectors), heads)
