"""Terrains on which navigation is tried: drawn ones, with a space per mask."""

import numpy as np

from search.engine.navigation.terrain import Space, Terrain

BLOCKS = 3


def draw_terrain(items=200, *, seed=0, twins=0):
    """Items in clusters of clusters, of a few dimensions per mask; the last ``twins`` look like the first."""
    draws = np.random.default_rng(seed)
    parts = []
    for _ in range(BLOCKS):
        clusters = 2 * draws.normal(size=(6, 4))
        smaller = clusters[draws.integers(0, 6, 60)] + 0.8 * draws.normal(size=(60, 4))
        parts.append(smaller[draws.integers(0, 60, items)] + 0.3 * draws.normal(size=(items, 4)))
    vectors = np.concatenate(parts, axis=1).astype(np.float32)
    identity = np.arange(items)
    if twins:
        vectors[-twins:], identity[-twins:] = vectors[:twins], identity[:twins]
    masks = tuple(
        Space(f"mask {block}", np.ascontiguousarray(vectors[:, 4 * block : 4 * block + 4]))
        for block in range(BLOCKS)
    )
    return Terrain(Space("whole", vectors), masks, identity)


def line(*places):
    """Items on a line, with no masks."""
    vectors = np.array(places, np.float32)[:, None]
    return Terrain(Space("line", vectors), (), np.arange(len(places)))
