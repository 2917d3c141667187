"""What pages show of trainings: the list, and one of them with what it learns from and what it became."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from search.engine.encoders.base import WeightsDamaged
from search.engine.encoders.trained import version_of
from search.engine.encoders.trained_files import read_trained_card
from search.engine.training.settings import makes_encoder, settings_of
from search.engine.training.typed_settings import list_settings
from search.models import JobState, Training
from search.selectors.encoder_sight import Sight, read_sight
from search.selectors.operations import JobRow, make_job_row
from search.selectors.training_curves import (
    DECIDES,
    FigureLine,
    MeasureCurve,
    find_best,
    keep_figures,
    list_lines,
    list_loss,
    list_measure_curves,
    list_points,
    write_name,
)

NEWEST = 100


@dataclass(frozen=True)
class TrainingRow:
    """One training in the list; ``job`` is None where its job was deleted."""

    pk: int
    name: str
    kind: str
    catalogue: str
    created: datetime
    ready: datetime | None
    job: JobRow | None
    measure: str  # the one that decides
    best: float | None  # of it

    @property
    def is_resumable(self) -> bool:
        """Whether it ended before its time, and would go on from its last checkpoint."""
        return self.job is not None and self.job.can_retry

    @property
    def is_over(self) -> bool:
        """Whether what it became is there and nothing is written for it any more: its page stays as it is."""
        unfinished = (JobState.QUEUED, JobState.RUNNING)
        return self.ready is not None and (self.job is None or self.job.state not in unfinished)


@dataclass(frozen=True)
class ChangedSetting:
    name: str
    value: Any
    default: Any  # None: this version knows no such setting


@dataclass(frozen=True)
class OutcomeFacts:
    """What a finished training became, an encoder or a ranker, as its card says."""

    version: str
    sha256: str
    learned: int | None
    validation: int | None
    held_out: int | None
    device: str
    versions: Sequence[tuple[str, str]]
    stopped_early: bool
    held_out_measures: Sequence[tuple[str, float]]  # by their titles
    sight: str  # which lifestyle photos were left out, and why; blank where none were looked through


@dataclass(frozen=True)
class TrainingPage:
    """Everything on a training's own page. ``outcome`` and what it sees are None until there is one, and
    where it is gone.
    """

    row: TrainingRow
    catalogue_slug: str
    catalogue_hash: str
    is_encoder: bool  # else a ranker
    parent: str  # that was taught once more; blank where weights were drawn, or read from a file
    parent_version: str
    space: str  # that a ranker's games are played in
    aspects: Sequence[str]
    changed: Sequence[ChangedSetting]
    weights: str
    weights_sha256: str
    triplets: str
    triplets_sha256: str
    device: str
    loss: Sequence[tuple[int, float]]
    best_step: int | None
    measures: Sequence[MeasureCurve]
    lines: Sequence[FigureLine]
    outcome: OutcomeFacts | None
    sight: Sight | None


def list_training_rows(*, now: datetime) -> list[TrainingRow]:
    """The newest trainings, newest first."""
    trainings = Training.objects.select_related("catalogue", "job__after", "job__catalogue")
    newest = trainings.defer("curve").order_by("-created_at", "-pk")[:NEWEST]  # long, and read of few
    return [_training_row(training, now=now) for training in newest]


def read_training_page(*, training: Training, now: datetime) -> TrainingPage:
    """One training, whole."""
    points = list_points(training)
    best = find_best(training.kind, points)
    best_step = None if best is None else best.step
    curves = list_measure_curves(training.kind, points)
    card = read_card(training=training)
    category = training.catalogue.aspects.filter(is_category=True).values_list("name", flat=True)
    return TrainingPage(
        row=_training_row(training, now=now),
        catalogue_slug=training.catalogue.slug,
        catalogue_hash=training.catalogue_hash,
        is_encoder=makes_encoder(training.kind),
        parent=training.parent,
        parent_version=training.parent_version,
        space=training.space,
        aspects=training.aspects or [f"{name} (the category)" for name in category],
        changed=_list_changed(training),
        weights=Path(training.weights).name,
        weights_sha256=training.weights_sha256,
        triplets=training.triplets,
        triplets_sha256=training.triplets_sha256,
        device=training.device,
        loss=list_loss(points),
        best_step=best_step,
        measures=curves,
        lines=list_lines(points, curves, best_step=best_step),
        outcome=None if card is None else _outcome_facts(card),
        sight=None if card is None else read_sight(training=training, card=card),
    )


def published_folder(training: Training) -> Path:
    """Where what a training makes is published: an encoder, or a ranker of navigation."""
    parent: Path = settings.TRAINED_FOLDER if makes_encoder(training.kind) else settings.RANKERS_FOLDER
    return parent / training.name


def read_card(*, training: Training) -> dict[str, Any] | None:
    """The card of what this training made; None while there is none.

    None as well where another training of the same name has put its own in its place.
    """
    if training.ready_at is None:
        return None
    try:
        card = read_trained_card(published_folder(training))
    except WeightsDamaged:
        return None
    return card if version_of(card) == training.encoder_version else None


def _training_row(training: Training, *, now: datetime) -> TrainingRow:
    measures: Mapping[str, float] = keep_figures(training.measures)
    if training.ready_at is None:
        point = find_best(training.kind, list_points(training))
        measures = point.measures if point else {}
    decides = DECIDES[training.kind]
    return TrainingRow(
        pk=training.pk,
        name=training.name,
        kind=training.kind,
        catalogue=training.catalogue.title,
        created=training.created_at,
        ready=training.ready_at,
        job=None if training.job is None else make_job_row(training.job, now=now),
        measure=write_name(decides),
        best=measures.get(decides),
    )


def _list_changed(training: Training) -> list[ChangedSetting]:
    """The settings that are not as they are by default, in the order in which the kind lists them."""
    known = {setting.name: setting.default for setting in list_settings(settings_of(training.kind))}
    names = [*known, *sorted(set(training.settings) - set(known))]
    return [
        ChangedSetting(name, training.settings[name], known.get(name))
        for name in names
        if name in training.settings and training.settings[name] != known.get(name)
    ]


def _outcome_facts(card: dict[str, Any]) -> OutcomeFacts:
    lineage = _mapping(card.get("lineage"))
    measures = keep_figures(_mapping(card.get("held_out_measures")))
    return OutcomeFacts(
        version=version_of(card),
        sha256=str(card["sha256"]),
        learned=_count(lineage.get("learned")),
        validation=_count(lineage.get("validation")),
        held_out=_count(lineage.get("held_out")),
        device=str(lineage.get("device", "")),
        versions=list(_mapping(lineage.get("versions")).items()),
        stopped_early=bool(card.get("stopped_early")),
        held_out_measures=[(write_name(name), value) for name, value in measures.items()],
        sight=str(_mapping(card.get("sight")).get("told", "")),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
