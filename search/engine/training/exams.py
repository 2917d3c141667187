"""What models answer to the questions by which their authors judged them, question by question.

Questions depend on the catalogue alone, never on a model or its seed: models can be compared in pairs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.arrays import read_arrays, write_arrays
from search.engine.measures import ViewRanks, chances_to_match, rank_views
from search.engine.metrics import Metric, column_centre, nearest, sign_bits
from search.engine.trained_networks import CsnHead, DenseHead, SiameseHead, TrainedNetwork
from search.engine.training import csn, siamese
from search.engine.training.samples import MISSING, Labels, Rows, Samples, answer_in_parts
from search.engine.training.showcase import find_temperatures, predict_values
from search.engine.triplets import Triplets

MEAN = "mean"  # the name of what stands for all aspects
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """How a model did: ``right`` (m,) is how far each answer was right, 0 to 1; ``rows`` are the items asked.

    ``confidence`` (m,) is what the model thought of its answers, where it says so.
    """

    measure: str
    aspect: str
    rows: Rows
    right: NDArray[np.float32]
    confidence: NDArray[np.float32] | None = None


def examine_matches(
    vectors: Vectors,
    labels: NDArray[np.int64],
    asked: Rows,
    copies: NDArray[np.int64],
    *,
    aspect: str,
    metric: Metric = "l2",
    signs_at_zero: bool = False,
) -> Answers:
    """Whether the nearest of all n items, given as (n, d) vectors, has the query's value (Datascope's table).

    An item's near duplicates are no answers to it.
    """
    asked = asked[labels[asked] != MISSING]
    gallery: NDArray[Any] = vectors
    if metric == "hamming":
        gallery = sign_bits(vectors, 0.0 if signs_at_zero else column_centre(vectors))
    alike: dict[int, list[int]] = {}
    for row, copy in enumerate(copies.tolist()):
        alike.setdefault(copy, []).append(row)
    exclude = [alike[copy] for copy in copies[asked].tolist()]
    found = nearest(metric, gallery[asked], gallery, 1, exclude=exclude).positions[:, 0]
    right = (found >= 0) & (labels[found] == labels[asked])
    return Answers("match_rate", aspect, asked, right.astype(np.float32))


def examine_chance(
    labels: NDArray[np.int64], asked: Rows, copies: NDArray[np.int64], *, aspect: str
) -> Answers:
    """What `examine_matches` expects of answers drawn evenly from the items that are no copies, exactly."""
    asked = asked[labels[asked] != MISSING]
    chances = chances_to_match(
        labels[asked].tolist(), copies[asked].tolist(), labels.tolist(), copies.tolist()
    )
    return Answers("match_rate", aspect, asked, np.array(chances, np.float32))


def examine_triplets(
    network: TrainedNetwork[CsnHead], samples: Samples, questions: Sequence[Triplets]
) -> list[Answers]:
    """Whether the positive is nearer than the negative, per aspect, under its mask where there is one.

    ``samples`` names the network's own aspects; ``questions`` are theirs, of a `TripletSource`.
    """
    asked = np.unique(np.concatenate([np.empty(0, np.int64), *(part.reshape(-1) for part in questions)]))
    embedding = csn.embed(network, samples.catalogue, asked)
    place_of = np.full(len(samples.labels.table), MISSING, np.int64)
    place_of[asked] = np.arange(len(asked))
    masks = network.head.masks().detach().cpu().numpy() if len(network.head.layers) > 1 else None
    answers = []
    for column, (aspect, triplets) in enumerate(zip(samples.labels.aspects, questions, strict=True)):
        masked = embedding if masks is None else embedding * masks[column]
        right = csn.is_nearer(masked, place_of[triplets])
        answers.append(Answers("triplet_accuracy", aspect.name, triplets[:, 0], right.astype(np.float32)))
    return answers


def examine_views(
    query: Vectors, catalogue: Vectors, labels: Labels, rows: Rows, *, copies: Rows, items: int
) -> list[Answers]:
    """Grid Dynamics' three measures of (m, d) vectors of the rows' views, ``items`` of a category each.

    ``copies`` (n,) of all items as in `rank_views`.
    """
    category = labels.table[rows, 0]
    found = rank_views(query, catalogue, category, copies=copies[rows], most=items, least=items)
    return _answer_views(found, labels.aspects[0].name, rows)


def rank_at_random(labels: Labels, rows: Rows, *, copies: Rows, items: int) -> list[Answers]:
    """What `examine_views` expects of distances that say nothing, exactly."""
    nothing = np.zeros((len(rows), 1), np.float32)
    category = labels.table[rows, 0]
    found = rank_views(nothing, nothing, category, copies=copies[rows], most=items, least=items)
    name, asked, places = labels.aspects[0].name, rows[found.asked], found.others + 1
    expected = {
        "distance_accuracy": 1 / places,
        "distance_accuracy_top_3": np.minimum(3, places) / places,
        "absolute_accuracy": np.full(len(asked), 0.5),
    }
    return [Answers(measure, name, asked, share.astype(np.float32)) for measure, share in expected.items()]


def _answer_views(found: ViewRanks, aspect: str, rows: Rows) -> list[Answers]:
    asked = rows[found.asked]
    return [
        Answers("distance_accuracy", aspect, asked, found.first.astype(np.float32)),
        Answers("distance_accuracy_top_3", aspect, asked, found.top_3.astype(np.float32)),
        Answers("absolute_accuracy", aspect, asked, found.absolute.astype(np.float32)),
    ]


def embed_all(network: TrainedNetwork[Any], samples: Samples) -> Vectors:
    """A network's first layer for every item, (n, d)."""
    rows = np.arange(len(samples.labels.table))
    return answer_in_parts(lambda pictures: network(pictures)[:1], samples.catalogue, rows)[0]


def embed_views(
    network: TrainedNetwork[SiameseHead], samples: Samples, rows: Rows
) -> tuple[Vectors, Vectors]:
    """Both views of the rows: lifestyle photos, then catalogue pictures."""
    assert samples.lifestyle is not None
    return siamese.embed(network, samples.lifestyle, rows), siamese.embed(network, samples.catalogue, rows)


def examine_predictions(network: TrainedNetwork[DenseHead], samples: Samples, rows: Rows) -> list[Answers]:
    """Whether each aspect's value was told right, and how confidently.

    Confidence is scaled by a temperature per aspect, found on the validation items.
    """
    told = predict_values(network, samples, rows, find_temperatures(network, samples))
    answers = []
    for column, part in enumerate(told):
        labels = samples.labels.table[rows, column]
        there = labels != MISSING
        right = (part.values == labels)[there].astype(np.float32)
        confidence = part.confidence[there].astype(np.float32)
        answers.append(Answers("accuracy", part.aspect, rows[there], right, confidence))
    return answers


def average(answers: Sequence[Answers]) -> Answers:
    """The mean of several aspects' measures as one: each aspect counts the same, however often it was asked.

    Weights are put into ``right``, whose mean over all questions is then the mean of the aspects' means.
    """
    total = sum(len(part.rows) for part in answers)
    weighted = [part.right * (total / (len(answers) * max(1, len(part.rows)))) for part in answers]
    rows = np.concatenate([part.rows for part in answers])
    return replace(answers[0], aspect=MEAN, rows=rows, right=np.concatenate(weighted), confidence=None)


def keep_answers(path: Path, answers: Sequence[Answers]) -> None:
    """Store answers. Raises DiskFull."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, part in enumerate(answers):
        arrays |= {f"{number}.rows": part.rows, f"{number}.right": part.right}
        if part.confidence is not None:
            arrays[f"{number}.confidence"] = part.confidence
    names = [[part.measure, part.aspect] for part in answers]
    write_arrays(path, arrays, {"answers": json.dumps(names)})


def find_answers(path: Path) -> list[Answers]:
    """What `keep_answers` stored. Raises FileNotFoundError, ArtifactDamaged."""
    arrays, facts = read_arrays(path)
    return [
        Answers(
            measure,
            aspect,
            arrays[f"{number}.rows"],
            arrays[f"{number}.right"],
            arrays.get(f"{number}.confidence"),
        )
        for number, (measure, aspect) in enumerate(json.loads(facts["answers"]))
    ]
