"""Changes pictures the way cameras and shops do, so that a network learns garments and not photographs."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

WHITE = 244  # a pixel whose darkest channel is lighter belongs to a shop's white ground
GROUND_CHANCE = 0.35
BLUR_CHANCE = 0.25
GREY_CHANCE = 0.05


def augment(pictures: Tensor, generator: Generator) -> Tensor:
    """Change (n, side, side, 3) uint8 pictures, each in its own way; return the same shape and type.

    Flip, rotation, crop and zoom, another ground than white, mild shifts of brightness, contrast,
    saturation and white balance, blur, noise. All randomness comes from ``generator``.
    """
    values = pictures.permute(0, 3, 1, 2).float() / 255.0
    values = _change_ground(values, generator)
    values = _move(values, generator)
    values = _blur(values, generator)
    values = _shift_colours(values, generator)
    noise = torch.randn(values.shape, generator=generator) * _draw(len(values), 0.0, 0.04, generator)
    values = ((values + noise) * 255.0).round().clamp(0, 255)
    return values.byte().permute(0, 2, 3, 1).contiguous()


def _draw(count: int, low: float, high: float, generator: Generator) -> Tensor:
    """Draw one number per picture, shaped (n, 1, 1, 1)."""
    return torch.rand((count, 1, 1, 1), generator=generator) * (high - low) + low


def _choose(count: int, chance: float, generator: Generator) -> Tensor:
    """Choose pictures: (n, 1, 1, 1) of 0 and 1."""
    return (torch.rand((count, 1, 1, 1), generator=generator) < chance).float()


def _change_ground(values: Tensor, generator: Generator) -> Tensor:
    """Put some pictures' white ground into another colour with a soft change of light across it."""
    count, _, height, width = values.shape
    corners = torch.rand((count, 3, 1, 1), generator=generator)
    light = torch.rand((count, 1, 3, 3), generator=generator) * 0.5 - 0.25
    ground = corners + functional.interpolate(light, (height, width), mode="bilinear", align_corners=True)
    is_white = (values.amin(dim=1, keepdim=True) * 255.0 > WHITE).float()
    share = is_white * _choose(count, GROUND_CHANCE, generator)
    return values * (1 - share) + ground.clamp(0, 1) * share


def _move(values: Tensor, generator: Generator) -> Tensor:
    """Flip, rotate by up to 15 degrees, zoom by .8 to 1.3, stretch by up to 15 % and shift by up to 10 %."""
    count = len(values)
    angle = _draw(count, -math.pi / 12, math.pi / 12, generator).flatten()
    zoom = _draw(count, 0.8, 1.3, generator).flatten()
    stretch = _draw(count, 0.86, 1.16, generator).flatten().sqrt()
    flip = 1.0 - 2.0 * _choose(count, 0.5, generator).flatten()
    shift = torch.rand((count, 2), generator=generator) * 0.2 - 0.1
    cosine, sine = angle.cos() / zoom, angle.sin() / zoom
    matrices = torch.stack(
        [
            torch.stack([cosine * flip * stretch, -sine * stretch, shift[:, 0]], dim=1),
            torch.stack([sine * flip / stretch, cosine / stretch, shift[:, 1]], dim=1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(matrices, list(values.shape), align_corners=False)
    return functional.grid_sample(values, grid, padding_mode="border", align_corners=False)


def _blur(values: Tensor, generator: Generator) -> Tensor:
    """Take the sharpness from some pictures: a quarter of the pixels, enlarged again."""
    size = list(values.shape[2:])
    coarse = functional.interpolate(functional.avg_pool2d(values, 2), size, mode="bilinear")
    share = _choose(len(values), BLUR_CHANCE, generator)
    return values * (1 - share) + coarse * share


def _shift_colours(values: Tensor, generator: Generator) -> Tensor:
    """Shift brightness, contrast, saturation and white balance mildly; make a few pictures grey."""
    count = len(values)
    grey = values.mean(dim=1, keepdim=True)
    saturation = _draw(count, 0.7, 1.25, generator) * (1 - _choose(count, GREY_CHANCE, generator))
    values = grey + (values - grey) * saturation
    balance = torch.rand((count, 3, 1, 1), generator=generator) * 0.16 + 0.92
    level = grey.mean(dim=(2, 3), keepdim=True)
    contrast = _draw(count, 0.7, 1.3, generator)
    return (level + (values - level) * contrast) * balance * _draw(count, 0.75, 1.2, generator)
