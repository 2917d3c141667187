"""What weights that look at the query are worth, beside weights that are the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.aspect_ranking import LearnedWeights, UntrainedWeights
from search.engine.bootstrap import Estimate, estimate, estimate_share
from search.engine.ranking_measures import find_best_weights
from search.engine.training.aspect_weights import AspectWeightsLearner, read_network
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.devices import find_device
from search.engine.training.loop import fit
from search.engine.training.settings import AspectRankingSettings
from search.models import Catalogue
from search.services.aspect_grounds import find_ground, open_ground
from search.services.aspect_queries import AspectQueries, read_queries
from search.services.measuring import NothingToMeasure

STATIC = ("embedding only", "uniform", "best fixed")  # the same weights for every query
Rates = NDArray[np.float64]


@dataclass(frozen=True)
class AspectTable:
    """NDCG@10 over evaluation-only queries by who weighs, and by telling aspect.

    ``gain``: by what share the learned weights are above the highest of `STATIC`, whose name is ``beaten``.
    """

    queries: int
    rates: Mapping[str, Estimate]
    by_aspect: Mapping[str, Mapping[str, float]]
    beaten: str
    gain: Estimate

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def measure_aspects(
    *, catalogue: Catalogue, encoder: str, seed: int, report: Callable[[int, int], None], **told: Any
) -> AspectTable:
    """Teach a ranking on the trainable side, and compare it on the other one. ``told``: its settings.

    Raises ``NoAspects``, ``NothingLabelled``, ``NothingToMeasure``, ``JobFailed`` and ``EngineError``.
    """
    settings = AspectRankingSettings(seed=seed, **told)
    opened = open_ground(find_ground(catalogue=catalogue, encoder=encoder))
    queries = read_queries(
        catalogue,
        opened,
        per_part=settings.nearest,
        most=settings.queries,
        validation_share=settings.validation_share,
        report=report,
    )
    held_out = queries.division.held_out
    if not len(held_out):
        raise NothingToMeasure("No evaluation-only item shares what tells it apart with others: import more.")
    views = [opened.ground.look_at(place) for place in queries.wanted.queries[held_out].tolist()]
    learned = _learn(queries, settings)
    lists = queries.asked.lists.of(held_out)
    parts = lists.similarities.shape[2]
    weights: dict[str, NDArray[np.float32]] = {
        "embedding only": np.eye(parts, dtype=np.float32)[0],
        "uniform": np.full(parts, 1 / parts, np.float32),
        "best fixed": _find_best_fixed(queries, seed),
        "untrained rule": np.stack([UntrainedWeights().weigh(view) for view in views]),
        "learned": np.stack([learned.weigh(view) for view in views]),
    }
    rates = {name: lists.rate(own) for name, own in weights.items()}
    telling = queries.wanted.aspects[held_out]
    return _sum_up(rates, queries.units[held_out], telling, queries.aspects)


def _learn(queries: AspectQueries, settings: AspectRankingSettings) -> LearnedWeights:
    device = find_device("cpu")
    learner = AspectWeightsLearner(queries.asked, settings, queries.division, device=device)
    nothing = CheckpointFile(None, {})
    fit(learner, settings, checkpoint=nothing, report=lambda progress: None, device=device)
    return read_network(learner.module)


def _find_best_fixed(queries: AspectQueries, seed: int) -> NDArray[np.float32]:
    rows = np.concatenate([queries.division.learned, queries.division.validation])
    return find_best_weights(queries.asked.lists.of(rows), np.random.default_rng(seed))


def _sum_up(
    rates: Mapping[str, Rates], units: NDArray[np.int64], telling: NDArray[np.int64], names: Sequence[str]
) -> AspectTable:
    beaten = max(STATIC, key=lambda name: rates[name].mean())
    highest, learned = rates[beaten], rates["learned"]

    def gain(places: NDArray[np.int64], _: int) -> float:
        return float(learned[places].mean() / max(highest[places].mean(), 1e-9) - 1)

    return AspectTable(
        queries=len(units),
        rates={name: estimate_share(own[None], units) for name, own in rates.items()},
        by_aspect={
            name: {who: float(own[telling == column].mean()) for who, own in rates.items()}
            for column, name in enumerate(names)
            if (telling == column).any()
        },
        beaten=beaten,
        gain=estimate(gain, seeds=1, units=units),
    )
