"""The job that trains a network: frames pictures, learns, and publishes an encoder with its card."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
from django.conf import settings

from search import events
from search.engine.backbones import Trunk
from search.engine.encoders import trained
from search.engine.encoders.base import EncoderError
from search.engine.encoders.trained_files import write_trained
from search.engine.trained_networks import side_of
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.devices import find_device
from search.engine.training.features import look_through
from search.engine.training.kinds import Lesson, prepare_lesson
from search.engine.training.loop import Fitted, Progress, TrainingFailed, fit
from search.engine.training.samples import PictureViews, Samples, Views
from search.engine.training.settings import SETTINGS_OF, BadSetting, Settings
from search.engine.weight_files import pack_weights
from search.models import Training
from search.services.jobs import JobContext, JobFailed
from search.services.training import describe
from search.services.training_samples import divide, frame_pictures, read_items, read_labels


def run(context: JobContext) -> None:
    """Train ``arguments["training"]`` and publish its encoder; goes on from the last checkpoint."""
    training = Training.objects.select_related("catalogue").get(pk=context.job.arguments["training"])
    _require_unchanged(training)
    try:
        chosen = SETTINGS_OF[training.kind].from_json(training.settings)
        session = Session(context, training, chosen)
        lesson, fitted = session.learn()
    except (TrainingFailed, EncoderError, BadSetting) as error:
        raise JobFailed(str(error)) from error
    _require_unchanged(training)
    _publish(context, training, session, lesson, fitted)


class Session:
    """One training while it runs."""

    def __init__(self, context: JobContext, training: Training, chosen: Settings) -> None:
        self._context, self._training, self.settings = context, training, chosen
        self.device = find_device(training.device)
        self.items = read_items(training.catalogue)
        self.labels = read_labels(training.catalogue, self.items, training.aspects)
        self.division = divide(self.items, validation_share=chosen.validation_share)
        self.folder: Path = settings.TRAINING_FOLDER / f"training-{training.pk}"

    def learn(self) -> tuple[Lesson, Fitted]:
        """Train from the last checkpoint to the end. Raises TrainingFailed."""
        samples = self._frame()
        weights = Path(self._training.weights) if self._training.weights else None
        lesson = prepare_lesson(
            self._training.kind,
            self.settings,
            samples,
            copies=self.items.copies,
            featurise=self._featurise,
            weights=weights,
        )
        fitted = fit(
            lesson.learner,
            self.settings,
            checkpoint=CheckpointFile(self.folder / "checkpoint", {"training": self._training.fingerprint}),
            report=self._report,
            device=self.device,
        )
        return lesson, fitted

    def _frame(self) -> Samples:
        side = side_of(self.settings.backbone, self.settings.side)
        catalogue = self._view(self.items.images, "catalogue", side)
        has_lifestyle = np.array([bool(image) for image in self.items.lifestyles], bool)
        wants = self._training.kind == "siamese"
        lifestyle = self._view(self.items.lifestyles, "lifestyle", side) if wants else None
        return Samples(catalogue, lifestyle, has_lifestyle, self.labels, self.division, self.device)

    def _view(self, images: list[str], view: str, side: int) -> Views:
        file = frame_pictures(
            self._training.catalogue,
            images,
            view=view,
            side=side,
            report=lambda done: self._say(f"framing {view} pictures, {done:,} of {len(images):,}"),
        )
        return PictureViews(file, self.device)

    def _featurise(self, trunk: Trunk, views: Views, view: str) -> Views:
        return look_through(
            trunk,
            views,
            count=len(self.items),
            path=self.folder / f"features-{view}.safetensors",
            facts={"of": self._training.fingerprint},
            device=self.device,
            report=lambda done: self._say(
                f"the backbone looks at {view} pictures, {done:,} of {len(self.items):,}"
            ),
        )

    def _say(self, message: str) -> None:
        self._context.progress(0, self.settings.steps, message)

    def _report(self, progress: Progress) -> None:
        if progress.curve and progress.curve[-1].step == progress.step:
            points = [asdict(point) for point in progress.curve]
            Training.objects.filter(pk=self._training.pk).update(curve=points)
        self._context.progress(progress.step, self.settings.steps, _describe_standing(progress))


def _describe_standing(progress: Progress) -> str:
    words = []
    if progress.curve:
        words.append(f"loss {progress.curve[-1].loss:.3f}")
    judged = next((point.measures for point in reversed(progress.curve) if point.measures), {})
    words += [f"{name.replace('_', ' ')} {value:.3f}" for name, value in list(judged.items())[:2]]
    return ", ".join(words)


def _require_unchanged(training: Training) -> None:
    training.catalogue.refresh_from_db()
    if training.catalogue.content_hash != training.catalogue_hash:
        raise JobFailed(
            f"“{training.catalogue.title}” has changed since this training was asked for: ask for it again."
        )


def _publish(
    context: JobContext, training: Training, session: Session, lesson: Lesson, fitted: Fitted
) -> None:
    """The encoder's files first, then its row: what a row names is always there."""
    division, learner = session.division, lesson.learner
    held_out = learner.judge(learner.module, division.held_out) if len(division.held_out) else {}
    card = {
        "name": training.name,
        "kind": training.kind,
        "architecture": lesson.architecture.as_json(),
        "lineage": {
            **describe(training),
            "learned": len(division.learned),
            "validation": len(division.validation),
            "held_out": len(division.held_out),
            "device": session.device.type,
            "versions": {name: version(name) for name in ("dopeornope", "torch", "numpy")},
        },
        "aspects": [asdict(aspect) for aspect in session.labels.aspects],
        "measures": fitted.measures,
        "held_out_measures": held_out,
        "best_step": fitted.best_step,
        "stopped_early": fitted.stopped_early,
        "curve": [asdict(point) for point in fitted.curve],
    }
    with context.publish():
        # Within the transaction that holds the job: a worker that lost it publishes nothing.
        written = write_trained(settings.TRAINED_FOLDER / training.name, pack_weights(lesson.network), card)
        Training.objects.filter(pk=training.pk).update(
            curve=card["curve"],
            measures=fitted.measures,
            encoder_version=trained.version_of(written),
            ready_at=context.now(),
        )
        events.bump("catalogues")
