"""Published triplet files that a training shall learn from, read as triplets of a catalogue's items.

Nothing here imports torch: web processes check what is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.catalogues.published.picture_names import match_names
from search.engine.errors import TripletsRejected
from search.engine.published_triplets import NO_ITEM, TRAIN, VALIDATION, PublishedTriplets, sort_out
from search.engine.triplet_files import TripletFiles, place_of, read_names
from search.models import Catalogue, Split


def read_published(
    files: TripletFiles,
    *,
    keys: Sequence[str],
    trainable: NDArray[np.bool_],
    copies: NDArray[np.int64],
) -> PublishedTriplets:
    """The files' triplets as rows of the items with these keys. Arrays as in `sort_out`.

    Raises TripletsRejected, also where a file cannot be read or names no item.
    """
    try:
        names = read_names(files.filenames)
        places = match_names(names, keys)
        rows = np.array([NO_ITEM if place is None else place for place in places], np.int64)
        if not (rows != NO_ITEM).any():
            raise TripletsRejected(
                f"None of the {len(names):,} pictures that {files.filenames} names is an item of the "
                "catalogue. Import the pictures that it names, or name another catalogue."
            )
        return sort_out(files.read(), rows, trainable=trainable, copies=copies)
    except OSError as error:
        raise TripletsRejected(f"Triplets cannot be read: {error}. Make the file readable.") from error


def check_published(catalogue: Catalogue, files: TripletFiles) -> None:
    """Refuse files from which nothing can be learned of a catalogue. Raises TripletsRejected."""
    items = list(catalogue.items.order_by("position").values_list("key", "split"))
    published = read_published(
        files,
        keys=[key for key, _ in items],
        trainable=np.array([split == Split.TRAINABLE for _, split in items], bool),
        copies=np.arange(len(items)),
    )
    for split in (TRAIN, VALIDATION):
        for condition, count in zip(published.conditions, published.counts[split], strict=True):
            if not count.used:
                raise TripletsRejected(
                    f"No triplet of {place_of(files.folder, condition, split)} can be used: "
                    f"{count.no_item:,} have a picture that is no item of “{catalogue.title}”, "
                    f"{count.other_side:,} an evaluation-only item. Import more of the pictures, or name "
                    "other conditions."
                )
