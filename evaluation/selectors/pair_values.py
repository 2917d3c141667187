"""What the questions of pairs are labelled with: colour = red, closure = zip."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from evaluation.models import Pair
from evaluation.stats.votes import Places
from search.models import Label, Split

# Of each aspect, by value: the places of the pairs whose question has it.
Values = dict[str, dict[str, Places]]


def read_values(catalogue: int, pairs: Places) -> Values:
    """By aspect, in the catalogue's order: its values, and where among ``pairs`` (m,) they are asked.

    The category is left out: it has slices of its own. So are predictions, which an encoder made.
    """
    asked = Pair.objects.filter(catalogue_id=catalogue).values_list("question_id", "pk")
    places: dict[int, list[int]] = defaultdict(list)
    known = {pk: place for place, pk in enumerate(pairs.tolist())}
    for question, pk in asked.iterator():
        if pk in known:
            places[question].append(known[pk])
    labels = Label.objects.filter(item__catalogue=catalogue, item__split=Split.EVALUATION)
    labels = labels.filter(attribute__aspect__is_category=False).exclude(source=Label.Source.PREDICTED)
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    rows = labels.order_by("attribute__aspect__position", "attribute__value", "item_id").distinct()
    for aspect, value, item in rows.values_list("attribute__aspect__name", "attribute__value", "item_id"):
        found[aspect][value] += places.get(item, [])
    return {
        aspect: {value: np.unique(np.array(held, np.int64)) for value, held in values.items()}
        for aspect, values in found.items()
    }
