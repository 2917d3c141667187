"""The job that trains a network and publishes it as an encoder with its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings

from search import events
from search.engine.encoders import trained
from search.engine.encoders.base import EncoderError
from search.engine.encoders.trained_files import write_trained
from search.engine.errors import TripletsRejected
from search.engine.files import sha256_of
from search.engine.training.failures import TrainingFailed
from search.engine.training.kinds import Lesson
from search.engine.training.loop import Fitted, Progress
from search.engine.training.settings import SETTINGS_OF, BadSetting
from search.engine.triplet_files import TripletFiles, find_triplet_files
from search.engine.weight_files import pack_weights
from search.models import Training
from search.selectors.trainings import read_card
from search.services.jobs import JobContext, JobFailed
from search.services.predictions import predict_attributes
from search.services.training_cards import write_card
from search.services.training_session import Plan, Session, folder_of


def run(context: JobContext) -> None:
    """Train ``arguments["training"]`` and publish its encoder; goes on from the last checkpoint.

    Once the encoder is there, the checkpoint goes: it is several times as large.
    """
    training = Training.objects.select_related("catalogue").get(pk=context.job.arguments["training"])
    if read_card(training=training) is not None and not _predicts_still(training):
        return  # a worker published it and died before it could say so
    _require_unchanged(training)
    _require_weights(training)
    try:
        plan = _plan(training)
        session = Session(plan, say=lambda words: context.progress(0, plan.settings.steps, words))
        lesson, fitted = session.learn(_reporter(context, training, plan.settings.steps))
    except (TrainingFailed, EncoderError, BadSetting, TripletsRejected) as error:
        raise JobFailed(str(error)) from error
    _require_unchanged(training)
    card = _publish(context, training, session, lesson, fitted)
    if training.kind == "aspects":
        predict_attributes(
            context,
            training.catalogue,
            lesson.network,
            session.samples(),
            temperatures=card["temperatures"],
            predicted_by=f"{training.name} {trained.version_of(card)}",
        )
    session.forget()


def _predicts_still(training: Training) -> bool:
    """Whether its encoder is there, but what it says of all items may not be: that comes last."""
    return training.kind == "aspects" and folder_of(training.fingerprint).exists()


def _plan(training: Training) -> Plan:
    return Plan(
        kind=training.kind,
        catalogue=training.catalogue,
        aspects=tuple(training.aspects),
        settings=SETTINGS_OF[training.kind].from_json(training.settings),
        weights=Path(training.weights) if training.weights else None,
        device=training.device,
        fingerprint=training.fingerprint,
        triplets=_find_triplets(training),
    )


def _find_triplets(training: Training) -> TripletFiles | None:
    """The files that were asked for. Raises ``JobFailed`` where they are others now, TripletsRejected."""
    if not training.triplets:
        return None
    files = find_triplet_files(Path(training.triplets), training.aspects)
    if files.sha256() != training.triplets_sha256:
        raise JobFailed(
            f"The triplets in {training.triplets} have changed since this training was asked for: "
            "ask for it again."
        )
    return files


def _reporter(context: JobContext, training: Training, steps: int) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.curve and progress.curve[-1].step == progress.step:
            points = [asdict(point) for point in progress.curve]
            Training.objects.filter(pk=training.pk).update(curve=points)
        context.progress(progress.step, steps, _describe_standing(progress))

    return report


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


def _require_weights(training: Training) -> None:
    """The card says from which weights training began; it must be true."""
    if not training.weights:
        return
    try:
        found = sha256_of(Path(training.weights))
    except OSError as error:
        raise JobFailed(f"{training.weights} cannot be read ({error.strerror}). Restore it.") from error
    if found != training.weights_sha256:
        raise JobFailed(
            f"{training.weights} has changed since this training was asked for: ask for it again."
        )


def _publish(
    context: JobContext, training: Training, session: Session, lesson: Lesson, fitted: Fitted
) -> dict[str, Any]:
    """The encoder's files first, then its row: what a row names is always there. Returns the card."""
    card = write_card(training, session, lesson, fitted)
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
    return written
