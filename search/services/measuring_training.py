"""The tables by which trained networks are judged: every model trained with every seed, then compared.

What a model answered with a seed is kept, and so is its checkpoint: a measurement that was stopped goes on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings as site
from numpy.typing import NDArray

from search.engine.bootstrap import Estimate, estimate, estimate_share
from search.engine.calibration import bin_confidences, calibration_error
from search.engine.errors import ArtifactDamaged
from search.engine.sources import hash_own_sources
from search.engine.training.exams import MEAN, Answers, average, find_answers, keep_answers
from search.engine.training.loop import Progress
from search.engine.training.settings import PictureSettings, SiameseSettings
from search.engine.triplet_files import TripletFiles
from search.selectors.catalogues import hash_units
from search.services.training_session import Plan, Session
from search.services.training_sight import choose_way
from search.services.training_tables import (
    Baseline,
    Model,
    TrainedModel,
    list_models,
    require_questions,
)
from search.services.training_wishes import TrainingRefused, Wish, check_weights, check_wish, read_settings

CALIBRATION = "calibration_error"
VERSIONS = ("dopeornope", "torch", "numpy")  # on which answers depend, as they do on the catalogue
# So they do on the code of these, and of all in the engine that these use.
CODE = (
    "search.services.training_material",
    "search.services.training_samples",
    "search.services.training_session",
    "search.services.training_sight",
    "search.services.training_tables",
    "search.services.training_triplets",
    "search.services.training_views",
)
Say = Callable[[str, int, int], None]  # what is done, steps done, steps in all


@dataclass(frozen=True)
class Row:
    """One figure of a table. ``against`` is blank, or the model that ``model`` is compared with, in pairs."""

    model: str
    measure: str
    aspect: str
    mean: float
    low: float
    high: float
    against: str = ""


@dataclass(frozen=True)
class TrainingTable:
    """A kind's table; the first model is the one that the others are compared with."""

    kind: str
    catalogue: str
    content_hash: str
    seeds: int
    settings: dict[str, Any]
    triplets: str  # sha256 of the files, if any
    rows: list[Row]
    differences: list[Row]

    def as_json(self) -> dict[str, Any]:
        """The table under the keys that do not change."""
        figures = [{**asdict(row)} for row in self.rows]
        for figure in figures:
            del figure["against"]
        return {
            "kind": self.kind,
            "catalogue": self.catalogue,
            "seeds": self.seeds,
            "rows": figures,
            "differences": [asdict(row) for row in self.differences],
            "settings": self.settings,
            "versions": {
                **{name: version(name) for name in VERSIONS},
                "catalogue": self.content_hash,
                **({"triplets": self.triplets} if self.triplets else {}),
            },
        }


def measure_training(wish: Wish, *, seeds: int, say: Say) -> TrainingTable:
    """Train and examine every model of the kind's table. Raises ``TrainingRefused``, TrainingFailed."""
    wish, files = check_wish(wish)
    settings = read_settings(wish)
    if not isinstance(settings, PictureSettings):
        raise TrainingRefused(f"{wish.kind} is no encoder: simulate_navigation compares it.", about="kind")
    if isinstance(settings, SiameseSettings):
        # So that answers are kept, and the table names them, by what looked and not by "auto".
        settings = replace(settings, sight=choose_way(settings.sight))
    session = Session(_plan(wish, files, settings, wish.aspects), say=lambda words: say(words, 0, 0))
    require_questions(session)
    answers: dict[str, list[list[Answers]]] = {}
    for model in list_models(wish.kind, settings, session):
        count = 1 if isinstance(model, Baseline) else seeds
        for seed in range(count):
            found = _answer(wish, model, session, seed, say)
            by_seed = answers.setdefault(model.name, [[] for _ in range(count)])
            by_seed[seed].extend(found)  # specialists answer aspect by aspect
    units = np.unique(session.items.units, return_inverse=True)[1]
    rows = [row for name, found in answers.items() for row in _summarise(name, found, units)]
    first, *others = answers
    differences = [
        row for other in others for row in _compare(first, answers[first], other, answers[other], units)
    ]
    return TrainingTable(
        kind=wish.kind,
        catalogue=wish.catalogue.slug,
        content_hash=wish.catalogue.content_hash,
        seeds=seeds,
        settings=dict(settings.as_json()),
        triplets="" if files is None else files.sha256(),
        rows=rows,
        differences=differences,
    )


def _plan(wish: Wish, files: TripletFiles | None, settings: Any, aspects: tuple[str, ...]) -> Plan:
    weights = check_weights(wish.weights)
    versions = [version(name) for name in VERSIONS]
    catalogue = [wish.catalogue.content_hash, hash_units(wish.catalogue)]
    facts = [wish.kind, catalogue, aspects, settings.as_json(), weights, wish.device, versions]
    facts.append(hash_own_sources(*CODE))
    if files is not None:
        facts.append(files.sha256())
    return Plan(
        kind=wish.kind,
        catalogue=wish.catalogue,
        aspects=aspects,
        settings=settings,
        weights=wish.weights,
        device=wish.device,
        fingerprint=hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest(),
        triplets=files,
    )


def _answer(wish: Wish, model: Model, session: Session, seed: int, say: Say) -> list[Answers]:
    """A model's answers with a seed: found, or computed and kept."""
    if isinstance(model, Baseline):
        return model.answer(session)
    chosen = replace(model.settings, seed=seed)
    plan = _plan(wish, session.plan.triplets, chosen, model.aspects or wish.aspects)
    kept: Path = site.TRAINING_FOLDER / "answers" / f"{plan.fingerprint[:32]}-{model.name}"
    try:
        return find_answers(kept)
    except (FileNotFoundError, ArtifactDamaged):
        pass
    title = f"{model.name} {'+'.join(model.aspects or ())} seed {seed}".replace("  ", " ")
    own = Session(plan, say=lambda words: say(f"{title}: {words}", 0, chosen.steps))
    found = model.examine(own, _learn(own, model, title, say))
    keep_answers(kept, found)
    own.forget()
    return found


def _learn(session: Session, model: TrainedModel, title: str, say: Say) -> Any:
    if model.untrained:
        return session.prepare()

    def report(progress: Progress) -> None:
        say(title, progress.step, session.plan.settings.steps)

    lesson, _ = session.learn(report)
    return lesson


def _summarise(model: str, by_seed: Sequence[Sequence[Answers]], units: NDArray[np.int64]) -> list[Row]:
    rows, errors, told = [], [], []
    for answers in _by_question(by_seed):
        [first, *_] = answers
        rows.append(_row(model, first.measure, first.aspect, _estimate(answers, units)))
        if first.confidence is not None:
            errors.append(_row(model, CALIBRATION, first.aspect, _estimate_calibration([answers], units)))
            told.append(answers)
    if len(told) > 1:
        errors.append(_row(model, CALIBRATION, MEAN, _estimate_calibration(told, units)))
    return rows + errors


def _compare(
    first: str,
    ones: Sequence[Sequence[Answers]],
    other: str,
    others: Sequence[Sequence[Answers]],
    units: NDArray[np.int64],
) -> list[Row]:
    """How much better the first model did than another at the questions that both were asked, in pairs."""
    known = {(found[0].measure, found[0].aspect): found for found in _by_question(others)}
    rows = []
    for answers in _by_question(ones):
        [one, *_] = answers
        found = known.get((one.measure, one.aspect))
        if found is None or not np.array_equal(one.rows, found[0].rows):
            continue
        right = np.stack([part.right for part in answers])
        other_right = np.stack([part.right for part in found])
        if len(other_right) == 1:  # a baseline answers alike whatever the seed
            other_right = np.repeat(other_right, len(right), axis=0)
        difference = estimate_share(right - other_right, units[one.rows])
        rows.append(replace(_row(first, one.measure, one.aspect, difference), against=other))
    return rows


def _by_question(by_seed: Sequence[Sequence[Answers]]) -> list[list[Answers]]:
    """Answers to the same questions, one per seed; after several aspects of a measure comes their mean."""
    told = [list(column) for column in zip(*by_seed, strict=True)]
    grouped: dict[str, list[list[Answers]]] = {}
    for answers in told:
        grouped.setdefault(answers[0].measure, []).append(answers)
    listed = []
    for aspects in grouped.values():
        listed += aspects
        if len(aspects) > 1:
            listed.append([average(parts) for parts in zip(*aspects, strict=True)])
    return listed


def _estimate(answers: Sequence[Answers], units: NDArray[np.int64]) -> Estimate:
    return estimate_share(np.stack([part.right for part in answers]), units[answers[0].rows])


def _estimate_calibration(told: Sequence[Sequence[Answers]], units: NDArray[np.int64]) -> Estimate:
    """The calibration error, averaged over aspects; ``told`` has each aspect's answers, one per seed."""
    aspect = np.repeat(np.arange(len(told)), [len(answers[0].rows) for answers in told])
    rows = np.concatenate([answers[0].rows for answers in told])
    seeds = range(len(told[0]))
    right = [np.concatenate([answers[seed].right for answers in told]) for seed in seeds]
    confidence = [np.concatenate([_confidence(answers[seed]) for answers in told]) for seed in seeds]

    def error(places: NDArray[np.int64], seed: int) -> float:
        parts = [places[aspect[places] == number] for number in range(len(told))]
        found = [bin_confidences(confidence[seed][part], right[seed][part]) for part in parts if len(part)]
        return float(np.mean([calibration_error(bins) for bins in found]))

    return estimate(error, seeds=len(seeds), units=units[rows])


def _confidence(answers: Answers) -> NDArray[np.float32]:
    assert answers.confidence is not None
    return answers.confidence


def _row(model: str, measure: str, aspect: str, found: Estimate) -> Row:
    return Row(model, measure, aspect, found.mean, found.low, found.high)
