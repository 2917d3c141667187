"""Votes as columns, and what each contender comes to by counting them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from evaluation.stats.evenness import UNIT, Evenness
from evaluation.stats.intervals import Clustering, Moments, Standing, stand

Places = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Votes:
    """n dopes and nopes on m pairs for c contenders; players, pairs and questions are numbered from 0.

    ``player``, ``pair`` (n,); ``dope`` (n,) bool; ``question`` (m,) is what each pair asks; ``found`` (m, c),
    bool: a vote on a pair counts for every contender that found it. ``weight`` (n,), where given, is the
    inverse of the propensity with which each was dealt, up to a factor.
    Raises ValueError where the columns do not belong together.
    """

    player: Places
    pair: Places
    dope: Flags
    question: Places
    found: Flags
    weight: Floats | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.player), len(self.pair), len(self.dope)}
        if self.weight is not None:
            lengths.add(len(self.weight))
        if len(lengths) > 1 or len(self.question) != len(self.found):
            raise ValueError("Columns of votes, or of pairs, are of unequal length.")
        if len(self) and not (self.pair.min() >= 0 and self.pair.max() < len(self.found)):
            raise ValueError(f"A vote is on a pair that is not among the {len(self.found)}.")
        if self.weight is not None and not (np.isfinite(self.weight) & (self.weight > 0)).all():
            raise ValueError("A vote's weight is a finite number above zero.")

    def __len__(self) -> int:
        return len(self.pair)

    @property
    def weights(self) -> Floats:
        """(n,): of each vote; ones where none are given."""
        return np.ones(len(self)) if self.weight is None else self.weight

    def only(self, kept: Flags) -> Votes:
        """Those that are kept, (n,) bool, of the same pairs and contenders."""
        weight = None if self.weight is None else self.weight[kept]
        return replace(
            self, player=self.player[kept], pair=self.pair[kept], dope=self.dope[kept], weight=weight
        )

    def sum_by(self, groups: Places, values: Floats) -> csr_array:
        """(groups, c): the sums of ``values`` (n,) over each group's votes on what each contender found."""
        count = int(groups.max()) + 1 if len(groups) else 0
        on_pairs = csr_array((values, (groups, self.pair)), shape=(count, len(self.found)))
        return on_pairs @ csr_array(self.found.astype(float))


def count_standings(votes: Votes) -> list[Standing | None]:
    """What the live board shows of the same votes: by counts, whatever their weights; None without any."""
    ones = np.ones(len(votes))
    ways = []
    for groups in (votes.player, votes.pair):
        answers = votes.sum_by(groups, ones).toarray().round().astype(np.int64)
        dopes = votes.sum_by(groups, votes.dope.astype(float)).toarray().round().astype(np.int64)
        ways.append((dopes, answers))
    (dopes, answers), judged = ways
    return [
        stand(
            int(dopes[:, one].sum()),
            int(answers[:, one].sum()),
            _cluster(ways, one),
            sum_evenness(judged[0][:, one], judged[1][:, one]),
        )
        if answers[:, one].any()
        else None
        for one in range(votes.found.shape[1])
    ]


def sum_evenness(dopes: Places, answers: Places) -> Evenness:
    """Of pairs with so many dopes among so many answers, (m,) each; those without answers are left out."""
    some = answers > 0
    shares, inverses = dopes[some] * UNIT // answers[some], UNIT // answers[some]
    return Evenness(int(some.sum()), int(shares.sum()), int(inverses.sum()))


def _cluster(ways: list[tuple[Places, Places]], contender: int) -> Clustering:
    return Clustering(*(_moments(d[:, contender], n[:, contender]) for d, n in ways))


def _moments(d: Places, n: Places) -> Moments:
    return Moments(int((n > 0).sum()), int(d @ d), int(d @ n), int(n @ n))
