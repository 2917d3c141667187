"""Reading a trained encoder's card, which may be of an older version, from elsewhere or changed by hand."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def read_part(read: Callable[[Mapping[str, Any]], T], card: Mapping[str, Any]) -> T | None:
    """What ``read`` makes of a card; None where the card does not hold it as this version writes it."""
    try:
        return read(card)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return None


def read_text(value: object) -> str:
    """A text that can be sent. Raises TypeError or ValueError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is no text")
    value.encode()  # lone surrogates cannot be
    return value


def list_aspects(card: Mapping[str, Any]) -> list[str]:
    """The names of the aspects that the encoder learned, in the order of everything else in its card."""
    return [read_text(aspect["name"]) for aspect in card["aspects"]]
