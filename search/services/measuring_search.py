"""What a search tells people about photos of items that are here, and of items that are not: counted.

Each photo is asked twice, with its item among the others and with it removed. The index is calibrated on
other items' photos first, as it is in use.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.no_match import Asked, Calibration, judge
from search.models import Asking, Catalogue, Index, Training
from search.selectors.calibrations import find_calibration
from search.services.asked_photos import look_at_photos
from search.services.calibrating_run import ask_index, read_categories
from search.services.calibration_queries import LEAST_QUERIES, Queries
from search.services.measuring import NothingToMeasure
from search.services.training_samples import CatalogueItems, read_items

ALL = ""  # the row of all categories together


@dataclass(frozen=True)
class AnswerRow:
    """Shares of photos, all together or of one category (the items' own).

    ``top1``: the first candidate is the item. ``absent_accepted``: told "this is it" though the item was
    removed; ``other_accepted``: told so of another item, though it was there; ``wrong_accept`` is the larger
    of the two, with its standard error. ``accept``: of right first candidates, those called so. ``denied``:
    told "nothing like it here" though it was there. ``family``: the first candidate is of the item's group.
    """

    category: str
    queries: int
    top1: float
    family: float
    wrong_accept: float
    wrong_accept_se: float
    absent_accepted: float
    other_accepted: float
    accept: float
    denied: float


@dataclass(frozen=True)
class SearchTable:
    """The first row is of all categories together."""

    catalogue: Catalogue
    index: Index
    seed: int
    calibrated_on: int
    score: str
    rows: list[AnswerRow]

    def as_json(self) -> dict[str, Any]:
        """The figures under the keys that do not change."""
        total, *others = [asdict(row) for row in self.rows]
        keys = ("top1", "wrong_accept", "wrong_accept_se", "accept")
        return {
            **{key: total[key] for key in keys},
            "catalogue": self.catalogue.slug,
            "items": self.index.space.items,
            "encoder": self.index.space.encoder,
            "metric": self.index.metric,
            "seed": self.seed,
            "calibrated_on": self.calibrated_on,
            "score": self.score,
            "total": total,
            "rows": others,
            "versions": {
                **{name: version(name) for name in ("dopeornope", "numpy")},
                "catalogue": self.catalogue.content_hash,
                "encoder": self.index.space.encoder_version,
            },
        }


def measure_answers(
    index: Index, *, queries: int, seed: int, report: Callable[[int, int], None]
) -> SearchTable:
    """Ask a calibrated index with at most ``queries`` photos of items that it was not calibrated on.

    Stopped, it goes on with the photos that nothing had looked at. Raises ``NothingToMeasure``,
    ``JobFailed``, ArtifactDamaged.
    """
    known = find_calibration(index)
    if known is None or known.asking != Asking.PHOTOS:
        raise NothingToMeasure(
            "The index is not calibrated by photos of items in use. Import a catalogue in which at least "
            f"{LEAST_QUERIES} evaluation-only items have one, and build its contenders."
        )
    catalogue = index.space.catalogue
    _require_unseen(index, catalogue)
    items = read_items(catalogue)
    asked = _choose(items, queries, seed)
    vectors = look_at_photos(index.space, asked, report=report)
    categories = read_categories(catalogue)
    present, absent = ask_index(index, items, asked, vectors, categories=categories)
    units = np.unique(items.units, return_inverse=True)[1]
    own = units[asked.places]
    return SearchTable(
        catalogue=catalogue,
        index=index,
        seed=seed,
        calibrated_on=known.calibration.queries,
        score=known.calibration.chosen,
        rows=_count(
            _judge_all(known.calibration, present.asked),
            _judge_all(known.calibration, absent.asked),
            right=present.asked.right,
            family=(present.first >= 0) & (units[present.first] == own),
            units=own,
            categories=categories[asked.places],
        ),
    )


def _require_unseen(index: Index, catalogue: Catalogue) -> None:
    """Photos of trainable items are asked with, which the encoder must not have learned from."""
    if Training.objects.filter(catalogue=catalogue, name=index.space.encoder.split(".")[0]).exists():
        raise NothingToMeasure(
            f"{index.space.title} learned from this catalogue: measure it on one that it never saw."
        )


def _choose(items: CatalogueItems, count: int, seed: int) -> Queries:
    able = [place for place, photo in enumerate(items.lifestyles) if photo and items.trainable[place]]
    if not able:
        raise NothingToMeasure("No trainable item has a photo of it in use: import a catalogue with some.")
    places = sorted(able if len(able) <= count else random.Random(f"{seed} photos").sample(able, count))
    photos = [items.lifestyles[place] for place in places]
    return Queries(Asking.PHOTOS, np.array(places, np.int64), photos, items.copies)


def _count(
    told: NDArray[np.str_],
    removed: NDArray[np.str_],
    *,
    right: NDArray[np.bool_],
    family: NDArray[np.bool_],
    units: NDArray[np.int64],
    categories: NDArray[np.str_],
) -> list[AnswerRow]:
    chosen = [(ALL, np.ones(len(told), bool))]
    chosen += [(name, categories == name) for name in sorted(set(categories.tolist()) - {""})]
    return [
        _row(name, told[which], removed[which], right[which], family[which], units[which])
        for name, which in chosen
    ]


def _judge_all(calibration: Calibration, asked: Asked) -> NDArray[np.str_]:
    lines = zip(asked.distances.tolist(), asked.categories.tolist(), strict=True)
    return np.array([judge(calibration, (first, second), category) for (first, second), category in lines])


def _row(
    category: str,
    told: NDArray[np.str_],
    removed: NDArray[np.str_],
    right: NDArray[np.bool_],
    family: NDArray[np.bool_],
    units: NDArray[np.int64],
) -> AnswerRow:
    absent, other = removed == "match", (told == "match") & ~right
    worse = absent if absent.mean() >= other.mean() else other
    return AnswerRow(
        category=category,
        queries=len(right),
        top1=float(right.mean()),
        family=float(family.mean()),
        wrong_accept=float(worse.mean()),
        wrong_accept_se=_standard_error(worse, units),
        absent_accepted=float(absent.mean()),
        other_accepted=float(other.mean()),
        accept=float((told[right] == "match").mean()) if right.any() else 0.0,
        denied=float((told == "nothing").mean()),
    )


def _standard_error(which: NDArray[np.bool_], units: NDArray[np.int64]) -> float:
    """Of a share over questions of which those of one unit (a family of designs) go together."""
    residuals = np.bincount(units, weights=which - which.mean())
    return float(np.sqrt(np.square(residuals).sum()) / len(which))
