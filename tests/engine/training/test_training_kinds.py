"""Every kind of training: learns something easy, and goes on after a kill as if nothing had been."""

import numpy as np
import pytest
import torch

from search.engine.encoders.base import WeightsDamaged
from search.engine.trained_networks import Architecture
from search.engine.training import csn
from search.engine.training.classifying import accuracies, predict
from search.engine.training.failures import TrainingFailed
from search.engine.training.kinds import plan_network
from search.engine.training.samples import FeatureViews
from search.engine.training.settings import CsnSettings, TransferSettings
from search.engine.training.triplet_sources import draw_judged_triplets
from search.engine.weight_files import pack_weights
from tests.engine.training.squares import (
    ASPECTS,
    CPU,
    KINDS,
    SIDE,
    Killed,
    assert_equal_weights,
    draw_labels,
    draw_samples,
    draw_twins,
    kill_at,
    prepare,
    settings_of,
    train,
)

# What is learned in a few dozen steps: as little of the pictures changed as possible, all of the side.
EASY = {"augmentation": "none", "small_share": 0.0, "validate_every": 20, "rate": 1e-2}


@pytest.fixture(scope="module")
def samples():
    return draw_samples(200)


def test_transfer_learns_the_category_and_its_hidden_layer_tells_it_apart(samples):
    how = settings_of("transfer", **EASY | {"steps": 60, "batch": 24, "hidden": 64})
    lesson, _ = train("transfer", how, samples)
    held_out = samples.division.held_out
    assert lesson.learner.judge(lesson.network, held_out)["accuracy"] > 0.8  # four colours: chance is .25
    assert lesson.architecture.values == (len(ASPECTS[0].values),)


def test_aspects_are_learned_from_items_that_miss_some(samples):
    partly = draw_samples(200, missing=0.4)
    how = settings_of("aspects", **EASY | {"steps": 60, "batch": 24, "hidden": 64})
    lesson, _ = train("aspects", how, partly)
    rows = samples.division.held_out
    # Of these everything is known, and none was learned from.
    shares = accuracies(predict(lesson.network, samples.catalogue, rows), samples.labels.table[rows])
    assert shares[0] > 0.75 and shares[1] > 0.75


def test_csn_tells_each_aspect_under_its_mask_better_than_chance_and_than_the_others(samples):
    how = settings_of("csn", **EASY | {"steps": 120, "items": 24, "triplets": 32})
    lesson, _ = train("csn", how, samples)
    rows = samples.division.held_out
    embedding = csn.embed(lesson.network, samples.catalogue, rows)
    judged = draw_judged_triplets(samples.labels.table, rows, 500, seed=0)
    masks = lesson.network.head.masks().detach().numpy()
    own = csn.triplet_accuracies(embedding, masks, judged)
    wrong = csn.triplet_accuracies(embedding, masks[::-1], judged)
    assert min(own) > 0.7  # chance is one half
    assert sum(own) > sum(wrong)


def test_siamese_finds_the_same_square_in_another_view():
    twins = draw_twins(64)
    how = settings_of("siamese", **EASY | {"steps": 50, "queries": 24, "in_class": 11, "out_of_class": 2})
    untaught = prepare("siamese", how, twins).learner
    before = untaught.judge(untaught.module.eval(), twins.division.validation)
    lesson, fitted = train("siamese", how, twins)
    assert fitted.measures["absolute_accuracy"] > 0.85 > before["absolute_accuracy"]
    assert fitted.measures["distance_accuracy"] > before["distance_accuracy"] + 0.1
    assert lesson.architecture.width == how.dimensions


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_training_of_any_kind_ends_with_the_same_weights(tmp_path, kind):
    """Steps 0 to 7, checkpoints after 3 and 6; siamese looks for hard negatives before steps 4 and 6."""
    how = settings_of(kind, small_share=0.5)
    samples = draw_samples(24)
    whole, ended = train(kind, how, samples)
    for step in (5, 7):
        with pytest.raises(Killed):
            train(kind, how, samples, path=tmp_path / "checkpoint", report=kill_at(step))
    resumed, again = train(kind, how, samples, path=tmp_path / "checkpoint")
    assert_equal_weights(resumed.network, whole.network)
    assert again == ended


def test_hard_negatives_survive_a_kill(tmp_path):
    """They were found under weights that are gone: killed between two searches, the next steps need them."""
    how = settings_of("siamese", steps=12, hard_after=0.25, checkpoint_every=5)  # sought at 3, 7 and 11
    samples = draw_samples(24)
    whole, _ = train("siamese", how, samples)
    with pytest.raises(Killed):
        train("siamese", how, samples, path=tmp_path / "checkpoint", report=kill_at(6))
    resumed, _ = train("siamese", how, samples, path=tmp_path / "checkpoint")
    assert_equal_weights(resumed.network, whole.network)
    without, _ = train("siamese", settings_of("siamese", steps=12, hard_after=1.0), samples)
    assert not torch.equal(without.network.head.linear.weight, whole.network.head.linear.weight)


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_backbone_is_asked_once_and_only_the_head_learns(tmp_path, kind):
    samples = draw_samples(24)
    how = settings_of(kind, trainable="none")
    asked = []

    @torch.inference_mode()
    def featurise(trunk, views, view):
        assert views is getattr(samples, view)
        asked.append(view)
        return FeatureViews(trunk.eval()(views.plain(np.arange(24))).numpy(), CPU)

    fresh = prepare(kind, how, samples, featurise=featurise).network
    asked.clear()
    lesson, _ = train(kind, how, samples, featurise=featurise, path=tmp_path / "checkpoint")
    assert asked == ["catalogue", "lifestyle"]
    assert_equal_weights(lesson.network.trunk, fresh.trunk)
    assert not torch.equal(next(lesson.network.head.parameters()), next(fresh.head.parameters()))
    # What was taught on features answers to pictures.
    features = featurise(lesson.network.trunk, samples.catalogue, "catalogue").plain(np.arange(3))
    with torch.inference_mode():
        found = lesson.network.eval()(samples.catalogue.plain(np.arange(3)))[0]
        expected = lesson.network.head(features)[0]
    torch.testing.assert_close(found, expected)
    with pytest.raises(Killed):
        train(kind, how, samples, featurise=featurise, path=tmp_path / "other", report=kill_at(7))
    resumed, _ = train(kind, how, samples, featurise=featurise, path=tmp_path / "other")
    assert_equal_weights(resumed.network, lesson.network)


def test_the_last_blocks_learn_and_the_others_keep_weights_and_statistics():
    samples = draw_samples(24)
    how = settings_of("transfer", trainable="2")
    fresh = prepare("transfer", how, samples).network.trunk.state_dict()
    lesson, _ = train("transfer", how, samples)
    taught = lesson.network.trunk.state_dict()
    changed = {name.split(".")[1] for name in taught if not torch.equal(taught[name], fresh[name])}
    assert changed == {"2", "3"}


def test_more_blocks_than_there_are_is_a_failure_with_the_remedy():
    with pytest.raises(TrainingFailed, match=r"There are 4 blocks, not 9\. Set trainable to fewer, to all"):
        prepare("transfer", settings_of("transfer", trainable="9"), draw_samples(8))


def test_a_backbone_starts_from_the_weights_of_a_file(tmp_path):
    samples = draw_samples(8)
    taught = prepare("csn", settings_of("csn", seed=5), samples).network
    path = tmp_path / "weights.safetensors"
    path.write_bytes(pack_weights(taught))
    lesson = prepare("transfer", settings_of("transfer"), samples, weights=path)
    assert_equal_weights(lesson.network.trunk, taught.trunk)
    path.write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(WeightsDamaged, match="could run code"):
        prepare("transfer", settings_of("transfer"), samples, weights=path)


def test_a_network_too_large_for_the_memory_is_a_failure_with_the_remedy(monkeypatch):
    def ask_for_too_much(*_, **__):
        return torch.empty(1 << 60)

    monkeypatch.setattr("search.engine.training.kinds.make_network", ask_for_too_much)
    with pytest.raises(TrainingFailed, match=r"not enough memory for the network\. Set a smaller embedding"):
        prepare("transfer", settings_of("transfer"), draw_samples(8))


def test_first_weights_depend_on_the_seed_alone():
    samples = draw_samples(8)
    one = prepare("csn", settings_of("csn", seed=3), samples).network
    torch.rand(17)
    again = prepare("csn", settings_of("csn", seed=3), samples).network
    other = prepare("csn", settings_of("csn", seed=4), samples).network
    assert_equal_weights(one, again)
    assert not torch.equal(one.head.linear.weight, other.head.linear.weight)


def test_the_network_is_planned_as_told():
    labels = draw_labels(4)
    plan = plan_network("transfer", TransferSettings(hidden=99, side=40), labels.of(("size",)))
    assert plan == Architecture("transfer", "bobbin", 40, 99, values=(2,))
    plan = plan_network("csn", CsnSettings(masks_sum_to_one=False), labels)
    assert plan == Architecture("csn", "bobbin", 96, 64, masks=("colour", "size"), masks_sum_to_one=False)
    assert plan_network("csn", CsnSettings(masks=False), labels).masks == ()


def test_only_the_side_of_the_first_steps_is_smaller():
    sides = []
    samples = draw_samples(12)
    lesson = prepare("aspects", settings_of("aspects", steps=4, small_share=0.5), samples)
    lesson.network.trunk.register_forward_pre_hook(lambda module, inputs: sides.append(inputs[0].shape[1]))
    for step in range(4):
        lesson.learner.loss(step)
    assert sides == [round(SIDE * 2 / 3)] * 2 + [SIDE] * 2
