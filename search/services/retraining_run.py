"""The job that teaches a trained network once more and publishes it beside its parent."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
from django.conf import settings as site

from search.engine.backbones import Trunk
from search.engine.encoders import trained
from search.engine.encoders.base import EncoderError
from search.engine.encoders.trained_files import read_trained_card
from search.engine.trained_networks import Architecture, Branches, UprightTrunk
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.devices import find_device
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import Fitted, fit
from search.engine.training.retraining import (
    Lessons,
    Pupil,
    RetrainingLearner,
    Taught,
    divide_lessons,
    prepare_pupil,
)
from search.engine.training.settings import ALL, RetrainSettings
from search.engine.training.typed_settings import BadSetting
from search.engine.weight_files import pack_weights
from search.models import Training
from search.selectors.trainings import published_folder, read_card
from search.services.jobs import JobContext, JobFailed
from search.services.lesson_files import read_lessons
from search.services.training_folders import folder_of
from search.services.training_jobs import make_reporter, publish, require_unchanged
from search.services.training_samples import read_items
from search.services.training_session import CatalogueViews


def run(context: JobContext) -> None:
    """Retrain ``arguments["training"]`` and publish its encoder; goes on from the last checkpoint."""
    training = Training.objects.select_related("catalogue").get(pk=context.job.arguments["training"])
    if read_card(training=training) is not None:
        return  # a worker published it and died before it could say so
    require_unchanged(training)
    try:
        parent = _find_parent(training)
        lesson = _Lesson(context, training, parent)
        fitted = lesson.learn()
    except (TrainingFailed, EncoderError, BadSetting) as error:
        raise JobFailed(str(error)) from error
    require_unchanged(training)
    weights = pack_weights(lesson.pupil.network)
    card = _write_card(training, read_trained_card(parent), lesson, fitted)
    publish(context, training, published_folder(training), weights, card, fitted)
    shutil.rmtree(folder_of(training.fingerprint), ignore_errors=True)


def _find_parent(training: Training) -> Path:
    """Where the parent lies. Raises ``JobFailed`` where it is another one now, WeightsDamaged."""
    folder = trained.find_folder(training.parent, site.TRAINED_FOLDER)
    if trained.version_of(read_trained_card(folder)) != training.parent_version:
        raise JobFailed(
            f"“{training.parent}” has been trained again since this was asked for: ask for it again."
        )
    return folder


class _Lesson:
    """One retraining while it runs."""

    def __init__(self, context: JobContext, training: Training, parent: Path) -> None:
        self.settings = RetrainSettings.from_json(training.settings)
        self.device = find_device(training.device)
        self._context, self._training = context, training
        items = read_items(training.catalogue)
        lessons = Lessons(*read_lessons(training, items))
        share, seed = self.settings.validation_share, self.settings.seed
        self.taught: Taught = divide_lessons(lessons, items.copies, share=share, seed=seed)
        architecture = Architecture.from_json(read_trained_card(parent)["architecture"])
        self.pupil: Pupil = prepare_pupil(trained.build_network(parent), architecture, self.settings.learn)
        self.pupil.network.to(self.device)
        sight = CatalogueViews(
            training.catalogue,
            items,
            backbone=architecture.backbone,
            side=architecture.side,
            device=self.device,
            say=lambda words: context.progress(0, self.settings.steps, words),
        )
        self._views = sight.look_at("catalogue")
        if self.settings.learn != ALL:
            trunk = cast(Trunk | Branches | UprightTrunk, self.pupil.network.trunk)
            self._views = sight.featurise(trunk, self._views, "catalogue")

    def learn(self) -> Fitted:
        """Teach the pupil from the last checkpoint to the end. Raises TrainingFailed, DiskFull."""
        fingerprint = self._training.fingerprint
        return fit(
            RetrainingLearner(self.pupil.learning, self._views, self.taught, self.settings, self.device),
            self.settings,
            checkpoint=CheckpointFile(folder_of(fingerprint) / "checkpoint", {"training": fingerprint}),
            report=make_reporter(self._context, self._training, self.settings.steps),
            device=self.device,
        )


def _write_card(
    training: Training, parent: dict[str, Any], lesson: _Lesson, fitted: Fitted
) -> dict[str, Any]:
    """As `training_cards.write_card`; ``best_step`` 0 says that the parent's weights were kept."""
    taught, pupil = lesson.taught, lesson.pupil
    return {
        "name": training.name,
        "kind": pupil.architecture.kind,
        "architecture": pupil.architecture.as_json(),
        "lineage": {
            "parent": {"name": training.parent, "version": training.parent_version},
            "catalogue": training.catalogue.slug,
            "catalogue_hash": training.catalogue_hash,
            "aspects": training.aspects,
            "settings": training.settings,
            "triplets_sha256": training.triplets_sha256,
            "triplets": {"learned": len(taught.learned), "judged": len(taught.judged)},
            # Anchors: these are kept apart, what they are held against is not.
            "learned": len(np.unique(taught.learned.triplets[:, 0])),
            "validation": len(np.unique(taught.judged.triplets[:, 0])),
            "held_out": 0,
            "device": lesson.device.type,
            "versions": {name: version(name) for name in ("dopeornope", "torch", "numpy")},
        },
        "aspects": parent.get("aspects", []),
        "measures": fitted.measures,
        "parent_measures": fitted.curve[0].measures,
        "held_out_measures": {},
        "best_step": fitted.best_step,
        "stopped_early": fitted.stopped_early,
        "curve": [asdict(point) for point in fitted.curve],
        **_tell_masks(pupil),
    }


def _tell_masks(pupil: Pupil) -> dict[str, Any]:
    if not pupil.architecture.masks:
        return {}
    return {"masks": pupil.network.head.masks().detach().cpu().numpy().round(5).tolist()}
