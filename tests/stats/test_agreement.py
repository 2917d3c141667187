"""Agreement against published figures, and what no relabelling or copying may change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evaluation.stats.agreement import (
    NOBODY,
    NothingToCompare,
    chance,
    gwet_ac1,
    in_every_order,
    krippendorff_alpha,
    majorities,
    measure,
    measure_pairs,
    pairs_in_agreement,
    raw_agreement,
    shares_agreeing,
    shares_with_the_others,
)

# Four observers, twelve units, five values, some missing (Krippendorff 2011, section C).
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3),
    (0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0),
)
COUNTS = np.array([[units.count(value) for value in range(1, 6)] for units in zip(*OBSERVERS, strict=True)])

some_votes = arrays(
    np.int64, st.tuples(st.integers(1, 8), st.integers(2, 4)), elements=st.integers(0, 6)
).filter(lambda votes: (votes.sum(axis=1) > 1).any())


def test_alpha_is_the_published_one():
    """Krippendorff 2011, Computing Krippendorff's alpha-reliability: .743."""
    assert krippendorff_alpha(COUNTS) == pytest.approx(0.743, abs=5e-4)


def test_ac1_is_the_published_one():
    """Gwet's handbook has the same data: raw .81818, by chance .19032, AC1 .77544."""
    assert raw_agreement(COUNTS) == pytest.approx(0.81818, abs=1e-5)
    assert gwet_ac1(COUNTS) == pytest.approx(0.77544, abs=1e-5)


def test_two_people_agree_as_often_as_counting_pairs_says():
    votes = np.array([[5, 0], [3, 1], [2, 2], [1, 0]])
    np.testing.assert_allclose(pairs_in_agreement(votes), [1, 0.5, 1 / 3, np.nan])
    assert raw_agreement(votes) == pytest.approx((1 + 0.5 + 1 / 3) / 3)


@pytest.mark.parametrize("coefficient", [raw_agreement, gwet_ac1, krippendorff_alpha])
def test_without_two_answers_to_one_question_nothing_is_said(coefficient):
    with pytest.raises(NothingToCompare, match="ask some of them twice"):
        coefficient(np.array([[1, 0], [0, 1], [0, 0]]))


@given(some_votes, st.randoms())
def test_names_of_options_and_the_order_of_questions_mean_nothing(votes, random):
    options, questions = list(range(votes.shape[1])), list(range(len(votes)))
    random.shuffle(options)
    random.shuffle(questions)
    one, other = measure(votes), measure(votes[questions][:, options])
    assert (one.raw, one.ac1, one.alpha) == pytest.approx((other.raw, other.ac1, other.alpha))


@given(some_votes)
def test_agreement_is_perfect_only_where_all_agree(votes):
    found = measure(votes)
    paired = votes[votes.sum(axis=1) > 1]
    unanimous = bool(((paired > 0).sum(axis=1) == 1).all())
    for value in (found.raw, found.ac1, found.alpha):
        assert value <= 1 + 1e-9
        assert (value > 1 - 1e-9) == unanimous


def test_a_file_that_names_the_chosen_one_first_is_not_taken_for_a_habit():
    """As agreed as people can hardly be, and alpha below nought: no one ever chose "the second"."""
    votes = np.array([[5, 0]] * 30 + [[4, 1]] * 10)
    assert krippendorff_alpha(votes) < 0.1
    both = in_every_order(votes)
    assert raw_agreement(both) == raw_agreement(votes)
    assert krippendorff_alpha(both) == pytest.approx(2 * 0.9 - 1, abs=0.01)
    assert gwet_ac1(both) == pytest.approx(2 * 0.9 - 1, abs=0.01)


def test_answers_by_lot_agree_by_chance_and_no_more():
    votes = np.random.default_rng(0).multinomial(5, [1 / 4] * 4, size=20_000)
    found = measure(votes)
    assert found.raw == pytest.approx(chance(4), abs=0.005)
    assert found.ac1 == pytest.approx(0, abs=0.01)
    assert found.alpha == pytest.approx(0, abs=0.01)


def test_a_majority_is_the_most_chosen_option_alone():
    votes = np.array([[3, 1], [2, 2], [0, 1]])
    assert majorities(votes).tolist() == [0, NOBODY, 1]
    first, by_lot = np.array([[1, 0]] * 3), np.array([[0.5, 0.5]] * 3)
    np.testing.assert_allclose(shares_agreeing(votes, first), [0.75, 0.5, 0])
    np.testing.assert_allclose(shares_agreeing(votes, by_lot), 0.5)


def test_a_person_is_held_against_the_others_and_not_against_themselves():
    votes = np.array([[2, 1], [1, 1], [5, 0], [3, 2], [1, 0]])
    np.testing.assert_allclose(shares_with_the_others(votes), [1 / 3, 0, 1, 0.3, np.nan])
    by_lot = np.random.default_rng(0).multinomial(5, [0.5, 0.5], size=20_000)
    assert shares_with_the_others(by_lot).mean() == pytest.approx(0.5, abs=0.005)


@given(some_votes)
def test_in_every_order_ac1_is_what_agreement_has_over_chance(votes):
    found, by_lot = measure(in_every_order(votes)), chance(votes.shape[1])
    assert found.ac1 == pytest.approx((found.raw - by_lot) / (1 - by_lot))


def test_four_slates_of_four_by_hand():
    """Two people pick the same from three of four: .75 and 1/4 by chance, 8 answers in 4 places each.

    Alpha: two of 32 answers, 8 of each place, differ with 24/31 by chance, and 1/4 of the pairs do.
    """
    votes = np.array([[2, 0, 0, 0], [0, 0, 2, 0], [2, 0, 0, 0], [0, 1, 0, 1]])
    found = measure(in_every_order(votes))
    assert found.raw == 0.75
    assert found.ac1 == pytest.approx(2 / 3)
    assert found.alpha == pytest.approx(1 - (1 / 4) / (24 / 31))


@given(st.integers(2, 5).flatmap(lambda k: st.tuples(st.just(k), st.lists(st.booleans(), min_size=1))))
def test_pairs_of_answers_are_measured_as_counts_of_them_would_be(given_pairs):
    options, same = given_pairs
    votes = np.zeros((len(same), options), np.int64)
    votes[:, 0] += 1
    votes[np.arange(len(same)), np.where(same, 0, 1)] += 1
    ours = measure_pairs(np.array(same, float), options)
    theirs = measure(in_every_order(np.repeat(votes, options, axis=0)))
    assert (ours.raw, ours.ac1, ours.alpha) == pytest.approx((theirs.raw, theirs.ac1, theirs.alpha))


def test_no_pair_of_answers_is_nothing_to_compare():
    with pytest.raises(NothingToCompare):
        measure_pairs(np.empty(0), 4)
