"""Pictures put together so that it is known where the item lies in them, and how: what a finder learns from.

An item that was cut out is turned, scaled, moved, squeezed, mirrored and tilted, and laid into a scene: a
shadow below it, things before it, light that falls off, blur and noise. Scenes are other photos, with an item
of their own below, enlarged margins of photos, and drawn grounds; a few items lie on white, so that catalogue
pictures are found as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional

from search.engine.training.cutouts import Cutouts
from search.engine.upright import AROUND, CELLS, SIGHT, centres, turn

_SHADOW = 34.0


@dataclass(frozen=True)
class Truth:
    """Where items lie: a point p of the picture shows the place inverse(matrix) way / depth, way = p - shift.

    The depth is 1 + tilt . way. ``matrix`` (n, 2, 2), ``shift`` and ``tilt`` (n, 2). Of the cells,
    (n, 1, c, c): how far they show the item, ``seen``, and would if nothing lay before it, ``there``.
    """

    matrix: Tensor
    shift: Tensor
    tilt: Tensor
    seen: Tensor
    there: Tensor

    def places(self, points: Tensor) -> Tensor:
        """The places that points (n or 1, h, w, 2) show: (n, h, w, 2)."""
        way = points - self.shift[:, None, None]
        depth = 1 + (way * self.tilt[:, None, None]).sum(dim=-1, keepdim=True)
        return turn(torch.linalg.inv(self.matrix), way) / depth.clamp_min(0.3)


def compose(cutouts: Cutouts, rows: Tensor, generator: Generator) -> tuple[Tensor, Truth]:
    """One picture of each of the cutouts ``rows`` (n,): (n, 3, SIGHT, SIGHT) from 0 to 255, and the truth."""
    draw = _Draw(len(rows), generator, cutouts.half.device)
    bare = draw.chance(0.15)  # on white, in any pose
    pose = _draw_pose(cutouts.half[rows], cutouts.middle[rows], draw, as_it_is=bare & draw.chance(0.5))
    truth = Truth(*pose, *(torch.empty(0),) * 2)
    points = centres(SIGHT, cutouts.half)[None]
    item, cover = _lay(cutouts, rows, truth.places(points), draw)
    # Photos have their light already; what gives an item away must not be that it has none.
    item = torch.where(_wide(bare), item, _light(item, points, draw))
    scene = _draw_scene(cutouts.scenes, draw)
    picture = _cast_shadow(torch.where(_wide(bare), _draw_white(draw), scene), cover, draw)
    picture = picture * (1 - cover) + item * cover
    hidden = _draw_hiding(points, draw) * _wide(~bare)
    before = 0.5 * scene.roll(1, 0).flip(2) + 0.5 * draw.colours()
    picture = picture * (1 - hidden) + before * hidden
    picture = torch.where(_wide(bare), picture, _speckle(picture, draw))
    there, seen = (functional.avg_pool2d(part, SIGHT // CELLS) for part in (cover, cover * (1 - hidden)))
    return picture.clamp(0, 255).round(), Truth(*pose, seen, there)


class _Draw:
    """Random numbers for n pictures."""

    def __init__(self, count: int, generator: Generator, device: torch.device) -> None:
        self.count, self.generator, self.device = count, generator, device

    def between(self, low: float, high: float, *shape: int) -> Tensor:
        return (
            torch.rand((self.count, *shape), generator=self.generator, device=self.device) * (high - low)
            + low
        )

    def chance(self, share: float) -> Tensor:
        return self.between(0, 1) < share

    def sign(self, share: float) -> Tensor:
        """-1 with this chance, else 1."""
        return 1 - 2 * self.chance(share).float()

    def colours(self) -> Tensor:
        return self.between(0, 255, 3, 1, 1)

    def clouds(self, cells: int, *, low: float = 0.0) -> Tensor:
        """Smooth noise from ``low`` to 1, (n, 1, SIGHT, SIGHT)."""
        return functional.interpolate(self.between(low, 1, 1, cells, cells), (SIGHT, SIGHT), mode="bilinear")

    def rows(self, count: int) -> Tensor:
        return torch.randint(count, (self.count,), generator=self.generator, device=self.device)


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _turning(angle: Tensor) -> Tensor:
    c, s = angle.cos(), angle.sin()
    return torch.stack([torch.stack([c, -s], dim=1), torch.stack([s, c], dim=1)], dim=1)


def _draw_pose(
    half: Tensor, middle: Tensor, draw: _Draw, *, as_it_is: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Matrix, shift and tilt: anywhere in the picture, or as a finder sees items the second time."""
    again = draw.chance(0.3)
    far = draw.chance(0.3)
    angle = torch.where(far, draw.between(-1.9, 1.9), draw.between(-0.5, 0.5)) * (1 - 0.6 * again.float())
    scale = draw.between(math.log(0.55), math.log(1.2)).exp()
    size = half * torch.stack([scale * draw.between(0.8, 1.05), scale], dim=1)
    size = torch.where(again[:, None], draw.between(0.8, 1.2, 2) / AROUND, size)
    shift = draw.between(-0.25, 0.25, 2) * (1 - 0.4 * again.float())[:, None]
    tilt = draw.between(-0.2, 0.2, 2)
    matrix = _turning(angle) * size[:, None, :]
    kept = as_it_is[:, None]
    matrix = torch.where(kept[:, None], torch.diag_embed(half), matrix)
    return matrix, torch.where(kept, middle, shift), torch.where(kept, torch.zeros_like(tilt), tilt)


def _lay(cutouts: Cutouts, rows: Tensor, places: Tensor, draw: _Draw) -> tuple[Tensor, Tensor]:
    """Colours and coverage of the items in their poses; some are mirrored, which is no other way up."""
    mirror = torch.stack([draw.sign(0.4), torch.ones_like(draw.sign(0))], dim=1)[:, None, None]
    source = places * mirror * cutouts.half[rows][:, None, None] + cutouts.middle[rows][:, None, None]
    layers = torch.cat([cutouts.pictures[rows], cutouts.coverage[rows]], dim=1).float()
    laid = functional.grid_sample(layers, source, padding_mode="border", align_corners=False)
    inside = (source.abs() <= 1).all(dim=-1)[:, None]
    return laid[:, :3], laid[:, 3:] / 255 * inside


def _draw_white(draw: _Draw) -> Tensor:
    """White ground, or nearly."""
    white = torch.where(draw.chance(0.7), torch.full_like(draw.between(0, 1), 255.0), draw.between(225, 255))
    return _wide(white).expand(-1, 3, SIGHT, SIGHT)


def _draw_scene(photos: Tensor, draw: _Draw) -> Tensor:
    """Photos, half of them nearly whole, of the others enlarged margins; and a few ramps with clouds."""
    whole = draw.chance(0.5)
    along, margin, side = (
        draw.between(-0.85, 0.85),
        draw.between(0.75, 1.0) * draw.sign(0.5),
        draw.chance(0.5),
    )
    middle = torch.stack([torch.where(side, along, margin), torch.where(side, margin, along)], dim=1)
    middle = torch.where(whole[:, None], draw.between(-0.15, 0.15, 2), middle)
    zoom = torch.where(whole, draw.between(0.75, 1.0), draw.between(0.25, 0.7))
    matrix = _turning(draw.between(-0.4, 0.4) * (1 - 0.6 * whole.float())) * zoom[:, None, None]
    points = centres(SIGHT, photos)[None]
    where = turn(matrix, points) + middle[:, None, None]
    photo = photos[draw.rows(len(photos))].float()
    margins = functional.grid_sample(photo, where, padding_mode="reflection", align_corners=False)
    ramp = _slope(points, draw) * draw.between(-80, 80, 3, 1, 1) + draw.clouds(9) * draw.between(
        0, 60, 1, 1, 1
    )
    return torch.where(_wide(draw.chance(0.15)), draw.colours() + ramp, margins)


def _slope(points: Tensor, draw: _Draw) -> Tensor:
    """From about -1 to 1 across the picture in some direction, (n, 1, s, s)."""
    angle = draw.between(0, 2 * math.pi)
    direction = torch.stack([angle.cos(), angle.sin()], dim=1)[:, None, None]
    return (points * direction).sum(dim=-1)[:, None]


def _cast_shadow(scene: Tensor, cover: Tensor, draw: _Draw) -> Tensor:
    soft = functional.avg_pool2d(functional.avg_pool2d(cover, 5, 1, 2), 5, 1, 2)
    down, across = torch.randint(-3, 5, (2,), generator=draw.generator, device=draw.device).tolist()
    shade = torch.roll(soft, (abs(down), across), (2, 3)) * draw.between(0.1, 0.6, 1, 1, 1)
    return scene * (1 - shade) + _SHADOW * shade


def _draw_hiding(points: Tensor, draw: _Draw) -> Tensor:
    """Where something lies before the item: a bar, one side of the picture, a patch, or nothing."""
    across = _slope(points, draw) - draw.between(-0.9, 0.9, 1, 1, 1)
    width = draw.between(0.05, 0.3, 1, 1, 1)
    middle = draw.between(-0.8, 0.8, 2)[:, None, None]
    stretch = draw.between(0.6, 1.6, 2)[:, None, None]
    patch = ((points - middle) * stretch).square().sum(dim=-1)[:, None]
    size = draw.between(0.1, 0.45, 1, 1, 1).square() * draw.clouds(6) * 2
    which = _wide(draw.between(0, 1))
    hidden = torch.where(
        which < 0.2, across.abs() < width, torch.where(which < 0.3, across > 2 * width + 0.3, patch < size)
    )
    return functional.avg_pool2d((hidden & (which < 0.55)).float(), 3, 1, 1)


def _light(picture: Tensor, points: Tensor, draw: _Draw) -> Tensor:
    """Light of some colour that falls off to one side, with blotches."""
    fall = 1 - draw.between(0, 0.5, 1, 1, 1) * (_slope(points, draw) * 0.5 + 0.5)
    blotches = 1 - draw.clouds(4) * draw.between(0, 0.35, 1, 1, 1)
    return picture * fall * blotches * draw.between(0.8, 1.1, 1, 1, 1) * draw.between(0.82, 1.0, 3, 1, 1)


def _speckle(picture: Tensor, draw: _Draw) -> Tensor:
    """All longer or shorter exposed, some out of focus, all with noise."""
    picture = picture * draw.between(0.7, 1.25, 1, 1, 1)
    soft = functional.avg_pool2d(functional.pad(picture, (1, 1, 1, 1), mode="replicate"), 3, 1)
    picture = torch.where(_wide(draw.chance(0.3)), soft, picture)
    noise = torch.randn(picture.shape, generator=draw.generator, device=draw.device)
    return picture + noise * draw.between(0, 16, 1, 1, 1)
