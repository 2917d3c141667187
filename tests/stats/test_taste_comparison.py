"""Private against public by one person's answers: bounds that hold at all looks, and plain verdicts."""

import numpy as np
import pytest

from evaluation.stats.taste import FEWEST, Heard, compare_taste

RUNS, LOOKS = 400, 200


@pytest.mark.parametrize(("private", "public"), [(0.5, 0.5), (0.9, 0.9), (0.7, 0.4), (0.2, 0.6)])
def test_at_some_look_the_bounds_are_wrong_at_most_in_one_comparison_of_twenty(
    private: float, public: float
) -> None:
    """People skip one in ten; questions differ, and so does how much each of the two is liked on them."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(RUNS):
        is_private = rng.random(LOOKS) < 0.5
        ease = rng.uniform(-0.1, 0.1, LOOKS)
        dope = rng.random(LOOKS) < np.where(is_private, private, public) + ease
        skipped = rng.random(LOOKS) < 0.1
        truth = 0.9 * (private - public)  # a skip is half a dope, whoever found it
        counts = [
            np.cumsum(is_this & said)
            for is_this in (is_private, ~is_private)
            for said in (dope & ~skipped, ~dope & ~skipped, skipped)
        ]
        missed = False
        for look in range(FEWEST, LOOKS, 5):
            told = [int(count[look]) for count in counts]
            lead = compare_taste(Heard(*told[:3]), Heard(*told[3:])).lead
            assert lead is not None
            missed |= not lead.low <= truth <= lead.high
        wrong += missed
    assert wrong / RUNS <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / RUNS)


def test_before_the_fewest_answers_nothing_is_said() -> None:
    comparison = compare_taste(Heard(dopes=9), Heard(nopes=9, skips=1))
    assert (comparison.verdict, comparison.lead, comparison.missing) == ("early", None, 1)


def test_verdicts_follow_the_bounds_and_the_other_side_is_the_mirror() -> None:
    better, worse = Heard(dopes=50, nopes=10), Heard(dopes=10, nopes=50)
    won, lost, even = compare_taste(better, worse), compare_taste(worse, better), compare_taste(worse, worse)
    assert (won.verdict, lost.verdict, even.verdict) == ("private", "public", "open")
    assert won.lead and lost.lead and even.lead
    assert (won.lead.low, won.lead.high) == (-lost.lead.high, -lost.lead.low)
    assert even.lead.estimate == 0 and better.approval == pytest.approx(50 / 60)
    assert Heard(skips=3).approval is None and Heard(skips=3).shown == 3
