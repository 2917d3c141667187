"""What every training job does, whatever it trains: it says how it stands, and publishes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from search import events
from search.engine.encoders.trained import version_of
from search.engine.encoders.trained_files import write_trained
from search.engine.errors import EngineError
from search.engine.training.loop import Fitted, Progress
from search.models import Training
from search.selectors.trainings import published_folder, read_card
from search.services.jobs import JobContext, JobFailed
from search.services.training_folders import folder_of

# What a training comes to: the bytes of its weights, its card, and how it was fitted.
Learn = Callable[[JobContext, Training], tuple[bytes, dict[str, Any], Fitted]]


def make_reporter(context: JobContext, training: Training, steps: int) -> Callable[[Progress], None]:
    """Keeps the curve in the row as it grows, and says in words how the job stands."""

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


def require_unchanged(training: Training) -> None:
    """Raise ``JobFailed`` where the catalogue has other items than when this training was asked for."""
    training.catalogue.refresh_from_db()
    if training.catalogue.content_hash != training.catalogue_hash:
        raise JobFailed(
            f"“{training.catalogue.title}” has changed since this training was asked for: ask for it again."
        )


def publish(
    context: JobContext,
    training: Training,
    folder: Path,
    weights: bytes,
    card: dict[str, Any],
    fitted: Fitted,
) -> dict[str, Any]:
    """The network's files first, then its row: what a row names is always there. Returns the card.

    Within the transaction that holds the job: a worker that lost it publishes nothing. Raises DiskFull.
    """
    with context.publish():
        written = write_trained(folder, weights, card)
        Training.objects.filter(pk=training.pk).update(
            curve=card["curve"],
            measures=fitted.measures,
            encoder_version=version_of(written),
            ready_at=context.now(),
        )
        events.bump("catalogues")
    return written


def train_ranking(context: JobContext, learn: Learn, *, refusals: tuple[type[Exception], ...]) -> None:
    """Train ``arguments["training"]`` by ``learn``, and publish what it learned, once.

    ``refusals``: what ``learn`` raises beside the engine's errors where it cannot be, in words for people.
    """
    training = Training.objects.select_related("catalogue").get(pk=context.job.arguments["training"])
    if read_card(training=training) is not None:
        return  # a worker published it and died before it could say so
    require_unchanged(training)
    told: tuple[type[Exception], ...] = (EngineError, FileNotFoundError, *refusals)
    try:
        weights, card, fitted = learn(context, training)
    except told as error:
        raise JobFailed(str(error)) from error
    require_unchanged(training)
    publish(context, training, published_folder(training), weights, card, fitted)
    shutil.rmtree(folder_of(training.fingerprint), ignore_errors=True)
