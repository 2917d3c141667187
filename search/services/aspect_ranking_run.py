"""The job that trains a ranking by aspects, and publishes it with its card."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np

from search.engine.aspect_ranking import pack_weights
from search.engine.ranking_measures import find_best_weights
from search.engine.training.aspect_weights import AspectWeightsLearner, read_network
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.devices import find_device
from search.engine.training.loop import Fitted, fit
from search.engine.training.settings import AspectRankingSettings
from search.models import Training
from search.services.aspect_grounds import (
    GroundRows,
    NoAspects,
    NothingLabelled,
    OpenGround,
    find_ground,
    open_ground,
)
from search.services.aspect_queries import AspectQueries, read_queries
from search.services.jobs import JobContext
from search.services.training_folders import folder_of
from search.services.training_jobs import make_reporter, train_ranking

EVERY = 50  # queries between two words about them


def run(context: JobContext) -> None:
    """Train ``arguments["training"]`` and publish its ranking; goes on from the last checkpoint."""
    train_ranking(context, _train, refusals=(NoAspects, NothingLabelled))


def _train(context: JobContext, training: Training) -> tuple[bytes, dict[str, Any], Fitted]:
    settings = AspectRankingSettings.from_json(training.settings)
    rows = find_ground(catalogue=training.catalogue, encoder=training.space)
    opened = open_ground(rows)
    queries = _read(context, training, settings, opened)
    learner, fitted = _learn(context, training, settings, rows, queries)
    weights = pack_weights(read_network(learner.module))
    return weights, _write_card(training, rows, opened, queries, learner, fitted), fitted


def _read(
    context: JobContext, training: Training, settings: AspectRankingSettings, opened: OpenGround
) -> AspectQueries:
    def report(done: int, total: int) -> None:
        if done % EVERY == 0 or done == total:
            context.progress(0, settings.steps, f"looking at queries, {done:,} of {total:,}")

    return read_queries(
        training.catalogue,
        opened,
        per_part=settings.nearest,
        most=settings.queries,
        validation_share=settings.validation_share,
        report=report,
    )


def _learn(
    context: JobContext,
    training: Training,
    settings: AspectRankingSettings,
    rows: GroundRows,
    queries: AspectQueries,
) -> tuple[AspectWeightsLearner, Fitted]:
    device = find_device(training.device)
    learner = AspectWeightsLearner(queries.asked, settings, queries.division, device=device)
    facts = {"training": training.fingerprint, **rows.versions}  # one of another build is refused
    checkpoint = CheckpointFile(folder_of(training.fingerprint) / "checkpoint", facts)
    report = make_reporter(context, training, settings.steps)
    return learner, fit(learner, settings, checkpoint=checkpoint, report=report, device=device)


def _write_card(
    training: Training,
    rows: GroundRows,
    opened: OpenGround,
    queries: AspectQueries,
    learner: AspectWeightsLearner,
    fitted: Fitted,
) -> dict[str, Any]:
    division, best_fixed = queries.division, _find_best_fixed(queries)
    return {
        "name": training.name,
        "kind": training.kind,
        "architecture": {
            "encoder": rows.encoder,
            "encoder_version": rows.encoder_version,
            "aspects": list(opened.ground.aspects),
            "best_fixed": best_fixed,
        },
        "lineage": {
            "catalogue": training.catalogue.slug,
            "catalogue_hash": training.catalogue_hash,
            "space": training.space,
            "versions_of_spaces": rows.versions,
            "settings": training.settings,
            "learned": len(division.learned),
            "validation": len(division.validation),
            "held_out": len(division.held_out),
            "device": training.device,
            "versions": {name: version(name) for name in ("dopeornope", "torch", "numpy")},
        },
        "measures": fitted.measures,
        "held_out_measures": _judge_held_out(queries, learner, best_fixed),
        "best_step": fitted.best_step,
        "stopped_early": fitted.stopped_early,
        "curve": [asdict(point) for point in fitted.curve],
    }


def _find_best_fixed(queries: AspectQueries) -> list[float]:
    """The best weights that are the same for all queries of the trainable side: what is to be beaten."""
    rows = np.concatenate([queries.division.learned, queries.division.validation])
    best = find_best_weights(queries.asked.lists.of(rows), np.random.default_rng(0))
    return [round(float(weight), 5) for weight in best]


def _judge_held_out(
    queries: AspectQueries, learner: AspectWeightsLearner, best_fixed: list[float]
) -> dict[str, float]:
    """On the evaluation-only side: the ranking, and the best fixed weights beside it."""
    rows = queries.division.held_out
    if not len(rows):
        return {}
    fixed = float(queries.asked.lists.of(rows).rate(np.array(best_fixed, np.float32)).mean())
    return {**learner.judge(learner.module, rows), "ndcg best_fixed": fixed}
