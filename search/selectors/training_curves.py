"""The curve of a training, as it is stored while it learns, read for pages."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.models import Training

# What each measure says of the items kept to judge by, by its first word; and the one that decides, by kind.
# The database does not keep the order in which training names them.
MEANINGS = {
    "accuracy": "Share of items whose value is told right, a mean over aspects.",
    "distance_accuracy": "Share of lifestyle photos whose own item is its category's nearest.",
    "distance_accuracy_top_3": "Share of lifestyle photos with their own item among the nearest three.",
    "absolute_accuracy": "Share of other items that are farther from a lifestyle photo than its own.",
    "triplet_accuracy": "Share of triplets whose positive is nearer than their negative.",
    "slates_spared": "Share of 50 slates that simulated games did without.",
    "slates": "Mean slates of a simulated game.",
    "ndcg": "How near the first ten candidates come to the best order there could be.",
}
DECIDES = {
    "transfer": "accuracy",
    "aspects": "accuracy",
    "siamese": "distance_accuracy",
    "csn": "triplet_accuracy",
    "retrain": "triplet_accuracy",
    "dqn": "slates_spared",
    "aspect-ranking": "ndcg",
}


@dataclass(frozen=True)
class TrainingPoint:
    """Where training stood at a step; without measures where nothing was judged."""

    step: int
    loss: float
    rate: float
    measures: Mapping[str, float]


@dataclass(frozen=True)
class MeasureCurve:
    """One measure over all judgements."""

    name: str
    title: str
    meaning: str
    points: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class FigureLine:
    """A point as a line of a table; ``measures`` in the curves' order, None where nothing was judged."""

    step: int
    loss: float
    rate: float
    measures: Sequence[float | None]
    is_best: bool


def list_points(training: Training) -> list[TrainingPoint]:
    """The stored points, in order. What could not be measured is left out."""
    return [
        TrainingPoint(point["step"], point["loss"], point["rate"], keep_figures(point["measures"]))
        for point in training.curve
    ]


def keep_figures(measures: Mapping[str, Any]) -> dict[str, float]:
    """Those that are finite numbers."""
    return {
        name: value
        for name, value in measures.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


def find_best(kind: str, points: Sequence[TrainingPoint]) -> TrainingPoint | None:
    """The judgement whose weights are kept: the first of the highest ones; None before any."""
    decides = DECIDES[kind]
    judged = [point for point in points if decides in point.measures]
    return max(judged, key=lambda point: point.measures[decides], default=None)


def list_loss(points: Sequence[TrainingPoint]) -> list[tuple[int, float]]:
    return [(point.step, point.loss) for point in points if math.isfinite(point.loss)]


def list_measure_curves(kind: str, points: Sequence[TrainingPoint]) -> list[MeasureCurve]:
    """A curve for each measure, the deciding one first, the others by name."""
    names = {name for point in points for name in point.measures}
    decides = DECIDES[kind]
    return [
        MeasureCurve(
            name=name,
            title=write_name(name),
            meaning=MEANINGS.get(name.split(" ")[0], ""),
            points=[(point.step, point.measures[name]) for point in points if name in point.measures],
        )
        for name in sorted(names, key=lambda name: (name != decides, name))
    ]


def list_lines(
    points: Sequence[TrainingPoint], curves: Sequence[MeasureCurve], *, best_step: int | None
) -> list[FigureLine]:
    """All points for a table, the newest first."""
    return [
        FigureLine(
            step=point.step,
            loss=point.loss,
            rate=point.rate,
            measures=[point.measures.get(curve.name) for curve in curves],
            is_best=point.step == best_step,
        )
        for point in reversed(points)
    ]


def write_name(measure: str) -> str:
    """distance_accuracy_top_3 -> "Distance accuracy top 3"; "triplet_accuracy colour" -> "…: colour"."""
    words, _, aspect = measure.partition(" ")
    title = words.replace("_", " ").capitalize()
    return f"{title}: {aspect}" if aspect else title
