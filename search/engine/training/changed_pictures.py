"""A picture as somebody else might have taken it: for questions about items that have no second picture."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image as PillowImage

from search.engine.encoders.base import Picture
from search.engine.encoders.framing import fit_square
from search.engine.training.augmentation import augment

SIDE = 224  # pixels: no encoder of the project looks closer but one


def change_picture(picture: Picture, *, seed: int) -> Picture:
    """Turn, cut, blur and speckle a picture as Grid Dynamics change queries; the same for the same seed."""
    square = torch.from_numpy(np.array(fit_square(picture, SIDE)))[None]
    changed = augment(square, "query", torch.Generator().manual_seed(seed))
    return PillowImage.fromarray(changed[0].numpy())
