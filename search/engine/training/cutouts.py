"""Items cut out of catalogue pictures: what stands out from an even ground, most of its shadow left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from search.engine.lifestyle import tell_view
from search.engine.training.samples import Rows, Views

SIDE = 96  # pixels at which items are cut out and pasted
_FAR, _COLOURED = 45, 8  # from the ground's colour: more is the item, whatever its edges
_STEP, _GROUND = 12, 3  # between neighbours that are an edge; what is nearer to the ground is none
_LEAST, _MOST = 0.03, 0.9  # shares of a picture that an item may cover
_OUTSIDE = 0.01  # share of the item left out on each side of its box: stray pixels, thin straps
_AT_ONCE = 64


@dataclass(frozen=True)
class Cutouts:
    """``pictures`` (n, 3, s, s) and ``coverage`` (n, 1, s, s), uint8; the item's box by ``middle``, ``half``.

    Both are (n, 2), across and down, in coordinates from -1 to 1. ``scenes`` (m, 3, s, s) are other pictures.
    """

    pictures: Tensor
    coverage: Tensor
    middle: Tensor
    half: Tensor
    scenes: Tensor

    def __len__(self) -> int:
        return len(self.pictures)


def cut_out(picture: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Where the item of an RGB picture (s, s, 3) is; None where no ground is even, or nothing stands out."""
    if tell_view(picture).verdict != "catalogue":
        return None
    values = picture.astype(np.float32)
    edge = np.concatenate(
        [values[:2], values[-2:], values[:, :2].swapaxes(0, 1), values[:, -2:].swapaxes(0, 1)]
    )
    off = values - np.median(edge.reshape(-1, 3), axis=0)
    far = np.abs(off).max(axis=2)
    item = (far >= _FAR) | (np.ptp(off, axis=2) > _COLOURED) | ((_steps(values) >= _STEP) & (far > _GROUND))
    outside, _ = ndimage.label(~np.pad(item, 1))
    filled = (outside != outside[0, 0])[1:-1, 1:-1]
    # What was an edge is half ground, which would shine around an item in a darker scene.
    alone: NDArray[np.bool_] = ndimage.binary_erosion(ndimage.binary_opening(filled))
    return alone if _LEAST <= alone.mean() <= _MOST else None


def take_cutouts(catalogue: Views, rows: Rows, lifestyle: Views, seen: Rows) -> Cutouts | None:
    """The items of the rows that can be cut out, and the photos ``seen`` as scenes; None where none can."""
    pictures, masks = [], []
    for start in range(0, len(rows), _AT_ONCE):
        small = _bring(catalogue.plain(rows[start : start + _AT_ONCE]))
        for picture in small:
            mask = cut_out(picture.permute(1, 2, 0).cpu().numpy())
            if mask is not None:
                pictures.append(_spread_colours(picture, mask))
                masks.append(mask)
    if not masks:
        return None
    boxes = torch.tensor([_box(mask) for mask in masks], dtype=torch.float32)
    scenes = [
        _bring(lifestyle.plain(seen[start : start + _AT_ONCE])) for start in range(0, len(seen), _AT_ONCE)
    ]
    device = pictures[0].device
    coverage = torch.from_numpy(np.stack(masks)[:, None].astype(np.float32) * 255)
    return Cutouts(
        torch.stack(pictures),
        functional.avg_pool2d(coverage, 3, 1, 1).byte().to(device),
        ((boxes[:, 0] + boxes[:, 1]) / 2).to(device),
        ((boxes[:, 1] - boxes[:, 0]) / 2).clamp_min(0.05).to(device),
        torch.cat(scenes),
    )


def _spread_colours(picture: Tensor, mask: NDArray[np.bool_]) -> Tensor:
    """A picture (3, s, s) whose ground and edge have the colours of the item: no ground shines there."""
    inner = ndimage.binary_erosion(mask)
    thin = mask & ~ndimage.binary_dilation(inner, iterations=2)
    _, (rows, columns) = ndimage.distance_transform_edt(~(inner | thin), return_indices=True)
    return picture[:, torch.from_numpy(rows), torch.from_numpy(columns)]


def _steps(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The greatest difference of each pixel's brightness from that of its four neighbours."""
    grey = np.pad(values.mean(axis=2), 1, mode="edge")
    inner = grey[1:-1, 1:-1]
    others = (grey[:-2, 1:-1], grey[2:, 1:-1], grey[1:-1, :-2], grey[1:-1, 2:])
    found: NDArray[np.float32] = np.max([np.abs(inner - other) for other in others], axis=0)
    return found


def _box(mask: NDArray[np.bool_]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The corners of the box that holds an item but for a little on each side."""
    sides = []
    for axis in (0, 1):
        share = np.cumsum(mask.sum(axis=axis)) / mask.sum()
        ends = np.interp([_OUTSIDE, 1 - _OUTSIDE], share, np.arange(1, len(share) + 1))
        sides.append(ends / len(share) * 2 - 1)
    (left, right), (top, bottom) = sides
    return (float(left), float(top)), (float(right), float(bottom))


def _bring(pictures: Tensor) -> Tensor:
    """(n, side, side, 3) uint8 -> (n, 3, SIDE, SIDE) uint8."""
    values = pictures.permute(0, 3, 1, 2).float()
    small = functional.interpolate(values, (SIDE, SIDE), mode="bilinear", antialias=True)
    return small.round().clamp(0, 255).byte()
