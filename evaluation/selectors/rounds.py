"""What a player sees at the end of a round: their answers, who was behind them, and whom they prefer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import Count, Q, QuerySet

from evaluation.models import Answer, Contender, RaterTally, Round, Vote
from evaluation.selectors.board import describe_encoder
from evaluation.selectors.pictures import Picture, describe_candidate, describe_question
from evaluation.stats.allocation import POLICY
from evaluation.stats.intervals import Interval, beta_interval
from evaluation.stats.places import UNCOUNTED

# A player's preference is shown from here on: fewer answers, or fewer contenders, say too little. A round
# has some fifteen pairs that count, and hardly ever fewer than twelve, so the first shows it; of who has a
# private encoder some eleven, so that it may take two.
PAIRS_NEEDED = 12
CONTENDERS_NEEDED = 3
# How many answers the player's overall share counts for, before a contender's own.
PRIOR_ANSWERS = 8
FEWEST_COMPARED = 3


@dataclass(frozen=True)
class Preference:
    title: str
    encoder_title: str
    metric: str
    family: str
    dope: int
    votes: int
    approval: float
    low: float
    high: float


@dataclass(frozen=True)
class Revealed:
    """One judged pair with the contenders that found it: none of what counts for none."""

    question: Picture
    candidate: Picture
    side: str
    answer: str
    contenders: list[str]


@dataclass(frozen=True)
class RoundFigures:
    id: str
    number: int
    judged: int
    dope: int
    nope: int
    skipped: int
    agreement: float | None
    total_judged: int


@dataclass(frozen=True)
class Summary:
    round: RoundFigures
    verdict: Literal["clear", "close", "early"]
    needed: int
    preferences: list[Preference]
    pairs: list[Revealed]


def is_finished(round_: Round, *, now: datetime, deal_life: timedelta) -> bool:
    """Every place spent; or so old that what is left can no longer be judged."""
    return round_.judged >= round_.size or (round_.judged > 0 and round_.created_at + deal_life <= now)


def summarise_round(round_: Round) -> Summary:
    """The reveal of a finished round. Preferences rest on all rounds of the player in this catalogue."""
    votes = list(
        Vote.objects.filter(deal__round=round_, retraction=None)
        .select_related("deal__pair__question__category", "deal__pair__candidate__category")
        .prefetch_related("deal__pair__credits__contender")
        .order_by("deal__place")
    )
    answers = [vote.answer for vote in votes]
    all_votes = Vote.objects.filter(
        deal__player=round_.player_id, deal__round__catalogue=round_.catalogue_id, retraction=None
    )
    told = all_votes.filter(deal__policy=POLICY).exclude(answer=Answer.SKIP).count()
    preferences = _list_preferences(_read_tallies(round_, all_votes))
    early = told < PAIRS_NEEDED or len(preferences) < CONTENDERS_NEEDED
    return Summary(
        round=RoundFigures(
            id=round_.pk,
            number=Round.objects.filter(
                player=round_.player_id, created_at__lte=round_.created_at, judged__gt=0
            ).count(),
            judged=round_.judged,
            dope=answers.count(Answer.DOPE),
            nope=answers.count(Answer.NOPE),
            skipped=answers.count(Answer.SKIP),
            agreement=_measure_agreement(votes, counted=not _is_excluded(round_)),
            total_judged=all_votes.count(),
        ),
        verdict="early" if early else "clear" if _is_clear(preferences) else "close",
        needed=max(1, PAIRS_NEEDED - told) if early else 0,
        preferences=[] if early else preferences,
        pairs=[_reveal(vote) for vote in votes],
    )


def _is_excluded(round_: Round) -> bool:
    return round_.player is not None and round_.player.is_excluded


def _read_tallies(round_: Round, all_votes: QuerySet[Vote]) -> list[RaterTally]:
    """What the player said of each contender: as counted or, where their votes do not count, from the votes.

    Who is left out of the counts sees the same as everybody: it is not for a round to tell them.
    """
    contenders = Contender.objects.active().filter(catalogue=round_.catalogue_id)
    contenders = contenders.select_related("index__space")
    if not _is_excluded(round_):
        kept = RaterTally.objects.filter(player=round_.player_id, contender__in=contenders)
        return list(kept.select_related("contender__index__space"))
    dopes, nopes = (Count("pk", filter=Q(answer=answer)) for answer in (Answer.DOPE, Answer.NOPE))
    counting = all_votes.filter(deal__policy=POLICY)
    credited = counting.order_by().values_list("deal__pair__credits__contender")
    counts = {pk: counted for pk, *counted in credited.annotate(dopes=dopes, nopes=nopes)}
    return [
        RaterTally(contender=contender, player=round_.player, dopes=dopes, nopes=nopes)
        for contender in contenders
        for dopes, nopes in [counts.get(contender.pk, (0, 0))]
    ]


def _list_preferences(tallies: Sequence[RaterTally]) -> list[Preference]:
    """Shrunk towards the player's overall share, best first: two dopes of two are no certainty."""
    dopes = sum(tally.dopes for tally in tallies)
    answers = dopes + sum(tally.nopes for tally in tallies)
    if not answers:
        return []
    # Kept off 0 and 1, where the prior would be no distribution.
    share = (dopes + 1) / (answers + 2)
    preferences = []
    for tally in tallies:
        votes = tally.dopes + tally.nopes
        if votes:
            shrunk = beta_interval(tally.dopes, votes, prior_share=share, prior_answers=PRIOR_ANSWERS)
            preferences.append(_prefer(tally, votes, shrunk))
    return sorted(preferences, key=lambda one: (-one.approval, one.title))


def _prefer(tally: RaterTally, votes: int, shrunk: Interval) -> Preference:
    contender = tally.contender
    return Preference(
        title=contender.title,
        encoder_title=describe_encoder(contender),
        metric=contender.metric,
        family=contender.family,
        dope=tally.dopes,
        votes=votes,
        approval=shrunk.estimate,
        low=shrunk.low,
        high=shrunk.high,
    )


def _is_clear(preferences: Sequence[Preference]) -> bool:
    """Whether the first stands apart from the second."""
    return preferences[0].low > preferences[1].high


def _measure_agreement(votes: Sequence[Vote], *, counted: bool) -> float | None:
    """The share of answers on the side that most others took; None where too few can be compared.

    ``counted``: the answers themselves are among those counted of their pairs.
    """
    agreed = []
    for vote in votes:
        if vote.answer == Answer.SKIP or vote.deal.policy in UNCOUNTED:
            continue
        own = (1 if vote.answer == Answer.DOPE else -1) * counted
        others = vote.deal.pair.dopes - vote.deal.pair.nopes - own
        if others:
            agreed.append((others > 0) == (vote.answer == Answer.DOPE))
    return sum(agreed) / len(agreed) if len(agreed) >= FEWEST_COMPARED else None


def _reveal(vote: Vote) -> Revealed:
    deal = vote.deal
    credits = [] if deal.policy in UNCOUNTED else deal.pair.credits.all()
    credits = sorted(credits, key=lambda credit: credit.contender_id)
    return Revealed(
        question=describe_question(deal.pair.question),
        candidate=describe_candidate(deal.pair.candidate),
        side=deal.side,
        answer=vote.answer,
        contenders=[credit.contender.title for credit in credits],
    )
