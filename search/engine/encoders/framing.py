"""Brings images of any size to the fixed square that a network or a histogram looks at."""

from __future__ import annotations

import numpy as np
from PIL import Image as PillowImage

from search.engine.encoders.base import Image, Picture

RESAMPLING = PillowImage.Resampling.BILINEAR


def fit_square(picture: Picture, size: int, *, reducing_gap: float | None = None) -> Image:
    """Scale the long side to ``size`` and pad the short one with the ground colour, centred.

    The garment keeps its proportions, and the padding continues the picture's own ground (the median of
    the two edges that are extended), so that white-ground pictures stay white and photos get no new edge.
    With ``reducing_gap`` (from 1), whole pixels are averaged first, down to that many times the size: nearly
    the same for a fraction of the time (Pillow's ``Image.resize``).
    """
    width, height = picture.size
    scale = size / max(height, width)
    inner_height, inner_width = max(1, round(height * scale)), max(1, round(width * scale))
    resized = np.asarray(picture.resize((inner_width, inner_height), RESAMPLING, reducing_gap=reducing_gap))
    if inner_height == inner_width:
        return resized
    edges = resized[[0, -1], :] if inner_width > inner_height else resized[:, [0, -1]]
    ground = np.median(edges.reshape(-1, 3), axis=0).astype(np.uint8)
    square = np.empty((size, size, 3), dtype=np.uint8)
    square.reshape(size, -1)[:] = np.tile(ground, size)  # a row at a time: far faster than pixel by pixel
    top, left = (size - inner_height) // 2, (size - inner_width) // 2
    square[top : top + inner_height, left : left + inner_width] = resized
    return square


def crop_centre(picture: Picture, *, short_side: int, size: int) -> Image:
    """Scale the short side to ``short_side`` and cut the central square of ``size``.

    The preprocessing published with torchvision's ImageNet weights (``transforms._presets`` of torchvision,
    ``ImageClassification`` on Pillow images), with the same rounding.
    """
    width, height = picture.size
    short, long = min(height, width), max(height, width)
    long_side = int(short_side * long / short)
    target = (short_side, long_side) if width <= height else (long_side, short_side)
    resized = np.asarray(picture.resize(target, RESAMPLING))
    top = round((resized.shape[0] - size) / 2.0)
    left = round((resized.shape[1] - size) / 2.0)
    return resized[top : top + size, left : left + size]
