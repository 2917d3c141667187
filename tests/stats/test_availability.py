"""How often pairs could have been dealt, and what that does for somebody who came late."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.stats.availability import count_chances
from evaluation.stats.covariances import estimate_approvals
from evaluation.stats.votes import Votes

MOMENTS = st.integers(0, 30)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1, max_size=4),
    st.lists(MOMENTS, max_size=40),
    st.integers(0, 2**32),
)
def test_deals_are_counted_once_while_any_finder_stood(
    spans: list[tuple[int, int]], dealt: list[int], seed: int
) -> None:
    spans = [(min(span), max(span)) for span in spans]
    found = np.random.default_rng(seed).random((6, len(spans))) < 0.5
    counted = count_chances(found, np.array(spans, float), np.array(dealt, float))
    for pair, finders in enumerate(found):
        stood = [spans[one] for one in np.flatnonzero(finders)]
        chances = sum(any(since <= moment < until for since, until in stood) for moment in dealt)
        assert counted[pair] == max(1, chances)


def test_a_newcomer_is_not_taken_for_what_it_shares_with_one_that_was_there_before() -> None:
    """Half of the newcomer's finds are the other's, which people like; its own they do not."""
    rng = np.random.default_rng(0)
    questions, before, after = 200, 20_000, 4000
    pair = np.concatenate([rng.integers(0, questions, before), rng.integers(0, 3 * questions // 2, after)])
    found = np.zeros((3 * questions // 2, 2), bool)
    found[:questions, 0] = True  # the first half of them is shared
    found[: questions // 2, 1] = found[questions:, 1] = True
    approval = np.where(found.all(axis=1), 0.7, 0.3)
    propensity = np.where(np.arange(before + after) < before, 1 / questions, 2 / (3 * questions))
    spans = np.array([[0, np.inf], [before, np.inf]])
    chances = count_chances(found, spans, np.arange(before + after, dtype=float))
    votes = Votes(
        player=np.arange(before + after) // 25,
        pair=pair,
        dope=rng.random(before + after) < approval[pair],
        question=np.concatenate([np.arange(questions), np.arange(questions // 2, questions)]),
        found=found,
        weight=1 / (propensity * chances[pair]),
    )
    approvals = estimate_approvals(votes)
    assert abs(approvals.estimates[1] - 0.5) < 3 * approvals.covariance[1, 1] ** 0.5
    assert approvals.covariance[1, 1] ** 0.5 < 0.02
