"""Trained networks on disk: a folder per encoder or ranker, with a card and the weights that the card names.

Weights lie under a name made of their sha256, and the card is replaced last: whoever reads meanwhile gets the
old network or the new one, whole.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from search.engine.encoders.base import WeightsDamaged
from search.engine.files import write_file

CARD = "card.json"


def read_trained_card(folder: Path) -> dict[str, Any]:
    """The card in a network's folder. Raises WeightsDamaged where it cannot be used."""
    try:
        card = json.loads((folder / CARD).read_bytes())
    except (OSError, ValueError) as error:
        raise WeightsDamaged(f"{folder / CARD} cannot be read ({error}). Train it again.") from error
    if not isinstance(card, dict) or not {"name", "kind", "architecture", "sha256"} <= set(card):
        raise WeightsDamaged(f"{folder / CARD} is no card of a trained network. Train it again.")
    return card


def weights_path(folder: Path, card: dict[str, Any]) -> Path:
    """Where the weights lie that a card names."""
    return folder / f"weights-{str(card['sha256'])[:16]}.safetensors"


def write_trained(folder: Path, weights: bytes, card: dict[str, Any]) -> dict[str, Any]:
    """Publish a network; returns its card, the sha256 added. Older weights go once the card is in place.

    Raises DiskFull, and the older one stays.
    """
    written = {**card, "sha256": hashlib.sha256(weights).hexdigest()}
    path = weights_path(folder, written)
    write_file(path, weights)
    text = json.dumps(written, indent=1, ensure_ascii=False)
    write_file(folder / CARD, (text + "\n").encode())
    for older in folder.glob("weights-*.safetensors"):
        if older != path:
            older.unlink(missing_ok=True)
    return written
