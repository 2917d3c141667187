"""Training asked for: checked before any work starts, then a job. What the job does is in `training_run`."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from django.db import transaction

from search.engine.training.settings import ASPECT_RANKING, ENCODERS, RETRAIN
from search.engine.training.typed_settings import Settings
from search.engine.triplet_files import TripletFiles
from search.models import JobState, Training
from search.selectors.catalogues import hash_units
from search.selectors.trainings import read_card
from search.services.jobs import JobContext, create_job, retry_job
from search.services.navigation_terrain import list_versions
from search.services.training_wishes import Wish, check_name, check_weights, check_wish, read_settings

KIND = "train"
FAMILY = "trained"


def request_training(wish: Wish, *, now: datetime) -> Training:
    """The training that was asked for, with its job: made, or found where everything is the same.

    One that failed or was cancelled, or whose encoder is not there any more, goes on from its last
    checkpoint. Raises ``TrainingRefused``.
    """
    settings = read_settings(wish)
    check_name(wish.name)
    wish, files = check_wish(wish)
    sha256 = check_weights(wish.weights)
    with transaction.atomic():
        training, made = Training.objects.get_or_create(
            fingerprint=_fingerprint(wish, settings, files, weights=sha256),
            defaults={
                "name": wish.name,
                "kind": wish.kind,
                "catalogue": wish.catalogue,
                "catalogue_hash": wish.catalogue.content_hash,
                "aspects": list(wish.aspects),
                "settings": settings.as_json(),
                "weights": "" if wish.weights is None else str(wish.weights.resolve()),
                "weights_sha256": sha256,
                "device": wish.device,
                "triplets": "" if files is None else str(files.folder),
                "triplets_sha256": "" if files is None else files.sha256(),
                "space": wish.space,
                "created_at": now,
            },
        )
        ensure_job(training, made=made, title=f"Train {wish.name} ({wish.kind})", now=now)
    return training


def ensure_job(training: Training, *, made: bool, title: str, now: datetime) -> None:
    """See that a training, just ``made`` or found, has a job that is done or to be done."""
    if made or training.job is None:
        training.job = create_job(
            kind=KIND,
            arguments={"training": training.pk},
            key=f"train:{training.pk}",
            title=title,
            catalogue=training.catalogue,
            now=now,
        )
        training.save()
    elif training.job.state in (JobState.FAILED, JobState.CANCELLED) or _is_gone(training):
        retry_job(job=training.job, now=now)


def _is_gone(training: Training) -> bool:
    """Whether what it made was deleted since, or another training of the name took its place."""
    assert training.job is not None
    return training.job.state == JobState.DONE and read_card(training=training) is None


def _fingerprint(wish: Wish, settings: Settings, files: TripletFiles | None, *, weights: str) -> str:
    facts = {
        "name": wish.name,
        "kind": wish.kind,
        "catalogue": wish.catalogue.pk,
        "content": wish.catalogue.content_hash,
        "units": hash_units(wish.catalogue),
        "aspects": list(wish.aspects),
        "settings": settings.as_json(),
        "weights": weights,
        "device": wish.device,
    }
    if files is not None:
        facts["triplets"] = files.sha256()
    if wish.space:
        facts["space"] = list_versions(catalogue=wish.catalogue, space=wish.space)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def run_training(context: JobContext) -> None:
    """Train ``arguments["training"]`` and publish what it makes."""
    # These import torch, which web processes do without.
    from search.services import aspect_ranking_run, ranker_run, retraining_run, training_run

    training = Training.objects.get(pk=context.job.arguments["training"])
    if training.kind in ENCODERS:
        training_run.run(context)
    else:
        others = {RETRAIN: retraining_run, ASPECT_RANKING: aspect_ranking_run}
        others.get(training.kind, ranker_run).run(context)
