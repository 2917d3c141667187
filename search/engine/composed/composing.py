"""ComposeAE's composition in numpy: an image vector turned in the complex plane by what a text says.

After Anwaar, Labintcev and Kleinsteuber, "Compositional Learning of Image-Text Query for Image Retrieval",
WACV 2021, and its published code, with widths as parameters (the code's fit 512 only). The weights are named
as in `search.engine.composed.baselines.ComposeAE`, which is its other half, in torch.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Weights = Mapping[str, Vectors]

POOLED = 16  # places that the convolved branch is pooled to; the width is a multiple of it
CHANNELS = 64
_EPSILON = 1e-5  # of torch's batch normalisation


def compose(weights: Weights, images: Vectors, texts: Vectors) -> Vectors:
    """(q, width) from (q, image width) and (q, text width)."""
    real = _two_layers(weights, "image", images)
    turn = _two_layers(weights, "text", texts)
    across, upward = real * np.cos(turn), real * np.sin(turn)
    rows = np.stack([real, turn, images, across, upward], axis=1)
    mixed = _head(weights, "mix", np.concatenate([across, upward], axis=1))
    convolved = _head(weights, "mix_convolved", _convolve(weights, rows))
    shares = weights["shares"]
    return np.asarray(shares[0] * convolved + shares[1] * mixed, np.float32)


def _convolve(weights: Weights, rows: Vectors) -> Vectors:
    """(q, 5, width) -> (q, channels * pooled): a convolution of width three, then the maximum of parts."""
    padded = np.pad(rows, ((0, 0), (0, 0), (1, 1)))
    windows = sliding_window_view(padded, 3, axis=2)  # (q, 5, width, 3)
    answers = np.einsum("qcwk,ock->qow", windows, weights["convolution.weight"], optimize=True)
    answers += weights["convolution.bias"][None, :, None]
    count, channels, width = answers.shape
    pooled: Vectors = answers.reshape(count, channels, POOLED, width // POOLED).max(axis=3)
    return pooled.reshape(count, -1)


def _two_layers(weights: Weights, name: str, vectors: Vectors) -> Vectors:
    return _linear(weights, f"{name}.2", np.maximum(_linear(weights, f"{name}.0", vectors), 0))


def _head(weights: Weights, name: str, vectors: Vectors) -> Vectors:
    """Batch normalisation, ReLU, and two layers."""
    spread = np.sqrt(weights[f"{name}.0.running_var"] + _EPSILON)
    normal = (vectors - weights[f"{name}.0.running_mean"]) / spread
    normal = normal * weights[f"{name}.0.weight"] + weights[f"{name}.0.bias"]
    hidden = np.maximum(_linear(weights, f"{name}.2", np.maximum(normal, 0)), 0)
    return _linear(weights, f"{name}.4", hidden)


def _linear(weights: Weights, name: str, vectors: Vectors) -> Vectors:
    return np.asarray(vectors @ weights[f"{name}.weight"].T + weights[f"{name}.bias"], np.float32)
