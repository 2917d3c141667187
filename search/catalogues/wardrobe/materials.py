"""Materials: the texture, the shine and the folds that tell cotton from leather."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .patterns import SWATCH
from .tiles import TILE, grain, noise_grid, smooth_noise

_SIDE = SWATCH + 64


@dataclass(frozen=True)
class Material:
    """How a material looks: `gloss` and `folds` in 0..1, `texture` a tile maker by coarseness 0, 1 or 2."""

    gloss: float
    folds: float
    texture: Callable[[int], Image.Image]


def _steps() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    line = np.arange(_SIDE, dtype=np.int32)
    return line[None, :], line[:, None]


def _tile(values: NDArray[np.int32], grit: int, salt: int) -> Image.Image:
    """A texture around 128 with noise of strength `grit` per cent added."""
    noise = noise_grid(TILE, TILE, salt)[:_SIDE, :_SIDE] * grit // 1000
    return Image.fromarray(np.clip(128 + values + noise, 0, 255).astype(np.uint8))


def _cotton(coarse: int) -> Image.Image:
    return grain(6 + coarse, 20, 1)


def _linen(coarse: int) -> Image.Image:
    across = np.asarray(smooth_noise(26, 2 + coarse // 2, 2), dtype=np.int32)[:_SIDE, :_SIDE] - 128
    down = np.asarray(smooth_noise(2, 26, 3), dtype=np.int32)[:_SIDE, :_SIDE] - 128
    return _tile(across // 7 + down // 8, 20, 4)


def _denim(coarse: int) -> Image.Image:
    x, y = _steps()
    period = 4 + coarse
    twill = np.where((x + y) % period < period // 2, 7, -7)
    blotch = np.asarray(smooth_noise(3, 12, 5), dtype=np.int32)[:_SIDE, :_SIDE] - 128
    return _tile(twill + blotch // 9, 45, 6)


def _knit(coarse: int) -> Image.Image:
    """Columns of V-shaped stitches."""
    x, y = _steps()
    width = 6 + 2 * coarse
    height = 5 + coarse
    lean = np.abs(x % width - width // 2)
    stitch = np.abs((y + lean) % height - height // 2) * 22 // height
    gap = np.where((x % width == 0) | (x % width == width - 1), -20, 6)
    return _tile(np.asarray(gap - stitch, dtype=np.int32), 20, 7)


def _corduroy(coarse: int) -> Image.Image:
    x, y = _steps()
    period = 5 + 2 * coarse
    wale = np.abs(x % period * 2 - period + 1)
    return _tile(np.asarray(9 - wale * 26 // period + 0 * y, dtype=np.int32), 25, 8)


def _wool(coarse: int) -> Image.Image:
    return grain(8 + 3 * coarse, 80 + 25 * coarse, 9)


def _leather(coarse: int) -> Image.Image:
    crease = (
        np.asarray(smooth_noise(7 + 3 * coarse, 5 + 2 * coarse, 10), dtype=np.int32)[:_SIDE, :_SIDE] - 128
    )
    return _tile(np.where(np.abs(crease) < 5, -5, 1), 14, 11)


def _patent(coarse: int) -> Image.Image:
    return _tile(np.zeros((_SIDE, _SIDE), dtype=np.int32), 3 + coarse, 12)


def _suede(coarse: int) -> Image.Image:
    nap = np.asarray(smooth_noise(9 + 4 * coarse, 9 + 4 * coarse, 13), dtype=np.int32)[:_SIDE, :_SIDE] - 128
    return _tile(nap // 8, 55, 14)


def _canvas(coarse: int) -> Image.Image:
    x, y = _steps()
    period = 2 + coarse
    weave = np.where((x // period + y // period) % 2 == 0, 8, -8)
    return _tile(weave, 40, 15)


def _satin(coarse: int) -> Image.Image:
    flow = np.asarray(smooth_noise(18, 60 + 10 * coarse, 16), dtype=np.int32)[:_SIDE, :_SIDE] - 128
    return _tile(flow // 7, 4, 17)


def _nylon(coarse: int) -> Image.Image:
    crinkle = (
        np.asarray(smooth_noise(12 + 4 * coarse, 9 + 2 * coarse, 18), dtype=np.int32)[:_SIDE, :_SIDE] - 128
    )
    return _tile(crinkle // 9, 8, 19)


def _straw(coarse: int) -> Image.Image:
    """A basket of crossing strands."""
    x, y = _steps()
    size = 7 + 2 * coarse
    over = (x // size + y // size) % 2 == 0
    strand = np.where(over, np.abs(y % size - size // 2), np.abs(x % size - size // 2))
    edge = np.where(over, x % size == 0, y % size == 0)
    return _tile(np.asarray(14 - strand * 50 // size - 22 * edge, dtype=np.int32), 30, 20)


def _velvet(coarse: int) -> Image.Image:
    pile = np.asarray(smooth_noise(16, 30 + 10 * coarse, 21), dtype=np.int32)[:_SIDE, :_SIDE] - 128
    return _tile(pile // 5, 30, 22)


MATERIALS: dict[str, Material] = {
    "cotton": Material(0.0, 0.5, _cotton),
    "linen": Material(0.0, 0.8, _linen),
    "denim": Material(0.0, 0.45, _denim),
    "knit": Material(0.0, 0.35, _knit),
    "corduroy": Material(0.05, 0.4, _corduroy),
    "wool": Material(0.0, 0.3, _wool),
    "leather": Material(0.4, 0.35, _leather),
    "patent leather": Material(0.85, 0.2, _patent),
    "suede": Material(0.0, 0.25, _suede),
    "canvas": Material(0.0, 0.3, _canvas),
    "satin": Material(0.6, 0.7, _satin),
    "nylon": Material(0.28, 0.4, _nylon),
    "straw": Material(0.0, 0.15, _straw),
    "velvet": Material(0.25, 0.7, _velvet),
}


@cache
def texture(material: str, coarse: int) -> Image.Image:
    """The tile of `material`, mode L around 128, at least SWATCH + 64 pixels wide and high."""
    return MATERIALS[material].texture(coarse)
