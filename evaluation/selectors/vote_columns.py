"""Votes of a catalogue as columns, for statistics that look at each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.models import Answer, BoardChange, Contender, Credit, Modality, Pair, Side, Vote
from evaluation.stats.availability import count_chances
from evaluation.stats.places import LESSON
from evaluation.stats.votes import Floats, Places, Votes

PRESENTATION = ("candidate first", "by key", "by drag", "place in the round")


@dataclass(frozen=True)
class VoteColumns:
    """Counted votes, oldest first; a number of a player, pair or contender is its place among these ids.

    ``categories`` of each pair's question, empty where it has none; ``votes`` are dopes and nopes, weighted
    so that each pair counts as often as any other: by the inverse of their propensities, and of at how many
    deals their pair could have been dealt; ``dwell_ms`` (n,) how long each took, ``shown`` (n, columns) how
    its pair was shown and answered, see `PRESENTATION`; ``dealt_at`` and ``cast_at`` (n,) when it was dealt
    and given, in seconds since 1970, and ``propensity`` (n,) how likely it was dealt; ``skippers`` and
    ``skipped`` (k,) are the players and pairs of the skips.
    """

    players: Places
    pairs: Places
    contenders: Places
    categories: list[str]
    votes: Votes
    dwell_ms: Floats
    shown: Floats
    dealt_at: Floats
    cast_at: Floats
    propensity: Floats
    skippers: Places
    skipped: Places


def read_votes(catalogue: int) -> VoteColumns:
    """The votes that count, on pairs that an active contender found, so none of lessons or checks."""
    active = Contender.objects.active().filter(catalogue_id=catalogue).order_by("pk")
    contenders = np.array(active.values_list("pk", flat=True), np.int64)
    pairs, found = _read_pairs(catalogue, contenders)
    table = _read_table(catalogue)
    chances = _count_chances(catalogue, pairs, table["deal__issued_at"])
    table = {name: column[np.isin(table["deal__pair_id"], pairs)] for name, column in table.items()}
    players, player = np.unique(table["deal__player_id"], return_inverse=True)
    pair = np.searchsorted(pairs, table["deal__pair_id"])
    skips = table["answer"] == Answer.SKIP
    said = ~skips
    asked = Pair.objects.filter(catalogue_id=catalogue).values_list("pk", "question_id", "category__value")
    facts = {pk: (question, category or "") for pk, question, category in asked}
    return VoteColumns(
        players=players.astype(np.int64),
        pairs=pairs,
        contenders=contenders,
        categories=[facts[one][1] for one in pairs.tolist()],
        votes=Votes(
            player=player[said],
            pair=pair[said],
            dope=table["answer"][said] == Answer.DOPE,
            # Numbered from 0: tables are as long as the largest.
            question=np.unique([facts[one][0] for one in pairs.tolist()], return_inverse=True)[1],
            found=found,
            weight=1 / (table["deal__propensity"] * chances[pair])[said].astype(float),
        ),
        dwell_ms=table["dwell_ms"][said].astype(float),
        shown=_describe(table)[said],
        dealt_at=_count_seconds(table["deal__issued_at"][said]),
        cast_at=_count_seconds(table["cast_at"][said]),
        propensity=table["deal__propensity"][said].astype(float),
        skippers=player[skips],
        skipped=pair[skips],
    )


def _read_table(catalogue: int) -> dict[str, NDArray[Any]]:
    """Counted votes by column, oldest first; those of lessons teach, and count for nobody."""
    names = (
        *("deal__player_id", "deal__pair_id", "answer", "dwell_ms", "modality"),
        *("deal__side", "deal__place", "deal__propensity", "deal__issued_at", "cast_at"),
    )
    counted = Vote.objects.on_the_board().filter(deal__pair__catalogue=catalogue).exclude(deal__policy=LESSON)
    rows = list(counted.order_by("cast_at", "pk").values_list(*names).iterator())
    columns = zip(*rows, strict=True) if rows else ([] for _ in names)
    return {
        name: np.array(column, dtype=None if rows else float)
        for name, column in zip(names, columns, strict=True)
    }


def _count_chances(catalogue: int, pairs: Places, issued: NDArray[Any]) -> Places:
    """(m,): at how many of these deals each pair could have been dealt, for whichever contender."""
    holders, spans = _read_spans(catalogue)
    contenders = np.unique(holders)
    every, found = _read_pairs(catalogue, contenders)
    found = found[np.isin(every, pairs)][:, np.searchsorted(contenders, holders)]
    return count_chances(found, spans, _count_seconds(issued))


def _count_seconds(moments: NDArray[Any]) -> Floats:
    """(n,): since 1970."""
    return np.array([moment.timestamp() for moment in moments], float)


def _read_spans(catalogue: int) -> tuple[Places, Floats]:
    """Who stood on the board (s,), since when and until when in seconds (s, 2); one that returned, twice."""
    begun: dict[int, float] = {}
    spans: list[tuple[int, float, float]] = []
    changes = BoardChange.objects.filter(contender__catalogue=catalogue).order_by("at", "pk")
    for contender, kind, at in changes.values_list("contender_id", "kind", "at"):
        if kind in (BoardChange.Kind.ENTERED, BoardChange.Kind.RETURNED):
            begun.setdefault(contender, at.timestamp())
        elif contender in begun:
            spans.append((contender, begun.pop(contender), at.timestamp()))
    spans += [(contender, since, np.inf) for contender, since in begun.items()]
    table = np.array(spans, float).reshape(-1, 3)
    return table[:, 0].astype(np.int64), table[:, 1:]


def _describe(table: dict[str, NDArray[Any]]) -> Floats:
    """(n, columns): how each pair was shown and answered, in the order of `PRESENTATION`."""
    return np.column_stack(
        [
            table["deal__side"] == Side.CANDIDATE_FIRST,
            table["modality"] == Modality.KEY,
            table["modality"] == Modality.DRAG,
            table["deal__place"],
        ]
    ).astype(float)


def _read_pairs(catalogue: int, contenders: Places) -> tuple[Places, NDArray[np.bool_]]:
    """The pairs that any of these contenders found, sorted (m,), and who found each (m, c)."""
    credits = Credit.objects.filter(pair__catalogue=catalogue, contender__in=contenders.tolist())
    rows = np.array(list(credits.values_list("pair_id", "contender_id")), np.int64).reshape(-1, 2)
    pairs, place = np.unique(rows[:, 0], return_inverse=True)
    found = np.zeros((len(pairs), len(contenders)), dtype=bool)
    found[place, np.searchsorted(contenders, rows[:, 1])] = True
    return pairs, found
