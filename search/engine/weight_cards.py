"""Cards of weights: the JSON beside a weights file that names its checksum and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from search.engine.encoders.base import WeightsDamaged


def card_of(weights: Path) -> Path:
    """Where the card of a weights file lies: beside it, ending in .json."""
    return weights.with_suffix(".json")


def read_card(weights: Path) -> dict[str, Any]:
    """Read a weights file's card.

    Raises WeightsDamaged where it is missing or no JSON object with a sha256.
    """
    try:
        card = json.loads(card_of(weights).read_bytes())
    except (OSError, ValueError) as error:
        raise WeightsDamaged(
            f"{card_of(weights)} cannot be read: {error}. Restore it with its weights."
        ) from error
    if not isinstance(card, dict) or not isinstance(card.get("sha256"), str):
        raise WeightsDamaged(f"{card_of(weights)} names no sha256. Restore it together with its weights.")
    return card
