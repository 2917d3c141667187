"""Intervals over people and items at once, and the alternative-annotator test."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control, ttest_1samp

from evaluation.stats.agreement import raw_agreement
from evaluation.stats.agreement_answers import (
    alternative_annotator_test,
    pairs_interval,
    two_way_interval,
)


def simulate_answers(*, people=8, questions=120, skill=0.8, seed=0):
    """Everybody answers everything, right (0) with this skill: choices of a perfect user, and the answers."""
    draws = np.random.default_rng(seed)
    answers = (draws.random((people, questions)) > skill).astype(np.int64)
    who, what = np.divmod(np.arange(people * questions), questions)
    return answers.ravel(), who, what


def as_chosen(choices):
    """A user's choices between two options, as how often it chooses each."""
    return np.eye(2)[choices]


def always(option, answers):
    return as_chosen(np.full(len(answers), option))


def test_the_interval_holds_the_truth_where_people_and_items_differ():
    covered, estimates, widths = 0, [], []
    for run in range(60):
        draws = np.random.default_rng(run)
        strict, hard = draws.normal(0, 0.6, 20), draws.normal(0, 0.6, 30)
        chance = 1 / (1 + np.exp(-(0.8 + strict[:, None] + hard[None, :])))
        right = (draws.random(chance.shape) < chance).astype(float).ravel()
        person, item = np.divmod(np.arange(600), 30)
        interval = two_way_interval(right, person, item, seed=run)
        covered += interval.low <= 0.666 <= interval.high  # the mean over people and items without end
        estimates.append(interval.estimate)
        widths.append(interval.high - interval.low)
    assert covered >= 54
    assert np.mean(widths) < 1.5 * 2 * 1.96 * np.std(estimates)  # what an interval would have that knew all


def test_it_is_wider_than_of_people_alone():
    answers, who, what = simulate_answers()
    right = (answers == 0).astype(float) * (what % 2)  # half of the questions nobody gets right
    both = two_way_interval(right, who, what)
    alone = two_way_interval(right, who, np.arange(len(right)))
    assert both.high - both.low > alone.high - alone.low
    with pytest.raises(ValueError, match="no agreement"):
        two_way_interval(right[:0], who[:0], what[:0])


def test_how_people_agree_has_an_interval_over_people_and_items():
    covered = 0
    for run in range(40):
        answers, who, what = simulate_answers(people=10, questions=60, seed=run)
        found = pairs_interval(answers, who, what, what, seed=run)
        votes = np.stack([(answers.reshape(10, 60) == option).sum(axis=0) for option in (0, 1)], axis=1)
        assert found.estimate == pytest.approx(raw_agreement(votes))
        covered += found.low <= 0.8**2 + 0.2**2 <= found.high
    assert covered >= 36


def test_one_odd_person_makes_it_wide_where_more_questions_cannot_help():
    answers, who, what = simulate_answers(people=4, questions=400, skill=1)
    answers[who == 3] = 1
    found = pairs_interval(answers, who, what, what)
    assert found.estimate == pytest.approx(1 / 2)  # three of six pairs agree, always
    assert found.low < 0.4 and found.high == 1
    with pytest.raises(ValueError, match="two people"):
        pairs_interval(answers[:9], who[:9], what[:9], what[:9])


def test_of_two_people_it_is_over_items():
    """They agree about one of two items: either, both or one twice may be drawn."""
    found = pairs_interval(
        np.array([0, 0, 0, 3]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5, 6, 5, 6])
    )
    assert (found.estimate, found.low, found.high) == (0.5, 0, 1)


def test_the_stand_in_is_what_its_formula_says_by_hand():
    answers, who, what = simulate_answers(people=4, questions=50)
    found = alternative_annotator_test(always(0, answers), answers, who, what, margin=0.1)
    table = answers.reshape(4, 50)
    p_values, advantages = [], []
    for person in range(4):
        others = np.delete(table, person, axis=0)
        of_user = (others == 0).mean(axis=0)
        of_person = (others == table[person]).mean(axis=0)
        gaps = (of_person >= of_user).astype(float) - (of_user >= of_person)
        p_values.append(ttest_1samp(gaps, 0.1, alternative="less").pvalue)
        advantages.append((of_user >= of_person).mean())
    assert found.wins == (false_discovery_control(p_values, method="by") < 0.05).mean()
    assert found.advantage == pytest.approx(np.mean(advantages))
    assert (found.people, found.questions) == (4, 200)


def test_who_sees_as_people_do_can_stand_in_and_who_picks_by_lot_cannot():
    answers, who, what = simulate_answers(skill=0.9)
    perfect = alternative_annotator_test(always(0, answers), answers, who, what)
    assert perfect.passes and perfect.wins == 1 and perfect.advantage > 0.9
    by_lot = np.random.default_rng(5).integers(2, size=what.max() + 1)[what]
    random = alternative_annotator_test(as_chosen(by_lot), answers, who, what)
    assert not random.passes and random.wins == 0 and random.advantage < 0.7


def test_everybody_alike_is_decided_without_a_test():
    answers, who, what = simulate_answers(skill=1.0)
    assert alternative_annotator_test(as_chosen(answers), answers, who, what).wins == 1
    assert alternative_annotator_test(as_chosen(1 - answers), answers, who, what).wins == 0


@pytest.mark.parametrize(("people", "questions"), [(2, 100), (5, 20), (0, 0)])
def test_of_too_few_nothing_is_said(people, questions):
    answers, who, what = simulate_answers(people=people, questions=max(questions, 1))
    assert alternative_annotator_test(as_chosen(answers), answers, who, what) is None


def test_who_cannot_tell_agrees_with_half_of_the_others():
    """Whatever they said: as the formula has it."""
    draws = np.random.default_rng(0)
    answers = draws.integers(0, 2, 300)
    who, what = np.divmod(np.arange(300), 100)
    found = alternative_annotator_test(np.full((300, 2), 0.5), answers, who, what)
    table = answers.reshape(3, 100)
    own = [(np.delete(table, person, axis=0) == table[person]).mean(axis=0) for person in range(3)]
    assert found.advantage == pytest.approx(np.mean([one <= 0.5 for one in own]))


def test_an_answer_nobody_else_gave_counts_for_no_person():
    answers, who, what = simulate_answers(people=4, questions=50)
    alone = np.arange(50, 90)
    more = alternative_annotator_test(
        always(0, np.arange(240)),
        np.concatenate([answers, np.ones(40, np.int64)]),
        np.concatenate([who, np.full(40, 2)]),
        np.concatenate([what, alone]),
    )
    assert more == alternative_annotator_test(always(0, answers), answers, who, what)
