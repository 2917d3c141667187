"""Confidence and how far it can be believed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax as scipy_softmax

from search.engine.calibration import bin_confidences, calibration_error, find_temperature, softmax


def draw_calibrated(count=4000, values=5, seed=0):
    """Logits whose softmax is exactly how often each value is the right one."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (count, values))
    shares = softmax(logits).cumsum(axis=1)
    labels = (generator.random((count, 1)) > shares).sum(axis=1).clip(max=values - 1)
    return logits, labels


def error_of(logits, labels, temperature=1.0):
    shares = softmax(logits, temperature)
    right = (shares.argmax(axis=1) == labels).astype(float)
    return calibration_error(bin_confidences(shares.max(axis=1), right))


@given(seed=st.integers(0, 100), temperature=st.floats(0.1, 10), size=st.floats(0.1, 1000))
def test_softmax_is_scipys(seed, temperature, size):
    logits = np.random.default_rng(seed).normal(0, size, (4, 3))
    expected = scipy_softmax(logits / temperature, axis=1)
    np.testing.assert_allclose(softmax(logits, temperature), expected, rtol=1e-9, atol=1e-300)


@settings(deadline=None, max_examples=20)
@given(scale=st.floats(0.2, 8), seed=st.integers(0, 5))
def test_the_temperature_of_logits_that_were_scaled_is_the_scale(scale, seed):
    logits, labels = draw_calibrated(seed=seed)
    assert find_temperature(logits * scale, labels) == pytest.approx(scale, rel=0.1)


def test_scaling_makes_an_overconfident_network_believable():
    logits, labels = draw_calibrated()
    temperature = find_temperature(logits * 5, labels)
    assert error_of(logits, labels) < 0.03
    assert error_of(logits * 5, labels) > 0.1
    assert error_of(logits * 5, labels, temperature) < 0.03


def test_the_temperature_is_the_likeliest():
    logits, labels = draw_calibrated(300, seed=3)

    def surprise(temperature):
        return -np.log(softmax(logits, temperature)[np.arange(300), labels]).mean()

    found = find_temperature(logits, labels)
    others = np.geomspace(0.06, 19, 60)
    assert all(surprise(found) <= surprise(other) + 1e-4 for other in others), "300 leave little doubt"


def test_temperatures_stay_finite_where_everything_or_nothing_is_known():
    logits = np.eye(3) * 4.0
    assert find_temperature(np.empty((0, 3)), np.empty(0, np.int64)) == 1.0

    def find_confidence(count):
        logits = np.eye(3)[np.arange(count) % 3] * 4.0
        return softmax(logits, find_temperature(logits, np.arange(count) % 3)).max(axis=1).mean()

    assert 0.7 < find_confidence(3) < 0.9  # always right, of three: no surer than three can vouch for
    assert find_confidence(30) == pytest.approx(31 / 32, abs=0.015)
    assert find_confidence(3000) > 0.999  # as sure as may be
    assert 19 < find_temperature(logits, np.array([1, 2, 0])) < 21  # always wrong: as unsure as may be


def test_the_error_of_a_worked_example():
    """Guo et al., section 2, in bins of a tenth: means by hand."""
    confidence = np.array([0.9] * 2 + [0.93, 0.91, 0.96, 0.8] + [0.65] * 4)
    right = np.array([1, 0, 1, 0, 1, 1, 1, 1, 0, 0.0])
    bins = bin_confidences(confidence, right, 10)
    assert [(part.count, part.accuracy) for part in bins] == [(4, 0.5), (1, 1.0), (5, 0.6)]
    expected = 0.4 * abs(0.65 - 0.5) + 0.1 * 0.2 + 0.5 * abs(0.92 - 0.6)
    assert calibration_error(bins) == pytest.approx(expected)


def test_perfect_calibration_has_no_error_and_nothing_has_none():
    right = np.array([1.0] * 3 + [0.0])
    assert calibration_error(bin_confidences(np.full(4, 0.75), right)) == 0
    assert calibration_error(bin_confidences(np.ones(3), np.ones(3))) == 0
    assert calibration_error(bin_confidences(np.ones(3), np.zeros(3))) == 1
    assert calibration_error(bin_confidences(np.empty(0), np.empty(0))) == 0


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50),
    st.integers(1, 20),
)
def test_every_prediction_is_in_one_bin_and_the_error_is_a_share(predictions, count):
    confidence, right = (np.array(part, float) for part in zip(*predictions, strict=True))
    bins = bin_confidences(confidence, right, count)
    assert sum(part.count for part in bins) == len(predictions)
    # Equal parts, counted from 0; a confidence of 1 belongs to the last.
    assert len(bins) == len({min(int(sure * count), count - 1) for sure in confidence.tolist()})
    total = sum(part.count * part.accuracy for part in bins)
    assert total == pytest.approx(right.sum())
    assert abs(confidence.mean() - right.mean()) - 1e-9 <= calibration_error(bins) <= 1
