"""Episodes: what is counted, and policies compared on the same games."""

import numpy as np
import pytest

from search.engine.navigation.episodes import (
    CAP,
    Episode,
    compare,
    draw_games,
    play,
    play_all,
    summarise,
)
from search.engine.navigation.history import History
from search.engine.navigation.policies.registry import create_policy
from search.engine.navigation.users import ExactUser
from tests.engine.navigation.grounds import draw_terrain, line


class Script:
    """Shows given slates, whatever is picked."""

    def __init__(self, *slates):
        self.slates, self.histories = slates, []

    def choose(self, history, k):
        self.histories.append(history)
        return np.array(self.slates[len(history.steps)], np.int64)


def play_script(terrain, policy, *, target, **options):
    return play(
        policy,
        ExactUser(terrain.whole),
        terrain,
        target=target,
        start=None,
        k=2,
        draws=np.random.default_rng(0),
        **options,
    )


def test_the_slate_that_shows_the_target_counts():
    terrain = line(0, 1, 2, 3, 4, 5)
    policy = Script((0, 1), (2, 5), (3, 4))
    episode = play_script(terrain, policy, target=4)
    assert (episode.slates, episode.found, len(episode.seconds)) == (3, True, 3)
    assert [step.pick for step in policy.histories[-1].steps] == [1, 5]


def test_an_item_that_looks_like_the_target_is_the_target():
    terrain = draw_terrain(20, twins=2)
    assert play_script(terrain, Script((5, 6), (0, 7)), target=18).slates == 2


def test_with_keeping_the_pick_is_the_nearest_of_all_so_far():
    terrain = line(0, 10, 20, 30, 40)
    policy = Script((1, 4), (3, 2), (0, 4))
    play_script(terrain, policy, target=0, keeps=True)
    assert [step.pick for step in policy.histories[-1].steps] == [1, 1]


def test_a_game_that_does_not_find_counts_as_many_as_are_shown_at_most():
    terrain = draw_terrain(300)
    stubborn = Script(*[(0, 1)] * CAP)
    episode = play_script(terrain, stubborn, target=9)
    assert (episode.slates, episode.found) == (CAP, False)
    assert len(episode.history.steps) == CAP


def test_games_start_elsewhere_than_at_the_target():
    games = draw_games(draw_terrain(4, twins=2), 500, seed=0)
    identity = draw_terrain(4, twins=2).identity
    assert (identity[games[:, 0]] != identity[games[:, 1]]).all()
    assert set(games[:, 1].tolist()) == {0, 1}  # the other two look like these
    np.testing.assert_array_equal(games, draw_games(draw_terrain(4, twins=2), 500, seed=0))


def test_where_all_look_the_same_there_is_nothing_to_look_for():
    with pytest.raises(ValueError, match="nothing to look for"):
        draw_games(draw_terrain(2, twins=1), 1, seed=0)


def test_the_user_of_a_game_is_the_same_for_every_policy():
    terrain, seen = draw_terrain(), {}
    for name in ("nearest", "rule"):
        seen[name] = []

        def make(draws, name=name):
            seen[name].append(draws.random())
            return ExactUser(terrain.whole)

        games = draw_games(terrain, 5, seed=0)
        play_all(create_policy(name, terrain), make, terrain, games, k=4, seed=9)
    assert seen["nearest"] == seen["rule"]
    assert len(set(seen["rule"])) == 5


def make_episodes(*slates):
    return [
        Episode(target, History(), count, count < CAP, (0.001 * count,))
        for target, count in enumerate(slates)
    ]


def test_a_summary_says_what_was_played():
    summary = summarise(make_episodes(2, 4, 4, 6, CAP))
    assert (summary.mean, summary.median, summary.found) == (66 / 5, 4, 0.8)
    assert summary.low < summary.mean < summary.high
    assert summary.p90 == pytest.approx(6 + 0.6 * (CAP - 6))
    assert (summary.ms_p50, summary.ms_p95) == (pytest.approx(4), pytest.approx(6 + 0.8 * (CAP - 6)))
    with pytest.raises(ValueError, match="no episode"):
        summarise([])


def test_policies_are_compared_in_pairs():
    """Half as many in each game: the interval knows, although games differ widely."""
    ratio = compare(make_episodes(1, 2, 4, 16), make_episodes(2, 4, 8, 32))
    assert (ratio.ratio, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))
    with pytest.raises(ValueError, match="other games, or none"):
        compare(make_episodes(1, 2), make_episodes(1, 2, 3))
    with pytest.raises(ValueError, match="other games, or none"):
        compare([], [])
