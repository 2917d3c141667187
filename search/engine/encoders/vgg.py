"""VGG-16's two hidden dense layers, with the ImageNet weights that torchvision publishes.

The weights (528 MB) are not shipped. They are looked for in the operator's weights folder and fetched only
when the operator asks (``manage.py download_weights vgg16``); without them the encoders are listed, with
the remedy, and never run.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from search.engine.encoders.base import EncoderInfo, EncoderUnavailable, Image, Picture, Surroundings
from search.engine.encoders.framing import crop_centre
from search.engine.encoders.layers import LayerEncoder, open_layers
from search.engine.runtime import NetworkSpec
from search.engine.weight_cards import card_of

if TYPE_CHECKING:
    from torch import nn

# torchvision.models.VGG16_Weights.IMAGENET1K_V1; the name ends in the start of the file's sha256, which alone
# another file could be made to have.
FILE_NAME = "vgg16-397923af.pth"
SHA256 = "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"
KEEP = ("features.", "classifier.0.", "classifier.3.")
VERSION = SHA256[:8]
SOURCE = f"https://download.pytorch.org/models/{FILE_NAME}"
SIZE = "528 MB"

SIDE = 224
SHORT_SIDE = 256
BATCH_SIZE = 8  # the fastest on a CPU
AT_ONCE = 2  # one decodes while the other computes; each holds some 200 MB
LAYER_OF = {"vgg16-fc6": "fc6", "vgg16-fc7": "fc7"}
DIMENSIONS = 4096


def describe(surroundings: Surroundings) -> list[EncoderInfo]:
    """List FC6 and FC7; "weights-missing", with the remedy, where the file is not there."""
    folder = surroundings.weights_folder
    found = folder is not None and ((folder / FILE_NAME).exists() or _is_converted(folder))
    return [
        EncoderInfo(
            name=name,
            family="vgg",
            title=f"VGG-16 {layer.upper()} (ImageNet)",
            dimensions=DIMENSIONS,
            version=VERSION,
            sign_structured=True,
            network="vgg16",
            availability="ready" if found else "weights-missing",
            remedy="" if found else _remedy(folder),
        )
        for name, layer in LAYER_OF.items()
    ]


def create(infos: Sequence[EncoderInfo], surroundings: Surroundings) -> LayerEncoder:
    """Open the network; the published file is converted to safetensors the first time.

    Raises WeightsDamaged where the file is not the published one.
    """
    folder = surroundings.weights_folder
    if folder is None:
        raise EncoderUnavailable(f"Encoder '{infos[0].name}' cannot run: {_remedy(folder)}")
    spec = NetworkSpec(
        key=export_key(VERSION),
        side=SIDE,
        layers=tuple(LAYER_OF.values()),
        build=functools.partial(build_network, folder),
    )
    return open_layers(infos, LAYER_OF, spec, frame, surroundings, batch_size=BATCH_SIZE, at_once=AT_ONCE)


def export_key(version: str) -> str:
    """Under which name the exported network of this version is kept."""
    return f"vgg16-{version}"


def frame(picture: Picture) -> Image:
    """Preprocess as published with the weights: short side 256, central 224 x 224."""
    return crop_centre(picture, short_side=SHORT_SIDE, size=SIDE)


def build_network(folder: Path) -> nn.Module:
    """Make the torch module with the published weights. Raises WeightsDamaged, DiskFull."""
    from search.engine.networks import Vgg16Layers  # imports torch, which listing must not
    from search.engine.weight_files import convert_pickle, load_weights

    converted = _converted(folder)
    if not _is_converted(folder):
        convert_pickle(folder / FILE_NAME, converted, sha256=SHA256, keep=KEEP)
    network = Vgg16Layers()
    load_weights(network, converted)
    return network.eval()


def _converted(folder: Path) -> Path:
    return (folder / FILE_NAME).with_suffix(".safetensors")


def _is_converted(folder: Path) -> bool:
    return _converted(folder).exists() and card_of(_converted(folder)).exists()


def _remedy(folder: Path | None) -> str:
    place = f"Put {FILE_NAME} into {folder}" if folder else f"Name the weights folder that holds {FILE_NAME}"
    return f"{place}, or run 'manage.py download_weights vgg16' to download it ({SIZE})."
