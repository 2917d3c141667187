"""Datascope's table: how often the nearest candidate has the query's category, beside chance."""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy.typing as npt

from search import artifacts
from search.engine.measures import Share, match_rate, random_match_rate
from search.engine.metrics import nearest, sign_bits
from search.models import BuildState, Catalogue, Index, Item


class NothingToMeasure(Exception):
    """What is there cannot be measured; the text says why, and the remedy."""


@dataclass(frozen=True)
class ContenderRate:
    """One line of the table."""

    encoder: str
    metric: str
    share: Share
    is_control: bool


@dataclass(frozen=True)
class MatchTable:
    """``random`` is what a candidate drawn evenly from the gallery would score, exactly."""

    catalogue: Catalogue
    seed: int
    queries: int
    gallery: int
    rows: list[ContenderRate]
    random: float

    def as_json(self) -> dict[str, Any]:
        """The table under the keys that do not change, best contender first."""
        lines = [
            {
                "encoder": row.encoder,
                "metric": row.metric,
                "match_rate": row.share.rate,
                "low": row.share.low,
                "high": row.share.high,
            }
            for row in self.rows
            if not row.is_control
        ]
        return {
            "catalogue": self.catalogue.slug,
            "seed": self.seed,
            "queries": self.queries,
            "gallery": self.gallery,
            "rows": lines,
            "random": self.random,
            "random_control": [asdict(row.share) for row in self.rows if row.is_control],
            "versions": {
                "numpy": version("numpy"),
                "pillow": version("pillow"),
                "catalogue": self.catalogue.content_hash,
                "options": self.catalogue.options,
                "encoders": dict(
                    self.catalogue.spaces.filter(state=BuildState.READY).values_list(
                        "encoder", "encoder_version"
                    )
                ),
            },
        }


@dataclass(frozen=True)
class _Sample:
    """Items by `Item.position`: what is asked, what may answer, and what they are."""

    queries: list[int]
    gallery: list[int]
    categories: dict[int, int | None]
    images: dict[int, str]


def measure_matches(*, catalogue: Catalogue, queries: int, gallery: int, seed: int) -> MatchTable:
    """Measure every ready index of the catalogue on the same evaluation-only queries and the same gallery.

    At most ``queries`` and ``gallery`` items are drawn with ``seed``. An identical image is never an answer.
    Raises ``NothingToMeasure`` and ``ArtifactDamaged``.
    """
    sample = _draw(catalogue, queries, gallery, seed)
    ready = Index.objects.filter(
        space__catalogue=catalogue, space__catalogue_hash=catalogue.content_hash, state=BuildState.READY
    ).select_related("space")
    rows = [_measure(index, sample) for index in ready]
    if not rows:
        raise NothingToMeasure("No contender is ready: build them first with build_contenders.")
    chance = random_match_rate(
        [sample.categories[position] for position in sample.queries],
        [sample.images[position] for position in sample.queries],
        [sample.categories[position] for position in sample.gallery],
        [sample.images[position] for position in sample.gallery],
    )
    rows.sort(key=lambda row: (row.is_control, -row.share.rate, row.encoder, row.metric))
    return MatchTable(catalogue, seed, len(sample.queries), len(sample.gallery), rows, chance)


def _draw(catalogue: Catalogue, queries: int, gallery: int, seed: int) -> _Sample:
    items = list(
        Item.objects.present()
        .filter(catalogue=catalogue)
        .order_by("position")
        .values_list("position", "category_id", "image_sha256")
    )
    asked = list(
        Item.objects.present()
        .filter(catalogue=catalogue)
        .evaluation_only()
        .exclude(category=None)
        .order_by("position")
        .values_list("position", flat=True)
    )
    if not asked:
        raise NothingToMeasure(
            f"“{catalogue.title}” has no evaluation-only items with a category: import it with --category."
        )
    positions = [position for position, _, _ in items]
    return _Sample(
        queries=_choose(asked, queries, f"{seed} queries"),
        gallery=_choose(positions, gallery, f"{seed} gallery"),
        categories={position: category for position, category, _ in items},
        images={position: image for position, _, image in items},
    )


def _choose(positions: Sequence[int], count: int, seed: str) -> list[int]:
    if len(positions) <= count:
        return list(positions)
    return sorted(random.Random(seed).sample(positions, count))


def _measure(index: Index, sample: _Sample) -> ContenderRate:
    opened = artifacts.open_index(index)
    row_of = {position: row for row, position in enumerate(opened.items.tolist())}
    queries = [position for position in sample.queries if position in row_of]
    gallery = [position for position in sample.gallery if position in row_of]
    same: dict[str, list[int]] = {}
    for place, position in enumerate(gallery):
        same.setdefault(sample.images[position], []).append(place)
    vectors, metric = opened.index.vectors.rows, opened.index.metric

    def rows(positions: list[int]) -> npt.NDArray[Any]:
        chosen = vectors[[row_of[position] for position in positions]]
        return sign_bits(chosen, opened.index.centre) if metric == "hamming" else chosen

    found = nearest(
        metric,
        rows(queries),
        rows(gallery),
        1,
        exclude=[same.get(sample.images[position], []) for position in queries],
    ).positions[:, 0]
    answers = [None if place < 0 else sample.categories[gallery[place]] for place in found.tolist()]
    share = match_rate([sample.categories[position] for position in queries], answers)
    return ContenderRate(index.space.encoder, index.metric, share, index.space.is_control)
