"""Policies: the same game, the same slate; never twice the same; and who finds soon."""

import numpy as np
import pytest

from search.engine.navigation.bounds import fewest_slates
from search.engine.navigation.choices import ChoiceModel
from search.engine.navigation.episodes import draw_games, play_all, summarise
from search.engine.navigation.history import History
from search.engine.navigation.policies.bayesian import MODEL, Foreseen, Information, sample_targets
from search.engine.navigation.policies.registry import POLICIES, UnknownPolicy, create_policy
from search.engine.navigation.policies.rules import spread
from search.engine.navigation.terrain import TooFewItems
from search.engine.navigation.users import ExactUser
from tests.engine.navigation.grounds import draw_terrain, line

TERRAIN = draw_terrain(twins=30)


def play_some(policy, *, start, steps, keeps=False):
    """A game in which the third is picked, or nothing."""
    history = History(start=start, keeps=keeps)
    for number in range(steps):
        slate = tuple(policy.choose(history, 4).tolist())
        history = history.after(slate, None if number % 3 == 2 else slate[2])
    return history


@pytest.mark.parametrize("start", [None, 5])
@pytest.mark.parametrize("name", POLICIES)
def test_a_slate_shows_different_items_that_were_not_shown(name, start):
    history = play_some(create_policy(name, TERRAIN), start=start, steps=8)
    looks = TERRAIN.identity[history.shown]
    assert len(set(looks.tolist())) == len(looks) == 8 * 4 + (start is not None)


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("name", POLICIES)
def test_the_same_game_has_the_same_next_slate_whoever_asks(name, keeps):
    policy = create_policy(name, TERRAIN, seed=3)
    history = play_some(policy, start=5, steps=5, keeps=keeps)
    first = policy.choose(history, 4)  # by one that has followed the game
    np.testing.assert_array_equal(create_policy(name, TERRAIN, seed=3).choose(history, 4), first)


@pytest.mark.parametrize("name", POLICIES)
def test_a_game_ends_when_everything_was_shown(name):
    terrain = draw_terrain(10)
    policy, history = create_policy(name, terrain), History()
    while len(slate := tuple(policy.choose(history, 4).tolist())):
        history = history.after(slate, slate[0])
    assert sorted(history.shown.tolist()) == list(range(10))


@pytest.mark.parametrize("name", POLICIES)
def test_a_player_who_always_keeps_the_first_pick_is_shown_everything(name):
    """However sure of the wrong item belief becomes."""
    terrain = line(*range(90))
    policy, history = create_policy(name, terrain), History(start=0, keeps=True)
    while len(slate := tuple(policy.choose(history, 4).tolist())):
        history = history.after(slate, 0)
    assert sorted(history.shown.tolist()) == list(range(90))


@pytest.mark.parametrize("name", POLICIES)
def test_a_large_slate_is_filled(name):
    terrain = draw_terrain(60)
    history = History(start=0)
    for _ in range(2):
        slate = tuple(create_policy(name, terrain).choose(history, 20).tolist())
        assert len(set(slate) | {0}) == 21
        history = history.after(slate, slate[0])


def test_a_catalogue_smaller_than_a_slate_is_refused():
    terrain = draw_terrain(6, twins=3)
    terrain.require(3)
    with pytest.raises(TooFewItems, match="3 different items, and 4 are needed"):
        terrain.require(4)


def test_a_policy_that_there_is_not_is_named():
    with pytest.raises(UnknownPolicy, match=r"'magic'\. There are: nearest, "):
        create_policy("magic", TERRAIN)


def test_nearest_shows_what_is_nearest_to_the_last_pick():
    terrain = line(0, 1, 2, 3, 10, 11, 12.5, 13)
    policy = create_policy("nearest", terrain)
    assert policy.choose(History(start=0), 3).tolist() == [1, 2, 3]
    assert policy.choose(History(start=0).after((1, 2, 5), 5), 2).tolist() == [4, 6]


def test_equally_near_ones_come_by_place():
    terrain = line(*[place % 3 for place in range(500)])
    assert create_policy("nearest", terrain).choose(History(start=0), 4).tolist() == [3, 6, 9, 12]


def test_nothing_and_the_first_item_are_different_answers():
    policy = create_policy("posterior-sampling", TERRAIN)
    slates = {
        tuple(policy.choose(History(start=start).after((0, 50, 60, 70), pick), 4).tolist())
        for start in (None, 5)
        for pick in (None, 0)
    }
    assert len(slates) == 4


def test_nearest_per_mask_takes_turns():
    policy = create_policy("nearest-per-mask", TERRAIN)
    slate = policy.choose(History(start=0), 3)
    for item, mask in zip(slate.tolist(), TERRAIN.masks, strict=True):
        others = np.flatnonzero(TERRAIN.identity != TERRAIN.identity[0])
        nearest = others[mask.to_all(np.array([0]))[0][others].argsort(kind="stable")[:3]]
        assert item in nearest  # the mask's own nearest, or its next where another mask had that one


def test_the_rule_shows_only_what_fits_every_pick_while_there_is_enough():
    terrain = draw_terrain()
    history = play_some(create_policy("posterior-sampling", terrain), start=None, steps=2)
    slate = create_policy("rule", terrain).choose(history, 4)
    for step in history.steps:
        rejected = [item for item in step.slate if item != step.pick]
        squared = terrain.whole.to_all(np.array([step.pick, *rejected]))
        assert (squared[0, slate] <= squared[1:, slate]).all()


def test_spread_takes_the_farthest_each_time():
    space = line(0, 1, 5, 9, 10).whole
    assert spread(space, np.arange(5), 4, first=0).tolist() == [0, 4, 2, 1]
    assert spread(space, np.arange(2), 4, first=1).tolist() == [1, 0]
    assert spread(space, np.arange(0), 4, first=0).tolist() == []


# Information ------------------------------------------------------------------------------------------------


def foresee(terrain, candidates, model, kept=()):
    chances = np.random.default_rng(1).dirichlet(np.ones(len(terrain))).astype(np.float32)
    targets = np.arange(len(terrain))
    return chances, Foreseen(
        squared=terrain.whole.between(targets, np.array([*candidates, *kept])),
        alike=terrain.identity[targets][:, None] == terrain.identity[candidates][None, :],
        weights=chances,
        own=terrain.gather(chances, candidates),
        model=model,
    )


@pytest.mark.parametrize("kept", [(), (5,)], ids=["", "keeps"])
@pytest.mark.parametrize("twins", [0, 5])
@pytest.mark.parametrize("model", [MODEL, ChoiceModel(4, 0), ChoiceModel(2, 0.3)], ids=str)
def test_the_gain_is_the_mutual_information_of_target_and_answer(model, twins, kept):
    """Worked out from the joint distribution of both: an answer is a pick, or that this is the item."""
    terrain = draw_terrain(14, twins=twins)
    candidates = np.array([1, 4, 7, 8])
    chances, foreseen = foresee(terrain, candidates, model, kept)
    for chosen, added in [([], 0), ([2], 1), ([0, 3], 2), ([0, 1, 2], 3)]:
        slate = candidates[[*chosen, added]]
        options = np.array([*slate, *kept])
        joint = np.zeros((len(terrain), len(options) + len(slate)))
        for target in range(len(terrain)):
            shown = np.flatnonzero(terrain.identity[slate] == terrain.identity[target])
            if len(shown):
                joint[target, len(options) + shown[0]] = chances[target]
            else:
                squared = terrain.whole.between(np.array([target]), options)
                joint[target, : len(options)] = chances[target] * model.chances(squared)[0]
        # Which of two that look the same is wanted, nobody asks.
        looks = np.stack([joint[terrain.identity == look].sum(axis=0) for look in set(terrain.identity)])
        answers = joint.sum(axis=0)
        ratio = looks / np.maximum(looks.sum(axis=1, keepdims=True) * answers, 1e-300)
        expected = (looks * np.log(np.where(looks > 0, ratio, 1))).sum()
        assert foreseen.gains(chosen)[added] == pytest.approx(expected, abs=2e-4)


def test_a_slate_is_built_of_what_adds_most():
    terrain = draw_terrain(40)
    _, foreseen = foresee(terrain, np.arange(40), ChoiceModel(8))
    chosen = foreseen.build(4)
    assert len(set(chosen)) == 4
    for number, place in enumerate(chosen):
        gains = foreseen.gains(chosen[:number])
        gains[chosen[:number]] = -np.inf
        assert gains[place] == pytest.approx(gains.max(), abs=1e-4)


@pytest.mark.parametrize("count", [50, 400, 5000])
def test_sampled_targets_stand_for_the_whole_belief(count):
    chances = np.random.default_rng(0).dirichlet(np.full(2000, 0.1)).astype(np.float32)
    worth = np.random.default_rng(1).normal(size=2000)
    means = []
    for seed in range(200):
        items, weights = sample_targets(chances, count, np.random.default_rng(seed))
        assert len(set(items.tolist())) == len(items) <= count
        assert weights.sum() == pytest.approx(1, abs=1e-4)
        heavy = np.flatnonzero(chances > 1 / count)
        assert set(heavy.tolist()) <= set(items.tolist())
        means.append(weights @ worth[items])
    truth = float(chances @ worth)
    assert np.mean(means) == pytest.approx(truth, abs=4 * np.std(means) / 200**0.5 + 1e-4)


def test_belief_finds_sooner_than_neighbours_and_near_the_bound():
    terrain = draw_terrain(300)
    games = draw_games(terrain, 40, seed=0)
    mean = {
        name: summarise(
            play_all(
                create_policy(name, terrain), lambda _: ExactUser(terrain.whole), terrain, games, k=4, seed=0
            )
        ).mean
        for name in ("nearest-per-mask", "posterior-sampling", "information")
    }
    assert mean["information"] < mean["posterior-sampling"] < mean["nearest-per-mask"] / 2
    assert mean["information"] < 1.25 * fewest_slates(299, 4)


def test_sights_are_learned_while_playing():
    terrain = draw_terrain(300)
    policy = create_policy("information-multi", terrain)
    assert isinstance(policy, Information)
    user, generator, history = ExactUser(terrain.masks[1]), np.random.default_rng(0), History()
    for _ in range(8):
        slate = tuple(policy.choose(history, 4).tolist())
        history = history.after(slate, user.pick(17, slate, generator))
    names = [sight.name for sight in policy.belief.sights]
    assert "mask 1" in names[int(policy.belief.of_sights(history).argmax())]
