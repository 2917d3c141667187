"""The conditional similarity network: its loss by hand, and eBay's three changes one by one."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from search.engine.backbones import find_backbone
from search.engine.trained_networks import Architecture, CsnHead, TrainedNetwork
from search.engine.training import csn
from search.engine.training.csn import CsnLearner, hinge, is_nearer, triplet_accuracies
from search.engine.training.loop import initialise
from search.engine.training.samples import Division, FeatureViews, Labels, Samples, draw_rows
from search.engine.training.settings import CsnSettings
from search.engine.training.triplet_sources import JUDGED_TRIPLETS, draw_judged_triplets
from tests.engine.training.squares import CPU, draw_labels, draw_samples, settings_of, train

WIDTH = 5


def make_learner(labels=None, **how):
    """Items are points, the network one linear layer without anything that learns below it."""
    labels = labels or draw_labels(40, missing=0.1)
    count = len(labels.table)
    points = np.random.default_rng(3).normal(size=(count, WIDTH)).astype(np.float32)
    samples = Samples(
        catalogue=FeatureViews(points, CPU),
        lifestyle=None,
        has_lifestyle=np.zeros(count, bool),
        labels=labels,
        division=Division(np.arange(count), np.arange(count), np.arange(0)),
        device=CPU,
    )
    chosen = CsnSettings(**({"items": 20, "dimensions": 8} | how))
    masks = tuple(aspect.name for aspect in labels.aspects) if chosen.masks else ()
    architecture = Architecture("csn", "bobbin", 32, 8, (), masks, chosen.masks_sum_to_one)
    network = initialise(lambda: TrainedNetwork(nn.Identity(), CsnHead(WIDTH, architecture)), 0)
    return CsnLearner(network, samples, chosen)


def loss_of(**how):
    return float(make_learner(**how).loss(0).detach())


def test_the_hinge_of_a_worked_example():
    # d(a, p) = 5, d(a, n) = 1, then 1 and 5: max(0, .2 + 5 - 1) = 4.2 and max(0, .2 + 1 - 5) = 0.
    embedding = torch.tensor([[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]])
    assert float(hinge(embedding, np.array([[0, 1, 2]]), 0.2)) == pytest.approx(4.2)
    assert float(hinge(embedding, np.array([[0, 1, 2], [0, 2, 1]]), 0.2)) == pytest.approx(2.1)


@given(seed=st.integers(0, 1000), margin=st.floats(0.001, 10), count=st.integers(1, 30))
@settings(deadline=None)
def test_the_hinge_is_torchs_margin_ranking_loss_of_the_distances(seed, margin, count):
    draws = np.random.default_rng(seed)
    embedding = torch.from_numpy(draws.normal(size=(8, 4)).astype(np.float32))
    triplets = np.stack([draws.permutation(8)[:3] for _ in range(count)])
    anchor, positive, negative = (embedding[torch.from_numpy(part)] for part in triplets.T)
    near = nn.functional.pairwise_distance(anchor, positive, eps=0)
    far = nn.functional.pairwise_distance(anchor, negative, eps=0)
    # As the published code has it: the farther one must be greater by the margin.
    expected = nn.MarginRankingLoss(margin=margin)(far, near, torch.ones(count))
    assert float(hinge(embedding, triplets, margin)) == pytest.approx(float(expected), rel=1e-4, abs=1e-6)


def test_equal_embeddings_give_a_slope_that_is_a_number():
    embedding = torch.ones((3, 4), requires_grad=True)
    hinge(embedding, np.array([[0, 1, 2]]), 0.2).backward()
    assert torch.isfinite(embedding.grad).all()


@pytest.mark.parametrize("change", ["masks", "masks_sum_to_one", "magnitude_penalty", "global_consistency"])
def test_each_change_can_be_switched_off_and_changes_the_loss(change):
    everything = loss_of()
    assert loss_of() == everything
    assert loss_of(**{change: False}) != pytest.approx(everything, rel=1e-6)


def test_the_magnitude_penalty_is_what_large_embeddings_cost():
    learner = make_learner()
    rows = draw_rows(np.arange(40), 20, seed=0, step=0)
    with torch.no_grad():
        embedding = learner.module.head.embed(learner._samples.catalogue.plain(rows))
    expected = csn.MAGNITUDE_WEIGHT * float(embedding.square().sum(dim=1).mean().sqrt())
    assert csn.MAGNITUDE_WEIGHT == 5e-3  # of the published code
    assert loss_of() - loss_of(magnitude_penalty=False) == pytest.approx(expected, rel=1e-3)


def test_masks_that_need_not_sum_to_one_cost_their_sum():
    bare = {"masks_sum_to_one": False, "magnitude_penalty": False, "global_consistency": False}
    learner = make_learner(**bare)
    loss = learner.loss(0)
    loss.backward()
    before = learner.module.head.raw_masks.grad.clone()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csn, "MASK_WEIGHT", 0.0)
        without = make_learner(**bare)
        unpunished = without.loss(0)
        unpunished.backward()
    masks = learner.module.head.masks().detach()
    assert float((loss - unpunished).detach()) == pytest.approx(5e-4 * float(masks.sum()) / 20, rel=1e-2)
    more = before - without.module.head.raw_masks.grad
    torch.testing.assert_close(more, (masks > 0).float() * 5e-4 / 20, rtol=1e-2, atol=1e-7)


def test_even_masks_that_sum_to_one_leave_the_margin_its_meaning():
    """What they shorten, they shorten for the margin too."""
    bare = {"magnitude_penalty": False, "global_consistency": False}
    masked = make_learner(**bare)
    with torch.no_grad():
        masked.module.head.raw_masks.zero_()
    unmasked = make_learner(**bare, masks=False, masks_sum_to_one=False)
    unmasked.module.head.linear.load_state_dict(masked.module.head.linear.state_dict())
    assert float(masked.loss(0).detach()) == pytest.approx(float(unmasked.loss(0).detach()), rel=1e-4)


def test_global_consistency_draws_together_what_shares_more_without_a_mask():
    """Masks that see nothing leave the third change alone to learn from."""
    learner = make_learner(magnitude_penalty=False)
    with torch.no_grad():
        learner.module.head.linear.weight.mul_(0)
        learner.module.head.linear.bias.mul_(0)
    both = float(learner.loss(0).detach())  # every distance is nought: each hinge is the margin
    assert both == pytest.approx(0.2 + csn.GLOBAL_WEIGHT * 0.2, rel=1e-4)


@pytest.mark.parametrize("column", [0, 1])
def test_an_aspects_triplets_are_compared_under_its_mask_and_teach_no_other(column):
    labels = draw_labels(40)
    unknown = Labels(labels.aspects, np.where(np.arange(2) == column, labels.table, -1))
    learner = make_learner(unknown, global_consistency=False, magnitude_penalty=False)
    learner.loss(0).backward()
    slopes = learner.module.head.raw_masks.grad
    assert float(slopes[column].abs().sum()) > 0 and float(slopes[1 - column].abs().sum()) == 0


def test_a_batch_of_which_nothing_is_known_teaches_nothing():
    labels = draw_labels(40)
    nothing = make_learner(
        Labels(labels.aspects, np.full((40, 2), -1)), global_consistency=False, magnitude_penalty=False
    )
    nothing.loss(0).backward()
    assert float(nothing.loss(0).detach()) == 0


@pytest.mark.parametrize("sum_to_one", [True, False])
def test_learned_masks_are_not_negative_and_sum_to_one_where_told(sum_to_one):
    how = settings_of("csn", masks_sum_to_one=sum_to_one, rate=0.05, steps=10, trainable="none")
    samples = draw_samples(24)
    points = np.random.default_rng(0).normal(size=(24, find_backbone("bobbin").width)).astype(np.float32)
    lesson, _ = train("csn", how, samples, featurise=lambda *_: FeatureViews(points, CPU))
    masks = lesson.network.head.masks().detach()
    assert (masks >= 0).all() and masks.std() > 0
    assert lesson.architecture.masks_sum_to_one == sum_to_one
    is_one = torch.isclose(masks.sum(dim=1), torch.ones(2))
    assert bool(is_one.all()) == sum_to_one


def test_a_specialist_learns_the_triplets_of_one_aspect_in_one_space():
    """The published baselines: without masks, of all aspects, or of one."""
    samples = draw_samples(48)
    one = replace(samples, labels=samples.labels.of(("size",)))
    how = settings_of("csn", masks=False)
    lesson, fitted = train("csn", how, one)
    assert lesson.network.head.layers == ("embedding",)
    assert list(fitted.measures) == ["triplet_accuracy", "triplet_accuracy size"]
    assert fitted.measures["triplet_accuracy"] == fitted.measures["triplet_accuracy size"]
    everyone, _ = train("csn", how, samples)
    assert not torch.equal(lesson.network.head.linear.weight, everyone.network.head.linear.weight)


def test_judging_counts_triplets_under_each_aspects_mask():
    learner = make_learner()
    rows = np.arange(5, 40)
    measures = learner.judge(learner.module, rows)
    embedding = csn.embed(learner.module, learner._samples.catalogue, rows)
    masks = learner.module.head.masks().detach().numpy()
    judged = draw_judged_triplets(learner._samples.labels.table, rows, JUDGED_TRIPLETS, seed=0)
    for column, name in enumerate(("colour", "size")):
        table = learner._samples.labels.table[rows, column]
        right = 0
        for anchor, positive, negative in judged[column].tolist():
            assert table[anchor] == table[positive] != table[negative]
            near, far = (
                ((embedding[anchor] - embedding[other]) * masks[column])
                @ ((embedding[anchor] - embedding[other]) * masks[column])
                for other in (positive, negative)
            )
            right += near < far
        assert measures[f"triplet_accuracy {name}"] == pytest.approx(right / len(judged[column]), abs=2e-3)
    assert measures["triplet_accuracy"] == pytest.approx(np.mean(list(measures.values())[1:]))


def test_of_items_of_which_nothing_is_known_judging_says_nought():
    labels = draw_labels(40)
    unknown = Labels(labels.aspects, np.full((40, 2), -1))
    assert make_learner(unknown).judge(make_learner(unknown).module, np.arange(40)) == {
        "triplet_accuracy": 0.0
    }


def test_a_tie_is_not_nearer_and_masks_choose_what_is_compared():
    embedding = np.array([[0, 0], [1, 0], [0, 1], [1, 0]], np.float32)
    assert is_nearer(embedding, np.array([[0, 1, 3], [0, 1, 2], [0, 1, 1]])).tolist() == [False] * 3
    judged = [np.array([[0, 1, 2]]), np.array([[0, 1, 2]]), np.empty((0, 3), np.int64)]
    masks = np.array([[0, 1], [1, 0], [1, 1]], np.float32)
    first, second, nothing = triplet_accuracies(embedding, masks, judged)
    assert (first, second) == (1.0, 0.0) and np.isnan(nothing)
