"""Maps of an embedding space: the same for the same seed, and with neighbours still beside each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.layouts import (
    LEAST,
    MOST,
    PARAMETERS,
    LayoutRefused,
    bound,
    find_axes,
    find_neighbours,
    make_layout,
    settle_parameters,
)

METHODS = ("tsne", "umap")


def draw(count=120, *, groups=4, seed=3):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(groups, 16)) * 4
    group = np.arange(count) % groups
    return (centres[group] + rng.normal(size=(count, 16))).astype(np.float32), group


def silent(done, total, words):
    """Nobody listens."""


def make(vectors, method, *, metric="l2", seed=0, report=silent, **parameters):
    settled = settle_parameters(method, parameters, count=len(vectors))
    return make_layout(vectors, metric, method, settled, seed=seed, sign_structured=False, report=report)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_places_and_another_seed_others(method):
    vectors, _ = draw()
    first, again, other = (make(vectors, method, seed=seed).places for seed in (1, 1, 2))
    assert first.shape == (120, 2)
    assert first.dtype == np.float32
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def trust(vectors, places, k=8):
    """Trustworthiness (Venna and Kaski 2001): 1 if nothing far in the space stands near on the map."""

    def rank(points):
        apart = np.linalg.norm(points[:, None] - points[None], axis=2)
        np.fill_diagonal(apart, np.inf)
        return apart.argsort(axis=1)

    count = len(vectors)
    place = rank(vectors).argsort(axis=1) + 1  # of each item among the nearest of each other
    strangers = rank(places)[:, :k]
    excess = np.maximum(0, np.take_along_axis(place, strangers, axis=1) - k).sum()
    return 1 - 2 * excess / (count * k * (2 * count - 3 * k - 1))


@pytest.mark.parametrize("method", METHODS)
def test_what_is_near_on_the_map_is_near_in_the_space(method):
    vectors, group = draw()
    made = make(vectors, method)
    strewn = np.random.default_rng(0).normal(size=made.places.shape)
    assert trust(vectors, made.places) > 0.85
    assert trust(vectors, strewn) < 0.6
    assert made.kept > 3 * 10 / 119, "far above chance"
    centres = np.stack([made.places[group == one].mean(axis=0) for one in range(4)])
    nearest = np.linalg.norm(made.places[:, None] - centres[None], axis=2).argmin(axis=1)
    assert (nearest == group).mean() > 0.95


@pytest.mark.parametrize("method", METHODS)
def test_the_metric_of_the_space_decides_who_is_near(method):
    """Vectors whose signs say something else than their lengths."""
    rng = np.random.default_rng(5)
    signs = np.where(rng.random((2, 64)) < 0.5, -1.0, 1.0)[np.arange(80) % 2]
    vectors = (signs * np.where(np.arange(80) // 40, 40.0, 1.0)[:, None]).astype(np.float32)
    vectors += rng.normal(scale=0.05, size=vectors.shape).astype(np.float32)
    for metric, told in (("hamming", np.arange(80) % 2), ("l2", np.arange(80) // 40)):
        near = find_neighbours(vectors, metric, 5, sign_structured=True, report=silent).positions
        assert (told[near] == told[:, None]).mean() > 0.9
    places = make(vectors, method, metric="hamming").places
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (apart.argmin(axis=1) % 2 == np.arange(80) % 2).mean() > 0.9


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "vectors",
    [np.random.default_rng(0).normal(size=(LEAST, 3)), np.eye(12, 1).repeat(3, 1), np.arange(9.0)[:, None]],
    ids=["five items", "all but one equal", "on a line"],
)
def test_few_items_and_equal_ones_still_make_a_map(method, vectors):
    places = make(np.asarray(vectors, np.float32), method).places
    assert np.isfinite(places).all()
    assert len(np.unique(places.round(3), axis=0)) >= len(np.unique(vectors, axis=0)), "what differs is apart"


@pytest.mark.parametrize("method", METHODS)
def test_vectors_that_are_all_equal_make_none(method):
    with pytest.raises(LayoutRefused, match="All vectors are equal"):
        make(np.ones((20, 4), np.float32), method)


@pytest.mark.parametrize("count", [0, LEAST - 1, MOST + 1])
def test_too_few_and_too_many_items_are_refused(count):
    with pytest.raises(LayoutRefused, match=f"There are {count:,} items"):
        settle_parameters("tsne", {}, count=count)


@pytest.mark.parametrize(
    ("method", "name", "value", "words"),
    [
        ("tsne", "perplexity", 40, "Perplexity is 40; over 30 items it may be from 1 to 9.6"),
        ("tsne", "perplexity", 0.5, "from 1 to"),
        ("tsne", "perplexity", float("nan"), "from 1 to"),
        ("umap", "neighbours", 30, "from 2 to 29"),
        ("umap", "neighbours", 4.5, "a whole number"),
        ("umap", "min_dist", 1.5, "from 0 to 1"),
    ],
)
def test_parameters_that_cannot_be_are_named_with_what_can(method, name, value, words):
    with pytest.raises(LayoutRefused, match=words) as refused:
        settle_parameters(method, {name: value}, count=30)
    assert refused.value.field == name


@given(st.sampled_from(METHODS), st.integers(LEAST, MOST))
def test_the_usual_parameters_suit_any_number_of_items(method, count):
    settled = settle_parameters(method, {}, count=count)
    assert settle_parameters(method, settled, count=count) == settled
    for name, value in settled.items():
        assert PARAMETERS[method][name].least <= value <= bound(method, name, count)


@pytest.mark.parametrize("method", METHODS)
def test_whoever_listens_can_end_the_work_in_each_of_its_parts(method):
    vectors, _ = draw(60)
    heard = []
    make(vectors, method, report=lambda done, total, words: heard.append((words, done, total)))
    parts = {words for words, _, _ in heard}
    assert len(parts) == 2
    assert all(0 <= done <= total for _, done, total in heard)

    class Enough(Exception):
        """Said by who listens."""

    for part in parts:

        def stop(done, total, words, part=part):
            if words == part and (done or part == "neighbours"):
                raise Enough

        with pytest.raises(Enough):
            make(vectors, method, report=stop)


def test_a_map_begins_from_the_same_axes_whichever_order_its_vectors_have_in_memory():
    vectors, _ = draw(60)
    assert np.array_equal(find_axes(vectors, seed=0), find_axes(np.asfortranarray(vectors), seed=0))


def test_nothing_is_printed_to_the_terminal(capfd):
    vectors, _ = draw(30)
    make(vectors, "umap")
    assert capfd.readouterr() == ("", "")
