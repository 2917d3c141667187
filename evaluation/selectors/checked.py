"""What players answered where the answer was known: on pairs made for it, and on pairs asked again."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, Subquery

from evaluation.models import Answer, Credit, Vote
from evaluation.stats.places import CHECKS, IDENTICAL, RANDOM

KNOWN = {IDENTICAL: Answer.DOPE, RANDOM: Answer.NOPE}


@dataclass(frozen=True)
class Checked:
    """Of one player, skips left out: ``wrong`` of ``shown`` catch pairs, ``changed`` of ``repeated`` ones."""

    wrong: int = 0
    shown: int = 0
    changed: int = 0
    repeated: int = 0


def read_checked(catalogue: int) -> dict[int, Checked]:
    """By player. A pair asked again counts where its first answer stands and was no skip either.

    Of what a contender found since, the answer is not known any more.
    """
    first = Vote.objects.counting().filter(
        deal__player=OuterRef("deal__player"), deal__pair=OuterRef("deal__pair")
    )
    votes = (
        Vote.objects.filter(retraction=None, deal__policy__in=CHECKS, deal__pair__catalogue=catalogue)
        .exclude(answer=Answer.SKIP)
        .exclude(Q(deal__policy__in=KNOWN) & Exists(Credit.objects.filter(pair=OuterRef("deal__pair"))))
        .annotate(first=Subquery(first.exclude(answer=Answer.SKIP).values("answer")[:1]))
    )
    told: dict[int, Counter[str]] = defaultdict(Counter)
    for player, policy, answer, before in votes.values_list(
        "deal__player_id", "deal__policy", "answer", "first"
    ).iterator():
        if policy in KNOWN:
            told[player].update(shown=1, wrong=int(answer != KNOWN[policy]))
        elif before is not None:
            told[player].update(repeated=1, changed=int(answer != before))
    return {player: Checked(**counts) for player, counts in told.items()}
