"""Which lifestyle photos can show their item: shares that are uniform where they do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from search.engine.regions import Region
from search.engine.training.sight import (
    LEAST_OTHERS,
    OTHERS,
    Verdict,
    choose_others,
    describe_regions,
    judge_photo,
    sum_up,
)


def vectors(count, *, seed=0, width=8):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), regions=st.integers(1, 6), most=st.floats(0.05, 1))
def test_an_item_that_is_in_a_region_is_always_seen(seed, regions, most):
    found, others = vectors(regions, seed=seed), vectors(50, seed=seed + 1)
    assert judge_photo(found, found[-1], others, most=most) is Verdict.SEEN


@pytest.mark.parametrize("most", [0.2, 0.5, 0.8])
def test_of_photos_without_their_item_the_promised_share_is_left_out(most):
    others = vectors(200, seed=1)
    verdicts = [
        judge_photo(vectors(4, seed=10 + n), vectors(1, seed=10_000 + n)[0], others, most=most)
        for n in range(800)
    ]
    assert np.mean([verdict is Verdict.UNLIKE for verdict in verdicts]) == pytest.approx(1 - most, abs=0.06)


def test_a_photo_without_regions_shows_nothing_and_few_others_decide_nothing():
    empty = np.empty((0, 0), np.float32)
    assert judge_photo(empty, vectors(1)[0], vectors(50), most=0.5) is Verdict.NOTHING
    few = np.zeros((LEAST_OTHERS - 1, 8), np.float32)
    assert judge_photo(np.zeros((1, 8), np.float32), np.ones(8, np.float32), few, most=0.05) is Verdict.SEEN


def test_the_others_are_the_same_every_time_and_bounded():
    rows = np.arange(5000)
    chosen = choose_others(rows)
    assert len(chosen) == OTHERS and (np.diff(chosen) > 0).all()
    assert (chosen == choose_others(rows)).all()
    assert choose_others(np.array([4, 9])).tolist() == [4, 9]


def test_regions_too_small_to_tell_anything_are_passed_over():
    picture = Image.new("RGB", (100, 100), (200, 40, 40))
    regions = [Region(0, 0, 0.1, 0.1, 0.9), Region(0.2, 0.2, 0.5, 0.5, 0.8)]
    assert describe_regions(picture, lambda seen: regions).shape == (1, 816)
    assert describe_regions(picture, lambda seen: []).shape == (0, 0)


VERDICTS = st.lists(st.sampled_from(list(Verdict)), max_size=40)


@given(VERDICTS)
def test_what_is_left_out_is_counted_and_never_more_than_half(verdicts):
    unseen = sum_up("regions", enumerate(verdicts))
    bad = [row for row, verdict in enumerate(verdicts) if verdict is not Verdict.SEEN]
    assert (unseen.looked, unseen.nothing + unseen.unlike) == (len(verdicts), len(bad))
    assert unseen.trusted == (2 * len(bad) <= len(verdicts))
    assert unseen.left_out.tolist() == (bad if unseen.trusted else [])
    assert unseen.as_json()["left_out"] == len(unseen.left_out)
    words = "photos are left out" if unseen.trusted else "are learned from"
    assert words in unseen.describe()
