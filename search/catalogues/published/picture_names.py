"""Which items the pictures of a published list are: lists are spelt in one way, catalogues in another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from search.catalogues.published.zappos import item_key


def match_names(names: Sequence[str], keys: Sequence[str]) -> list[int | None]:
    """For each name the place in ``keys`` of the item that it means; None where there is none, or several.

    Names are tried in the spelling of `item_key`, then as they are; at last a name and a key mean the same
    where one of them is the end of the other, from a slash on.
    """
    found: list[int | None] = [None] * len(names)
    for spell in (item_key, str):
        place_of = _index((spell(key), place) for place, key in enumerate(keys))
        found = [
            place_of.get(spell(name)) if place is None else place
            for name, place in zip(names, found, strict=True)
        ]
    if None not in found:
        return found
    by_end = _match_ends([name for name, place in zip(names, found, strict=True) if place is None], keys)
    # A name without its folders may be the end of several: then nobody knows which one is meant.
    claims = Counter([*by_end.values(), *(place for place in found if place is not None)])
    return [
        by_end[name] if place is None and name in by_end and claims[by_end[name]] == 1 else place
        for name, place in zip(names, found, strict=True)
    ]


def _match_ends(names: Sequence[str], keys: Sequence[str]) -> dict[str, int]:
    spelt = [item_key(key) for key in keys]
    whole = _index((key, place) for place, key in enumerate(spelt))
    ends = _index((end, place) for place, key in enumerate(spelt) for end in _ends_of(key))
    matched = {}
    for name in names:
        told = item_key(name)
        places = [ends.get(told), *(whole.get(end) for end in _ends_of(told))]
        place = next((place for place in places if place is not None), None)
        if place is not None:
            matched[name] = place
    return matched


def _ends_of(path: str) -> list[str]:
    """What is left of a path without its first folders, the longest first."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(1, len(parts))]


def _index(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The place of each text that has only one."""
    place_of: dict[str, int] = {}
    several = set()
    for text, place in pairs:
        if place_of.setdefault(text, place) != place:
            several.add(text)
    return {text: place for text, place in place_of.items() if text not in several}
