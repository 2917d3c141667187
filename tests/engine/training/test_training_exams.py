"""What models answer to held-out questions, one by one, and what chance would."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.errors import ArtifactDamaged
from search.engine.training import exams
from search.engine.training.csn import embed
from search.engine.training.exams import (
    Answers,
    average,
    embed_all,
    embed_views,
    examine_chance,
    examine_matches,
    examine_predictions,
    examine_triplets,
    examine_views,
    find_answers,
    keep_answers,
    rank_at_random,
)
from search.engine.training.triplet_sources import draw_questions
from tests.engine.training.squares import draw_labels, draw_samples, prepare, settings_of

CASES = st.integers(2, 14).flatmap(
    lambda n: st.tuples(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=n, max_size=n),
        st.lists(st.integers(-1, 2), min_size=n, max_size=n),
        st.lists(st.integers(0, n), min_size=n, max_size=n),
    )
)


@settings(deadline=None, max_examples=60)
@given(CASES)
def test_a_match_is_the_nearest_that_is_no_copy(case):
    vectors, labels, copies = np.array(case[0], np.float32), np.array(case[1]), np.array(case[2])
    asked = np.arange(0, len(labels), 2)
    found = examine_matches(vectors, labels, asked, copies, aspect="kind")
    expected = []
    for row in asked:
        if labels[row] < 0:
            continue
        others = [other for other in range(len(labels)) if copies[other] != copies[row]]
        nearest = min(
            others, key=lambda other: (((vectors[row] - vectors[other]) ** 2).sum(), other), default=None
        )
        expected.append((row, float(nearest is not None and labels[nearest] == labels[row])))
    assert list(zip(found.rows.tolist(), found.right.tolist(), strict=True)) == expected
    assert (found.measure, found.aspect) == ("match_rate", "kind")


def test_signs_are_taken_at_nought_or_around_the_centre():
    vectors = np.array([[10, 10], [11, 11], [12, 10], [10, 12.0]], np.float32)
    labels, copies, asked = np.array([0, 0, 1, 1]), np.arange(4), np.arange(4)
    centred = examine_matches(vectors, labels, asked, copies, aspect="", metric="hamming")
    plain = examine_matches(vectors, labels, asked, copies, aspect="", metric="hamming", signs_at_zero=True)
    # At nought all signs are equal, and the first that is allowed is the nearest.
    assert plain.right.tolist() == [1, 1, 0, 0]
    assert centred.right.tolist() != plain.right.tolist()


@settings(deadline=None, max_examples=40)
@given(CASES)
def test_chance_is_the_share_of_drawable_items_that_match(case):
    labels, copies = np.array(case[1]), np.array(case[2])
    found = examine_chance(labels, np.arange(len(labels)), copies, aspect="kind")
    for row, right in zip(found.rows, found.right, strict=True):
        drawable = [labels[other] for other in range(len(labels)) if copies[other] != copies[row]]
        expected = np.mean([other == labels[row] for other in drawable]) if drawable else 0
        assert right == pytest.approx(expected, abs=1e-6)
    assert found.rows.tolist() == [row for row, value in enumerate(labels) if value >= 0]


def test_every_model_is_asked_the_same_whatever_else_it_learned():
    labels = draw_labels(60)
    rows = np.arange(20, 60)
    both = draw_questions(labels, rows)
    [alone] = draw_questions(labels.of(("size",)), rows)
    assert np.array_equal(both[1], alone)
    column = labels.column("size")
    anchor, positive, negative = alone.T
    assert (column[anchor] == column[positive]).all() and (column[anchor] != column[negative]).all()
    assert set(np.unique(alone)) <= set(rows.tolist())


def test_triplets_are_answered_under_the_mask_of_their_aspect():
    samples = draw_samples(48)
    network = prepare("csn", settings_of("csn"), samples).network.eval()
    questions = draw_questions(samples.labels, samples.division.validation)
    answers = examine_triplets(network, samples, questions)
    everything = embed(network, samples.catalogue, np.arange(48))
    masks = network.head.masks().detach().numpy()
    for answer, triplets, mask, name in zip(answers, questions, masks, ("colour", "size"), strict=True):
        anchor, positive, negative = ((everything * mask)[part] for part in triplets.T)
        nearer = ((anchor - positive) ** 2).sum(axis=1) < ((anchor - negative) ** 2).sum(axis=1)
        assert (answer.right == nearer).mean() > 0.999
        assert np.array_equal(answer.rows, triplets[:, 0])
        assert (answer.measure, answer.aspect) == ("triplet_accuracy", name)
    plain = prepare("csn", settings_of("csn", masks=False), samples).network.eval()
    assert [len(part.right) for part in examine_triplets(plain, samples, questions)] == [
        len(part) for part in questions
    ]


def test_views_are_ranked_among_a_fixed_number_of_items():
    labels = draw_labels(60).of(("size",))
    labels.table[:, 0] = np.repeat([0, 1], [40, 20])
    rows = np.arange(0, 60)
    points = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    found = examine_views(points, points, labels, rows, copies=np.arange(len(labels.table)), items=25)
    assert [part.measure for part in found] == [
        "distance_accuracy",
        "distance_accuracy_top_3",
        "absolute_accuracy",
    ]
    assert all(part.rows.tolist() == list(range(25)) for part in found), "a category of 20 cannot be compared"
    assert all((part.right == 1).all() for part in found)


def test_distances_that_say_nothing_are_right_as_often_as_expected():
    labels = draw_labels(60).of(("size",))
    labels.table[:] = 0
    rows, items, draws = np.arange(60), 20, np.random.default_rng(1)
    chance = rank_at_random(labels, rows, copies=np.arange(len(labels.table)), items=items)
    totals = np.zeros(3)
    for _ in range(300):
        query, catalogue = draws.normal(size=(2, 60, 8)).astype(np.float32)
        answers = examine_views(
            query, catalogue, labels, rows, copies=np.arange(len(labels.table)), items=items
        )
        assert [part.rows.tolist() for part in answers] == [part.rows.tolist() for part in chance]
        totals += [float(part.right.mean()) for part in answers]
    np.testing.assert_allclose(totals / 300, [part.right.mean() for part in chance], atol=0.02)
    assert chance[0].right.tolist() == pytest.approx([1 / 20] * 20)


def test_predictions_are_judged_with_a_believable_confidence():
    samples = draw_samples(48)
    samples.labels.table[40, 1] = -1
    network = prepare("aspects", settings_of("aspects"), samples).network.eval()
    rows = samples.division.held_out
    with torch.no_grad():  # as sure as a network that learned nothing should not be
        network.head.softmax.bias.zero_()
        logits = network.head.classify(network.trunk(samples.catalogue.plain(rows)))[0]
        network.head.softmax.weight.mul_(10 / logits.std())
    answers = examine_predictions(network, samples, rows)
    assert [part.aspect for part in answers] == ["colour", "size"]
    assert answers[0].rows.tolist() == rows.tolist() and 40 not in answers[1].rows
    logits = network.head.classify(network.trunk(samples.catalogue.plain(rows)))[0]
    expected = (logits.argmax(dim=1).numpy() == samples.labels.table[rows, 0]).astype(np.float32)
    assert np.array_equal(answers[0].right, expected)
    unscaled = logits.softmax(dim=1).max(dim=1).values.detach().numpy()
    assert ((answers[0].confidence >= 0.25 - 1e-6) & (answers[0].confidence <= 1)).all()
    assert answers[0].confidence.mean() < unscaled.mean()


def test_each_aspect_counts_the_same_in_a_mean():
    answers = [
        Answers("accuracy", "colour", np.arange(8), np.array([1, 0, 0, 0, 1, 0, 0, 0], np.float32)),
        Answers("accuracy", "size", np.arange(2), np.ones(2, np.float32), np.ones(2, np.float32)),
    ]
    mean = average(answers)
    assert float(mean.right.mean()) == pytest.approx((0.25 + 1) / 2)
    assert (mean.aspect, mean.measure, mean.confidence) == (exams.MEAN, "accuracy", None)
    assert mean.rows.tolist() == [*range(8), 0, 1]


def test_everything_is_embedded_in_order(monkeypatch):
    monkeypatch.setattr("search.engine.training.samples.AT_ONCE", 7)
    samples = draw_samples(24)
    network = prepare("siamese", settings_of("siamese"), samples).network.eval()
    vectors = embed_all(network, samples)
    with torch.inference_mode():
        expected = network(samples.catalogue.plain(np.arange(24)))[0].numpy()
    np.testing.assert_allclose(vectors, expected, rtol=1e-3, atol=1e-5)
    query, catalogue = embed_views(network, samples, np.array([3, 1]))
    np.testing.assert_allclose(catalogue, vectors[[3, 1]], rtol=1e-3, atol=1e-5)
    assert np.abs(query - catalogue).max() > 1e-3


def test_answers_are_kept_whole_or_refused(tmp_path):
    answers = [
        Answers("accuracy", "colour, dark", np.arange(3), np.ones(3, np.float32), np.zeros(3, np.float32)),
        Answers("match_rate", "size", np.empty(0, np.int64), np.empty(0, np.float32)),
    ]
    path = tmp_path / "answers"
    keep_answers(path, answers)
    found = find_answers(path)
    assert [(part.measure, part.aspect) for part in found] == [
        ("accuracy", "colour, dark"),
        ("match_rate", "size"),
    ]
    for one, other in zip(found, answers, strict=True):
        assert np.array_equal(one.rows, other.rows) and np.array_equal(one.right, other.right)
    assert np.array_equal(found[0].confidence, answers[0].confidence) and found[1].confidence is None
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactDamaged):
        find_answers(path)
    with pytest.raises(FileNotFoundError):
        find_answers(tmp_path / "gone")
