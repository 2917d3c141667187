"""Encoders that training made: those shipped with the project, and the operator's own.

Each folder holds one network; its layers (and a conditional network's masks) are encoders that share a pass.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.engine.encoders.base import EncoderInfo, Image, Picture, Surroundings, WeightsDamaged
from search.engine.encoders.framing import fit_square
from search.engine.encoders.layers import LayerEncoder, open_layers
from search.engine.encoders.trained_files import CARD, read_trained_card, weights_path
from search.engine.runtime import NetworkSpec

if TYPE_CHECKING:
    from search.engine.trained_networks import TrainedNetwork

SHIPPED = Path(__file__).resolve().parent.parent / "weights"
FRAMING = 2  # goes up when `frame` makes another square of the same picture: then vectors are others
MASKED = "mask-"  # how the layers of masks are called
BATCH_SIZE = 16  # more leave a CPU's caches: a sixth slower [measured]
_KIND_TITLES = {"transfer": "Transfer", "siamese": "Siamese", "csn": "Conditional", "aspects": "Aspects"}


@dataclass(frozen=True)
class _Layer:
    name: str  # of the encoder
    layer: str  # of the network
    mask: str  # the aspect whose mask it is


def describe(surroundings: Surroundings) -> list[EncoderInfo]:
    """List every layer of every trained network; one that is damaged is "broken", with the remedy."""
    return [info for folder in _folders(surroundings.trained_folder) for info in _describe(folder)]


def create(infos: Sequence[EncoderInfo], surroundings: Surroundings) -> LayerEncoder:
    """Open a network. Raises WeightsDamaged where its weights are not the ones of its card."""
    folder = find_folder(infos[0].network, surroundings.trained_folder)
    card = read_trained_card(folder)
    layers = _list_layers(card)
    side = int(card["architecture"]["side"])
    spec = NetworkSpec(
        key=f"{folder.name}-{version_of(card)}",  # as photo_encoders.py looks for it
        side=side,
        layers=tuple(layer.layer for layer in layers),
        build=functools.partial(build_network, folder),
    )
    return open_layers(
        infos,
        {layer.name: layer.layer for layer in layers},
        spec,
        functools.partial(frame, side=side),
        surroundings,
        batch_size=BATCH_SIZE,
        at_once=surroundings.cores,
    )


def find_folder(network: str, trained_folder: Path | None) -> Path:
    """Where a network of this name lies, shipped or trained here. Raises WeightsDamaged where none does."""
    for folder in _folders(trained_folder):
        if folder.name == network:
            return folder
    raise WeightsDamaged(f"The trained encoder “{network}” is gone: train it again, or choose another.")


def frame(picture: Picture, *, side: int) -> Image:
    """Bring a picture of any size to the square that trained networks look at."""
    return fit_square(picture, side, reducing_gap=1.0)


def build_network(folder: Path) -> TrainedNetwork[Any]:
    """Make the torch module with its weights, in evaluation mode. Raises WeightsDamaged."""
    # These import torch, which listing must not.
    from search.engine.trained_networks import Architecture, make_network
    from search.engine.weight_files import load_checked

    card = read_trained_card(folder)
    try:
        network = make_network(Architecture.from_json(card["architecture"]))
    except (TypeError, KeyError) as error:
        raise WeightsDamaged(
            f"{folder / CARD} describes a network that this version cannot build ({error}). Train it again."
        ) from error
    load_checked(network, weights_path(folder, card), sha256=str(card["sha256"]))
    return network.eval()


def version_of(card: dict[str, Any]) -> str:
    """The start of the weights' sha256, and how pictures are framed: other vectors, another space."""
    return f"{str(card['sha256'])[:12]}-{FRAMING}"


def frames_alike(version: str) -> bool:
    """Whether pictures were framed as `frame` does it when the vectors of this version were made."""
    return version.endswith(f"-{FRAMING}")


def name_of_layer(network: str, layer: str) -> str:
    """The encoder that answers with this layer of a network, as `_list_layers` names it."""
    return f"{network}.{layer.removeprefix(MASKED)}" if layer.startswith(MASKED) else network


def kind_of(network: str, trained_folder: Path | None) -> str:
    """What a network was trained as: transfer, siamese, csn or aspects; blank where nothing tells."""
    try:
        return str(read_trained_card(find_folder(network, trained_folder))["kind"])
    except WeightsDamaged:
        return ""


def _folders(trained_folder: Path | None) -> Iterator[Path]:
    """The shipped networks, then the operator's; a name that is taken is not listed twice."""
    seen: set[str] = set()
    for parent in (SHIPPED, trained_folder):
        for card in sorted(parent.glob(f"*/{CARD}")) if parent is not None else ():
            if card.parent.name not in seen:
                seen.add(card.parent.name)
                yield card.parent


def _describe(folder: Path) -> list[EncoderInfo]:
    try:
        return _read_infos(folder)
    except WeightsDamaged as error:
        return [_broken(folder.name, str(error))]
    except (KeyError, TypeError, ValueError) as error:
        remedy = f"{folder / CARD} describes no encoder that this version knows ({error!r}). Train it again."
        return [_broken(folder.name, remedy)]


def _read_infos(folder: Path) -> list[EncoderInfo]:
    card = read_trained_card(folder)
    if card["name"] != folder.name:
        # A copied folder would otherwise take the place of the encoder that it was copied from.
        raise WeightsDamaged(
            f"The card in {folder} is of the encoder '{card['name']}'. Name the folder so, or remove it."
        )
    found = weights_path(folder, card).exists()
    remedy = f"The weights in {folder} are gone: restore them, or train the encoder again."
    return [
        EncoderInfo(
            name=layer.name,
            family="trained",
            title=_title(card, layer),
            dimensions=int(card["architecture"]["width"]),
            version=version_of(card),
            sign_structured=layer.layer == "hidden",
            network=folder.name,
            availability="ready" if found else "weights-missing",
            remedy="" if found else remedy,
            mask=layer.mask,
        )
        for layer in _list_layers(card)
    ]


def _list_layers(card: dict[str, Any]) -> list[_Layer]:
    name, architecture = str(card["name"]), card["architecture"]
    if card["kind"] in ("transfer", "aspects"):
        return [_Layer(name, "hidden", "")]
    masks = [_Layer(f"{name}.{mask}", f"{MASKED}{mask}", mask) for mask in architecture["masks"]]
    return [_Layer(name, "embedding", ""), *masks]


def _title(card: dict[str, Any], layer: _Layer) -> str:
    if layer.mask:
        return f"“{card['name']}” by {layer.mask}"
    return f"{_KIND_TITLES[card['kind']]} “{card['name']}”"


def _broken(name: str, remedy: str) -> EncoderInfo:
    return EncoderInfo(
        name=name,
        family="trained",
        title=name,
        dimensions=0,
        version="missing",
        sign_structured=False,
        network=name,
        availability="broken",
        remedy=remedy,
    )
