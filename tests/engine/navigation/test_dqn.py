"""The trained ranker: it plays as its networks value, and only whole ones play."""

import numpy as np
import pytest

from search.engine.encoders.base import WeightsDamaged
from search.engine.encoders.trained_files import weights_path, write_trained
from search.engine.navigation.episodes import draw_games, play_all
from search.engine.navigation.history import History
from search.engine.navigation.policies.dqn import DeepQ, Ranker, make_observer, pack_ranker, read_ranker
from search.engine.navigation.policies.nearest import Nearest
from search.engine.navigation.users import ExactUser
from tests.engine.navigation.grounds import draw_terrain

TERRAIN = draw_terrain(twins=30)
WIDTH = make_observer(TERRAIN, believes=False, seed=0).look(History(start=0), 4).describe([]).shape[1]
DISTANCE = 4  # the column that tells how far a candidate is from the pick


def make_ranker(*, of=3, column=DISTANCE, factor=-1.0, believes=False):
    """Values what stands in one column, plus 10 so that no ReLU hides it."""
    first = np.zeros((2, WIDTH), np.float32)
    first[0, column] = factor
    last = np.array([[1, 0]], np.float32)
    layers = ((first, np.full(2, 10, np.float32)), (np.eye(2, dtype=np.float32), np.zeros(2, np.float32)))
    return Ranker(((*layers, (last, np.zeros(1, np.float32))),) * of, believes)


def test_a_ranker_that_values_what_is_near_plays_as_nearest_does():
    games = draw_games(TERRAIN, 20, seed=1)
    user = ExactUser(TERRAIN.whole)
    played = [
        play_all(policy, lambda draws: user, TERRAIN, games, k=4, seed=0)
        for policy in (DeepQ(TERRAIN, make_ranker()), Nearest(TERRAIN))
    ]
    first = [[set(episode.history.steps[0].slate) for episode in episodes] for episodes in played]
    # The nearest by all masks together need not be among the fifteen nearest by any: most are.
    shared = sum(len(one & other) for one, other in zip(*first, strict=True))
    assert shared >= 0.8 * 4 * len(games)


def test_each_sampler_s_candidates_are_valued_by_its_own_network():
    near, far = make_ranker().networks[0], make_ranker(factor=1.0).networks[0]
    told = np.zeros((3, WIDTH), np.float32)
    told[:, DISTANCE] = 2
    values = Ranker((near, far, near), believes=False).value(told, np.array([0, 1, 2]))
    np.testing.assert_allclose(values, [8, 12, 8])


def test_before_a_pick_any_items_are_shown_the_same_ones_each_time():
    policy = DeepQ(TERRAIN, make_ranker(), seed=4)
    slate = policy.choose(History(), 4)
    assert len(set(TERRAIN.identity[slate].tolist())) == 4
    np.testing.assert_array_equal(DeepQ(TERRAIN, make_ranker(), seed=4).choose(History(), 4), slate)


def test_everything_is_shown_before_a_game_ends():
    terrain = draw_terrain(30)
    policy, history = DeepQ(terrain, make_ranker()), History(start=0)
    while len(slate := tuple(policy.choose(history, 4).tolist())):
        history = history.after(slate, slate[-1])
    assert sorted(history.shown.tolist()) == list(range(30))


def publish(folder, ranker):
    card = {"name": "pupil", "kind": "dqn", "architecture": {"samplers": ["a", "b", "c"], "believes": False}}
    return write_trained(folder, pack_ranker(ranker), card)


def test_a_ranker_is_read_as_it_was_kept(tmp_path):
    ranker = make_ranker()
    card = publish(tmp_path / "pupil", ranker)
    found, read = read_ranker(tmp_path / "pupil")
    assert read == card and found.believes is False
    for one, other in zip(found.networks, ranker.networks, strict=True):
        for (weights, biases), (own_weights, own_biases) in zip(one, other, strict=True):
            np.testing.assert_array_equal(weights, own_weights)
            np.testing.assert_array_equal(biases, own_biases)


@pytest.mark.parametrize("harm", ["changed", "cut off", "gone"])
def test_a_damaged_ranker_does_not_play(tmp_path, harm):
    path = weights_path(tmp_path / "pupil", publish(tmp_path / "pupil", make_ranker()))
    whole = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(whole[:-1] + b"x" if harm == "changed" else whole[:-40])
    with pytest.raises(WeightsDamaged, match=path.name):
        read_ranker(tmp_path / "pupil")
