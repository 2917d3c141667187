"""What is said of an answer: the promise, and what it was counted on."""

import numpy as np

from search.engine import no_match
from search.models import Asking
from search.selectors.calibrations import Known, judge_answer


def make_known(limit=0.5, *, others=0):
    """Limits of 200 boots, and of some other things."""
    accepted = np.append(np.linspace(0.01, limit, 200), np.linspace(0.01, limit, others))
    count, names = 200 + others, np.repeat(["boot", "tie"], [200, others])
    present = no_match.Asked(np.stack([accepted, np.ones(count)], 1), names, np.ones(count, bool))
    absent = no_match.Asked(np.stack([accepted + limit, np.ones(count) * 2], 1), names, np.zeros(count, bool))
    return no_match.calibrate(present, absent, chosen="distance")


def test_what_is_said_names_the_promise_and_what_it_was_counted_on():
    known = Known(Asking.PHOTOS, make_known())
    match = judge_answer(known, [0.1, 0.9], "boot")
    assert (match.kind, match.words) == ("match", "This is it.")
    assert "at most 5 of 100 photos of things that are not here are told this" in match.promise
    assert "counted on 200 photos of items in use (boot)" in match.promise
    assert "parts" not in match.promise
    assert "not on parts of them" in judge_answer(known, [0.1, 0.9], "boot", of_part=True).promise
    nothing = judge_answer(known, [9.0, 9.1], "boot")
    assert (nothing.kind, nothing.words) == ("nothing", "Nothing like it here.")
    assert "at most 5 of 100 photos of things that are here are told this" in nothing.promise
    assert judge_answer(known, [], "boot").kind == "nothing"


def test_of_categories_with_few_queries_it_is_said_that_they_are_counted_together():
    known = Known(Asking.PHOTOS, make_known(others=99))
    hat = judge_answer(known, [9.0, 9.1], "hat")
    assert hat.kind == "nothing"
    assert "counted on 99 photos of items in use (categories with few of them)" in hat.promise
    none_left = judge_answer(Known(Asking.PHOTOS, make_known()), [0.1, 0.9], "hat")
    assert none_left.kind == "similar"
    assert "too few to count on, 0 photos of items in use (categories with few" in none_left.promise
