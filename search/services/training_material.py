"""What a training learns of a catalogue's items: from their labels, or from published triplets of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from search.engine.published_triplets import rows_of
from search.engine.training.samples import MISSING, Aspect, Division, Labels
from search.engine.training.triplet_sources import FileTriplets, LabelTriplets, TripletSource
from search.engine.triplet_files import TripletFiles
from search.models import Catalogue
from search.services.training_samples import CatalogueItems, divide, read_known, read_labels
from search.services.training_triplets import read_published


@dataclass(frozen=True)
class Material:
    """Labels, whose aspects name what is learned; the sides; where a csn's triplets come from.

    ``lineage`` is what a card tells of it besides.
    """

    labels: Labels
    division: Division
    triplets: TripletSource
    lineage: dict[str, Any] = field(default_factory=dict)


def read_material(
    catalogue: Catalogue, items: CatalogueItems, aspects: Sequence[str], *, validation_share: float
) -> Material:
    """From the labels of these aspects. Raises ``JobFailed`` as `read_labels` does."""
    labels = read_labels(catalogue, items, aspects)
    division = divide(items, validation_share=validation_share)
    return Material(labels, division, LabelTriplets(labels, division))


def read_published_material(
    catalogue: Catalogue, items: CatalogueItems, conditions: Sequence[str], files: TripletFiles
) -> Material:
    """From these conditions of the files; what none of the files' conditions learns from is measured.

    Rows are divided by the triplets they are in. Nobody knows the conditions' values: triplets are all that
    is told of them. Raises TripletsRejected.
    """
    every = read_published(files, keys=items.keys, trainable=items.trainable, copies=items.copies)
    published = every.of(conditions)
    labels = Labels(
        tuple(Aspect(name, ()) for name in conditions),
        np.full((len(items), len(conditions)), MISSING, np.int64),
    )
    division = Division(
        learned=rows_of(published.learned),
        validation=rows_of(published.validation),
        held_out=rows_of(published.measured),
    )
    return Material(
        labels,
        division,
        FileTriplets(published, read_known(catalogue, items)),
        {"triplets": published.describe()},
    )
