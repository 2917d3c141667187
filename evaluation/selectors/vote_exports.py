"""Votes one by one, counted or left out, for analysts to take away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from evaluation.models import Credit, Verdict, Vote
from evaluation.stats.places import CHECKS, TASTE

AT_ONCE: Final = 2000
UNDONE: Final = "undone by the player"
CHECK: Final = "a check of the player"
_NAMES: Final = (
    *("pk", "deal__pair__catalogue__slug", "deal__pair_id", "deal__pair__question__key"),
    *("deal__pair__words", "deal__pair__candidate__key", "deal__pair__category__value", "deal__pair__split"),
    *("deal__player_id", "answer", "dwell_ms", "modality", "deal__side", "deal__place", "deal__policy"),
    *("deal__policy_version", "deal__propensity", "cast_at", "retraction", "deal__player__is_excluded"),
)


@dataclass(frozen=True, slots=True)
class VoteRow:
    """One vote. ``contenders`` found its pair, retired ones included; nobody that of a
    lesson. ``player`` is a number, not a name.

    ``left_out`` says why it is in no count, empty where it is in them; ``place`` is that in the round.
    """

    catalogue: str
    pair: int
    question: str
    words: str
    candidate: str
    category: str | None
    split: str
    contenders: tuple[int, ...]
    player: int
    answer: str
    dwell_ms: int
    modality: str
    side: str
    place: int
    policy: str
    policy_version: str
    propensity: float
    day: date
    counted: bool
    left_out: str


def list_votes(*, catalogue: str = "", at_once: int = AT_ONCE) -> Iterator[VoteRow]:
    """All votes, or those of one catalogue, by a few short queries for each ``at_once`` of them.

    None of those on which private encoders are compared: they are their players' own affair. In
    the order of their deals' random ids, which tells nothing of when they were cast. No query is open between
    two rows, so a vote that is cast meanwhile may be among them or not.
    """
    votes = Vote.objects.order_by("pk")
    described = votes.exclude(deal__policy=TASTE)
    if catalogue:
        described = described.filter(deal__pair__catalogue__slug=catalogue)
    last = ""
    # Keys first: joined to their deals, a database may walk through all deals again for each few votes.
    while keys := list(votes.filter(pk__gt=last).values_list("pk", flat=True)[:at_once]):
        last = keys[-1]
        yield from _describe(list(described.filter(pk__in=keys).values_list(*_NAMES)))


def _describe(rows: Sequence[Sequence[Any]]) -> Iterator[VoteRow]:
    finders = _read_finders({row[2] for row in rows})
    reasons = _read_reasons({row[8] for row in rows if row[-1]})
    for row in rows:
        pair, player, (cast_at, undone, is_out) = row[2], row[8], row[-3:]
        left_out = UNDONE if undone is not None else CHECK if row[14] in CHECKS else ""
        left_out = left_out or (reasons[player] if is_out else "")
        cells = [*row[1:8], tuple(finders[pair]), *row[8:17], cast_at.date(), not left_out, left_out]
        yield VoteRow(*cells)


def _read_finders(pairs: Iterable[int]) -> Mapping[int, Sequence[int]]:
    finders: dict[int, list[int]] = defaultdict(list)
    credits = Credit.objects.filter(pair__in=pairs).order_by("contender")
    for pair, contender in credits.values_list("pair_id", "contender_id"):
        finders[pair].append(contender)
    return finders


def _read_reasons(players: Iterable[int]) -> Mapping[int, str]:
    """Why each of these is left out: what their last verdict says."""
    verdicts = Verdict.objects.filter(player__in=players).order_by("number")
    return dict(verdicts.values_list("player_id", "reason"))
