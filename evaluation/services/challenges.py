"""Comparing challengers with the encoder in charge, and putting one that wins in its place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from evaluation.models import Contender, Retraining
from evaluation.selectors.promotions import count_challenges, list_open, list_teachers
from evaluation.selectors.vote_columns import VoteColumns, read_votes
from evaluation.services.gold_sets import GoldDamaged, answer_gold, find_gold
from evaluation.services.promotions import PromotionRefused, promote
from evaluation.stats.promotion import GOLD_MARGIN, Gold, rule, share_level
from evaluation.stats.votes import Votes
from search import events
from search.engine.errors import ArtifactDamaged
from search.models import Catalogue, Job
from search.services.jobs import JobContext, create_job

KIND = "challenge"
NOBODY: Gold = Gold(np.zeros(0, bool), np.zeros(0, bool))


def request_due(now: datetime) -> int:
    """Ask once a day for a comparison of each catalogue's challengers, where there are any."""
    asked = 0
    for catalogue in Catalogue.objects.filter(retrainings__isnull=False).distinct():
        key = f"{KIND}:{catalogue.pk}:{now:%Y-%m-%d}"
        if not Job.objects.filter(idempotency_key=key).exists() and list_open(catalogue):
            _request(catalogue, key=key, now=now)
            asked += 1
    return asked


def request_comparison(catalogue: Catalogue, *, now: datetime) -> Job:
    """A job that compares the catalogue's challengers as soon as it can; one that waits already is found."""
    waiting = Job.objects.filter(kind=KIND, catalogue=catalogue).unfinished().first()
    return waiting or _request(catalogue, key=f"{KIND}:{catalogue.pk}:{now.isoformat()}", now=now)


def _request(catalogue: Catalogue, *, key: str, now: datetime) -> Job:
    return create_job(
        kind=KIND,
        arguments={"catalogue": catalogue.pk},
        key=key,
        title=f"Compare challengers of {catalogue.title}",
        catalogue=catalogue,
        now=now,
    )


def run_challenge(context: JobContext) -> None:
    """Compare the challengers of ``arguments["catalogue"]``; promote the first that the rule lets through."""
    catalogue = Catalogue.objects.get(pk=context.job.arguments["catalogue"])
    open_ = list_open(catalogue)
    context.progress(0, len(open_) + 1, "reading votes")
    columns = read_votes(catalogue.pk)
    told = []
    for done, (retraining, contender) in enumerate(open_, start=1):
        context.progress(done, len(open_) + 1, f"comparing {retraining.name}")
        figures = compare_challenger(retraining, contender, columns, now=context.now())
        with context.publish():
            Retraining.objects.filter(pk=retraining.pk).update(figures=figures, compared_at=context.now())
            events.bump("catalogues")
        told.append(_try(retraining, now=context.now()))
    context.progress(len(open_) + 1, len(open_) + 1, " ".join(told) or "no challenger is compared")


def _try(retraining: Retraining, *, now: datetime) -> str:
    try:
        promote(retraining, by="", now=now)
    except PromotionRefused as refused:
        return str(refused)
    return f"“{retraining.name}” is in charge now."


def compare_challenger(
    retraining: Retraining, contender: Contender, columns: VoteColumns, *, now: datetime
) -> dict[str, Any]:
    """The figures of a comparison, as they are kept with the retraining.

    ``contender``: the id of the one that was compared. ``parent`` and ``challenger``: approvals on
    evaluation-only questions for which the two found different things; ``low``: the lower bound of the
    difference, right at all looks at ``level``; ``telling``: votes on what only one found; ``gold_…``: shares
    of the gold set, of ``gold_cards``; None for what is not known. ``refusals`` as of `promotion.rule`. Or
    ``failed``, where nothing could be compared.
    """
    try:
        gold, cards = _ask_gold(retraining, contender, now=now)
    except (GoldDamaged, ArtifactDamaged) as error:
        return {"failed": str(error)}
    numbers = {pk: number for number, pk in enumerate(columns.contenders.tolist())}
    votes = _keep_fair(columns, retraining, contender)
    if not len(votes) or not {contender.pk, retraining.rival_id} <= numbers.keys():
        return {"failed": "nobody who taught it nothing has judged what the two found since it entered"}
    level = share_level(count_challenges(retraining))
    ruling = rule(
        votes,
        parent=numbers[retraining.rival_id],
        challenger=numbers[contender.pk],
        gold=gold,
        level=level,
    )
    figures = {
        "parent": ruling.parent,
        "challenger": ruling.challenger,
        "low": ruling.low,
        "gold_parent": ruling.gold_parent,
        "gold_challenger": ruling.gold_challenger,
    }
    return {
        "contender": contender.pk,
        **_keep_known(figures),
        "telling": ruling.telling,
        "gold_cards": cards,
        "gold_margin": GOLD_MARGIN,
        "level": level,
        "refusals": list(ruling.refusals),
    }


def _keep_fair(columns: VoteColumns, retraining: Retraining, contender: Contender) -> Votes:
    """Votes that were dealt since both stand, without those of players whose taste the challenger learned.

    Whatever either found could be dealt at each of these deals: the inverse propensity is all their weight.
    """
    entered = [one.entered_at.timestamp() for one in (retraining.rival, contender) if one.entered_at]
    taught = np.isin(columns.players, list(list_teachers(retraining)))
    votes = replace(columns.votes, weight=1 / columns.propensity)
    return votes.only((columns.dealt_at >= max(entered)) & ~taught[columns.votes.player])


def _ask_gold(retraining: Retraining, contender: Contender, *, now: datetime) -> tuple[Gold, int]:
    """What both answer, and how many cards there are. Raises GoldDamaged, ArtifactDamaged."""
    gold = find_gold(retraining.catalogue, now=now)
    if gold is None:
        return NOBODY, 0
    answers: Sequence[Any] = [answer_gold(one, gold.cards) for one in (retraining.rival, contender)]
    return Gold(*answers), len(gold.cards)


def _keep_known(figures: Mapping[str, float]) -> dict[str, float | None]:
    """As JSON can hold them."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}
