"""With which pictures an index is calibrated: of items that no encoder learned from, the best there are.

Photos of items in use, where the catalogue has them; otherwise pictures of the same group, which then are of
one product; otherwise the items' own pictures, changed as cameras do. Only evaluation-only items are asked
for: distances of pictures that a network has learned from are shorter, and promises counted on them false.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.models import Asking
from search.services.training_samples import CatalogueItems, number_copies

MOST_QUERIES = 3000
LEAST_QUERIES = 100  # of a better kind, to be preferred
SALT = "dope or nope: calibration"


@dataclass(frozen=True)
class Queries:
    """Places in a catalogue's items that are asked for, in an order that says nothing about them.

    ``products`` numbers the catalogue's items, (items,): those with one number are what is asked for.
    """

    asking: Asking
    places: NDArray[np.int64]
    images: list[str]  # of each place: sha256 of the picture that is asked with
    products: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)

    def describe(self) -> str:
        """Short, and another for other pictures."""
        digest = hashlib.sha256("\n".join(self.images).encode()).hexdigest()
        return f"{self.asking} {digest[:16]}"


def choose_queries(items: CatalogueItems) -> Queries:
    """At most `MOST_QUERIES` of the catalogue's evaluation-only items, drawn by hash."""
    held_out = np.flatnonzero(~items.trainable & ~items.removed)
    order = sorted(held_out.tolist(), key=lambda place: _hash(items.keys[place]))
    photographed = [place for place in order if items.lifestyles[place]]
    if len(photographed) >= LEAST_QUERIES:
        return _queries(Asking.PHOTOS, photographed, items.lifestyles, items.copies)
    products = _number_products(items)
    distinct = set(zip(products.tolist(), items.copies.tolist(), strict=True))
    pictures = Counter(product for product, _ in distinct)  # of a product, near-duplicates as one
    grouped = [place for place in order if pictures[int(products[place])] > 1]
    if len(grouped) >= LEAST_QUERIES:
        return _queries(Asking.OTHERS, grouped, items.images, products)
    return _queries(Asking.CHANGED, order, items.images, items.copies)


def _number_products(items: CatalogueItems) -> NDArray[np.int64]:
    first: dict[str, int] = {}
    alike = [(place, first.setdefault(unit, place)) for place, unit in enumerate(items.units)]
    return number_copies(len(items), [*items.joined, *alike])


def _queries(asking: Asking, places: list[int], images: list[str], products: NDArray[np.int64]) -> Queries:
    chosen = places[:MOST_QUERIES]
    return Queries(asking, np.array(chosen, np.int64), [images[place] for place in chosen], products)


def _hash(key: str) -> bytes:
    return hashlib.sha256(f"{SALT}\0{key}".encode()).digest()
