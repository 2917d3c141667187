"""The random control: what a contender scores that has not looked at the picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from search.engine.encoders.base import EncoderInfo, FunctionEncoder, Picture, Surroundings, Vectors

DIMENSIONS = 64

_INFO = EncoderInfo(
    name="random-control",
    family="control",
    title="Random control",
    dimensions=DIMENSIONS,
    version="2",
    sign_structured=True,
    network="random-control",
    is_control=True,
)


def describe(surroundings: Surroundings) -> list[EncoderInfo]:
    """List the one control, which needs nothing and is always ready."""
    return [_INFO]


def create(infos: Sequence[EncoderInfo], surroundings: Surroundings) -> FunctionEncoder:
    """Make the control."""
    return FunctionEncoder(_INFO, _draw_vector, surroundings.cores)


def _draw_vector(picture: Picture) -> Vectors:
    """Draw a direction (64,) from the picture's pixels: random, yet the same on every machine and run.

    Neighbours are as good as drawn by lot, except that equal pictures stay equal. The vectors have length 1,
    for a short one among longer ones would be the nearest of a great many others.
    """
    image = np.array(picture)
    digest = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))
    vector = generator.standard_normal(DIMENSIONS)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


# What makes its vector, for who runs it without an encoder around.
FUNCTIONS = ((_INFO, _draw_vector),)
