"""How far an encoder that tells aspects can be believed when it says how sure it is, from its card."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.engine.calibration import Bin, calibration_error
from search.selectors.card_parts import list_aspects, read_part, read_text


@dataclass(frozen=True)
class Reliability:
    """Of one aspect, on held-out items: accuracy by confidence, and how far they are apart on average."""

    aspect: str
    bins: Sequence[Bin]
    predictions: int
    error: float
    temperature: float | None


def read_reliability(card: Mapping[str, Any]) -> list[Reliability]:
    """Every aspect of a card; see ``read_part``."""
    temperatures = read_part(_read_temperatures, card) or {}
    return [_read_aspect(part, temperatures) for part in card["calibration"]]


def _read_temperatures(card: Mapping[str, Any]) -> dict[str, float]:
    found = dict(zip(list_aspects(card), map(float, card["temperatures"]), strict=True))
    if not all(0 < temperature < math.inf for temperature in found.values()):
        raise ValueError("a temperature is a positive number")
    return found


def _read_aspect(part: Mapping[str, Any], temperatures: Mapping[str, float]) -> Reliability:
    aspect, bins = read_text(part["aspect"]), [_read_bin(found) for found in part["bins"]]
    return Reliability(
        aspect=aspect,
        bins=bins,
        predictions=sum(found.count for found in bins),
        error=calibration_error(bins),
        temperature=temperatures.get(aspect),
    )


def _read_bin(found: Mapping[str, Any]) -> Bin:
    count, confidence, accuracy = found["count"], found["confidence"], found["accuracy"]
    if not isinstance(count, int) or count < 1:
        raise ValueError("a bin holds no predictions")
    if not (0 <= confidence <= 1 and 0 <= accuracy <= 1):
        raise ValueError("a share is a number from 0 to 1")
    return Bin(count, float(confidence), float(accuracy))
