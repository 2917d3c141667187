"""Gold: questions with a right and a wrong candidate, drawn once for a catalogue and frozen.

Whoever is taught by people's taste must not forget what is plain. Right is a near duplicate of the question's
item, or else an item of its category with labels in common; wrong is an item of another category without any
label in common. Votes are not asked: they are on what contenders found, and decide about them already.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from evaluation.models import Contender, GoldSet
from search import artifacts
from search.engine.errors import ArtifactDamaged
from search.engine.metrics import distances, sign_bits
from search.models import Catalogue, Item, Label, Metric, Split

MOST_CARDS = 200
FEWEST_CARDS = 20
TRIES = 50  # items looked at for one that is plainly right or wrong

ITEMS: Final = ("question", "right", "wrong")
Card = dict[str, Any]


class GoldDamaged(Exception):
    """The frozen cards are not what they were; the text says so."""


def freeze_gold(catalogue: Catalogue, *, now: datetime) -> GoldSet | None:
    """The frozen set, drawn where there is none yet; None where too few cards can be drawn."""
    gold = GoldSet.objects.filter(catalogue=catalogue).first()
    if gold is None:
        cards = _draw(catalogue)
        if len(cards) < FEWEST_CARDS:
            return None
        # Of two that freeze at once one set stays, and both use it.
        gold, _ = GoldSet.objects.get_or_create(
            catalogue=catalogue, defaults={"cards": cards, "sha256": _hash(cards), "frozen_at": now}
        )
    return gold


def find_gold(catalogue: Catalogue, *, now: datetime) -> GoldSet | None:
    """As `freeze_gold`, where the set is still what was frozen. Raises GoldDamaged."""
    gold = freeze_gold(catalogue, now=now)
    if gold is not None and _hash(gold.cards) != gold.sha256:
        raise GoldDamaged(
            f"The gold set of “{catalogue.title}” is not what was frozen: cards or pictures have changed. "
            "Import the pictures as they were, or restore a backup; until then nobody is promoted."
        )
    return gold


def answer_gold(contender: Contender, cards: Sequence[Card]) -> NDArray[np.bool_]:
    """(n,): whether the contender finds each card's right candidate nearer than the wrong one.

    Raises ArtifactDamaged.
    """
    assert contender.index is not None
    space = contender.index.space
    positions = dict(Item.objects.filter(catalogue=contender.catalogue_id).values_list("pk", "position"))
    wanted = np.array([[positions[card[name]] for name in ITEMS] for card in cards])
    items = artifacts.read_items(space)
    places = np.searchsorted(items, wanted).clip(max=len(items) - 1)
    if not (items[places] == wanted).all():
        raise ArtifactDamaged(f"Not every item of the gold set has a vector in {space.title}.")
    opened = artifacts.open_index(contender.index).index
    rows = opened.vectors.rows[places.ravel()].reshape(*places.shape, -1)
    found = [
        distances(opened.metric, one[:1], one[1:])[0]
        for one in (
            sign_bits(three, opened.centre) if contender.metric == Metric.HAMMING else three for three in rows
        )
    ]
    return np.array([right < wrong for right, wrong in found], bool)


def _draw(catalogue: Catalogue) -> list[Card]:
    """At most one card a question, drawn as the catalogue's content decides."""
    rng = np.random.default_rng(int(catalogue.content_hash[:8] or "0", 16))
    known = _read_known(catalogue)
    by_category: dict[int, list[_Known]] = defaultdict(list)
    for one in known.values():
        by_category[one.category].append(one)
    twins = {one.pk: one.twin for one in known.values() if one.twin is not None}
    twins |= {twin: pk for pk, twin in twins.items()}
    everything = list(known.values())
    questions = [one for one in everything if one.split == Split.EVALUATION]
    cards: list[Card] = []
    for place in rng.permutation(len(questions)).tolist():
        if len(cards) == MOST_CARDS:
            break
        one = questions[place]
        wrong = _find(everything, rng, one.is_unlike)
        twin = known.get(twins.get(one.pk, 0))
        right = twin or _find(by_category[one.category], rng, one.is_like)
        if right and wrong:
            source = "near duplicate" if twin else "labels"
            cards.append({"question": one.pk, "right": right.pk, "wrong": wrong.pk, "source": source})
    return cards


@dataclass(frozen=True)
class _Known:
    """An item of a category; labels that were given or measured, none that were predicted."""

    pk: int
    split: str
    category: int
    twin: int | None
    picture: str
    labels: frozenset[int]

    def is_like(self, other: _Known) -> bool:
        """Of two items of one category: half of all their labels are the same."""
        alike = 2 * len(self.labels & other.labels) >= len(self.labels | other.labels)
        return other.pk != self.pk and other.picture != self.picture and alike

    def is_unlike(self, other: _Known) -> bool:
        return other.category != self.category and not self.labels & other.labels


def _read_known(catalogue: Catalogue) -> dict[int, _Known]:
    """The items that are there and have a category, in the catalogue's order."""
    labels: dict[int, set[int]] = defaultdict(set)
    said = Label.objects.filter(item__catalogue=catalogue).exclude(source=Label.Source.PREDICTED)
    for item, attribute in said.values_list("item_id", "attribute_id").iterator(chunk_size=5000):
        labels[item].add(attribute)
    items = Item.objects.present().filter(catalogue=catalogue, category__isnull=False).order_by("position")
    rows = items.values_list("pk", "split", "category_id", "near_duplicate_of_id", "image_sha256")
    return {row[0]: _Known(*row, frozenset(labels[row[0]])) for row in rows}


def _find(some: Sequence[_Known], rng: np.random.Generator, fits: Callable[[_Known], bool]) -> _Known | None:
    """One that fits, among a few that are drawn."""
    drawn = (some[int(place)] for place in rng.integers(len(some), size=TRIES))
    return next((one for one in drawn if fits(one)), None)


def _hash(cards: Sequence[Card]) -> str:
    """Of the cards by the pictures that they show: what they ask, whatever the database calls it."""
    items = {card[name] for card in cards for name in ITEMS}
    pictures = dict(Item.objects.filter(pk__in=items).values_list("pk", "image_sha256"))
    facts = [[*(pictures.get(card[name], "") for name in ITEMS), card["source"]] for card in cards]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
