"""The job that trains a network and publishes it as an encoder with its card."""

from __future__ import annotations

from pathlib import Path

from search.engine.encoders import trained
from search.engine.encoders.base import EncoderError
from search.engine.errors import TripletsRejected
from search.engine.files import sha256_of
from search.engine.training.failures import TrainingFailed
from search.engine.training.settings import ENCODERS
from search.engine.training.typed_settings import BadSetting
from search.engine.triplet_files import TripletFiles, find_triplet_files
from search.engine.weight_files import pack_weights
from search.models import Training
from search.selectors.trainings import published_folder, read_card
from search.services.jobs import JobContext, JobFailed
from search.services.predictions import predict_attributes
from search.services.training_cards import write_card
from search.services.training_folders import folder_of
from search.services.training_jobs import make_reporter, publish, require_unchanged
from search.services.training_session import Plan, Session
from search.services.weight_checksums import forget_checksum


def run(context: JobContext) -> None:
    """Train ``arguments["training"]`` and publish its encoder; goes on from the last checkpoint.

    Once the encoder is there, the checkpoint goes: it is several times as large.
    """
    training = Training.objects.select_related("catalogue").get(pk=context.job.arguments["training"])
    if read_card(training=training) is not None and not _predicts_still(training):
        return  # a worker published it and died before it could say so
    require_unchanged(training)
    _require_weights(training)
    try:
        plan = _plan(training)
        session = Session(plan, say=lambda words: context.progress(0, plan.settings.steps, words))
        lesson, fitted = session.learn(make_reporter(context, training, plan.settings.steps))
    except (TrainingFailed, EncoderError, BadSetting, TripletsRejected) as error:
        raise JobFailed(str(error)) from error
    require_unchanged(training)
    card = publish(
        context,
        training,
        published_folder(training),
        pack_weights(lesson.network),
        write_card(training, session, lesson, fitted),
        fitted,
    )
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
        settings=ENCODERS[training.kind].from_json(training.settings),
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


def _require_weights(training: Training) -> None:
    """The card says from which weights training began; it must be true."""
    if not training.weights:
        return
    try:
        found = sha256_of(Path(training.weights))
    except OSError as error:
        raise JobFailed(f"{training.weights} cannot be read ({error.strerror}). Restore it.") from error
    if found != training.weights_sha256:
        forget_checksum(Path(training.weights))
        raise JobFailed(
            f"{training.weights} has changed since this training was asked for: ask for it again."
        )
