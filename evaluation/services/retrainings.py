"""The retraining queue: what people said waits until an operator or the schedule has it taught.

A retraining takes what waits at one moment; what is said meanwhile waits for the next. Its lessons, its
training and the build that makes a contender of the outcome are asked for in one transaction, so there are
all of them or none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from django.conf import settings
from django.db import transaction

from evaluation.models import Contender, Learn, Lesson, Promotion, Retraining
from evaluation.selectors.lessons import REASONS, TEACHES, Triplet, Waiting, count_new, read_waiting
from evaluation.selectors.promotions import find_in_charge, find_last, list_open, list_teachable
from evaluation.services.promotions import PromotionRefused, appoint
from search import events
from search.engine.errors import DiskFull
from search.models import Catalogue, Job, Metric, Training
from search.services.builds import request_build
from search.services.jobs import JobContext, JobFailed, create_job
from search.services.retraining import RetrainingWish, request_retraining
from search.services.training_wishes import LONGEST_NAME, TrainingRefused

KIND = "retraining"
AT_ONCE = 2000  # lessons written in one statement


class RetrainingRefused(Exception):
    """Nothing is taught; the text says why, and what is missing."""


@dataclass(frozen=True)
class Asked:
    """Who asked (empty for the schedule), for which period, and how much of the network is to learn.

    ``parent``: the encoder to teach, blank for the one in charge; another is put in charge where nobody is.
    ``least``: so many triplets must wait, of the schedule's such as no challenger of this parent has learned.
    """

    by: str
    period: str
    learn: Learn = Learn.HEAD
    parent: str = ""
    least: int = 1
    device: str = "auto"


def request_due(now: datetime) -> int:
    """Have the queue of each catalogue with an encoder in charge looked at, once a day."""
    asked = 0
    led = Catalogue.objects.filter(pk__in=Promotion.objects.order_by().values("catalogue"))
    for catalogue in led if settings.RETRAIN_FROM else ():
        key = f"{KIND}:{catalogue.pk}:{now:%Y-%m-%d}"
        if not Job.objects.filter(idempotency_key=key).exists():
            create_job(
                kind=KIND,
                arguments={"catalogue": catalogue.pk, "period": f"{now:%Y-%m-%d}"},
                key=key,
                title=f"Look what waits to be taught in {catalogue.title}",
                catalogue=catalogue,
                now=now,
            )
            asked += 1
    return asked


def run_queue(context: JobContext) -> None:
    """Start a retraining of ``arguments["catalogue"]`` where enough waits; there is one a period."""
    catalogue = Catalogue.objects.get(pk=context.job.arguments["catalogue"])
    asked = Asked(by="", period=context.job.arguments["period"], least=settings.RETRAIN_FROM)
    context.progress(0, 1, "reading what waits")
    try:
        told = f"“{start_retraining(catalogue, asked, now=context.now()).name}” is being taught"
    except RetrainingRefused as refused:
        told = str(refused)
    context.progress(1, 1, told)


def start_retraining(catalogue: Catalogue, asked: Asked, *, now: datetime) -> Retraining:
    """Teach the encoder in charge what waits; one that is being taught already is returned as it is.

    The schedule asks once there is something new, and while no other challenger has to be judged first; after
    a rollback people do. Raises RetrainingRefused.
    """
    found = _find_asked(catalogue, asked)
    if found is not None:
        return found
    parent = _find_parent(catalogue, asked)
    if not asked.by:
        _check_schedule(catalogue)
    waiting = read_waiting(catalogue, parent, now=now)
    ready = len(waiting.triplets) if asked.by else count_new(waiting.triplets, parent)
    if ready < max(1, asked.least):
        raise RetrainingRefused(_say_missing(waiting, ready, max(1, asked.least)))
    with transaction.atomic():
        # One at a time: of two that ask at once the second finds the first one's.
        Catalogue.objects.select_for_update(no_key=True).get(pk=catalogue.pk)
        found = _find_asked(catalogue, asked)
        return found or _begin(catalogue, parent, waiting, asked, now=now)


def _find_asked(catalogue: Catalogue, asked: Asked) -> Retraining | None:
    found = Retraining.objects.filter(catalogue=catalogue, period=asked.period).first()
    return found or find_unfinished(catalogue)


def _check_schedule(catalogue: Catalogue) -> None:
    """Raises RetrainingRefused where only people start another one."""
    last = find_last(catalogue)
    if last is not None and last.kind == Promotion.Kind.ROLLED_BACK:
        raise RetrainingRefused(
            "Who was in charge was rolled back: a person starts the next retraining, not the schedule."
        )
    names = ", ".join(f"“{retraining.name}”" for retraining, _ in list_open(catalogue))
    if names:
        raise RetrainingRefused(
            f"{names} has not won yet: the schedule starts the next retraining once it has, or is retired."
        )


def _begin(
    catalogue: Catalogue, parent: Contender, waiting: Waiting, asked: Asked, *, now: datetime
) -> Retraining:
    """Raises RetrainingRefused: what waits was read before, and somebody else may be in charge by now."""
    if find_in_charge(catalogue) != parent:
        try:
            appoint(catalogue, parent, by=asked.by, now=now)
        except PromotionRefused as error:
            raise RetrainingRefused(str(error)) from error
    retraining = Retraining.objects.create(
        catalogue=catalogue,
        rival=parent,
        name=_name(parent.encoder),
        learn=asked.learn,
        period=asked.period,
        votes=waiting.votes[TEACHES],
        picks=waiting.picks[TEACHES],
        players=waiting.players,
        triplets=len(waiting.triplets),
        made_by=asked.by,
        made_at=now,
    )
    _keep_lessons(retraining, waiting.triplets)
    training = _train(retraining, waiting.triplets, asked, now=now)
    if training.parent_version != parent.encoder_version:
        raise RetrainingRefused(
            f"“{parent.encoder}” has been trained again since its contender “{parent.title}” was built: "
            "build the contenders again, and put the new one in charge."
        )
    Retraining.objects.filter(pk=retraining.pk).update(training=training)
    try:
        request_build(catalogue=catalogue, now=now, after=training.job)
    except JobFailed as error:
        raise RetrainingRefused(str(error)) from error
    events.bump("catalogues")
    retraining.refresh_from_db()
    return retraining


def find_unfinished(catalogue: Catalogue) -> Retraining | None:
    """The retraining whose network is still being trained."""
    jobs = Job.objects.filter(catalogue=catalogue).unfinished()
    return Retraining.objects.filter(catalogue=catalogue, training__job__in=jobs).first()


def _find_parent(catalogue: Catalogue, asked: Asked) -> Contender:
    """Who is in charge, or will be. Raises RetrainingRefused."""
    standing = find_in_charge(catalogue)
    if standing is not None and asked.parent in ("", standing.encoder):
        return standing
    if standing is not None:
        raise RetrainingRefused(
            f"“{asked.parent}” is not in charge, so what is taught from it would be compared with nobody: "
            f"“{standing.encoder}” is. Teach that one, or put “{asked.parent}” in charge first."
        )
    teachable = list_teachable(catalogue)
    if not asked.parent:
        gone = "Who was in charge is retired" if catalogue.promotions.exists() else "Nobody is in charge"
        raise RetrainingRefused(
            f"{gone}: put an encoder in charge of “{catalogue.title}” first, or name the parent."
        )
    own = [one for one in teachable if one.encoder == asked.parent]
    if not own:
        names = ", ".join(sorted({one.encoder for one in teachable})) or "none yet"
        raise RetrainingRefused(
            f"“{asked.parent}” cannot be taught: its contenders are retired, or it is no trained encoder. "
            f"There are: {names}."
        )
    # Encoders are trained by L2.
    return next((one for one in own if one.metric == Metric.L2), own[0])


def _say_missing(waiting: Waiting, ready: int, least: int) -> str:
    kept = [
        f"{number:,} {what} {words}"
        for what, counts in (("votes", waiting.votes), ("picks", waiting.picks))
        for reason, words in REASONS.items()
        if reason != TEACHES and (number := counts[reason])
    ]
    told = (
        f"Only {ready:,} triplets wait that no challenger has learned, {least:,} are needed"
        if waiting.triplets and ready < len(waiting.triplets)
        else f"Only {ready:,} triplets wait, {least:,} are needed"
        if ready
        else ("Nothing waits to be taught")
    )
    why = "; ".join(kept) or "nobody has judged a question that may teach since the last time"
    return f"{told}: {why}."


def _name(encoder: str) -> str:
    """The parent's name with a number of its own, not one more behind its parent's."""
    base = re.sub(r"-r\d+$", "", encoder)[: LONGEST_NAME - 6]
    taken = set(Training.objects.filter(name__startswith=base).values_list("name", flat=True))
    taken |= set(Retraining.objects.filter(name__startswith=base).values_list("name", flat=True))
    return next(name for number in count(1) if (name := f"{base}-r{number}") not in taken)


def _keep_lessons(retraining: Retraining, triplets: Sequence[Triplet]) -> None:
    Lesson.objects.bulk_create(
        (
            Lesson(
                retraining=retraining,
                number=number,
                anchor_id=one.anchor,
                positive_id=one.positive,
                negative_id=one.negative,
                liked_id=one.liked,
                disliked_id=one.disliked,
                pick_id=one.pick,
            )
            for number, one in enumerate(triplets, start=1)
        ),
        batch_size=AT_ONCE,
    )


def _train(retraining: Retraining, triplets: Sequence[Triplet], asked: Asked, *, now: datetime) -> Training:
    wish = RetrainingWish(
        name=retraining.name,
        catalogue=retraining.catalogue,
        parent=retraining.rival.encoder,
        learn=asked.learn,
        triplets=[(one.anchor, one.positive, one.negative) for one in triplets],
        settings={},
        device=asked.device,
    )
    try:
        return request_retraining(wish, now=now)
    except (TrainingRefused, DiskFull) as error:
        raise RetrainingRefused(str(error)) from error
