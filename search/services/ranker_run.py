"""The job that trains a ranker of navigation in simulated games, and publishes it with its card."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.engine.navigation.policies.dqn import pack_ranker
from search.engine.navigation.terrain import Items
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.devices import find_device
from search.engine.training.loop import Fitted, fit
from search.engine.training.ranking import RankingLearner, read_networks
from search.engine.training.samples import Division
from search.engine.training.settings import DqnSettings
from search.models import Training
from search.services.jobs import JobContext
from search.services.navigation_terrain import NoSuchSpace, OpenTerrain, open_terrain
from search.services.training_folders import folder_of
from search.services.training_jobs import make_reporter, train_ranking
from search.services.training_samples import divide, read_items


def run(context: JobContext) -> None:
    """Train ``arguments["training"]`` and publish its ranker; goes on from the last checkpoint."""
    train_ranking(context, _train, refusals=(NoSuchSpace,))


def _train(context: JobContext, training: Training) -> tuple[bytes, dict[str, Any], Fitted]:
    settings = DqnSettings.from_json(training.settings)
    opened = open_terrain(catalogue=training.catalogue, space=training.space)
    learner, fitted = _learn(context, training, settings, opened)
    ranker = read_networks(learner.module, believes=settings.belief)
    return pack_ranker(ranker), _write_card(training, opened, learner, fitted), fitted


def _learn(
    context: JobContext, training: Training, settings: DqnSettings, opened: OpenTerrain
) -> tuple[RankingLearner, Fitted]:
    context.progress(0, settings.steps, "looking at the space")
    device = find_device(training.device)
    division = _divide(training, opened, settings.validation_share)
    learner = RankingLearner(opened.terrain, settings, division, device=device)
    facts = {"training": training.fingerprint, **opened.versions}  # one of another build is refused
    checkpoint = CheckpointFile(folder_of(training.fingerprint) / "checkpoint", facts)
    report = make_reporter(context, training, settings.steps)
    return learner, fit(learner, settings, checkpoint=checkpoint, report=report, device=device)


def _divide(training: Training, opened: OpenTerrain, validation_share: float) -> Division:
    """The sides of a training, as places on the terrain: a game's start and target are of one side."""
    items = read_items(training.catalogue)
    division = divide(items, validation_share=validation_share)
    place_of = {position: place for place, position in enumerate(opened.items.tolist())}

    def places(rows: NDArray[np.int64]) -> Items:
        found = (place_of.get(items.positions[row]) for row in rows.tolist())
        return np.array([place for place in found if place is not None], np.int64)

    return Division(places(division.learned), places(division.validation), places(division.held_out))


def _write_card(
    training: Training, opened: OpenTerrain, learner: RankingLearner, fitted: Fitted
) -> dict[str, Any]:
    division = learner.division
    held_out = {}
    if len(np.unique(opened.terrain.identity[division.held_out])) > 1:
        held_out = learner.judge(learner.module, division.held_out)
    return {
        "name": training.name,
        "kind": training.kind,
        "architecture": {
            "samplers": [space.name for space in opened.terrain.samplers],
            "believes": training.settings["belief"],
            "versions": opened.versions,
        },
        "lineage": {
            "catalogue": training.catalogue.slug,
            "catalogue_hash": training.catalogue_hash,
            "space": training.space,
            "settings": training.settings,
            "learned": len(division.learned),
            "validation": len(division.validation),
            "held_out": len(division.held_out),
            "device": training.device,
            "versions": {name: version(name) for name in ("dopeornope", "torch", "numpy")},
        },
        "measures": fitted.measures,
        "held_out_measures": held_out,
        "best_step": fitted.best_step,
        "stopped_early": fitted.stopped_early,
        "curve": [asdict(point) for point in fitted.curve],
    }
