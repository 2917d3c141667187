"""The project's own small network, shipped with its weights; its two last layers are two encoders.

Trained on drawings of the wardrobe generator under other seeds than the demo catalogue's: see
``manage.py train_shipped_weights`` and the card beside the weights.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search.engine.encoders.base import EncoderInfo, Image, Picture, Surroundings, WeightsDamaged
from search.engine.encoders.framing import fit_square
from search.engine.encoders.layers import LayerEncoder, open_layers
from search.engine.runtime import NetworkSpec
from search.engine.weight_cards import read_card

if TYPE_CHECKING:
    from torch import nn

WEIGHTS = Path(__file__).resolve().parent.parent / "weights" / "thimble.safetensors"
SIDE = 112
FRAMING = 2  # goes up when `frame` makes another square of the same picture: then vectors are others
BATCH_SIZE = 16  # more leave a CPU's caches: a sixth slower [measured]
LAYER_OF = {"thimble-pool": "pool", "thimble-dense": "dense"}
REMEDY = "Restore search/engine/weights/ from the repository, or run 'manage.py train_shipped_weights'."

_TITLES = {"thimble-pool": "Thimble, pooled convolution", "thimble-dense": "Thimble, dense layer"}
_DIMENSIONS = {"thimble-pool": 512, "thimble-dense": 256}


def describe(surroundings: Surroundings) -> list[EncoderInfo]:
    """List both layers; "weights-missing" where the shipped files are not there."""
    try:
        version = _version_of(WEIGHTS)
    except WeightsDamaged:
        version = ""
    found = bool(version) and WEIGHTS.exists()
    return [
        EncoderInfo(
            name=name,
            family="thimble",
            title=_TITLES[name],
            dimensions=_DIMENSIONS[name],
            version=f"{version}-{FRAMING}" if version else "missing",
            sign_structured=True,
            network="thimble",
            availability="ready" if found else "weights-missing",
            remedy="" if found else REMEDY,
        )
        for name in LAYER_OF
    ]


def create(infos: Sequence[EncoderInfo], surroundings: Surroundings) -> LayerEncoder:
    """Open the network. Raises WeightsDamaged where the weights are not the shipped ones."""
    spec = NetworkSpec(
        key=f"thimble-{_version_of(WEIGHTS)}",
        side=SIDE,
        layers=tuple(LAYER_OF.values()),
        build=functools.partial(build_network, WEIGHTS),
    )
    return open_layers(
        infos, LAYER_OF, spec, frame, surroundings, batch_size=BATCH_SIZE, at_once=surroundings.cores
    )


def frame(picture: Picture) -> Image:
    """Bring a picture of any size to the square that the network was trained on."""
    return fit_square(picture, SIDE, reducing_gap=1.0)


def build_network(weights: Path) -> nn.Module:
    """Make the torch module with its weights. Raises WeightsDamaged."""
    from search.engine.networks import Thimble  # imports torch, which listing must not
    from search.engine.weight_files import load_weights

    network = Thimble()
    load_weights(network, weights)
    return network.eval()


def _version_of(weights: Path) -> str:
    """The start of the weights' sha256: other weights, another embedding space."""
    return str(read_card(weights)["sha256"])[:12]
