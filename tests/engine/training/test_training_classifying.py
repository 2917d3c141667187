"""Learning by telling values apart: missing labels do not count, and nothing else is left out."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from search.engine.training.classifying import ClassifyingLearner, accuracies, mean_loss, predict
from search.engine.training.samples import MISSING
from tests.engine.training.squares import draw_samples, prepare, settings_of


@given(data=st.data(), smoothing=st.sampled_from([0.0, 0.1]))
@settings(deadline=None)
def test_the_loss_is_the_mean_over_aspects_of_the_known_ones(data, smoothing):
    table = np.array(
        data.draw(st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 1)), min_size=2, max_size=12))
    )
    table[0] = [1, 0]  # an item of a batch has a value at least
    draws = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    logits = tuple(torch.randn((len(table), values), generator=draws) for values in (3, 2))
    found = mean_loss(logits, torch.from_numpy(table), smoothing=smoothing)
    expected = []
    for column, part in enumerate(logits):
        known = table[:, column] != MISSING
        shares = part[known].log_softmax(dim=1)
        right = -shares[range(known.sum()), table[known, column]]
        expected.append(float(((1 - smoothing) * right - smoothing * shares.mean(dim=1)).mean()))
    assert float(found) == pytest.approx(np.mean(expected), rel=1e-4)


def test_an_aspect_that_nobody_in_the_batch_has_gives_no_slope_and_no_nan():
    logits = tuple(torch.zeros((3, 2), requires_grad=True) for _ in range(2))
    labels = torch.tensor([[0, MISSING], [1, MISSING], [1, MISSING]])
    loss = mean_loss(logits, labels, smoothing=0.1)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(np.log(2))
    assert logits[1].grad is None or not logits[1].grad.any()


def test_missing_labels_do_not_move_the_network():
    """The slope of an item without a value is nought."""
    logits = torch.randn((4, 3), requires_grad=True)
    mean_loss((logits,), torch.tensor([[0], [MISSING], [2], [MISSING]]), smoothing=0.1).backward()
    assert not logits.grad[[1, 3]].any() and logits.grad[[0, 2]].any()


def test_items_of_which_nothing_is_known_are_not_learned_from():
    samples = draw_samples(48)
    samples.labels.table[::2] = MISSING
    learner = prepare("aspects", settings_of("aspects"), samples).learner
    assert isinstance(learner, ClassifyingLearner)
    assert set(learner._learned.tolist()) == set(range(1, 24, 2))


def test_accuracy_counts_known_values_and_says_nothing_of_others():
    logits = [np.array([[2, 1], [0, 3], [5, 4]], np.float32), np.array([[1, 0]] * 3, np.float32)]
    labels = np.array([[0, MISSING], [0, MISSING], [MISSING, MISSING]])
    assert accuracies(logits, labels) == [0.5, None]


def test_judging_where_nothing_is_known_gives_nought():
    samples = draw_samples(24)
    lesson = prepare("aspects", settings_of("aspects"), samples)
    samples.labels.table[:] = MISSING
    assert lesson.learner.judge(lesson.network.eval(), np.arange(5)) == {"accuracy": 0.0}


def test_predictions_do_not_depend_on_how_many_are_asked_at_once(monkeypatch):
    samples = draw_samples(24)
    network = prepare("aspects", settings_of("aspects"), samples).network.eval()
    rows = np.array([5, 3, 8, 1, 1])
    together = predict(network, samples.catalogue, rows)
    monkeypatch.setattr("search.engine.training.samples.AT_ONCE", 2)
    for one, other in zip(together, predict(network, samples.catalogue, rows), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert [part.shape for part in together] == [(5, 4), (5, 2)]


def test_dropout_leaves_out_as_much_as_told_and_only_while_learning():
    samples = draw_samples(24)
    how = settings_of("transfer", dropout=0.5, small_share=0.0)
    lesson = prepare("transfer", how, samples)
    assert lesson.network.head.dropout.p == 0.5
    assert prepare("aspects", settings_of("aspects"), samples).network.head.dropout.p == 0
    pictures = samples.catalogue.plain(np.arange(8))
    head, features = lesson.network.head, lesson.network.trunk(pictures)
    one, other = head.classify(features)[0], head.classify(features)[0]
    assert not torch.equal(one, other)
    head.eval()
    assert torch.equal(head.classify(features)[0], head.classify(features)[0])


def test_the_loss_of_a_step_is_of_that_steps_rows():
    samples = draw_samples(48)
    how = settings_of("aspects", augmentation="none", small_share=0.0)
    lesson = prepare("aspects", how, samples)
    seen = []
    catalogue = samples.catalogue
    changed = catalogue.changed
    catalogue.changed = lambda rows, *rest, **how: seen.append(rows) or changed(rows, *rest, **how)
    lesson.network.eval()
    loss = lesson.learner.loss(5)
    [rows] = seen
    logits = lesson.network.head.classify(lesson.network.trunk(catalogue.plain(rows)))
    labels = torch.from_numpy(samples.labels.table[rows])
    expected = sum(functional.cross_entropy(part, labels[:, at]) for at, part in enumerate(logits)) / 2
    torch.testing.assert_close(loss, expected)
