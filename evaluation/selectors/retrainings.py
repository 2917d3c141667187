"""What the page of retraining shows: per catalogue who is in charge, what waits, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evaluation.models import Contender, GoldSet, Promotion, Retraining
from evaluation.selectors.lessons import REASONS, read_waiting
from evaluation.selectors.promotions import (
    find_before,
    find_challenger,
    find_last,
    list_missing,
    list_teachable,
)
from search.models import BuildState, Catalogue, EmbeddingSpace, Job, JobState
from search.selectors.operations import JobRow, make_job_row
from search.selectors.trainings import read_card

NEWEST = 20
AGAIN = "Build the contenders again: it joins the blind test then."


@dataclass(frozen=True)
class WaitingRow:
    """How many votes and picks there are of one reason to be taught, or not to be."""

    words: str
    votes: int
    picks: int


@dataclass(frozen=True)
class RetrainingRow:
    """A retraining with where it stands; ``missing`` is what keeps it from being promoted, in words."""

    retraining: Retraining
    state: str
    reason: str
    job: JobRow | None
    contender: Contender | None
    missing: Sequence[str]
    figures: Mapping[str, Any]

    @property
    def can_promote(self) -> bool:
        return self.state == "challenger" and not self.missing


@dataclass(frozen=True)
class Queue:
    """``standing``: who is in charge, or was before it was retired; ``before``: whom a rollback puts back."""

    catalogue: Catalogue
    standing: Promotion | None
    is_gone: bool
    before: Promotion | None
    teachable: Sequence[Contender]
    waiting: Sequence[WaitingRow]
    triplets: int
    players: int
    taught: int
    more: bool
    rows: Sequence[RetrainingRow]
    history: Sequence[Promotion]
    gold: GoldSet | None


def read_queue(catalogue: Catalogue, *, now: datetime) -> Queue:
    """Everything about the retraining of one catalogue."""
    last = find_last(catalogue)
    is_gone = last is not None and last.contender.state != "active"
    waiting = read_waiting(catalogue, None if last is None else last.contender, now=now)
    newest = Retraining.objects.filter(catalogue=catalogue).select_related(
        "catalogue", "rival", "training__job__after", "training__job__catalogue"
    )
    history = Promotion.objects.filter(catalogue=catalogue).select_related("contender", "restores")
    return Queue(
        catalogue=catalogue,
        standing=last,
        is_gone=is_gone,
        before=None if last is None else find_before(last),
        teachable=_list_heirs(catalogue, last) if last is None or is_gone else [],
        waiting=[
            WaitingRow(words, waiting.votes.get(name, 0), waiting.picks.get(name, 0))
            for name, words in REASONS.items()
        ],
        triplets=len(waiting.triplets),
        players=waiting.players,
        taught=waiting.taught,
        more=waiting.more,
        rows=[make_row(row, last, now=now) for row in newest[:NEWEST]],
        history=list(history.order_by("-number")[:NEWEST]),
        gold=GoldSet.objects.filter(catalogue=catalogue).first(),
    )


def _list_heirs(catalogue: Catalogue, last: Promotion | None) -> Sequence[Contender]:
    """Who may be put in charge; another version of who was comes first."""
    gone = None if last is None else last.contender
    return sorted(
        list_teachable(catalogue),
        key=lambda one: gone is None or (one.encoder, one.metric) != (gone.encoder, gone.metric),
    )


def make_row(retraining: Retraining, last: Promotion | None, *, now: datetime) -> RetrainingRow:
    """A retraining with where it stands; ``last`` is the promotion that stands."""
    contender = find_challenger(retraining)
    job = retraining.training.job if retraining.training is not None else None
    state, reason = _tell_state(retraining, contender, job, last)
    return RetrainingRow(
        retraining=retraining,
        state=state,
        reason=reason,
        job=None if job is None else make_job_row(job, now=now),
        contender=contender,
        missing=list_missing(retraining, contender, last, now=now) if state == "challenger" else [],
        figures=retraining.figures,
    )


def _tell_state(
    retraining: Retraining, contender: Contender | None, job: Job | None, last: Promotion | None
) -> tuple[str, str]:
    """In a word, and why where something went wrong."""
    if contender is not None:
        if last is not None and last.contender_id == contender.pk:
            return "in charge", ""
        if contender.state != "active":
            return "retired", "It left the blind test; its votes stay."
        return "challenger", _tell_history(retraining)
    if job is None:
        return "lost", "Its training was deleted. Its lessons are kept."
    if job.state in (JobState.QUEUED, JobState.RUNNING):
        return "learning", ""
    if job.state != JobState.DONE:
        return "failed", f"{job.reason or 'The training was cancelled.'} What it was to learn waits again."
    build = Job.objects.filter(kind="build", after=job).first()
    if build is not None and build.state in (JobState.FAILED, JobState.CANCELLED):
        return "failed", f"{build.reason or 'The build was cancelled.'} {AGAIN}"
    return (
        ("being built", "") if _is_built(retraining) else ("failed", f"Nothing builds it any more. {AGAIN}")
    )


def _is_built(retraining: Retraining) -> bool:
    """Whether work on the catalogue may still make a contender of it."""
    building = Job.objects.filter(catalogue=retraining.catalogue_id, kind__in=["build", "embed", "index"])
    spaces = EmbeddingSpace.objects.filter(catalogue=retraining.catalogue_id, encoder=retraining.name)
    failed = spaces.filter(state=BuildState.FAILED) | spaces.filter(indexes__state=BuildState.FAILED)
    return building.unfinished().exists() and not failed.exists()


def _tell_history(retraining: Retraining) -> str:
    if retraining.promotions.exists():
        return "It was in charge before."
    card = None if retraining.training is None else read_card(training=retraining.training)
    if card is not None and card.get("best_step") == 0:
        return "Learning gained nothing, so it sees as its parent does."
    return ""


def list_challenged() -> Mapping[int, Retraining]:
    """Contenders that came of a retraining, by id, with it and its rival."""
    made = {(one.catalogue_id, one.name): one for one in Retraining.objects.select_related("rival")}
    rows = Contender.objects.filter(encoder__in={name for _, name in made})
    found = {one.pk: made.get((one.catalogue_id, one.encoder)) for one in rows}
    return {pk: retraining for pk, retraining in found.items() if retraining is not None}
