"""The siamese network: which pictures are whose negatives, and its published loss."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from search.engine.trained_networks import Architecture, SiameseHead, TrainedNetwork
from search.engine.training.failures import TrainingFailed
from search.engine.training.samples import Aspect, Division, FeatureViews, Labels, Samples
from search.engine.training.settings import SiameseSettings
from search.engine.training.siamese import SiameseLearner, embed
from tests.engine.training.squares import CPU

WIDTH = 6


class Watched(FeatureViews):
    """A view that remembers what was asked of it."""

    def __init__(self, features):
        super().__init__(features, CPU)
        self.features, self.changes = features, []

    def changed(self, rows, strength, generator, *, scale=1.0):
        self.changes.append((rows, strength))
        return super().changed(rows, strength, generator, scale=scale)


def make_learner(category, *, copies=None, seen=None, features=None, learned=None, **how):
    """Items are points; the network is one linear layer."""
    category = np.asarray(category, np.int64)
    count = len(category)
    draws = np.random.default_rng(1)
    catalogue = draws.normal(size=(count, WIDTH)).astype(np.float32) if features is None else features
    samples = Samples(
        catalogue=Watched(catalogue),
        lifestyle=Watched(catalogue + draws.normal(0, 0.1, catalogue.shape).astype(np.float32)),
        has_lifestyle=np.ones(count, bool) if seen is None else np.asarray(seen, bool),
        labels=Labels((Aspect("kind", tuple("abcdefg")),), category[:, None]),
        division=Division(
            np.arange(count) if learned is None else np.asarray(learned), np.arange(count), np.arange(0)
        ),
        device=CPU,
    )
    torch.manual_seed(0)
    head = SiameseHead(WIDTH, Architecture("siamese", "thimble", 32, 8))
    network = TrainedNetwork(nn.Identity(), head)
    copies = np.arange(count) if copies is None else np.asarray(copies, np.int64)
    return SiameseLearner(network, samples, copies, SiameseSettings(**how))


def draw_negatives(learner, step=0):
    """The rows of a step's batch, which group each belongs to, and which are whose negatives."""
    draws = np.random.default_rng([0, step])
    groups = learner._draw_groups(draws)
    group = np.repeat(np.arange(len(groups)), [len(rows) for rows in groups])
    return np.concatenate(groups), group, learner._choose_negatives(groups, draws)


CATEGORIES = st.lists(st.integers(0, 3), min_size=4, max_size=40)


@settings(deadline=None, max_examples=60)
@given(
    category=CATEGORIES,
    data=st.data(),
    in_class=st.integers(1, 6),
    out_of_class=st.integers(0, 3),
    queries=st.integers(1, 20),
    is_mined=st.booleans(),
)
def test_nobodys_near_duplicate_is_a_negative_and_every_batch_has_one(
    category, data, in_class, out_of_class, queries, is_mined
):
    n = len(category)
    copies = data.draw(st.lists(st.integers(0, n // 2), min_size=n, max_size=n))
    seen = data.draw(st.lists(st.sampled_from([True, True, False]), min_size=n, max_size=n))
    try:
        learner = make_learner(
            category, copies=copies, seen=seen, in_class=in_class, out_of_class=out_of_class, queries=queries
        )
    except TrainingFailed:
        per_category = [
            {c for c, k, s in zip(copies, category, seen, strict=True) if k == v and s} for v in range(4)
        ]
        assert all(len(different) < 2 for different in per_category)
        return
    if is_mined:
        learner._mine()
    for step in range(3):
        rows, _, negatives = draw_negatives(learner, step)
        assert negatives.any()
        query, catalogue = np.nonzero(negatives)
        numbers, kinds = np.asarray(copies)[rows], np.asarray(category)[rows]
        assert (numbers[query] != numbers[catalogue]).all()
        assert (rows[query] != rows[catalogue]).all()
        assert np.asarray(seen)[rows].all()
        outside = (negatives & (kinds[:, None] != kinds[None, :])).sum(axis=1)
        assert (outside <= out_of_class).all()


def test_in_class_and_out_of_class_negatives_are_as_many_as_told():
    category = np.repeat([0, 1, 2, 3], 30)
    learner = make_learner(category, in_class=12, out_of_class=2, queries=52)
    rows, group, negatives = draw_negatives(learner)
    kinds = category[rows]
    same = kinds[:, None] == kinds[None, :]
    assert len(rows) == 52 and len(set(group.tolist())) == 4
    assert len(set(kinds.tolist())) == 4, "groups are of different categories while there are enough"
    assert (negatives & same).sum(axis=1).tolist() == [12] * 52
    assert (negatives & ~same).sum(axis=1).tolist() == [2] * 52


@pytest.mark.parametrize("queries", [1, 13, 14, 16, 25])
def test_a_batch_of_one_whole_group_has_out_of_class_negatives_too(queries):
    """The defaults are such a batch: 16 queries, 12 negatives of the category, 2 of others."""
    assert (SiameseSettings().queries, SiameseSettings().in_class, SiameseSettings().out_of_class) == (
        16,
        12,
        2,
    )
    category = np.repeat([0, 1, 2, 3], 30)
    learner = make_learner(category, queries=queries)
    rows, group, negatives = draw_negatives(learner)
    same = category[rows][:, None] == category[rows][None, :]
    first = group == 0
    assert (negatives & same).sum(axis=1)[first].tolist() == [12] * 13
    assert (negatives & ~same).sum(axis=1).tolist() == [2] * len(rows)
    assert len(rows) == max(queries, 15)


def test_without_other_categories_or_where_none_are_wanted_there_is_one_group():
    for category, out_of_class in ((np.zeros(40), 2), (np.repeat([0, 1], 30), 0)):
        rows, _, negatives = draw_negatives(make_learner(category, queries=13, out_of_class=out_of_class))
        assert len(rows) == 13 and negatives.sum() == 13 * 12


def test_a_small_category_gives_the_negatives_it_has():
    rows, _, negatives = draw_negatives(make_learner([0, 0, 0, 1], queries=13, in_class=12, out_of_class=0))
    assert sorted(rows.tolist()) == [0, 1, 2] and negatives.sum(axis=1).tolist() == [2, 2, 2]


def test_hard_negatives_come_from_the_nearest():
    points = np.random.default_rng(2).normal(size=(60, WIDTH)).astype(np.float32)
    category = np.repeat([0, 1], 30)
    copies = np.arange(60)
    copies[[1, 2]] = 0  # near duplicates of the first, and its nearest if nothing is done
    points[[1, 2]] = points[0] + 0.001
    learner = make_learner(
        category, copies=copies, features=points, in_class=4, out_of_class=0, queries=5, pool=6, steps=10
    )
    learner.begin_step(5)
    query, catalogue = (
        embed(learner.module.eval(), view, np.arange(60))
        for view in (learner._samples.lifestyle, learner._samples.catalogue)
    )
    anchors = set()
    for step in range(150):
        [rows] = learner._draw_groups(np.random.default_rng(step))
        anchor, *drawn = rows.tolist()
        others = [
            row for row in range(60) if category[row] == category[anchor] and copies[row] != copies[anchor]
        ]
        nearest = sorted(others, key=lambda row: np.linalg.norm(query[anchor] - catalogue[row]))[:6]
        assert set(drawn) <= set(nearest)
        anchors.add(anchor)
    assert {0, 1, 2} & anchors and len(anchors) > 40


@pytest.mark.parametrize(
    ("steps", "hard_after", "sought"),
    [(100, 0.5, [50, 75]), (100, 0.0, [0, 50]), (100, 1.0, []), (3, 0.5, [2])],
)
def test_hard_negatives_are_sought_in_two_later_rounds(monkeypatch, steps, hard_after, sought):
    learner = make_learner(np.repeat([0, 1], 10), steps=steps, hard_after=hard_after)
    found = []
    for step in range(steps):
        monkeypatch.setattr(learner, "_mine", lambda step=step: found.append(step))
        learner.begin_step(step)
    assert found == sought


def test_what_is_mined_is_restored():
    learner = make_learner(np.repeat([0, 1], [12, 2]), pool=5)
    fresh = make_learner(np.repeat([0, 1], [12, 2]), pool=5)
    fresh.restore(learner.state())
    assert fresh._pools == {}
    learner._mine()
    fresh.restore(learner.state())
    assert fresh._pools.keys() == learner._pools.keys() and len(fresh._pools) == 14
    assert all(np.array_equal(fresh._pools[row], pool) for row, pool in learner._pools.items())


def test_mining_leaves_the_network_as_it_was():
    learner = make_learner(np.repeat([0, 1], 10))
    learner.module.train()
    learner._mine()
    assert learner.module.training and learner.module.head.training


def test_the_loss_is_the_published_one():
    """Mean of max(0, m + Dp - Dn), Euclidean distances between normalised vectors, as torch computes it."""
    learner = make_learner(np.repeat([0, 1, 2], 20), queries=9, in_class=4, out_of_class=2, margin=0.7)
    loss = learner.loss(3)
    # The same draws again: those of the step, seed 0.
    draws = np.random.default_rng([0, 3])
    groups = learner._draw_groups(draws)
    negatives = learner._choose_negatives(groups, draws)
    rows = np.concatenate(groups)
    query, catalogue = (
        nn.functional.normalize(learner.module.head.linear(view.plain(rows)), dim=1)
        for view in (learner._samples.lifestyle, learner._samples.catalogue)
    )
    places = np.argwhere(negatives)
    near = nn.functional.pairwise_distance(query[places[:, 0]], catalogue[places[:, 0]], eps=0)
    far = nn.functional.pairwise_distance(query[places[:, 0]], catalogue[places[:, 1]], eps=0)
    expected = nn.MarginRankingLoss(margin=0.7)(far, near, torch.ones(len(near)))
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-4)
    triplet = nn.TripletMarginLoss(margin=0.7, eps=0)
    again = triplet(query[places[:, 0]], catalogue[places[:, 0]], catalogue[places[:, 1]])
    assert float(loss.detach()) == pytest.approx(float(again.detach()), rel=1e-4)


def test_equal_vectors_give_a_slope_that_is_a_number():
    points = np.ones((10, WIDTH), np.float32)
    learner = make_learner(np.zeros(10), features=points)
    learner._samples = replace(learner._samples, lifestyle=learner._samples.catalogue)
    learner.loss(0).backward()
    assert all(torch.isfinite(tensor.grad).all() for tensor in learner.module.parameters())


def test_the_query_alone_is_changed():
    learner = make_learner(np.repeat([0, 1], 20), augmentation="photos")
    learner.loss(0)
    assert [strength for _, strength in learner._samples.lifestyle.changes] == ["photos"]
    assert [strength for _, strength in learner._samples.catalogue.changes] == ["none"]


@pytest.mark.parametrize(
    ("category", "how"),
    [
        ([0, 1, 2, 3], {}),
        ([0, 0, 1, 1], {"seen": [True, False, True, False]}),
        ([-1, -1, -1, -1], {}),
        ([0, 0, 0, 0], {"copies": [3, 3, 3, 3]}),
        ([0, 0, 1, 1], {"learned": [0, 2]}),
    ],
    ids=["no two of a category", "no second view", "no category", "all alike", "not learned from"],
)
def test_nothing_to_compare_is_a_failure_with_the_reason(category, how):
    with pytest.raises(TrainingFailed, match="No category has two items with a lifestyle photo"):
        make_learner(category, **how)


def test_judging_looks_at_items_seen_twice_and_of_nothing_says_nought():
    learner = make_learner(np.repeat([0, 1], 10), seen=np.arange(20) < 10)
    measures = learner.judge(learner.module.eval(), np.arange(20))
    assert list(measures) == ["distance_accuracy", "distance_accuracy_top_3", "absolute_accuracy"]
    assert measures["absolute_accuracy"] > 0.9  # both views are nearly the same here
    assert learner.judge(learner.module, np.arange(10, 20)) == {"distance_accuracy": 0.0}
