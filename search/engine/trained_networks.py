"""The networks that training makes: a trunk, and a head whose layers are embedding spaces.

A network is described by plain JSON (`Architecture`), from which it is built again without its history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from search.engine.backbones import Trunk, find_backbone, make_trunk
from search.engine.networks import convolve
from search.engine.upright import Upright

SHALLOW_WIDTH = 64
LEARNED_WIDTH = 512  # of a hidden layer that the learning rate suits as it is


@dataclass(frozen=True)
class Architecture:
    """What must be known to build a network before its weights are put in.

    ``side`` in pixels; ``width`` of the embedding; ``values`` how many values each aspect has (transfer: of
    its one aspect, the category); ``masks`` names the aspects that have a mask; with ``taste`` the embedding
    without a mask is weighted by one of its own, which people's votes taught; with ``upright`` items are
    found and turned upright before the backbone looks at them.
    """

    kind: str
    backbone: str
    side: int
    width: int
    values: tuple[int, ...] = ()
    masks: tuple[str, ...] = ()
    masks_sum_to_one: bool = False
    shallow: bool = False
    taste: bool = False
    upright: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Architecture:
        """Raises TypeError where fields are missing or unknown."""
        lists = {name: tuple(values[name]) for name in ("values", "masks") if name in values}
        return cls(**{**values, **lists})


class DenseHead(nn.Module):
    """A dense hidden layer, the embedding, and softmax layers upon it: one per aspect.

    The hidden layer ends in a batch normalisation and a ReLU, so that about half of its components are zero
    for any picture, and signs say something. The wider it is beyond `LEARNED_WIDTH`, the less each of its
    components moves the softmax: steps of the same size then suit every width (Yang et al., "Tensor Programs
    V", 2022, table 8: a multiplier of one by the width).
    """

    layers = ("hidden",)

    def __init__(self, inputs: int, architecture: Architecture, dropout: float = 0.0) -> None:
        super().__init__()
        width = architecture.width
        self.hidden = nn.Sequential(nn.Linear(inputs, width, bias=False), nn.BatchNorm1d(width), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.sizes = list(architecture.values)
        self._share = min(1.0, LEARNED_WIDTH / width)
        self.softmax = nn.Linear(width, sum(self.sizes))

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """(n, inputs) -> the hidden layer, (n, width)."""
        return (self.hidden(features),)

    def classify(self, features: Tensor) -> tuple[Tensor, ...]:
        """(n, inputs) -> logits of every aspect, (n, values) each."""
        hidden = self.dropout(self.hidden(features)) * self._share
        return tuple(self.softmax(hidden).split(self.sizes, dim=1))


class SiameseHead(nn.Module):
    """A linear layer whose answers have length one."""

    layers = ("embedding",)

    def __init__(self, inputs: int, architecture: Architecture) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, architecture.width)

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """(n, inputs) -> (n, width), normalised."""
        return (functional.normalize(self.linear(features), dim=1),)


class CsnHead(nn.Module):
    """One embedding, and a mask of its dimensions per aspect (Veit et al., CVPR 2017, section 3).

    Masks that sum to one are a softmax of what is learned (eBay's first change); otherwise a ReLU, drawn
    from N(.9, .7) as in the published code. The mask of taste is a ReLU too, of ones at first.
    """

    def __init__(self, inputs: int, architecture: Architecture) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, architecture.width)
        self.sum_to_one = architecture.masks_sum_to_one
        shape = (len(architecture.masks), architecture.width)
        drawn = torch.randn(shape) if self.sum_to_one else 0.9 + 0.7 * torch.randn(shape)
        self.raw_masks = nn.Parameter(drawn)
        self.raw_taste = nn.Parameter(torch.ones(architecture.width)) if architecture.taste else None
        self.layers = ("embedding", *(f"mask-{name}" for name in architecture.masks))

    def masks(self) -> Tensor:
        """(aspects, width), not negative."""
        return self.raw_masks.softmax(dim=1) if self.sum_to_one else self.raw_masks.relu()

    def embed(self, features: Tensor) -> Tensor:
        """(n, inputs) -> the embedding without any mask, (n, width)."""
        return cast(Tensor, self.linear(features))

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """(n, inputs) -> the embedding as taste weighs it, then the embedding under each mask."""
        embedding = self.embed(features)
        tasted = embedding if self.raw_taste is None else embedding * self.raw_taste.relu()
        return (tasted, *(embedding * mask for mask in self.masks()))


Head = DenseHead | SiameseHead | CsnHead
H = TypeVar("H", bound=nn.Module)
HEADS: dict[str, type[DenseHead] | type[SiameseHead] | type[CsnHead]] = {
    "transfer": DenseHead,
    "aspects": DenseHead,
    "siamese": SiameseHead,
    "csn": CsnHead,
}


class Branches(nn.Module):
    """A deep trunk beside a shallow one that sees low-level detail (Grid Dynamics): (n, deep + shallow)."""

    def __init__(self, deep: Trunk) -> None:
        super().__init__()
        self.deep = deep
        self.shallow = nn.Sequential(
            convolve(3, 32, kernel=5, stride=4),
            convolve(32, SHALLOW_WIDTH, stride=2),
            nn.AdaptiveAvgPool2d(4),
        )
        self.width = deep.width + SHALLOW_WIDTH * 16

    def forward(self, pictures: Tensor) -> Tensor:
        low = self.shallow(self.deep.normalise(pictures)).flatten(1)
        return torch.cat([self.deep(pictures), low], dim=1)


class UprightTrunk(nn.Module):
    """A trunk that sees items upright and alone (`Upright`), in pictures of twice the side it would see."""

    def __init__(self, below: Trunk | Branches) -> None:
        super().__init__()
        self.upright = Upright()
        self.below = below
        self.width = below.width

    def forward(self, pictures: Tensor) -> Tensor:
        return cast(Tensor, self.below(self.upright(pictures)))


class TrainedNetwork(nn.Module, Generic[H]):
    """A trunk and its head: (n, side, side, 3) uint8 -> one (n, d) float32 tensor per layer.

    While a frozen trunk's head is taught, the trunk is nothing, and features come in instead of pictures.
    """

    def __init__(self, trunk: Trunk | Branches | UprightTrunk | nn.Identity, head: H) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = head

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        return cast(tuple[Tensor, ...], self.head(self.trunk(pictures)))


def make_network(
    architecture: Architecture, *, weights: Path | None = None, trainable: str = "all"
) -> TrainedNetwork[Any]:
    """A network with drawn weights, its trunk's from a file where one is given. Raises WeightsDamaged."""
    trunk = make_trunk(architecture.backbone, weights)
    trunk.freeze(trainable)
    below = Branches(trunk) if architecture.shallow else trunk
    head: Any = HEADS[architecture.kind](below.width, architecture)
    return TrainedNetwork(UprightTrunk(below) if architecture.upright else below, head)


def side_of(backbone: str, side: int) -> int:
    """The side that pictures are brought to; 0 asks for the backbone's own."""
    return side or find_backbone(backbone).side
