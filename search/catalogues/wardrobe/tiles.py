"""Grey tiles made once per process and cut by every drawing: noise, weaves, folds.

They are built from raw PCG64 words with integer arithmetic (numpy freezes the bit stream, not the
distributions drawn from it), so that the same tile comes out everywhere.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .traits import Traits

TILE = 512

Grid = NDArray[np.int32]


@cache
def noise_grid(height: int, width: int, salt: int) -> Grid:
    """Roughly bell-shaped integers around 0 (sum of four bytes, -510..510), shape (height, width)."""
    raw = np.random.PCG64(salt).random_raw(height * width)
    total = sum(((raw >> np.uint64(shift)) & np.uint64(255)).astype(np.int32) for shift in (8, 24, 40, 56))
    return (np.asarray(total, dtype=np.int32) - 510).reshape(height, width)


@cache
def smooth_noise(cell_x: int, cell_y: int, salt: int) -> Image.Image:
    """Soft blotches of about cell_x x cell_y pixels, mode L around 128, TILE + 64 pixels wide and high."""
    side = TILE + 64
    grid = noise_grid(side // cell_y + 3, side // cell_x + 3, salt)
    small = Image.fromarray(np.clip(128 + grid // 3, 0, 255).astype(np.uint8))
    large = small.resize((small.width * cell_x, small.height * cell_y), Image.Resampling.BICUBIC)
    return large.crop((cell_x, cell_y, cell_x + side, cell_y + side))


@cache
def grain(radius_tenths: int, gain_percent: int, salt: int) -> Image.Image:
    """Fine noise, blurred by radius_tenths / 10 pixels, mode L around 128, TILE x TILE."""
    values = np.clip(128 + noise_grid(TILE, TILE, salt) * 40 // 100, 0, 255).astype(np.uint8)
    picture = Image.fromarray(values)
    if radius_tenths:
        picture = picture.filter(ImageFilter.GaussianBlur(radius_tenths / 10))
    return picture.point(
        [max(0, min(255, 128 + (value - 128) * gain_percent // 100)) for value in range(256)]
    )


def cut(tile: Image.Image, traits: Traits, name: str, width: int, height: int) -> Image.Image:
    """A width x height piece of `tile` at a place of the item's own."""
    left = int(traits.own(f"{name} left", 0, tile.width - width + 0.999))
    top = int(traits.own(f"{name} top", 0, tile.height - height + 0.999))
    return tile.crop((left, top, left + width, top + height))
