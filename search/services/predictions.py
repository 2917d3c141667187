"""Attributes that a network predicts, written beside those that people gave and never over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.db import transaction

from search.engine.trained_networks import DenseHead, TrainedNetwork
from search.engine.training.samples import Samples
from search.engine.training.showcase import Predictions, predict_values
from search.models import Attribute, Catalogue, Item, Label
from search.services.jobs import JobContext

AT_ONCE = 500  # items: nobody waits longer for a write than these take


def predict_attributes(
    context: JobContext,
    catalogue: Catalogue,
    network: TrainedNetwork[DenseHead],
    samples: Samples,
    *,
    temperatures: list[float],
    predicted_by: str,
) -> int:
    """Predict every aspect of every item that nobody has labelled; returns how many labels were written.

    Earlier predictions of the same aspects give way. Written in short steps; done again, it ends the same.
    """
    items = list(Item.objects.filter(catalogue=catalogue).order_by("position").values_list("pk", flat=True))
    attributes = _find_attributes(catalogue, samples)
    written = 0
    for start in range(0, len(items), AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, len(items)))
        found = predict_values(network, samples, rows, temperatures)
        written += _write(items[start : start + AT_ONCE], found, attributes, predicted_by)
        context.progress(context.job.done, context.job.total, f"predicting, {rows[-1] + 1:,} items")
    return written


def _find_attributes(catalogue: Catalogue, samples: Samples) -> dict[str, list[int]]:
    """The attribute of every value of every aspect, in order of the labels."""
    rows = Attribute.objects.filter(aspect__catalogue=catalogue).values_list("aspect__name", "value", "pk")
    known = {(aspect, value): pk for aspect, value, pk in rows}
    return {
        aspect.name: [known[aspect.name, value] for value in aspect.values]
        for aspect in samples.labels.aspects
    }


@transaction.atomic
def _write(
    items: Sequence[int], found: Sequence[Predictions], attributes: dict[str, list[int]], predicted_by: str
) -> int:
    theirs = Label.objects.filter(item__in=items, attribute__aspect__name__in=attributes)
    theirs.filter(source=Label.Source.PREDICTED).delete()
    taken = set(theirs.values_list("item_id", "attribute__aspect__name"))
    labels = [
        Label(
            item_id=item,
            attribute_id=attributes[part.aspect][int(value)],
            source=Label.Source.PREDICTED,
            confidence=float(confidence),
            predicted_by=predicted_by,
        )
        for part in found
        for item, value, confidence in zip(items, part.values, part.confidence, strict=True)
        if (item, part.aspect) not in taken
    ]
    Label.objects.bulk_create(labels)
    return len(labels)
