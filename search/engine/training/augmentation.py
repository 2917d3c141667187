"""Changes pictures the way cameras and shops do, so that a network learns garments and not photographs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Generator, Tensor
from torch.nn import functional

_SPARE = 1 << 16  # random numbers beyond those of one picture, among which each picture's begin somewhere


@dataclass(frozen=True)
class Augmentation:
    """How far pictures are changed; chances and shares lie between 0 and 1.

    ``degrees`` of rotation either way, ``zoom`` lowest and highest, ``stretch`` highest ratio of the sides,
    ``shift`` in halves of the picture; ``light`` how far brightness and contrast change, ``colour``
    saturation and white balance; ``noise`` the highest standard deviation, ``dropout`` the highest share of
    pixels replaced at random.
    """

    flip: float = 0.5
    degrees: float = 0.0
    zoom: tuple[float, float] = (1.0, 1.0)
    stretch: float = 1.0
    shift: float = 0.0
    blur: float = 0.0
    light: float = 0.0
    colour: float = 0.0
    grey: float = 0.0
    noise: float = 0.0
    dropout: float = 0.0


AUGMENTATIONS: Final = {
    "none": None,
    # What says nothing about the item: where it lies in the picture. Colours and texture stay.
    "gentle": Augmentation(degrees=6, zoom=(0.9, 1.12), stretch=1.05, shift=0.06),
    "photos": Augmentation(
        degrees=15, zoom=(0.85, 1.6), stretch=1.2, shift=0.12, blur=0.1, light=0.25, colour=0.15, grey=0.05,
        noise=0.03,
    ),
    # Grid Dynamics change the query alone: flip, rotate, blur, crop, noise, pixels at random.
    "query": Augmentation(
        degrees=12, zoom=(0.9, 1.3), stretch=1.1, shift=0.1, blur=0.2, light=0.1, noise=0.04, dropout=0.02
    ),
}  # fmt: skip


def augment(pictures: Tensor, strength: str, generator: Generator) -> Tensor:
    """Change (n, side, side, 3) uint8 pictures, each in its own way; return the same shape and type.

    ``strength`` names one of `AUGMENTATIONS`. All randomness comes from ``generator``, which lives on the
    pictures' device.
    """
    how = AUGMENTATIONS[strength]
    if how is None:
        return pictures
    values = _move(pictures.permute(0, 3, 1, 2).float(), how, generator)
    if how.blur:
        _blur(values, how.blur, generator)
    if how.light or how.colour:
        values = _shift_colours(values, how, generator)
    if how.noise:
        strengths = 255.0 * _draw(values, 0.0, how.noise, generator)
        windows = _take_windows(torch.randn, values, generator)
        for picture, window, strength in zip(values, windows, strengths.flatten().tolist(), strict=True):
            picture.add_(window, alpha=strength)
    if how.dropout:
        _drop_pixels(values, how.dropout, generator)
    return values.add_(0.5).clamp_(0, 255).permute(0, 2, 3, 1).contiguous().byte()


def _uniform(like: Tensor, shape: tuple[int, ...], generator: Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=like.device)


def _draw(values: Tensor, low: float, high: float, generator: Generator) -> Tensor:
    """Draw one number per picture, shaped (n, 1, 1, 1)."""
    return _uniform(values, (len(values), 1, 1, 1), generator) * (high - low) + low


def _choose(values: Tensor, chance: float, generator: Generator) -> Tensor:
    """Choose pictures: (n, 1, 1, 1) of 0 and 1."""
    return (_uniform(values, (len(values), 1, 1, 1), generator) < chance).float()


def _take_windows(draw: Callable[..., Tensor], values: Tensor, generator: Generator) -> list[Tensor]:
    """Random numbers in the shape of each of ``values``: windows of one long row of them.

    A number for every pixel of every picture would take as long as all other changes together.
    """
    size = values[0].numel()
    row = draw(size + _SPARE, generator=generator, device=values.device)
    starts = torch.randint(_SPARE, (len(values),), generator=generator, device=values.device)
    return [row[start : start + size].view_as(values[0]) for start in starts.tolist()]


def _move(values: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """Flip, rotate, zoom, stretch and shift, in one sampling of the picture."""
    count = len(values)
    turn = math.radians(how.degrees)
    angle = _draw(values, -turn, turn, generator).flatten()
    nearest, farthest = (math.log(edge) for edge in how.zoom)
    zoom = _draw(values, nearest, farthest, generator).flatten().exp()
    stretch = (_draw(values, -1, 1, generator).flatten() * math.log(how.stretch) / 2).exp()
    flip = 1.0 - 2.0 * _choose(values, how.flip, generator).flatten()
    shift = (_uniform(values, (count, 2), generator) * 2 - 1) * how.shift
    cosine, sine = angle.cos() / zoom, angle.sin() / zoom
    high, wide = values.shape[2:]
    across = (torch.arange(wide, device=values.device) * 2 + 1) / wide - 1  # centres of pixels, -1 to 1
    down = (torch.arange(high, device=values.device) * 2 + 1) / high - 1
    grid = values.new_empty((count, high, wide, 2))
    # The same as `affine_grid`, whose product of matrices takes longer than all the rest of the grid.
    for place, (of_across, of_down) in enumerate(
        [(cosine * flip * stretch, -sine * stretch), (sine * flip / stretch, cosine / stretch)]
    ):
        row = of_across[:, None] * across + shift[:, place, None]
        column = of_down[:, None] * down
        torch.add(row[:, None, :], column[:, :, None], out=grid[..., place])
    return functional.grid_sample(values, grid, padding_mode="border", align_corners=False)


def _blur(values: Tensor, chance: float, generator: Generator) -> None:
    """Take the sharpness from some pictures: a quarter of the pixels, enlarged again."""
    chosen = _choose(values, chance, generator).flatten().nonzero().flatten()
    if len(chosen):
        coarse = functional.avg_pool2d(values[chosen], 2)
        values[chosen] = functional.interpolate(coarse, list(values.shape[2:]), mode="bilinear")


def _shift_colours(values: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """Shift brightness, contrast, saturation and white balance; make a few pictures grey.

    Saturation moves a pixel away from its own grey, contrast from the picture's level; both and the rest come
    to one sum of the pixel, its grey and a constant, each with a factor of its own.
    """
    grey = values.mean(dim=1, keepdim=True)
    level = grey.mean(dim=(2, 3), keepdim=True)
    saturation = _draw(values, 1 - 1.5 * how.colour, 1 + 1.5 * how.colour, generator)
    saturation = saturation * (1 - _choose(values, how.grey, generator))
    balance = 1 + (_uniform(values, (len(values), 3, 1, 1), generator) - 0.5) * how.colour
    contrast = _draw(values, 1 - how.light, 1 + how.light, generator)
    brightness = _draw(values, 1 - how.light, 1 + how.light, generator) * balance
    shaded = grey * ((1 - saturation) * contrast) + level * (1 - contrast)
    return (values * (saturation * contrast)).add_(shaded).mul_(brightness)


def _drop_pixels(values: Tensor, most: float, generator: Generator) -> None:
    """Replace pixels by random colours, a share of each picture's drawn up to ``most``."""
    share = _draw(values, 0.0, most, generator)
    chances = _take_windows(torch.rand, values[:, :1], generator)
    colours = _take_windows(torch.rand, values, generator)
    for picture, chance, colour, most_of_it in zip(
        values, chances, colours, share.flatten().tolist(), strict=True
    ):
        picture.copy_(torch.where(chance < most_of_it, 255.0 * colour, picture))
