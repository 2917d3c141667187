"""The dealing policy: which pair a player judges next, and with exactly which probability.

What a place is for comes first (`places`); this is about those for pairs that contenders found.

"uniform-discordant": with probability EPSILON a pair is drawn uniformly from all that this player may
still get; else in proportion to a weight that favours pairs on which contenders disagree whose comparison is
still open, and pairs judged seldom. The uniform part keeps every pair within reach and every propensity above
EPSILON / number of pairs, so estimates are corrected by them (`comparisons`).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evaluation.stats.open_comparisons import weigh_comparisons

POLICY = "uniform-discordant"
POLICY_VERSION = "3"  # of all that is dealt
EPSILON = 0.5
# Share of a pool, and of its weight, from which on drawing until an open pair comes is quicker.
MOSTLY_OPEN = 0.25


@dataclass(frozen=True)
class Shelf:
    """Pairs that may be dealt for one purpose, as parallel arrays of length n, sorted by pair id.

    What is not drawn uniformly is drawn in proportion to ``weights``: here, as uniformly.
    """

    pairs: NDArray[np.int64]
    questions: NDArray[np.int64]
    weights: NDArray[np.float64] = field(init=False)
    cumulative: NDArray[np.float64] = field(init=False)  # sums of the weights up to each pair
    by_question: NDArray[np.int64] = field(init=False)  # positions, ordered by question

    def __post_init__(self) -> None:
        weights = self._weigh()
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "cumulative", np.cumsum(weights))
        object.__setattr__(self, "by_question", np.argsort(self.questions, kind="stable"))

    def __len__(self) -> int:
        return len(self.pairs)

    def _weigh(self) -> NDArray[np.float64]:
        return np.ones(len(self.pairs))

    def positions_of(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where these pairs stand; those that are not here are left out."""
        if not len(self):
            return np.empty(0, dtype=np.int64)
        places = np.searchsorted(self.pairs, pairs)
        known: NDArray[np.int64] = places[self.pairs.take(places, mode="clip") == pairs]
        return known

    def positions_asking(self, question: int) -> NDArray[np.int64]:
        """Where the pairs of one question stand."""
        first, last = np.searchsorted(self.questions, [question, question + 1], sorter=self.by_question)
        return self.by_question[first:last]


@dataclass(frozen=True)
class Pool(Shelf):
    """The pairs of a catalogue that an active contender found, as parallel arrays."""

    judged: NDArray[np.int64]  # answers so far, skips included
    dopes: NDArray[np.int64]
    nopes: NDArray[np.int64]
    found: NDArray[np.bool_]  # (n, contenders): which of the active contenders found the pair

    def _weigh(self) -> NDArray[np.float64]:
        return weigh(self.found, self.judged, dopes=self.dopes, answers=self.dopes + self.nopes)

    @property
    def finders(self) -> NDArray[np.int64]:
        """How many contenders found each pair."""
        finders: NDArray[np.int64] = self.found.sum(axis=1)
        return finders


@dataclass(frozen=True)
class Draw:
    """One pair drawn for one place; ``propensity``: how likely it was among those of its ``policy``."""

    pair: int
    question: int
    propensity: float
    policy: str = POLICY


def weigh(
    found: NDArray[np.bool_],
    judged: NDArray[np.int64],
    *,
    dopes: NDArray[np.int64],
    answers: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(n,): what each pair is worth for the comparisons that are open; as `weigh_evenly` where none is.

    The square root of the sum, over open comparisons of i and j by their weight, of (c_i - c_j)^2, with c_i
    whether i found the pair: the draws with which the weighted sum of the variances of Horvitz & Thompson's
    estimates is smallest (Neyman 1934; Sarndal, Swensson & Wretman 1992, section 3.6). A pair that nobody
    judged weighs twice as much, one with many answers hardly more.
    """
    needs = weigh_comparisons(found, dopes, answers)
    credit = found.astype(float)
    # The sum over i < j of w_ij (c_i - c_j)^2 is c' L c, with L the Laplacian of the weights.
    contrasts = ((credit @ (np.diag(needs.sum(axis=1)) - needs)) * credit).sum(axis=1)
    weights: NDArray[np.float64] = np.sqrt(np.maximum(0.0, contrasts)) * (1 + 1 / (1.0 + judged))
    return weights if weights.any() else weigh_evenly(judged, found)


def weigh_evenly(judged: NDArray[np.int64], found: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(1/2 + disagreement) / (1 + judged)^2, with disagreement 4 s (1 - s), s the share that found it.

    The square makes counts grow nearly evenly whatever the disagreement.
    """
    share = found.sum(axis=1) / max(1, found.shape[1])
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
    tray = Tray(pool, seen, epsilon=epsilon)
    drawn: list[Draw] = []
    while len(drawn) < count and tray.left:
        drawn.append(tray.draw(previous_question, rng))
        previous_question = drawn[-1].question
    return drawn


class Tray:
    """What one player may still get of a shelf: all but what they were ever dealt."""

    def __init__(
        self, shelf: Shelf, seen: NDArray[np.int64], *, policy: str = POLICY, epsilon: float = EPSILON
    ) -> None:
        self.shelf, self.policy, self.epsilon = shelf, policy, epsilon
        self._closed = set(shelf.positions_of(seen).tolist())

    @property
    def left(self) -> int:
        """How many pairs."""
        return len(self.shelf) - len(self._closed)

    def draw(self, previous_question: int | None, rng: np.random.Generator) -> Draw:
        """Draw one of what is left, which must be something; it is then closed as well."""
        shut = self._closed | self._find_blocked(previous_question)
        position, chance = _draw(self.shelf, shut, rng, self.epsilon)
        self._closed.add(position)
        pair, question = int(self.shelf.pairs[position]), int(self.shelf.questions[position])
        return Draw(pair, question, chance, self.policy)

    def close(self, pair: int) -> None:
        """Leave this pair out from now on."""
        self._closed.update(self.shelf.positions_of(np.array([pair])).tolist())

    def _find_blocked(self, question: int | None) -> set[int]:
        """Open positions that would ask the same question again; none where no other question is left."""
        if question is None:
            return set()
        same = set(self.shelf.positions_asking(question).tolist()) - self._closed
        return same if len(same) < self.left else set()


def _draw(shelf: Shelf, shut: set[int], rng: np.random.Generator, epsilon: float) -> tuple[int, float]:
    """One position that is not shut, and the probability with which it was drawn.

    While most of the shelf is open, a position is drawn from all of it until it is an open one: the
    same distribution as among the open ones, without a look at each of them.
    """
    total = float(shelf.cumulative[-1])
    places = np.fromiter(shut, np.int64, len(shut))
    left, weight = len(shelf) - len(shut), total - float(shelf.weights[places].sum())
    if left < MOSTLY_OPEN * len(shelf) or weight < MOSTLY_OPEN * total:
        is_open = np.ones(len(shelf), dtype=bool)
        is_open[places] = False
        positions = np.flatnonzero(is_open)
        chances = deal_probabilities(shelf.weights[positions], epsilon=epsilon)
        turn = int(np.searchsorted(np.cumsum(chances), rng.random(), side="right"))
        turn = min(turn, len(positions) - 1)  # the sum may miss 1 by rounding
        return int(positions[turn]), float(chances[turn])
    is_uniform = rng.random() < epsilon
    while True:
        if is_uniform:
            position = int(rng.integers(len(shelf)))
        else:
            turn = int(np.searchsorted(shelf.cumulative, rng.random() * total, side="right"))
            position = min(turn, len(shelf) - 1)
        if position not in shut:
            return position, epsilon / left + (1 - epsilon) * float(shelf.weights[position]) / weight


def deal_probabilities(weights: NDArray[np.float64], *, epsilon: float = EPSILON) -> NDArray[np.float64]:
    """The probability of each of n open pairs: epsilon / n plus the rest in proportion to the weights.

    All alike where no weight is left: what this player may still get tells nothing apart.
    """
    total = weights.sum()
    shares = weights / total if total > 0 else np.full(len(weights), 1 / len(weights))
    chances: NDArray[np.float64] = epsilon / len(weights) + (1 - epsilon) * shares
    return chances
