"""Learning to rank what the samplers found, from simulated games."""

import numpy as np
import pytest
import torch

from search.engine.navigation.episodes import draw_games, play_all, summarise
from search.engine.navigation.policies.dqn import DeepQ
from search.engine.navigation.policies.registry import create_policy
from search.engine.navigation.users import ExactUser
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.failures import TrainingFailed
from search.engine.training.loop import fit
from search.engine.training.ranking import RankingLearner, read_networks
from search.engine.training.replay import Replay, Slate
from search.engine.training.samples import Division
from search.engine.training.settings import LEAST_REMEMBERED, DqnSettings
from tests.engine.navigation.grounds import draw_terrain

TERRAIN = draw_terrain(400)
CPU = torch.device("cpu")
QUICK = {
    "steps": 12,
    "judged": 3,
    "validate_every": 6,
    "checkpoint_every": 4,
    "hidden": 8,
    "remembered": LEAST_REMEMBERED,
}


class Stopped(Exception):
    """As if the process had been killed."""


def make_learner(**changed):
    settings = DqnSettings(**{**QUICK, **changed})
    return RankingLearner(TERRAIN, settings, divide(), device=CPU), settings


def divide(learned=300):
    return Division(np.arange(learned), np.arange(300, 380), np.arange(380, 400))


def learn(path=None, *, stop_at=None, **changed):
    learner, settings = make_learner(**changed)

    def report(progress):
        if progress.step == stop_at:
            raise Stopped

    fitted = fit(learner, settings, checkpoint=CheckpointFile(path, {}), report=report, device=CPU)
    return learner, fitted


@pytest.mark.parametrize("belief", [False, True])
def test_stopped_it_goes_on_to_the_same_ranker(tmp_path, belief):
    undisturbed, whole = learn(belief=belief)
    with pytest.raises(Stopped):
        learn(tmp_path / "checkpoint", stop_at=10, belief=belief)
    resumed, fitted = learn(tmp_path / "checkpoint", belief=belief)
    assert fitted == whole
    for one, other in zip(undisturbed.module.parameters(), resumed.module.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.timeout(400)
def test_what_it_learns_finds_sooner_than_what_it_began_with():
    learner, settings = make_learner(steps=1500, judged=40, validate_every=500, hidden=32, remembered=1500)
    before = learner.judge(learner.module, learner.validation)
    fitted = fit(
        learner, settings, checkpoint=CheckpointFile(None, {}), report=lambda progress: None, device=CPU
    )
    after = learner.judge(learner.module, learner.validation)
    assert after == fitted.measures
    assert after["slates"] < 0.8 * before["slates"]
    games = draw_games(TERRAIN, 40, seed=0, among=learner.validation)
    for name in ("nearest-per-mask", "rule-sampler"):  # which choose from the same candidates
        user = ExactUser(TERRAIN.whole)
        played = play_all(
            create_policy(name, TERRAIN), lambda draws, user=user: user, TERRAIN, games, k=4, seed=0
        )
        assert after["slates"] < 0.9 * summarise(played).mean
    assert after["slates_spared"] == pytest.approx(1 - after["slates"] / 50)


def test_numpy_and_torch_value_alike():
    learner, _ = make_learner()
    ranker = read_networks(learner.module, believes=False)
    told = torch.randn(6, ranker.networks[0][0][0].shape[1], generator=torch.Generator().manual_seed(0))
    samplers = np.array([0, 1, 2, 2, 1, 0])
    expected = [learner.module[number](row)[0].item() for number, row in zip(samplers, told, strict=True)]
    np.testing.assert_allclose(ranker.value(told.numpy(), samplers), expected, rtol=1e-5, atol=1e-6)
    assert len(DeepQ(TERRAIN, ranker)._ranker.networks) == len(TERRAIN.masks)


def test_too_few_items_for_a_game_are_refused():
    with pytest.raises(TrainingFailed, match="too few items"):
        RankingLearner(TERRAIN, DqnSettings(**QUICK), divide(learned=1), device=CPU)


def test_more_than_is_to_be_remembered_is_refused():
    with pytest.raises(TrainingFailed, match="Set remembered lower"):
        make_learner(remembered=1_000_000)


def remember(replay, number, *, is_last=False):
    candidates = 3
    replay.add(
        Slate(
            told=np.full((2, 4), number, np.float32),
            samplers=np.array([0, 1]),
            next_told=None if is_last else np.full((candidates, 4), number + 0.5, np.float32),
            next_samplers=None if is_last else np.zeros(candidates, np.int64),
            reward=-float(number),
        )
    )


def test_the_oldest_slates_are_forgotten_first():
    replay = Replay(5, k=2, candidates=6, width=4)
    for number in range(8):
        remember(replay, number)
    batch = replay.draw(200, np.random.default_rng(0), CPU)
    assert set((-batch.reward).tolist()) == {3, 4, 5, 6, 7}
    assert len(replay) == 5


def test_what_belongs_to_a_slate_stays_with_it_and_padding_is_marked():
    replay = Replay(5, k=3, candidates=6, width=4)
    for number in range(5):
        remember(replay, number, is_last=number == 4)
    batch = replay.draw(100, np.random.default_rng(0), CPU)
    for row in range(100):
        number = -batch.reward[row].item()
        assert (batch.told[row][batch.there[row]] == number).all()
        assert batch.there[row].sum() == 2
        assert batch.next_there[row].sum() == (0 if number == 4 else 3)
        assert (batch.next_told[row][batch.next_there[row]] == number + 0.5).all()
        assert batch.over[row].item() is (number == 4)
