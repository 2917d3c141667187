"""Backbones: what lies below a trained encoder's own layers, cut into blocks that can be frozen.

A trunk maps (n, side, side, 3) uint8 sRGB to (n, width) float32. Of the published networks that is the last
convolution averaged over the picture (VGG-16: laid out flat, as its dense layers take it); of the project's,
what the last two blocks answer most strongly in each part of the picture (docs/decisions/backbones.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from search.engine import torchvision_ops
from search.engine.encoders.base import WeightsDamaged
from search.engine.networks import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Normalise,
    bobbin_blocks,
    shuttle_blocks,
    thimble_blocks,
)
from search.engine.weight_files import read_plain_weights

ALL, NONE = "all", "none"
# Of the project's networks: parts along a side of the picture, of the last block but one and of the last.
PARTS = (2, 3)
PLACES = 8  # parts along a side whose answers are kept apart where things lie alike in all pictures

Pool = Callable[[Sequence[Tensor]], Tensor]  # (n, c, h, w) of each block -> (n, width)


class Trunk(nn.Module):
    """A backbone in blocks, each a module on feature maps."""

    def __init__(self, normalise: Normalise, blocks: Sequence[nn.Module], *, width: int, pool: Pool) -> None:
        super().__init__()
        self.normalise = normalise
        self.blocks = nn.ModuleList(blocks)
        self.width = width
        self._pool = pool
        self._frozen = 0

    def forward(self, pictures: Tensor) -> Tensor:
        maps = [self.normalise(pictures)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return self._pool(maps)

    def freeze(self, trainable: str) -> None:
        """Have all blocks learn, none, or the last so many; the others keep weights and statistics.

        Raises ValueError for more blocks than there are.
        """
        learning = {ALL: len(self.blocks), NONE: 0}.get(trainable)
        learning = int(trainable) if learning is None else learning
        if learning > len(self.blocks):
            raise ValueError(f"There are {len(self.blocks)} blocks, not {learning}.")
        self._frozen = len(self.blocks) - learning
        for place, block in enumerate(self.blocks):
            block.requires_grad_(place >= self._frozen)
        self.train(self.training)

    @property
    def is_frozen(self) -> bool:
        """Whether no block learns, so that a picture's answer never changes."""
        return self._frozen == len(self.blocks)

    def train(self, mode: bool = True) -> Trunk:
        """As for any module, but frozen blocks never go on counting their statistics."""
        super().train(mode)
        for block in list(self.blocks)[: self._frozen]:
            block.eval()
        return self


@dataclass(frozen=True)
class Backbone:
    """How a trunk is made. ``side`` is what its pictures are brought to unless told otherwise."""

    name: str
    side: int
    width: int
    make: Callable[[Path | None], Sequence[nn.Module]]
    normalise: Callable[[], Normalise]
    pool: Pool


def find_backbone(name: str) -> Backbone:
    """Raises KeyError: names are checked where settings are read."""
    return _BACKBONES[name]


def make_trunk(name: str, weights: Path | None = None) -> Trunk:
    """A trunk with drawn weights, or with those of a safetensors file. Raises WeightsDamaged."""
    backbone = find_backbone(name)
    return Trunk(backbone.normalise(), backbone.make(weights), width=backbone.width, pool=backbone.pool)


def _make_own(draw: Callable[[], Sequence[nn.Module]]) -> Callable[[Path | None], Sequence[nn.Module]]:
    def make(weights: Path | None) -> Sequence[nn.Module]:
        blocks = draw()
        if weights is not None:
            tensors = read_plain_weights(weights)
            # An encoder trained here keeps its trunk under this name.
            own = {name.removeprefix("trunk.blocks."): tensor for name, tensor in tensors.items()}
            _load(nn.ModuleList(blocks), own, weights)
        return blocks

    return make


def _make_published(
    name: str, cut: Callable[[Any], Sequence[nn.Module]]
) -> Callable[[Path | None], Sequence[nn.Module]]:
    def make(weights: Path | None) -> Sequence[nn.Module]:
        network = _draw_vgg() if name == "vgg16" else _draw_published(name)
        if weights is not None:
            _load(network, read_plain_weights(weights), weights)
        return cut(network)

    return make


def _draw_published(name: str) -> Any:
    torchvision_ops.prepare()
    from torchvision import models  # only importable once the operators are declared

    extra: dict[str, Any] = {"aux_logits": False, "init_weights": True} if name == "inception_v3" else {}
    return models.get_model(name, weights=None, **extra)


def _draw_vgg() -> Any:
    """VGG-16 without its dense layers, 494 MB that nothing here looks at; drawn as torchvision draws it."""
    with torch.device("meta"):
        network = _draw_published("vgg16")
    network.classifier = nn.Identity()
    network.to_empty(device="cpu")
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            assert layer.bias is not None
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return network


def _load(module: nn.Module, tensors: Mapping[str, Tensor], source: Path) -> None:
    """Give a module the tensors it has names for; all of its convolutions must be among them.

    Layers on top (classifiers) may be missing or of other shapes: they are left out anyway. Files published
    before batch normalisations counted their batches hold no such count, which nothing here depends on.
    """
    wanted = module.state_dict()
    missing = [
        name
        for name, tensor in wanted.items()
        if not name.startswith(("fc.", "classifier.", "AuxLogits."))
        and not name.endswith(".num_batches_tracked")
        and (name not in tensors or tensors[name].shape != tensor.shape)
    ]
    if missing:
        raise WeightsDamaged(
            f"{source} holds no weights of this backbone: {missing[0]} is missing or of another shape. "
            "Give a file of this network, or name the backbone it belongs to."
        )
    fitting = {
        name: tensor
        for name, tensor in tensors.items()
        if name in wanted and tensor.shape == wanted[name].shape
    }
    module.load_state_dict(fitting, strict=False)


def _cut_resnet(network: Any) -> Sequence[nn.Module]:
    stem = nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
    return [stem, network.layer1, network.layer2, network.layer3, network.layer4]


def _cut_features(network: Any) -> Sequence[nn.Module]:
    return list(cast(nn.Sequential, network.features))


def _cut_regnet(network: Any) -> Sequence[nn.Module]:
    return [network.stem, *network.trunk_output.children()]


def _cut_vgg(network: Any) -> Sequence[nn.Module]:
    """One block per stage, each with its pooling, as the network is drawn in its paper.

    The last pooling has nothing to learn and belongs to the last stage, so that one block is one that learns.
    """
    stages: list[list[nn.Module]] = [[]]
    for layer in network.features:
        stages[-1].append(layer)
        if isinstance(layer, nn.MaxPool2d):
            stages.append([])
    stages = [stage for stage in stages if stage]
    stages[-1].append(network.avgpool)
    return [nn.Sequential(*stage) for stage in stages]


def _cut_inception(network: Any) -> Sequence[nn.Module]:
    left_out = ("AuxLogits", "avgpool", "dropout", "fc")
    return [module for name, module in network.named_children() if name not in left_out]


def _imagenet() -> Normalise:
    return Normalise(IMAGENET_MEAN, IMAGENET_STD)


def _around_nought() -> Normalise:
    """-1 to 1. Inception v3's weights want it: torchvision's network brings ImageNet's way to this one."""
    return Normalise((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def _average(maps: Sequence[Tensor]) -> Tensor:
    return maps[-1].mean(dim=(2, 3))


def _lay_out(maps: Sequence[Tensor]) -> Tensor:
    return maps[-1].flatten(1)


def strongest(values: Tensor, parts: int) -> Tensor:
    """The highest answers in ``parts`` x ``parts`` parts: (n, c, h, w) -> (n, c * parts * parts).

    `adaptive_max_pool2d`, which ONNX has no word for where the parts do not divide the sides.
    """
    high, wide = (
        [(place * length // parts, -(-(place + 1) * length // parts)) for place in range(parts)]
        for length in values.shape[2:]
    )
    if values.shape[2:] == (parts, parts):
        return values.permute(0, 2, 3, 1).flatten(1)
    found = [values[:, :, top:end, left:right].amax(dim=(2, 3)) for top, end in high for left, right in wide]
    return torch.cat(found, dim=1)


def _strongest_parts(maps: Sequence[Tensor]) -> Tensor:
    found = [strongest(values, parts) for values, parts in zip(maps[-2:], PARTS, strict=True)]
    return torch.cat(found, dim=1)


def _places(maps: Sequence[Tensor]) -> Tensor:
    return strongest(maps[-1], PLACES)


def _own(name: str, channels: tuple[int, int], draw: Callable[[], Sequence[nn.Module]]) -> Backbone:
    """``channels`` of the last two blocks."""
    return Backbone(
        name,
        side=96,
        width=sum(count * parts * parts for count, parts in zip(channels, PARTS, strict=True)),
        make=_make_own(draw),
        normalise=lambda: Normalise((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        pool=_strongest_parts,
    )


def _published(
    name: str,
    width: int,
    cut: Callable[[Any], Sequence[nn.Module]],
    *,
    side: int = 224,
    normalise: Callable[[], Normalise] = _imagenet,
    pool: Pool = _average,
) -> Backbone:
    return Backbone(name, side, width, _make_published(name, cut), normalise, pool)


_BACKBONES = {
    backbone.name: backbone
    for backbone in (
        _own("bobbin", (128, 256), bobbin_blocks),
        _own("thimble", (96, 192), thimble_blocks),
        Backbone(
            "shuttle",
            side=64,
            width=20 * PLACES * PLACES,
            make=_make_own(shuttle_blocks),
            normalise=lambda: Normalise((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
            pool=_places,
        ),
        _published("vgg16", 512 * 7 * 7, _cut_vgg, pool=_lay_out),
        _published("resnet18", 512, _cut_resnet),
        _published("mobilenet_v3_small", 576, _cut_features),
        _published("mobilenet_v3_large", 960, _cut_features),
        _published("regnet_y_400mf", 440, _cut_regnet),
        _published("inception_v3", 2048, _cut_inception, side=299, normalise=_around_nought),
        _published("convnext_tiny", 768, _cut_features),
    )
}
