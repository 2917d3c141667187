"""What tells the values of aspects, read from a network's file without the network: no torch is needed."""

from __future__ import annotations

from pathlib import Path

import safetensors

from search.engine.aspect_views import AspectHeads
from search.engine.encoders.base import WeightsDamaged
from search.engine.encoders.trained_files import read_trained_card, weights_path
from search.engine.files import sha256_of

_LEARNED_WIDTH = 512  # `trained_networks.LEARNED_WIDTH`, which is not read here because that needs torch


def read_heads(folder: Path) -> AspectHeads:
    """The softmax layers of an "aspects" network. Raises WeightsDamaged where they are not its card's."""
    card = read_trained_card(folder)
    path = weights_path(folder, card)
    try:
        if sha256_of(path) != card["sha256"]:
            raise WeightsDamaged(f"{path} is damaged: its card names another checksum. Train it again.")
        with safetensors.safe_open(path, framework="numpy") as file:
            weights, biases = (file.get_tensor(f"head.softmax.{part}") for part in ("weight", "bias"))
        values = {str(aspect["name"]): tuple(map(str, aspect["values"])) for aspect in card["aspects"]}
        if len(weights) != sum(map(len, values.values())):
            raise WeightsDamaged(f"{folder} names other values than its network tells. Train it again.")
        temperatures = card.get("temperatures") or [1.0] * len(values)
        share = min(1.0, _LEARNED_WIDTH / int(card["architecture"]["width"]))
        return AspectHeads(values, weights, biases, tuple(map(float, temperatures)), share)
    except (OSError, KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise WeightsDamaged(f"{path} tells no aspects ({error!r}). Train it again.") from error
