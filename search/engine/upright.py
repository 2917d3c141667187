"""Finds the item in a picture, turns it upright and takes the scene away: before an encoder looks at it.

A small network says of every cell of a grid over the picture whether it shows the item, and which place of
the upright item it shows; the affine map that fits these answers best (weighted least squares) is the pose.
So each cell helps to place the item, and one that is hidden does no harm. It looks twice: the second time at
what the first turned upright. The picture is then sampled through the pose (Jaderberg et al., "Spatial
transformer networks", NeurIPS 2015); docs/decisions/upright.md tells why it is done this way.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from search.engine.networks import Normalise, Residual, convolve

SIGHT = 64  # pixels a side of what the finder looks at, at which it learns
CELLS = SIGHT // 4
AROUND = 1.4  # how much is looked at the second time: 1 is the item alone
MARGIN = 1.1  # and how much of it the encoder is shown
GROUND = 127.5  # the grey in the scene's place, which `Normalise` makes nothing
_WIDTHS = (24, 48, 96, 144)
_LEAST_SPREAD = 1e-3
_LEAST_AREA = 0.02


class Pose(NamedTuple):
    """Where upright places (-1 to 1 within the item) lie in a picture (-1 to 1): ``matrix`` @ place + shift.

    ``matrix`` (n, 2, 2), ``shift`` (n, 2); across comes first, then down.
    """

    matrix: Tensor
    shift: Tensor


class Finder(nn.Module):
    """Says of each cell of a picture what it shows: (n, 3, s, s) -> (n, 4, s / 4, s / 4).

    The first two answers are the place within the upright item, the third the logit of the item being seen
    there, the fourth how much the place is to be trusted.
    """

    def __init__(self) -> None:
        super().__init__()
        first, second, third, fourth = _WIDTHS
        self.fine = nn.Sequential(
            convolve(3, first, stride=2), convolve(first, second, stride=2), Residual(second)
        )
        self.middle = nn.Sequential(convolve(second, third, stride=2), Residual(third))
        self.coarse = nn.Sequential(convolve(third, fourth, stride=2), Residual(fourth))
        self.whole = nn.Linear(fourth, fourth)
        self.to_middle = nn.Conv2d(fourth, third, 1)
        self.joined = convolve(third, third)
        self.to_fine = nn.Conv2d(third, second, 1)
        self.answer = nn.Sequential(Residual(second), nn.Conv2d(second, 4, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        fine = self.fine(pictures)
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        coarse = (coarse + self.whole(coarse.mean(dim=(2, 3)))[:, :, None, None]).relu()
        middle = self.joined(middle + _enlarge(self.to_middle(coarse)))
        answers: Tensor = self.answer(fine + _enlarge(self.to_fine(middle)))
        return answers


class Upright(nn.Module):
    """(n, side, side, 3) uint8 pictures -> (n, side / 2, side / 2, 3) float32: the item alone, upright."""

    def __init__(self) -> None:
        super().__init__()
        self.normalise = Normalise((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
        self.finder = Finder()

    def forward(self, pictures: Tensor) -> Tensor:
        values = self.normalise(pictures)
        side = pictures.shape[1] // 2
        first = solve_pose(self.finder(_see_small(values)))
        near = Pose(first.matrix * AROUND, first.shift)
        answers = self.finder(_sample(values, place(near, SIGHT)))
        second = solve_pose(answers)
        shown = place(Pose(second.matrix * MARGIN, second.shift), side)
        square = _sample(values, put(near, shown))
        seen = _sample(answers[:, 2:3].sigmoid(), shown, padding="zeros")
        return (square * seen * (GROUND / 2) + GROUND).permute(0, 2, 3, 1)


def solve_pose(answers: Tensor) -> Pose:
    """The pose that a finder's answers (n, 4, c, c) fit best.

    Places are regressed on where cells lie, for it is the places that are uncertain, and the map is inverted.
    """
    answers = answers.float()
    weight = (answers[:, 2:3].sigmoid() * functional.softplus(answers[:, 3:]) + 1e-4).flatten(2)
    weight = weight / weight.sum(dim=2, keepdim=True)
    places, cells = answers[:, :2].flatten(2), centres(answers.shape[2], answers).reshape(1, -1, 2).mT
    middle, mean = (weight * cells).sum(dim=2), (weight * places).sum(dim=2)
    off, away = cells - middle[:, :, None], places - mean[:, :, None]
    wide, high, both = (
        (weight[:, 0] * off[:, one] * off[:, other]).sum(dim=1) for one, other in ((0, 0), (1, 1), (0, 1))
    )
    wide, high = wide + _LEAST_SPREAD, high + _LEAST_SPREAD
    shared = (weight * away * off[:, :1]).sum(dim=2), (weight * away * off[:, 1:]).sum(dim=2)
    spread = (wide * high - both * both)[:, None]
    across = (shared[0] * high[:, None] - shared[1] * both[:, None]) / spread
    down = (shared[1] * wide[:, None] - shared[0] * both[:, None]) / spread
    area = across[:, 0] * down[:, 1] - down[:, 0] * across[:, 1]
    area = torch.where(area < _LEAST_AREA, torch.full_like(area, _LEAST_AREA), area)[:, None]
    # The inverse of the matrix whose columns are `across` and `down`.
    rows = torch.stack([down[:, 1], -down[:, 0]], dim=1), torch.stack([-across[:, 1], across[:, 0]], dim=1)
    matrix = torch.stack(rows, dim=1) / area[:, :, None]
    return Pose(matrix, middle - turn(matrix, mean[:, None, None])[:, 0, 0])


def place(pose: Pose, side: int) -> Tensor:
    """Where the pixels of the upright square of a pose lie in its picture: (n, side, side, 2)."""
    return put(pose, centres(side, pose.shift)[None])


def put(pose: Pose, places: Tensor) -> Tensor:
    """Where upright places (n, h, w, 2), or (1, h, w, 2), lie in the picture."""
    return turn(pose.matrix, places) + pose.shift[:, None, None]


def turn(matrix: Tensor, ways: Tensor) -> Tensor:
    """(n, 2, 2) @ (n or 1, h, w, 2) -> (n, h, w, 2), faster than a product of many small matrices."""
    across, down = ways[..., 0], ways[..., 1]
    rows = [matrix[:, row, :1, None] * across + matrix[:, row, 1:, None] * down for row in (0, 1)]
    return torch.stack(rows, dim=-1)


def centres(side: int, like: Tensor) -> Tensor:
    """The middles of pixels, (side, side, 2), from -1 to 1."""
    steps = (torch.arange(side, device=like.device, dtype=torch.float32) * 2 + 1) / side - 1
    return torch.stack([steps[None, :].expand(side, side), steps[:, None].expand(side, side)], dim=-1)


def _sample(values: Tensor, places: Tensor, padding: str = "border") -> Tensor:
    return functional.grid_sample(values, places, padding_mode=padding, align_corners=False)


def _see_small(values: Tensor) -> Tensor:
    return functional.avg_pool2d(values, values.shape[2] // SIGHT)


def _enlarge(values: Tensor) -> Tensor:
    return functional.interpolate(values, scale_factor=2.0, mode="nearest")
