"""A trained encoder's card: where it comes from, how it learned, what it is worth, and what it sees."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from search.engine.training.kinds import Lesson
from search.engine.training.loop import Fitted
from search.engine.training.showcase import (
    Alike,
    calibrate,
    find_temperatures,
    show_aspects,
    show_masks,
)
from search.models import Training
from search.services.training_session import Session


def write_card(training: Training, session: Session, lesson: Lesson, fitted: Fitted) -> dict[str, Any]:
    """The card of a network that has just been trained, as JSON, without the checksum of its weights."""
    division, learner = session.division, lesson.learner
    held_out = learner.judge(learner.module, division.held_out) if len(division.held_out) else {}
    return {
        "name": training.name,
        "kind": training.kind,
        "architecture": lesson.architecture.as_json(),
        "lineage": {
            "catalogue": training.catalogue.slug,
            "catalogue_hash": training.catalogue_hash,
            "aspects": training.aspects,
            "settings": training.settings,
            "weights_sha256": training.weights_sha256,
            "learned": len(division.learned),
            "validation": len(division.validation),
            "held_out": len(division.held_out),
            "triplets_sha256": training.triplets_sha256,
            **session.lineage,
            "device": session.device.type,
            "versions": {name: version(name) for name in ("dopeornope", "torch", "numpy")},
        },
        "aspects": [asdict(aspect) for aspect in session.labels.aspects],
        "measures": fitted.measures,
        "held_out_measures": held_out,
        "best_step": fitted.best_step,
        "stopped_early": fitted.stopped_early,
        "curve": [asdict(point) for point in fitted.curve],
        **({} if session.unseen is None else {"sight": session.unseen.as_json()}),
        **_describe_aspects(session, lesson),
    }


def _describe_aspects(session: Session, lesson: Lesson) -> dict[str, Any]:
    """What a network that knows aspects makes of held-out items: by key of their pictures."""
    rows = session.division.held_out
    network, samples = lesson.network, session.samples()
    if session.plan.kind == "csn" and lesson.architecture.masks:
        return {
            "masks": network.head.masks().detach().cpu().numpy().round(5).tolist(),
            "alike": _name_pictures(session, show_masks(network, samples, rows)),
        }
    if session.plan.kind == "aspects":
        temperatures = find_temperatures(network, samples)
        return {
            "temperatures": temperatures,
            "calibration": [
                {"aspect": aspect, "bins": [asdict(part) for part in bins]}
                for aspect, bins in calibrate(network, samples, rows, temperatures)
            ],
            "alike": _name_pictures(session, show_aspects(network, samples, rows, temperatures)),
        }
    return {}


def _name_pictures(session: Session, found: list[Alike]) -> list[dict[str, Any]]:
    images = session.items.images
    return [
        {"aspect": part.aspect, "images": [[images[row] for row in line] for line in part.rows.tolist()]}
        for part in found
    ]
