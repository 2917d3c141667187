"""The union of candidates, one weighted order, and who may choose the weights."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.aspect_ranking import (
    AS_SIMILAR,
    FixedWeights,
    LearnedWeights,
    UntrainedWeights,
    describe,
    find_candidates,
    pack_weights,
    rank,
    read_learned_weights,
    share_out,
)
from search.engine.encoders.base import WeightsDamaged
from search.engine.encoders.trained_files import write_trained
from tests.engine.aspect_grounds import make_heads, make_masks, make_table, make_vectors

TABLE = make_table()
VECTORS = make_vectors(TABLE)
VIEW = make_masks(VECTORS).look_at(0)


def learned(view=VIEW, *, seed=0):
    draws, told = np.random.default_rng(seed), len(describe(view))

    def layer(inputs, outputs):
        return draws.normal(size=(outputs, inputs)).astype(np.float32), np.ones(outputs, np.float32)

    return LearnedWeights(
        np.zeros(told, np.float32), np.ones(told, np.float32), (layer(told, 6), layer(6, 3))
    )


@pytest.mark.parametrize("column", [0, 1])
def test_all_weight_on_an_aspect_puts_items_of_its_value_first(column):
    weights = np.zeros(3)
    weights[1 + column] = 1
    same = np.flatnonzero(TABLE[:, column] == TABLE[0, column])
    assert set(rank(VIEW, weights).places[: len(same)]) == set(same)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.integers(1, 40))
def test_the_order_is_that_of_the_weighted_sum_over_the_union(weights, per_part):
    ranked = rank(VIEW, weights, per_part=per_part)
    assert (np.diff(ranked.scores) <= 0).all()
    np.testing.assert_allclose(ranked.scores, ranked.similarities @ ranked.weights, atol=1e-6)
    assert ranked.weights.sum() == pytest.approx(1)
    best_by_each = {int(part.argmax()) for part in VIEW.similarities.T}
    assert best_by_each <= set(ranked.places.tolist())
    assert per_part <= len(ranked.places) <= min(3 * per_part, len(TABLE))


def test_who_is_not_allowed_is_no_candidate():
    allowed = TABLE[:, 1] == 2
    assert set(rank(VIEW, [1, 1, 1], allowed=allowed).places) == set(np.flatnonzero(allowed))
    assert len(rank(VIEW, [1, 1, 1], allowed=np.zeros(len(TABLE), bool)).places) == 0


def test_among_equals_by_an_aspect_the_whole_embedding_decides_who_is_a_candidate():
    view = make_heads(make_vectors(TABLE, noise=0)).look_at(0)  # all of a value are alike exactly
    both = np.flatnonzero((TABLE[0] == TABLE).all(axis=1))
    assert set(find_candidates(view, per_part=len(both))) >= set(both)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, len(TABLE) - 1), st.integers(1, 40))
def test_who_is_left_out_is_hardly_more_similar_by_any_aspect_than_who_is_not(place, per_part):
    view = make_heads(VECTORS).look_at(place)
    left_out = np.setdiff1d(np.arange(len(TABLE)), found := find_candidates(view, per_part=per_part))
    for part in view.similarities.T:
        worst = np.sort(part[found])[-per_part]
        assert len(left_out) == 0 or part[left_out].max() <= worst + AS_SIMILAR * 1.01


def test_weights_that_are_no_weights_are_refused():
    for wrong in ([-1, 1, 1], [np.nan, 1, 1], [np.inf, 1, 1]):
        with pytest.raises(ValueError, match="number from nought"):
            share_out(wrong)
    assert share_out([0, 0]) == pytest.approx([0.5, 0.5])


def test_without_training_what_is_certain_and_rare_counts_most():
    rare_colour = int(np.flatnonzero((TABLE[:, 0] == 2) & (TABLE[:, 1] == 0))[0])
    rare_shape = int(np.flatnonzero((TABLE[:, 0] == 0) & (TABLE[:, 1] == 3))[0])
    for make in (make_masks, make_heads):
        ground = make(VECTORS)
        colour, shape = (UntrainedWeights().weigh(ground.look_at(row)) for row in (rare_colour, rare_shape))
        assert colour[1] > colour[2] and shape[2] > shape[1]
        assert colour.sum() == pytest.approx(1) and colour[0] == shape[0] > 0


def test_a_network_s_weights_are_shares_and_come_back_from_its_file(tmp_path):
    network = learned()
    card = {"name": "pupil", "kind": "aspect-ranking", "architecture": {}}
    write_trained(tmp_path, pack_weights(network), card)
    read, _ = read_learned_weights(tmp_path)
    np.testing.assert_array_equal(read.weigh(VIEW), network.weigh(VIEW))
    assert network.weigh(VIEW).sum() == pytest.approx(1) and (network.weigh(VIEW) > 0).all()
    assert not np.allclose(network.weigh(VIEW), network.weigh(make_masks(VECTORS).look_at(3)))
    np.testing.assert_array_equal(FixedWeights(read.weigh(VIEW)).weigh(VIEW), network.weigh(VIEW))


def test_a_damaged_file_is_refused_and_so_is_a_view_of_another_encoder(tmp_path):
    card = write_trained(
        tmp_path, pack_weights(learned()), {"name": "p", "kind": "aspect-ranking", "architecture": {}}
    )
    [path] = tmp_path.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(WeightsDamaged, match="Train it again"):
        read_learned_weights(tmp_path)
    path.write_bytes(b"no weights")
    (tmp_path / "card.json").write_text(json.dumps(card | {"sha256": "0" * 64}))
    with pytest.raises(WeightsDamaged):
        read_learned_weights(tmp_path)
    with pytest.raises(ValueError, match="another encoder"):
        learned(replace(VIEW, embedding=VIEW.embedding[:6])).weigh(VIEW)
