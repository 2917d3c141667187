"""What votes teach an encoder: what people approved of lies nearer to a question than what they did not.

A dope and a nope on two candidates of one question, whoever gave them, make a triplet: the question's item is
the anchor, the dope's candidate the positive, the nope's the negative. Where people are divided about a
candidate, triplets contradict each other as often as people do, and an encoder learns from what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

PER_VOTE = 4  # triplets that one vote may be in; so a lone nope among many dopes does not teach everything
TRIES = 2  # times as many others that a vote is tried with: some are on the same candidate, or used up
PER_PLAYER = 200  # that the votes of one player may be in: nobody's taste becomes everybody's


@dataclass(frozen=True)
class Ballots:
    """n dopes and nopes that may teach, as parallel arrays (n,), in any order.

    ``question`` and ``candidate`` are the items that were asked about and shown; ``vote`` names each vote.
    Raises ValueError where the columns are of unequal length or a vote is named twice.
    """

    player: Places
    question: Places
    candidate: Places
    dope: Flags
    vote: Places

    def __post_init__(self) -> None:
        columns = (self.player, self.question, self.candidate, self.dope, self.vote)
        if len({len(column) for column in columns}) > 1:
            raise ValueError("Columns of votes are of unequal length.")
        if len(np.unique(self.vote)) < len(self.vote):
            raise ValueError("A vote teaches once: each is named once.")

    def __len__(self) -> int:
        return len(self.vote)


@dataclass(frozen=True)
class Lessons:
    """k triplets (k, 3) of anchor, positive and negative items, and the votes behind each, (k,)."""

    triplets: Places
    dope: Places
    nope: Places

    def __len__(self) -> int:
        return len(self.triplets)


def draw_lessons(
    ballots: Ballots, *, seed: int, per_player: int = PER_PLAYER, per_vote: int = PER_VOTE
) -> Lessons:
    """The triplets that votes come to; the same ones in whatever order the votes are given.

    ``seed`` draws the order in which questions use up what players may teach. A triplet counts for both
    players whose votes made it, once where they are one. A candidate that is the question's own item, or on
    both sides, teaches nothing. Of a question that very many judged, a vote is tried with some of the others
    only: so the work grows with the votes, not with their pairs.
    """
    order = np.lexsort((ballots.vote, ballots.question))
    order = order[ballots.candidate[order] != ballots.question[order]]
    starts = np.flatnonzero(np.diff(ballots.question[order], prepend=np.nan))
    groups = np.split(order, starts[1:]) if len(order) else []
    left = _Left(per_player=per_player, per_vote=per_vote)
    kept: list[tuple[int, int]] = []
    for number in np.random.default_rng(seed).permutation(len(groups)):
        rows = groups[number]
        said = ballots.dope[rows]
        for dope, nope in _pair(rows[said], rows[~said], rounds=TRIES * per_vote):
            if ballots.candidate[dope] != ballots.candidate[nope] and left.take(ballots, dope, nope):
                kept.append((dope, nope))
    dopes, nopes = np.array(sorted(kept), np.int64).reshape(-1, 2).T
    columns = (ballots.question[dopes], ballots.candidate[dopes], ballots.candidate[nopes])
    lines = np.lexsort((ballots.vote[nopes], ballots.vote[dopes]))
    return Lessons(
        np.stack(columns, axis=1).astype(np.int64)[lines],
        ballots.vote[dopes][lines],
        ballots.vote[nopes][lines],
    )


class _Left:
    """How much players and votes may still teach."""

    def __init__(self, *, per_player: int, per_vote: int) -> None:
        self._per_player, self._per_vote = per_player, per_vote
        self._players: Counter[int] = Counter()
        self._rows: Counter[int] = Counter()

    def take(self, ballots: Ballots, dope: int, nope: int) -> bool:
        """Whether both may teach once more; then that is noted."""
        players = {int(ballots.player[dope]), int(ballots.player[nope])}
        if any(self._rows[row] >= self._per_vote for row in (dope, nope)):
            return False
        if any(self._players[player] >= self._per_player for player in players):
            return False
        self._rows.update((dope, nope))
        self._players.update(players)
        return True


def _pair(dopes: Places, nopes: Places, *, rounds: int) -> Iterator[tuple[int, int]]:
    """Pairs of the two, in rounds in which each of the more numerous comes once: all are used evenly."""
    many, few = (dopes, nopes) if len(dopes) >= len(nopes) else (nopes, dopes)
    for turn in range(min(len(few), rounds)):
        for place, one in enumerate(many.tolist()):
            other = int(few[(place + turn) % len(few)])
            yield (one, other) if many is dopes else (other, one)
