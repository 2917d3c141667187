"""Agreement against a margin."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evaluation.stats.agreement_curves import curve


def test_clear_questions_stand_apart_from_near_ties():
    margins = np.linspace(1, 3, 1000)
    right = (margins > 1.4).astype(float)
    points = curve(margins, right, steps=5)
    assert [point.questions for point in points] == [200] * 5
    assert [point.agreement for point in points] == [0, 1, 1, 1, 1]
    assert points[0].low == 1 and points[-1].high == 3


@given(st.lists(st.tuples(st.floats(1, 9), st.booleans()), max_size=40), st.integers(1, 7))
def test_every_question_counts_once_and_equal_margins_stay_together(questions, steps):
    margins = np.array([margin for margin, _ in questions])
    right = np.array([float(is_right) for _, is_right in questions])
    points = curve(margins, right, steps=steps)
    assert len(points) <= steps
    assert sum(point.questions for point in points) == len(questions)
    assert np.isclose(sum(point.questions * point.agreement for point in points), right.sum())
    for before, after in pairwise(points):
        assert before.high < after.low
