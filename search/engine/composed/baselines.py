"""What the graph is held against, in torch, on the same vectors of images and texts, of any width.

Each model turns a reference and a text into a query vector, and an image into a candidate vector; the scores
are inner products of vectors of one learned length (4 at first, as published for TIRG).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from search.engine.composed.composing import CHANNELS, POOLED

LENGTH = 4.0
RECONSTRUCTED, TURNED_BACK = 0.1, 0.01  # of ComposeAE's loss


class ComposedModel(nn.Module):
    """A model of (image, text) -> query, and of image -> candidate."""

    def __init__(self, images: int, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(images, width)
        self.length = nn.Parameter(torch.tensor(LENGTH))

    def candidates(self, images: Tensor) -> Tensor:
        """(n, width) from (n, images)."""
        return self.stretch(self.project(images))

    def queries(self, images: Tensor, texts: Tensor) -> Tensor:
        """(n, width) from (n, images) and (n, texts)."""
        return self.stretch(self.combine(self.project(images), texts))

    def combine(self, images: Tensor, texts: Tensor) -> Tensor:
        """(n, width) from projected images and texts."""
        raise NotImplementedError

    def own_loss(self, images: Tensor, texts: Tensor, targets: Tensor) -> Tensor:
        """What is lost beside the ranking; nothing, for most."""
        return torch.zeros((), device=images.device)

    def stretch(self, vectors: Tensor) -> Tensor:
        """Vectors of the learned length."""
        return functional.normalize(vectors, dim=1) * self.length


class ImageOnly(ComposedModel):
    """The reference as it is: what a search by image answers."""

    def __init__(self, images: int, texts: int, width: int) -> None:
        super().__init__(images, width)

    def combine(self, images: Tensor, texts: Tensor) -> Tensor:
        """See `ComposedModel`."""
        return images


class TextOnly(ComposedModel):
    """The text alone, in two layers."""

    def __init__(self, images: int, texts: int, width: int) -> None:
        super().__init__(images, width)
        self.read = two_layers(texts, width)

    def combine(self, images: Tensor, texts: Tensor) -> Tensor:
        """See `ComposedModel`."""
        return cast(Tensor, self.read(texts))


class Tirg(ComposedModel):
    """TIRG (Vo et al., CVPR 2019): the reference, gated, plus a residual."""

    def __init__(self, images: int, texts: int, width: int) -> None:
        super().__init__(images, width)
        self.read = nn.Linear(texts, width)
        both = 2 * width
        self.gate = nn.Sequential(nn.BatchNorm1d(both), nn.ReLU(), nn.Linear(both, width))
        self.residual = nn.Sequential(
            nn.BatchNorm1d(both), nn.ReLU(), nn.Linear(both, both), nn.ReLU(), nn.Linear(both, width)
        )
        self.shares = nn.Parameter(torch.tensor([1.0, 10.0]))

    def combine(self, images: Tensor, texts: Tensor) -> Tensor:
        """See `ComposedModel`."""
        both = torch.cat([images, self.read(texts)], dim=1)
        gated = self.gate(both).sigmoid() * images
        return cast(Tensor, self.shares[0] * gated + self.shares[1] * self.residual(both))


class ComposeAE(nn.Module):
    """ComposeAE's composition and its decoders; see `search.engine.composed.composing`."""

    def __init__(self, images: int, texts: int, width: int) -> None:
        super().__init__()
        if images != width or width % POOLED:
            raise ValueError(f"The width is that of the images, and a multiple of {POOLED}.")
        self.image, self.text = two_layers(images, width), two_layers(texts, width)
        self.mix = _make_head(2 * width, width)
        self.convolution = nn.Conv1d(5, CHANNELS, 3, padding=1)
        self.mix_convolved = _make_head(CHANNELS * POOLED, width)
        self.shares = nn.Parameter(torch.tensor([1.0, 10.0]))
        self.decode_image, self.decode_text = _make_decoder(width, images), _make_decoder(width, texts)

    def forward(self, images: Tensor, texts: Tensor, *, back: bool = False) -> Tensor:
        """(n, width); ``back`` turns by the conjugate, which undoes a change."""
        real, turn = self.image(images), self.text(texts)
        across, upward = real * turn.cos(), real * turn.sin() * (-1 if back else 1)
        rows = torch.stack([real, turn, images, across, upward], dim=1)
        pooled = functional.adaptive_max_pool1d(self.convolution(rows), POOLED).flatten(1)
        mixed = self.mix(torch.cat([across, upward], dim=1))
        return cast(Tensor, self.shares[0] * self.mix_convolved(pooled) + self.shares[1] * mixed)

    def own_loss(
        self, images: Tensor, texts: Tensor, targets: Tensor, rank: Callable[[Tensor, Tensor], Tensor]
    ) -> Tensor:
        """Both reconstructions, and the source found back from the target (L_rot)."""
        composed = self(images, texts)
        reconstructed = functional.mse_loss(self.decode_image(composed), images)
        reconstructed = reconstructed + functional.mse_loss(self.decode_text(composed), texts)
        return RECONSTRUCTED * reconstructed + TURNED_BACK * rank(self(targets, texts, back=True), images)


class ComposeAEModel(ComposedModel):
    """ComposeAE by itself."""

    def __init__(self, images: int, texts: int, width: int) -> None:
        super().__init__(images, width)
        self.compose = ComposeAE(width, texts, width)

    def combine(self, images: Tensor, texts: Tensor) -> Tensor:
        """See `ComposedModel`."""
        return cast(Tensor, self.compose(images, texts))

    def own_loss(self, images: Tensor, texts: Tensor, targets: Tensor) -> Tensor:
        """See `ComposedModel`."""

        def rank(queries: Tensor, candidates: Tensor) -> Tensor:
            logits = self.stretch(queries) @ self.stretch(candidates).T
            return functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))

        return self.compose.own_loss(self.project(images), texts, self.project(targets), rank)


BASELINES: Mapping[str, Callable[[int, int, int], ComposedModel]] = {
    "image": ImageOnly,
    "text": TextOnly,
    "tirg": Tirg,
    "composeae": ComposeAEModel,
}


def two_layers(inputs: int, width: int) -> nn.Sequential:
    """A linear layer, a ReLU, a linear layer."""
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width))


def _make_head(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm1d(inputs), nn.ReLU(), nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width)
    )


def _make_decoder(width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )
