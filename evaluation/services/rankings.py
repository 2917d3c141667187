"""The nightly ranking: approvals by the mixed model, ranks by joint covariance, and how much hangs on few.

The live board reads integer counts and stays wide; this looks at every vote, and tells more apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

import numpy as np
from django.db.models import Sum

from evaluation.models import Contender, Ranking, Tally
from evaluation.selectors.board import VOTES_FLOOR
from evaluation.selectors.checked import read_checked
from evaluation.selectors.deal_counts import count_deals
from evaluation.selectors.dealt_answers import read_dealt_answers
from evaluation.selectors.pair_values import read_values
from evaluation.selectors.rankings import find_led, find_newest
from evaluation.selectors.vote_columns import PRESENTATION, VoteColumns, read_votes
from evaluation.services.news import tell_ranking
from evaluation.services.ranking_comparisons import compare_contenders
from evaluation.services.ranking_exposure import describe_exposure
from evaluation.services.ranking_slices import slice_by_aspect, slice_by_category, slice_by_week
from evaluation.services.vetting import vet_players
from evaluation.stats.covariances import estimate_approvals
from evaluation.stats.mixed_logit import NotFitted, Presentation, fit_mixed_logit
from evaluation.stats.mixed_logit_approvals import standardise
from evaluation.stats.ranks import rank_ranges
from evaluation.stats.robustness import fewest_players, fewest_votes
from evaluation.stats.votes import Votes
from search import events
from search.models import Catalogue, Job
from search.services.jobs import JobContext, create_job

KIND = "ranking"
EVERY = timedelta(hours=20)  # once a night, whenever the night before was late
VERSIONS = ("dopeornope", "numpy", "scipy")
STEPS = 4
UNTOLD = {"approval": None, "low": None, "high": None, "effect": None}


def request_due(now: datetime) -> int:
    """Ask for a ranking of each catalogue, a night after its last one, where its counts are others now.

    The first is made once votes are enough for a standing that is not provisional by their number.
    """
    asked = 0
    for catalogue, tallied in _list_tallied():
        last = find_newest(catalogue, brief=True)
        if last is None and tallied < VOTES_FLOOR:
            continue
        if last is None or (last.made_at + EVERY <= now and last.tallied != tallied):
            asked += _request_once(catalogue, now)
    return asked


def _list_tallied() -> list[tuple[Catalogue, int]]:
    """Catalogues with votes, and how many dopes and nopes their active contenders were credited with."""
    tallies = Tally.objects.filter(contender__in=Contender.objects.active()).order_by()
    sums = tallies.values_list("contender__catalogue").annotate(Sum("dopes"), Sum("nopes"))
    counts = {pk: dopes + nopes for pk, dopes, nopes in sums if dopes + nopes}
    return [(catalogue, counts[catalogue.pk]) for catalogue in Catalogue.objects.filter(pk__in=counts)]


def _request_once(catalogue: Catalogue, now: datetime) -> bool:
    """Whether this made a job: there is one a day, and one that failed is for people to start again."""
    key = f"{KIND}:{catalogue.pk}:{now:%Y-%m-%d}"
    if Job.objects.filter(idempotency_key=key).exists():
        return False
    _request(catalogue, key=key, now=now)
    return True


def request_ranking(catalogue: Catalogue, *, now: datetime) -> Job:
    """A job that ranks the catalogue as soon as it can, whatever was ranked before."""
    return _request(catalogue, key=f"{KIND}:{catalogue.pk}:{now.isoformat()}", now=now)


def _request(catalogue: Catalogue, *, key: str, now: datetime) -> Job:
    return create_job(
        kind=KIND,
        arguments={"catalogue": catalogue.pk},
        key=key,
        title=f"Ranking of {catalogue.title}",
        catalogue=catalogue,
        now=now,
    )


def run_ranking(context: JobContext) -> None:
    """Rank the catalogue ``arguments["catalogue"]`` and keep what comes out."""
    catalogue = Catalogue.objects.get(pk=context.job.arguments["catalogue"])
    tallied = dict(_list_tallied()).get(catalogue, 0)
    context.progress(0, STEPS, "reading votes")
    columns = read_votes(catalogue.pk)
    figures: dict[str, Any] = {"rows": [], "lead": None, "slices": [], "notes": [], "vetted": []}
    if len(columns.votes):
        context.progress(1, STEPS, "ranking")
        figures = rank_votes(columns)
        figures["weeks"] = slice_by_week(columns, _list_joined(catalogue))
        figures["aspects"] = slice_by_aspect(columns, read_values(catalogue.pk, columns.pairs))
        context.progress(2, STEPS, "looking at players")
        figures["vetted"] = vet_players(columns, read_checked(catalogue.pk))
        context.progress(3, STEPS, "comparing contenders")
        figures["comparisons"] = compare_contenders(read_dealt_answers(catalogue.pk))
        figures["exposure"] = describe_exposure(count_deals(catalogue.pk, now=context.now()))
    with context.publish():
        before = find_led(catalogue)
        ranking = Ranking.objects.create(
            catalogue=catalogue,
            made_at=context.now(),
            tallied=tallied,
            votes=len(columns.votes),
            players=len(np.unique(columns.votes.player)),
            figures=figures,
        )
        tell_ranking(ranking, before)
        events.bump("rankings")
        events.bump("exclusions")  # it looked at players as well


def _list_joined(catalogue: Catalogue) -> dict[int, datetime]:
    """When each contender entered; also of those that left since the votes were read."""
    entered = Contender.objects.filter(catalogue=catalogue, entered_at__isnull=False)
    return {one.pk: one.entered_at for one in entered if one.entered_at is not None}


def rank_votes(columns: VoteColumns) -> dict[str, Any]:
    """The figures of a ranking, as they are kept.

    ``rows`` of contenders by share, best first: the share by propensity with its rank range; approval with
    interval over the fixed set of questions and effect in logits, None where the model cannot tell; ``lead``:
    the fewest votes and players without whom somebody else would lead by plain share; ``slices``: by
    category, None where there are not enough votes; ``notes``.
    """
    votes, ids = columns.votes, columns.contenders.tolist()
    approvals = estimate_approvals(votes)
    ranges = rank_ranges(approvals)
    modelled, notes = _model(columns)
    rows = [
        {
            "contender": pk,
            "share": None if np.isnan(share) else float(share),
            "rank_low": span.best,
            "rank_high": span.worst,
            **modelled.get(pk, UNTOLD),
        }
        for pk, share, span in zip(ids, approvals.estimates, ranges, strict=True)
    ]
    return {
        "rows": sorted(rows, key=lambda row: (row["share"] is None, -(row["share"] or 0.0))),
        "lead": _tell_lead(votes, ids),
        "slices": slice_by_category(columns),
        "notes": notes,
        "versions": {name: version(name) for name in VERSIONS},
    }


def _model(columns: VoteColumns) -> tuple[dict[int, dict[str, float]], list[str]]:
    """What the mixed model says of contenders, by id, and what to bear in mind of it."""
    titles = _name(columns.contenders.tolist())
    try:
        model = fit_mixed_logit(columns.votes, list(titles), Presentation(PRESENTATION, columns.shown))
    except NotFitted as reason:
        return {}, [str(reason)]
    if not model.converged:
        return {}, list(model.notes)
    ids = [titles[name] for name in model.contenders]
    found = columns.votes.found[:, np.isin(columns.contenders, ids)]
    intervals = standardise(model, found[found.any(axis=1)])
    told = {
        pk: {"approval": one.estimate, "low": one.low, "high": one.high, "effect": float(effect)}
        for pk, one, effect in zip(ids, intervals, model.effects, strict=True)
    }
    return told, list(model.notes)


def _name(ids: Sequence[int]) -> dict[str, int]:
    """Contenders by title, in this order; of two with one title the number says which."""
    titles = dict(Contender.objects.filter(pk__in=ids).values_list("pk", "title"))
    often = Counter(titles.values())
    return {titles[pk] if often[titles[pk]] == 1 else f"{titles[pk]} ({pk})": pk for pk in ids}


def _tell_lead(votes: Votes, ids: Sequence[int]) -> dict[str, Any] | None:
    """Who leads by plain share, and how few votes and players that hangs on."""
    by_votes, by_players = fewest_votes(votes), fewest_players(votes)
    if by_votes is None:
        return None
    return {
        "leader": ids[by_votes.leader],
        "rival": ids[by_votes.rival],
        "votes": by_votes.votes,
        "players_low": None if by_players is None else by_players.low,
        "players_high": None if by_players is None else by_players.high,
    }
