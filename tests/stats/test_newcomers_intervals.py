"""A newcomer's interval: half of what it found was judged by everybody, the other half by a few."""

import numpy as np

from evaluation.stats.intervals import Standing
from evaluation.stats.sequences import watched_interval
from evaluation.stats.votes import Votes, count_standings

BOARDS = 200
SHARED, OWN = 60, 60  # pairs
OLD, NEW = 400, 10  # players
# Log odds of a dope, of a player who is neither strict nor lenient. Players differ by one logit.
LIKED = 0.4


def _draw_votes(rng: np.random.Generator) -> Votes:
    """Of 20 shared pairs from each who came before it, and of 40 of its own from each who came after."""
    shown = np.zeros((OLD + NEW, SHARED + OWN), bool)
    shown[:OLD, :SHARED] = rng.random((OLD, SHARED)).argsort(axis=1) < 20
    shown[OLD:, SHARED:] = rng.random((NEW, OWN)).argsort(axis=1) < 40
    player, pair = np.nonzero(shown)
    lenient = rng.normal(size=OLD + NEW)
    return Votes(
        player=player,
        pair=pair,
        dope=rng.random(len(pair)) < 1 / (1 + np.exp(-(LIKED + lenient[player]))),
        question=np.arange(SHARED + OWN),
        found=np.ones((SHARED + OWN, 1), bool),
    )


def _draw_standing(rng: np.random.Generator) -> Standing:
    [standing] = count_standings(_draw_votes(rng))
    assert standing is not None
    return standing


def test_what_few_players_being_alike_costs_grows_with_the_weight_of_their_pairs() -> None:
    """Their 400 answers weigh as much as 8,000. Added to each other, the two costs miss in one of ten."""
    rng = np.random.default_rng(1)
    truth = float((1 / (1 + np.exp(-(LIKED + rng.normal(size=10**6))))).mean())
    intervals = [watched_interval(_draw_standing(rng)) for _ in range(BOARDS)]
    missed = np.mean([not one.low <= truth <= one.high for one in intervals])
    assert missed <= 0.05 + np.sqrt(0.05 * 0.95 / BOARDS)
