"""What each place of a round is for: a pair that counts, a lesson, a check, or a player's own comparison.

The purpose of a place is drawn first, with stated chances that no answer changes; then its pair, with the
propensity that a deal keeps: how likely that pair was among those for the same purpose. Estimates rest on
places of the one policy (`allocation`), so what stands between them changes none of their weights.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.stats.allocation import Draw, Pool, Shelf, Tray

CHECK_SHARE = 0.04  # of all places
LESSON_SHARE = 0.2  # of all places, while the player has lessons left
TASTE_SHARE = 0.2  # of all places, while the player has a private encoder and questions to compare it on
LESSON, TASTE = "lesson", "taste"
IDENTICAL, RANDOM, REPEAT = "catch-identical", "catch-random", "repeat"
# Policies whose votes say something about the player, and count for nobody.
CHECKS = (IDENTICAL, RANDOM, REPEAT)
# Policies whose votes are not even counted for their pair: what is said of a private encoder is private.
UNCOUNTED = (*CHECKS, TASTE)
NO_PAIRS = Shelf(*np.empty((2, 0), dtype=np.int64))


@dataclass(frozen=True)
class Lessons(Shelf):
    """Pairs of trainable questions, which teach the next encoder and count for no contender.

    Half of the draws are uniform; the other half are of questions that were begun and are not decided: with
    an answer, but not yet both a dope on one candidate and a nope on another, whatever else was said of them:
    what makes a triplet (`lessons.draw_lessons`).
    """

    dopes: NDArray[np.int64]
    nopes: NDArray[np.int64]

    def _weigh(self) -> NDArray[np.float64]:
        _, question = np.unique(self.questions, return_inverse=True)
        loved, hated, answered = (
            np.bincount(question, weights=flags)[question]
            for flags in (self.dopes > 0, self.nopes > 0, self.dopes + self.nopes > 0)
        )
        # With two candidates answered, a dope and a nope stand on two of them, or can be so chosen.
        wanted = (answered > 0) & ~((loved > 0) & (hated > 0) & (answered > 1))
        return wanted.astype(float) if wanted.any() else super()._weigh()


@dataclass(frozen=True)
class Stock:
    """All that may be dealt of a catalogue. Without ``identical`` pairs there are no checks at all."""

    pool: Pool
    lessons: Lessons
    identical: Shelf  # the same item twice
    random: Shelf  # two items of different categories


def draw_places(
    stock: Stock,
    *,
    seen: NDArray[np.int64],
    count: int,
    previous_question: int | None,
    find_repeats: Callable[[], Shelf],
    rng: np.random.Generator,
    contest: Shelf = NO_PAIRS,
) -> list[Draw]:
    """Draw up to ``count`` pairs for consecutive places of one player; fewer where no more are left.

    ``seen`` as for `draw_pairs`: only what ``find_repeats`` gives, pairs that this player answered a while
    ago, is dealt again. It is asked wherever a repeat is due. Once the pairs that count are used up, lessons
    take their places; checks alone make no round.

    ``contest`` holds two pairs of each question on which the player's private encoder is compared with the
    public one. One of the two is dealt, each with probability 1/2 whatever came before, and the other never;
    the one dealt does not come to count among the same places.
    """
    ordinary, lessons = Tray(stock.pool, seen), Tray(stock.lessons, seen, policy=LESSON)
    drawn: list[Draw] = []
    while len(drawn) < count and len(stock.pool) and (ordinary.left or lessons.left):
        chance, lessons_until = rng.random(), CHECK_SHARE + LESSON_SHARE
        draw = None
        if chance < CHECK_SHARE and len(stock.identical):
            draw = _draw_check(stock, seen, drawn, find_repeats, previous_question, rng)
        elif lessons_until <= chance < lessons_until + TASTE_SHARE:
            contest = _leave_out(contest, drawn)
            draw = _draw_taste(contest, previous_question, rng)
            if draw is not None:
                ordinary.close(draw.pair)
        if draw is None:
            is_lesson = CHECK_SHARE <= chance < lessons_until
            tray = lessons if lessons.left and (is_lesson or not ordinary.left) else ordinary
            draw = tray.draw(previous_question, rng)
        drawn.append(draw)
        previous_question = draw.question
    return drawn


def _leave_out(contest: Shelf, drawn: Sequence[Draw]) -> Shelf:
    """Without the questions just asked, whichever pair of them it was."""
    open_ = ~np.isin(contest.questions, [one.question for one in drawn])
    return Shelf(contest.pairs[open_], contest.questions[open_])


def _draw_taste(contest: Shelf, previous_question: int | None, rng: np.random.Generator) -> Draw | None:
    """Both pairs of a question are open or neither is: so a uniform draw is a fair coin between the two."""
    tray = Tray(contest, np.empty(0, dtype=np.int64), policy=TASTE)
    return tray.draw(previous_question, rng) if tray.left else None


def _draw_check(
    stock: Stock,
    seen: NDArray[np.int64],
    drawn: Sequence[Draw],
    find_repeats: Callable[[], Shelf],
    previous_question: int | None,
    rng: np.random.Generator,
) -> Draw | None:
    """One of the three kinds alike, or of those that are left; None where there is nothing to check with."""
    just_now = np.array([one.pair for one in drawn], dtype=np.int64)
    for turn in rng.permutation(len(CHECKS)).tolist():
        policy = CHECKS[turn]
        if policy == REPEAT:
            tray = Tray(find_repeats(), just_now, policy=policy)
        else:
            shelf = stock.identical if policy == IDENTICAL else stock.random
            tray = Tray(shelf, np.append(seen, just_now), policy=policy)
        if tray.left:
            return tray.draw(previous_question, rng)
    return None
