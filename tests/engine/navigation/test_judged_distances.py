"""Distances in people's questions are those that an exact user compares."""

import numpy as np

from search.engine.navigation.judgements import measure_distances, share_choosing_first, shares_choosing
from search.engine.navigation.terrain import Blend, Space
from search.engine.navigation.users import ExactUser


def test_the_nearer_option_is_what_the_exact_user_picks():
    draws = np.random.default_rng(0)
    one, other = (Space(name, draws.normal(size=(30, 4)).astype(np.float32)) for name in "ab")
    sight = Blend(((one, 0.3), (other, 0.7)))
    triplets = np.array([draws.choice(30, 3, replace=False) for _ in range(200)])
    distances = measure_distances(sight, triplets)
    user = ExactUser(sight)
    for (ref, a, b), nearer in zip(triplets.tolist(), distances.argmin(axis=1).tolist(), strict=True):
        assert user.pick(ref, (a, b), draws) == (a, b)[nearer]
    for place, (ref, a, b) in enumerate(triplets):
        np.testing.assert_allclose(
            distances[place], sight.between(np.array([ref]), np.array([a, b]))[0], rtol=1e-5
        )


def test_without_questions_there_are_no_distances():
    space = Space("a", np.eye(3, dtype=np.float32))
    assert measure_distances(space, np.empty((0, 3), np.int64)).shape == (0, 2)


def test_of_equally_near_options_each_is_chosen_half_of_the_time():
    chosen = share_choosing_first(np.array([[1, 2], [2, 1], [1, 1], [0, 0]], np.float32))
    assert chosen.tolist() == [1, 0, 0.5, 0.5]


def test_of_a_slate_the_nearest_is_chosen_and_of_equally_near_ones_each_as_often():
    line = Space("line", np.array([[0], [1], [-1], [5], [-5], [2], [-2]], np.float32))
    slates = np.array([[0, 4, 3, 5, 1], [0, 2, 4, 1, 5], [3, 0, 6, 1, 2]])
    chosen = shares_choosing(measure_distances(line, slates))
    np.testing.assert_allclose(chosen, [[0, 0, 0, 1], [0.5, 0, 0.5, 0], [0, 0, 1, 0]])
