"""Views in catalogues that do not say which picture is which: lifestyle photos, found and paired.

Pictures of one group (a product) are told apart by their border; each lifestyle photo is paired with a
catalogue picture of the same group, so that items of a plain catalogue can be learned from as if they had two
views. What is uncertain is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from search.engine.arrays import read_arrays, write_arrays
from search.engine.errors import ArtifactDamaged
from search.engine.images import load_rgb
from search.engine.lifestyle import judge_score, tell_view
from search.models import Catalogue
from search.selectors.catalogues import image_path
from search.services.training_samples import CatalogueItems, number_copies

WORTH_SAYING = 100


def pair_views(items: CatalogueItems, scores: NDArray[np.float32]) -> CatalogueItems:
    """The items, where each lifestyle photo has become the second view of a catalogue picture of its unit.

    ``scores`` (n,) are those of `tell_view`. Rows that are not paired have no second view; items of a unit
    are copies of each other, which are never negatives.
    """
    verdicts = [judge_score(float(score)) for score in scores]
    shown: dict[str, int] = {}
    for row, (unit, verdict) in enumerate(zip(items.units, verdicts, strict=True)):
        if verdict == "catalogue":
            shown.setdefault(unit, row)
    images, lifestyles = list(items.images), [""] * len(items)
    for row, (unit, verdict) in enumerate(zip(items.units, verdicts, strict=True)):
        if verdict == "lifestyle" and unit in shown:
            images[row], lifestyles[row] = items.images[shown[unit]], items.images[row]
    first: dict[str, int] = {}
    alike = [(row, first.setdefault(unit, row)) for row, unit in enumerate(items.units)]
    copies = number_copies(len(items), [*items.joined, *alike])
    return replace(items, images=images, lifestyles=lifestyles, copies=copies)


def score_views(
    catalogue: Catalogue, items: CatalogueItems, *, report: Callable[[int], None]
) -> NDArray[np.float32]:
    """`tell_view`'s score of every item's picture, (n,); computed once per catalogue."""
    path: Path = settings.TRAINING_FOLDER / "pictures" / f"{catalogue.content_hash[:16]}-views"
    try:
        return np.asarray(read_arrays(path)[0]["scores"], np.float32)
    except (FileNotFoundError, ArtifactDamaged):
        pass
    scores = np.zeros(len(items), np.float32)
    for row, image in enumerate(items.images):
        scores[row] = tell_view(load_rgb(image_path(image))).score
        if row % WORTH_SAYING == 0:
            report(row)
    write_arrays(path, {"scores": scores}, {"of": catalogue.content_hash})
    return scores
