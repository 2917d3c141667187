"""How much hangs on few: the fewest votes, and the fewest players, without whom somebody else would lead.

Approvals are plain shares of dopes. Somebody else leads where their share is above the leader's; of equals,
the first is the leader.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.stats.votes import Floats, Places, Votes

GRID = 21
SLACK = 1e-9  # so that rounding does not raise a lower bound


@dataclass(frozen=True)
class FewestVotes:
    """``votes`` is exact; ``dopes`` of them are for the leader, ``nopes`` against the ``rival``."""

    leader: int
    rival: int
    votes: int
    dopes: int
    nopes: int


@dataclass(frozen=True)
class FewestPlayers:
    """At least ``low`` must go, proven; ``players`` are such that somebody else leads without them.

    Where ``low`` is their number, that is exact. ``players`` is None where none were found.
    """

    leader: int
    low: int
    players: Places | None
    rival: int | None

    @property
    def high(self) -> int | None:
        return None if self.players is None else len(self.players)


@dataclass(frozen=True)
class _Counts:
    """Dopes and answers of leader and rival: in all, or of each player (g,)."""

    leader_dopes: Places
    leader_answers: Places
    rival_dopes: Places
    rival_answers: Places

    def without(self, gone: _Counts) -> _Counts:
        return _Counts(*(mine - theirs for mine, theirs in zip(_each(self), _each(gone), strict=True)))

    def margin(self) -> Places:
        """Above zero where the rival's share is above the leader's: both must have answers then."""
        margin: Places = self.rival_dopes * self.leader_answers - self.leader_dopes * self.rival_answers
        return margin


def find_leader(votes: Votes) -> int | None:
    """The contender with the largest share of dopes; None without votes."""
    answers = votes.found.T @ np.bincount(votes.pair, minlength=len(votes.found))
    if not answers.any():
        return None
    dopes = votes.found.T @ np.bincount(votes.pair[votes.dope], minlength=len(votes.found))
    return int(np.argmax(np.divide(dopes, answers, out=np.full(len(answers), -1.0), where=answers > 0)))


def fewest_votes(votes: Votes) -> FewestVotes | None:
    """The fewest votes without which somebody else would lead; None where no votes would do."""
    leader = find_leader(votes)
    if leader is None:
        return None
    rivals = (one for one in range(votes.found.shape[1]) if one != leader)
    found = [_fewest_votes(votes, leader, rival) for rival in rivals]
    return min((one for one in found if one), key=lambda one: one.votes, default=None)


def _fewest_votes(votes: Votes, leader: int, rival: int) -> FewestVotes | None:
    """Exact, for one rival.

    To take away a nope on what the leader alone found, or a dope on what the rival alone found, never helps.
    Instead of a dope on what both found, one on what the leader alone found takes as much from the leader and
    nothing from the rival: shared dopes go only once no others are left, and likewise shared nopes. So a
    choice is two numbers. For each number of dopes the margin is linear in the number of nopes, with one
    slope while they are the rival's alone and one while they are shared: the fewest that do are a quotient.
    """
    mine, theirs = votes.found[votes.pair, leader], votes.found[votes.pair, rival]
    alone = int((mine & ~theirs & votes.dope).sum())
    shared_dopes, shared_nopes = (
        int((mine & theirs & votes.dope).sum()),
        int((mine & theirs & ~votes.dope).sum()),
    )
    against = int((theirs & ~mine & ~votes.dope).sum())
    dopes = np.arange(alone + shared_dopes + 1)
    shared = np.maximum(0, dopes - alone)
    total = _count(votes, leader, rival)
    left = total.without(_Counts(dopes, dopes, shared, shared))
    nopes = _quotient(1 - left.margin(), left.leader_dopes)
    short = nopes > against
    margin = left.margin() + against * left.leader_dopes
    nopes[short] = against + _quotient(1 - margin, left.leader_dopes - left.rival_dopes)[short]
    possible = nopes <= against + shared_nopes
    if not possible.any():
        return None
    best = int(np.argmin(np.where(possible, dopes + nopes, np.iinfo(np.int64).max)))
    return FewestVotes(leader, rival, int(dopes[best] + nopes[best]), int(dopes[best]), int(nopes[best]))


def _quotient(needed: Places, slope: Places) -> Places:
    """The fewest steps of this slope that reach what is needed; more than there can be where none do."""
    never = np.iinfo(np.int64).max // 4
    steps = np.where(slope > 0, -(-needed // np.maximum(1, slope)), never)
    fewest: Places = np.where(needed <= 0, 0, steps)
    return fewest


def fewest_players(votes: Votes) -> FewestPlayers | None:
    """The fewest players without whom somebody else would lead, or bounds; None where no players would do.

    Which players is a hard question (two ratios over one set), so a number of them is ruled out by a bound
    and a set is found by trying. Without n players a rival leads only if some share t lies below the rival's
    and not below the leader's, so that of

        (rival's dopes - t answers) / rival's answers + (t leader's answers - dopes) / leader's answers,

    with denominators as they were, the numerators' sum is above zero. For a given t every player adds to it
    or takes from it on their own, so the most that n players can do is the sum of the n largest. That is
    convex in t and so largest at an end of where t may be: the least that the leader, and the most that the
    rival, can come to without n players. Where it is not above zero at either end, n are too few.
    """
    leader = find_leader(votes)
    if leader is None:
        return None
    people = np.unique(votes.player)
    lows: list[int] = []
    best: tuple[Places | None, int | None] = (None, None)
    for rival in range(votes.found.shape[1]):
        total, each = _count(votes, leader, rival), _count(votes, leader, rival, people)
        if rival == leader or not int(total.rival_answers):
            continue
        low = _least(total, each, len(people))
        if low is None:
            continue
        lows.append(low)
        gone = _try(total, each)
        if gone is not None and (best[0] is None or len(gone) < len(best[0])):
            best = people[gone], rival
    return FewestPlayers(leader, min(lows), *best) if lows else None


def _least(total: _Counts, each: _Counts, people: int) -> int | None:
    """The smallest number of players that is not ruled out; None where all are."""
    too_few, enough = 0, people + 1  # with everybody there, the leader leads
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if middle > people or _is_open(total, each, middle):
            enough = middle
        else:
            too_few = middle
    return enough if enough <= people else None


def _is_open(total: _Counts, each: _Counts, number: int) -> bool:
    low = _extreme(
        total.leader_dopes, total.leader_answers, each.leader_dopes, each.leader_answers, number, -1
    )
    high = _extreme(total.rival_dopes, total.rival_answers, each.rival_dopes, each.rival_answers, number, 1)
    if low > high:
        return False
    start = float(total.margin()) / float(total.leader_answers * total.rival_answers)
    return any(start + _largest(_gains(total, each, end), number) > -SLACK for end in (low, high))


def _gains(total: _Counts, each: _Counts, share: float) -> Floats:
    """(g,): what the sum in `fewest_players` gains by each player's going."""
    leader = (each.leader_dopes - share * each.leader_answers) / total.leader_answers
    rival = (each.rival_dopes - share * each.rival_answers) / total.rival_answers
    gains: Floats = leader - rival
    return gains


def _largest(gains: Floats, number: int) -> float:
    return float(np.maximum(0, np.sort(gains)[len(gains) - number :]).sum())


def _extreme(
    dopes: Places, answers: Places, each_dopes: Places, each_answers: Places, number: int, sign: int
) -> float:
    """The largest share, or with sign -1 the least, without at most so many players (Dinkelbach 1967)."""
    share = float(dopes / answers)
    while True:
        gains = sign * (share * each_answers - each_dopes)
        chosen = np.argsort(-gains, kind="stable")[:number]
        chosen = chosen[gains[chosen] > 0]
        left = int(answers - each_answers[chosen].sum())
        if left <= 0:
            return 1.0 if sign > 0 else 0.0
        further = float(dopes - each_dopes[chosen].sum()) / left
        if sign * (further - share) <= SLACK:
            return share + sign * SLACK
        share = further


def _try(total: _Counts, each: _Counts) -> Places | None:
    """Places of players without whom the rival leads, as few as are found by taking the largest gains."""
    leader = float(total.leader_dopes / total.leader_answers)
    rival = float(total.rival_dopes / total.rival_answers)
    best: Places | None = None
    for share in np.concatenate([np.linspace(rival, leader, GRID), np.linspace(0, 1, GRID)]):
        order = np.argsort(-_gains(total, each, float(share)), kind="stable")
        gone = _Counts(*(np.concatenate([[0], np.cumsum(one[order])]) for one in _each(each)))
        leads = total.without(gone).margin() > 0
        number = int(np.argmax(leads))
        if leads.any() and (best is None or number < len(best)):
            best = order[:number]
    return best


def _each(counts: _Counts) -> tuple[Places, Places, Places, Places]:
    return counts.leader_dopes, counts.leader_answers, counts.rival_dopes, counts.rival_answers


def _count(votes: Votes, leader: int, rival: int, people: Places | None = None) -> _Counts:
    """Of all players together, or of each of these, who are all there are."""
    groups = np.zeros(len(votes), np.int64) if people is None else np.searchsorted(people, votes.player)
    length = 1 if people is None else len(people)
    columns = []
    for contender in (leader, rival):
        mine = votes.found[votes.pair, contender]
        columns += [np.bincount(groups[counted], minlength=length) for counted in (mine & votes.dope, mine)]
    return _Counts(*(columns if people is not None else (column[0] for column in columns)))
