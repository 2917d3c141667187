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


@dataclass(frozen=True)
class Pool:
    """The pairs of a catalogue that may be dealt, as parallel arrays of length n, sorted by pair id."""

    pairs: NDArray[np.int64]
    questions: NDArray[np.int64]
    judged: NDArray[np.int64]  # answers so far, skips included
    finders: NDArray[np.int64]  # how many of the active contenders found the pair
    contenders: int  # active ones
    weights: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", weigh(self.judged, self.finders, self.contenders))

    def __len__(self) -> int:
        return len(self.pairs)

    def positions_of(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where these pairs stand in the pool; those that are not in it are left out."""
        places = np.searchsorted(self.pairs, pairs)
        places = places[places < len(self.pairs)]
        known: NDArray[np.int64] = places[np.isin(self.pairs[places], pairs)]
        return known


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
    left = np.ones(len(pool), dtype=bool)
    left[pool.positions_of(seen)] = False
    drawn: list[Draw] = []
    for _ in range(count):
        open_now = left
        if previous_question is not None:
            others = left & (pool.questions != previous_question)
            open_now = others if others.any() else left
        positions = np.flatnonzero(open_now)
        if not len(positions):
            break
        chances = deal_probabilities(pool.weights[positions], epsilon=epsilon)
        turn = int(np.searchsorted(np.cumsum(chances), rng.random(), side="right"))
        turn = min(turn, len(positions) - 1)  # the sum may miss 1 by rounding
        position = positions[turn]
        previous_question = int(pool.questions[position])
        drawn.append(Draw(int(pool.pairs[position]), previous_question, float(chances[turn])))
        left[position] = False
    return drawn


def deal_probabilities(weights: NDArray[np.float64], *, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """The probability of each of n open pairs: epsilon / n plus the rest in proportion to the weights."""
    chances: NDArray[np.float64] = epsilon / len(weights) + (1 - epsilon) * weights / weights.sum()
    return chances
