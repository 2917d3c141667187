"""Counted answers of a catalogue in the order of their deals, for comparisons of its contenders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Max, Q
from django.db.models.functions import Coalesce

from evaluation.models import Answer, BoardChange, Contender, Credit, Pair, Vote
from evaluation.stats.allocation import POLICY
from evaluation.stats.comparisons import Answers
from evaluation.stats.votes import Places


@dataclass(frozen=True)
class DealtAnswers:
    """``contenders`` (c,) are the active ones' ids, and columns of ``answers``; skips are left out.

    Pairs that only a retired contender found are in it, as found by nobody: they were dealt as well. Before
    its place in ``starts`` (c,) a contender's pairs were not dealt for it; so many ``questions`` are asked.
    """

    contenders: Places
    answers: Answers
    starts: Places
    questions: int


def read_dealt_answers(catalogue: int) -> DealtAnswers:
    """Everything that counts, oldest deal first."""
    starts = _read_starts(catalogue)
    contenders = np.array(list(starts), np.int64)
    pairs = np.array(
        Pair.objects.filter(catalogue_id=catalogue).order_by("pk").values_list("pk"), np.int64
    ).ravel()
    found = np.zeros((len(pairs), len(contenders)), dtype=bool)
    credits = Credit.objects.filter(contender__in=contenders.tolist())
    rows = np.array(list(credits.values_list("pair_id", "contender_id")), np.int64).reshape(-1, 2)
    rows = rows[np.isin(rows[:, 0], pairs)]
    found[np.searchsorted(pairs, rows[:, 0]), np.searchsorted(contenders, rows[:, 1])] = True
    known = set(pairs.tolist())  # a contender may enter, and find others, while this reads
    table = [row for row in _read_table(catalogue) if row[1] in known]
    issued = np.array([row[4].timestamp() for row in table])
    answers = Answers(
        players=np.unique(np.array([row[0] for row in table], np.int64), return_inverse=True)[1],
        found=found[np.searchsorted(pairs, np.array([row[1] for row in table], np.int64))],
        dopes=np.array([row[2] == Answer.DOPE for row in table], bool),
        propensities=np.array([row[3] for row in table], float),
    )
    asked = Pair.objects.filter(credits__contender__in=contenders.tolist(), catalogue_id=catalogue)
    questions = asked.values("question_id").distinct().count()
    return DealtAnswers(contenders, answers, np.searchsorted(issued, list(starts.values())), questions)


def _read_table(catalogue: int) -> list[tuple[Any, ...]]:
    """(player, pair, answer, propensity, when it was dealt) of each; lessons and checks are none."""
    counted = Vote.objects.on_the_board().filter(deal__policy=POLICY, deal__pair__catalogue=catalogue)
    counted = counted.exclude(answer=Answer.SKIP)
    names = ("deal__player_id", "deal__pair_id", "answer", "deal__propensity", "deal__issued_at")
    return list(counted.order_by("deal__issued_at", "deal__place", "pk").values_list(*names).iterator())


def _read_starts(catalogue: int) -> dict[int, float]:
    """Active contenders by id: since when each has been on the board without a break, in seconds."""
    returned = Max("changes__at", filter=Q(changes__kind=BoardChange.Kind.RETURNED))
    active = Contender.objects.active().filter(catalogue_id=catalogue).order_by("pk")
    since = active.annotate(since=Coalesce(returned, "entered_at")).values_list("pk", "since")
    return {pk: at.timestamp() for pk, at in since}
