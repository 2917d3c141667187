"""The networks behind the encoders, as torch modules that take pictures and answer with layers.

Every module here maps (n, side, side, 3) uint8 sRGB to one (n, d) float32 tensor per layer, with the
normalisation inside, so that a caller only stacks pictures, and an exported network needs nothing else.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from search.engine import torchvision_ops

# Per-channel mean and standard deviation of ImageNet, as published with torchvision's weights.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Normalise(nn.Module):
    """(n, h, w, 3) uint8 -> (n, 3, h, w) float32, centred and scaled per channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1) * 255.0, persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1) * 255.0, persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        return (pictures.permute(0, 3, 1, 2).float() - self.mean) / self.std


def convolve(
    inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """A convolution that keeps the picture's borders, with batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Widen, convolve each channel by itself, narrow again; the input is carried around where shapes allow.

    Sandler et al., "MobileNetV2: Inverted residuals and linear bottlenecks", CVPR 2018, section 3.3: the
    narrow layer between two blocks has no ReLU.
    """

    WIDENED = 2

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        wide = inputs * self.WIDENED
        self.body = nn.Sequential(
            convolve(inputs, wide, kernel=1),
            convolve(wide, wide, stride=stride, groups=wide),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.carries = stride == 1 and inputs == outputs

    def forward(self, values: Tensor) -> Tensor:
        changed: Tensor = self.body(values)
        return values + changed if self.carries else changed


def stack_blocks(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    """A stage: one block that halves the picture's sides, and more that keep them."""
    first = InvertedResidual(inputs, outputs, stride=2)
    return nn.Sequential(first, *(InvertedResidual(outputs, outputs, stride=1) for _ in range(blocks - 1)))


def thimble_blocks() -> list[nn.Module]:
    """The convolutions of the project's small network: (n, 3, h, w) -> (n, 192, h / 16, w / 16)."""
    return [
        convolve(3, 32, stride=2),
        stack_blocks(32, 48, 2),
        stack_blocks(48, 96, 3),
        stack_blocks(96, 192, 3),
    ]


class Residual(nn.Module):
    """Two convolutions around which the input is carried (He et al., "Deep residual learning", CVPR 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.body = nn.Sequential(convolve(width, width), second, nn.BatchNorm2d(width))

    def forward(self, values: Tensor) -> Tensor:
        changed: Tensor = self.body(values)
        return (values + changed).relu_()


def bobbin_blocks() -> list[nn.Module]:
    """The project's network for learning on a CPU: (n, 3, h, w) -> (n, 256, h / 16, w / 16).

    Plain convolutions, because those learn fastest per minute there: two million weights.
    """
    return [
        convolve(3, 32, stride=2),
        *(nn.Sequential(convolve(width // 2, width, stride=2), Residual(width)) for width in (64, 128, 256)),
    ]


def shuttle_blocks() -> list[nn.Module]:
    """The project's network for things that lie alike everywhere: (n, 3, h, w) -> (n, 20, h / 8, w / 8)."""
    return [
        convolve(3, 24, stride=2),
        *(nn.Sequential(convolve(width // 2, width, stride=2), Residual(width)) for width in (48, 96)),
        convolve(96, 20, kernel=1),
    ]


class Vgg16Layers(nn.Module):
    """VGG-16's two hidden dense layers (Simonyan and Zisserman, 2015), from torchvision's network.

    Layers: ``fc6`` and ``fc7`` (4,096 each), after their ReLU; dropout is no part of inference, and the
    softmax layer on top is left out.
    """

    SIDE = 224
    DIMENSIONS = {"fc6": 4096, "fc7": 4096}

    def __init__(self) -> None:
        super().__init__()
        torchvision_ops.prepare()
        from torchvision.models import vgg16  # only importable once the operators are declared

        # On the meta device no memory is taken and nothing is drawn: weights are assigned, never random.
        with torch.device("meta"):
            network = vgg16(weights=None, init_weights=False)
        self.normalise = Normalise(IMAGENET_MEAN, IMAGENET_STD)
        self.features = cast(nn.Module, network.features)
        self.avgpool = cast(nn.Module, network.avgpool)
        self.classifier = nn.Sequential(*list(cast(nn.Sequential, network.classifier))[:4])

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        values = self.avgpool(self.features(self.normalise(pictures))).flatten(1)
        fc6 = torch.relu(self.classifier[0](values))
        return fc6, torch.relu(self.classifier[3](fc6))
