"""The dealing policy: which pair a player judges next, and with exactly which probability.

"uniform-discordant": with probability EPSILON a pair is drawn uniformly from all that this player may
still get; else in proportion to a weight that favours pairs judged seldom and pairs on which contenders
disagree. The uniform part keeps every pair within reach and every propensity above EPSILON / number of
pairs, so estimates can be corrected afterwards; favouring the seldom judged evens the counts out over the
pairs, so that the plain share stays close to the share over all questions.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

POLICY = "uniform-discordant"
POLICY_VERSION = "1"
EPSILON = 0.5
# Share of a pool, and of its weight, from which on drawing until an open pair comes is quicker.
MOSTLY_OPEN = 0.25


@dataclass(frozen=True)
class Pool:
    """The pairs of a catalogue that may be dealt, as parallel arrays of length n, sorted by pair id."""

    pairs: NDArray[np.int64]
    questions: NDArray[np.int64]
    judged: NDArray[np.int64]  # answers so far, skips included
    finders: NDArray[np.int64]  # how many of the active contenders found the pair
    contenders: int  # active ones
    weights: NDArray[np.float64] = field(init=False)
    cumulative: NDArray[np.float64] = field(init=False)  # sums of the weights up to each pair
    by_question: NDArray[np.int64] = field(init=False)  # positions, ordered by question

    def __post_init__(self) -> None:
        weights = weigh(self.judged, self.finders, self.contenders)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "cumulative", np.cumsum(weights))
        object.__setattr__(self, "by_question", np.argsort(self.questions, kind="stable"))

    def __len__(self) -> int:
        return len(self.pairs)

    def positions_of(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where these pairs stand in the pool; those that are not in it are left out."""
        places = np.searchsorted(self.pairs, pairs)
        places = places[places < len(self.pairs)]
        known: NDArray[np.int64] = places[np.isin(self.pairs[places], pairs)]
        return known

    def positions_asking(self, question: int) -> NDArray[np.int64]:
        """Where the pairs of one question stand in the pool."""
        first, last = np.searchsorted(self.questions, [question, question + 1], sorter=self.by_question)
        return self.by_question[first:last]


@dataclass(frozen=True)
class Draw:
    """One pair drawn for one place."""

    pair: int
    question: int
    propensity: float


def weigh(judged: NDArray[np.int64], finders: NDArray[np.int64], contenders: int) -> NDArray[np.float64]:
    """(1/2 + disagreement) / (1 + judged)^2, with disagreement 4 s (1 - s), s the share that found it.

    s (1 - s) is the variance, between contenders, of being credited with the pair: what a vote on it can
    tell apart. The square makes counts grow nearly evenly whatever the disagreement.
    """
    share = finders / max(1, contenders)
    weights: NDArray[np.float64] = (0.5 + 4 * share * (1 - share)) / (1.0 + judged) ** 2
    return weights


def draw_pairs(
    pool: Pool,
    *,
    seen: NDArray[np.int64],
    count: int,
    previous_question: int | None,
    rng: np.random.Generator,
    epsilon: float = EPSILON,
) -> list[Draw]:
    """Draw up to ``count`` pairs for consecutive places of one player; fewer where no more are left.

    ``seen`` holds ids of pairs this player was ever dealt: none is drawn again. A question never follows
    itself while another is left. Each propensity is conditional on the draws before it.
    """
    closed = set(pool.positions_of(seen).tolist())
    drawn: list[Draw] = []
    for _ in range(count):
        blocked = _find_blocked(pool, closed, previous_question)
        if len(closed) + len(blocked) == len(pool):
            break
        position, chance = _draw(pool, closed | blocked, rng, epsilon)
        previous_question = int(pool.questions[position])
        drawn.append(Draw(int(pool.pairs[position]), previous_question, chance))
        closed.add(position)
    return drawn


def _find_blocked(pool: Pool, closed: set[int], question: int | None) -> set[int]:
    """Open positions that would ask the same question again; none where no other question is left."""
    if question is None:
        return set()
    same = set(pool.positions_asking(question).tolist()) - closed
    return same if len(closed) + len(same) < len(pool) else set()


def _draw(pool: Pool, shut: set[int], rng: np.random.Generator, epsilon: float) -> tuple[int, float]:
    """One position that is not shut, and the probability with which it was drawn.

    While most of the pool is open, a position is drawn from the whole pool until it is an open one: the
    same distribution as among the open ones, without a look at each of them.
    """
    total = float(pool.cumulative[-1])
    places = np.fromiter(shut, np.int64, len(shut))
    left, weight = len(pool) - len(shut), total - float(pool.weights[places].sum())
    if left < MOSTLY_OPEN * len(pool) or weight < MOSTLY_OPEN * total:
        is_open = np.ones(len(pool), dtype=bool)
        is_open[places] = False
        positions = np.flatnonzero(is_open)
        chances = deal_probabilities(pool.weights[positions], epsilon=epsilon)
        turn = int(np.searchsorted(np.cumsum(chances), rng.random(), side="right"))
        turn = min(turn, len(positions) - 1)  # the sum may miss 1 by rounding
        return int(positions[turn]), float(chances[turn])
    is_uniform = rng.random() < epsilon
    while True:
        if is_uniform:
            position = int(rng.integers(len(pool)))
        else:
            turn = int(np.searchsorted(pool.cumulative, rng.random() * total, side="right"))
            position = min(turn, len(pool) - 1)
        if position not in shut:
            return position, epsilon / left + (1 - epsilon) * float(pool.weights[position]) / weight


def deal_probabilities(weights: NDArray[np.float64], *, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """The probability of each of n open pairs: epsilon / n plus the rest in proportion to the weights."""
    chances: NDArray[np.float64] = epsilon / len(weights) + (1 - epsilon) * weights / weights.sum()
    return chances
