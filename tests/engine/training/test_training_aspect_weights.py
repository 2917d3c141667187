"""A small network learns what each aspect is worth to a query, where that differs."""

import numpy as np
import pytest
import torch

from search.engine.ranking_measures import find_best_weights
from search.engine.telling_aspects import find_wanted
from search.engine.training.aspect_weights import AspectWeightsLearner, ask, read_network
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import fit
from search.engine.training.samples import Division
from search.engine.training.settings import AspectRankingSettings
from tests.engine.aspect_grounds import make_heads, make_masks, make_table, make_vectors

CPU = torch.device("cpu")
TABLE = make_table(items=400)
QUICK = {"steps": 150, "rate": 0.01, "batch": 32, "validate_every": 50, "hidden": 16}


def make_asked(make=make_masks, noise=0.25):
    ground = make(make_vectors(TABLE, noise=noise))
    wanted = find_wanted(TABLE, category=None, copies=np.arange(len(TABLE)))
    return ground, wanted, ask(ground, wanted, per_part=30)


def divide(asked):
    rows = np.arange(len(asked))
    return Division(rows[rows % 3 == 0], rows[rows % 6 == 1], rows[rows % 3 == 2])


def learn(asked, division, checkpoint=None, **changed):
    settings = AspectRankingSettings(**QUICK | changed)
    learner = AspectWeightsLearner(asked, settings, division, device=CPU)
    fit(
        learner,
        settings,
        checkpoint=checkpoint or CheckpointFile(None, {}),
        report=lambda progress: None,
        device=CPU,
    )
    return learner


@pytest.mark.parametrize("make", [make_masks, make_heads])
def test_weights_that_look_at_the_query_beat_the_best_that_do_not(make):
    _, _, asked = make_asked(make)
    division = divide(asked)
    learner = learn(asked, division)
    held_out = learner.judge(learner.module, division.held_out)["ndcg"]
    best = find_best_weights(asked.lists.of(division.learned), np.random.default_rng(0))
    own = asked.lists.of(division.held_out)
    assert held_out > own.rate(best).mean()


def test_numpy_gives_the_weights_that_torch_gave():
    ground, wanted, asked = make_asked()
    learner = learn(asked, divide(asked), steps=20)
    with torch.inference_mode():
        theirs = learner.module(torch.from_numpy(asked.told)).numpy()
    network = read_network(learner.module)
    for number in (0, 7, 31):
        view = ground.look_at(int(wanted.queries[number]))
        np.testing.assert_allclose(network.weigh(view), theirs[number], atol=1e-5)


def test_before_it_has_learned_it_weighs_all_alike():
    _, _, asked = make_asked()
    learner = AspectWeightsLearner(asked, AspectRankingSettings(**QUICK), divide(asked), device=CPU)
    weights = learner.module.eval()(torch.from_numpy(asked.told)).detach().numpy()
    np.testing.assert_allclose(weights, 1 / 3, atol=1e-6)


def test_a_run_goes_on_from_its_checkpoint_to_the_same_weights(tmp_path):
    class Stopped(Exception):
        pass

    def stop(progress):
        if progress.step == 45:
            raise Stopped

    _, _, asked = make_asked()
    division, settings = divide(asked), AspectRankingSettings(**QUICK | {"steps": 60, "checkpoint_every": 20})
    undisturbed = learn(asked, division, steps=60, checkpoint_every=20)
    checkpoint = CheckpointFile(tmp_path / "checkpoint", {"training": "one"})
    broken_off = AspectWeightsLearner(asked, settings, division, device=CPU)
    with pytest.raises(Stopped):
        fit(broken_off, settings, checkpoint=checkpoint, report=stop, device=CPU)
    again = learn(asked, division, checkpoint, steps=60, checkpoint_every=20)
    for one, other in zip(undisturbed.module.parameters(), again.module.parameters(), strict=True):
        assert torch.equal(one, other)


def test_too_little_to_learn_from_is_said():
    _, _, asked = make_asked()
    one, none = np.array([0]), np.array([], np.int64)
    with pytest.raises(TrainingFailed, match="too few queries to learn from: 1"):
        AspectWeightsLearner(asked, AspectRankingSettings(), Division(one, np.arange(9), none), device=CPU)
    lists = asked.lists
    lists.relevant[:] = False
    with pytest.raises(TrainingFailed, match="does not see aspects"):
        AspectWeightsLearner(asked, AspectRankingSettings(), divide(asked), device=CPU)


def test_looking_at_queries_can_be_stopped():
    ground, wanted, _ = make_asked()

    def stop(done):
        raise KeyboardInterrupt(done)

    with pytest.raises(KeyboardInterrupt, match=r"^1$"):
        ask(ground, wanted, per_part=5, report=stop)
