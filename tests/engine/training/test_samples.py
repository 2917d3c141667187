"""What is learned from: rows by step, labels, and views of pictures or of features."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search.engine.training.samples import (
    MISSING,
    Aspect,
    FeatureViews,
    Labels,
    draw_rows,
    generator_of,
)
from tests.engine.training.squares import CPU, SIDE, draw_labels, paint, views


@given(
    n=st.integers(1, 60),
    count=st.integers(1, 80),
    seed=st.integers(0, 2**31 - 1),
    epoch=st.integers(0, 5),
)
def test_no_row_comes_twice_in_an_epoch_and_none_is_left_out_but_a_rest(n, count, seed, epoch):
    rows = np.arange(100, 100 + n)
    length = n // min(count, n)
    drawn = [draw_rows(rows, count, seed=seed, step=epoch * length + step) for step in range(length)]
    together = np.concatenate(drawn)
    assert all(len(batch) == min(count, n) for batch in drawn)
    assert len(set(together.tolist())) == len(together) == n - n % min(count, n)
    assert set(together.tolist()) <= set(rows.tolist())


def test_rows_depend_on_the_seed_and_the_step_alone():
    rows = np.arange(40)
    first = [draw_rows(rows, 8, seed=3, step=step).tolist() for step in range(20)]
    again = [draw_rows(rows, 8, seed=3, step=step).tolist() for step in reversed(range(20))][::-1]
    assert first == again
    assert first[:5] != first[5:10]  # another epoch, another order
    assert first[:5] != [draw_rows(rows, 8, seed=4, step=step).tolist() for step in range(5)]


def test_each_step_has_randomness_of_its_own():
    draws = {
        (seed, step): torch.rand(1, generator=generator_of(CPU, seed=seed, step=step)).item()
        for seed in range(5)
        for step in range(20)
    }
    assert len(set(draws.values())) == 100
    assert draws[2, 7] == torch.rand(1, generator=generator_of(CPU, seed=2, step=7)).item()


LABELS = Labels(
    (Aspect("kind", ("bag", "hat", "shirt", "shoe")), Aspect("colour", ("red", "blue"))),
    np.array([[3, 0], [3, 1], [0, 0], [3, 0], [0, MISSING], [1, 0], [MISSING, 1], [2, 1], [2, 1], [2, 1]]),
)


def test_aspects_are_picked_by_name_in_the_order_asked():
    picked = LABELS.of(("colour", "kind"))
    assert [aspect.name for aspect in picked.aspects] == ["colour", "kind"]
    assert np.array_equal(picked.table, LABELS.table[:, ::-1])
    assert LABELS.of(("kind",)).table.shape == (10, 1)
    with pytest.raises(KeyError, match="heel"):
        LABELS.of(("heel",))


def test_the_most_common_values_are_counted_on_the_rows_that_are_learned():
    # Among these rows shoe has 3, bag 2, hat 1; the shirts are elsewhere.
    kept = LABELS.of(("kind",)).most_common(2, np.arange(7))
    assert kept.aspects[0].values == ("bag", "shoe")
    assert kept.table[:, 0].tolist() == [1, 1, 0, 1, 0, MISSING, MISSING, MISSING, MISSING, MISSING]


@given(count=st.integers(1, 5), seed=st.integers(0, 50))
def test_the_most_common_are_at_least_as_common_as_the_others(count, seed):
    labels = draw_labels(30, seed, missing=0.2)
    rows = np.arange(0, 30, 2)
    kept = labels.most_common(count, rows)
    for column, (old, new) in enumerate(zip(labels.aspects, kept.aspects, strict=True)):
        assert len(new.values) == min(count, len(old.values))
        sizes = {value: int((labels.table[rows, column] == at).sum()) for at, value in enumerate(old.values)}
        left_out = [size for value, size in sizes.items() if value not in new.values]
        assert min(sizes[value] for value in new.values) >= max(left_out, default=0)
        for before, after in zip(labels.table[:, column], kept.table[:, column], strict=True):
            is_kept = before != MISSING and old.values[before] in new.values
            assert (new.values[after] == old.values[before]) if is_kept else after == MISSING


def test_pictures_are_reduced_by_averaging():
    view = views(paint(draw_labels(4)))
    rows = np.array([2, 0])
    generator = generator_of(CPU, seed=0, step=0)
    small = view.changed(rows, "none", generator, scale=2 / 3)
    assert small.shape == (2, round(SIDE * 2 / 3), round(SIDE * 2 / 3), 3) and small.dtype == torch.uint8
    assert small.float().mean().item() == pytest.approx(view.plain(rows).float().mean().item(), abs=2)
    assert torch.equal(view.changed(rows, "none", generator), view.plain(rows))


def test_features_of_a_frozen_backbone_are_never_changed():
    features = np.random.default_rng(0).random((5, 3)).astype(np.float32)
    view = FeatureViews(features, CPU)
    rows = np.array([4, 1, 1])
    changed = view.changed(rows, "photos", generator_of(CPU, seed=0, step=0), scale=0.5)
    assert np.array_equal(changed.numpy(), features[rows])
