"""Rank ranges: published separations, no false ones among equals, true ones found."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import studentized_range

from evaluation.stats.covariances import Approvals
from evaluation.stats.intervals import Standing
from evaluation.stats.ranks import RankRange, rank_ranges, rank_ranges_by_counts, surely_above


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ((56, 70), (48, 80), True),  # .0524 to .3339
        ((9, 10), (3, 10), True),  # .1705 to .8090
        ((6, 7), (2, 7), True),  # .0582 to .8062
        ((5, 56), (0, 29), False),  # -.0381 to .1926
        ((0, 10), (0, 20), False),  # -.1611 to .2775
    ],
)
def test_two_contenders_are_apart_where_the_published_difference_is(
    first: tuple[int, int], second: tuple[int, int], apart: bool
) -> None:
    """Newcombe (1998), Statistics in Medicine 17:873, table II, method 10."""
    ranges = rank_ranges_by_counts([Standing(*first), Standing(*second)])
    expected = [RankRange(1, 1), RankRange(2, 2)] if apart else [RankRange(1, 2), RankRange(1, 2)]
    assert ranges == expected


def test_twelve_equal_contenders_are_hardly_ever_told_apart() -> None:
    rng = np.random.default_rng(4)
    told_apart = 0
    for _ in range(150):
        yes = rng.binomial(300, 0.6, size=12)
        ranges = rank_ranges_by_counts([Standing(int(one), 300) for one in yes])
        told_apart += any(one != RankRange(1, 12) for one in ranges)
    assert told_apart / 150 <= 0.05


def test_clear_differences_narrow_the_ranges() -> None:
    ranges = rank_ranges_by_counts(
        [Standing(900, 1000), Standing(600, 1000), Standing(590, 1000), Standing(100, 1000)]
    )
    assert ranges == [RankRange(1, 1), RankRange(2, 3), RankRange(2, 3), RankRange(4, 4)]


def test_without_votes_every_place_is_open() -> None:
    assert rank_ranges_by_counts([Standing(900, 1000), None, Standing(100, 1000)]) == [
        RankRange(1, 2),
        RankRange(1, 3),
        RankRange(2, 3),
    ]
    assert rank_ranges_by_counts([]) == []


# Mathematics of PISA 2018, OECD countries: mean and standard error (OECD; as in the R package csranks).
PISA = {
    "Australia": (491.3600252, 1.939833031), "Austria": (498.9423138, 2.970998694),
    "Belgium": (508.0703063, 2.262662011), "Canada": (512.0169429, 2.357475749),
    "Chile": (417.4065563, 2.41588757), "Colombia": (390.9322732, 2.989559274),
    "Czech Republic": (499.4676508, 2.460661531), "Denmark": (509.3983746, 1.735002337),
    "Estonia": (523.4145802, 1.743602224), "Finland": (507.3013618, 1.967920411),
    "France": (495.4075794, 2.320214487), "Germany": (500.0437805, 2.647083096),
    "Greece": (451.3703438, 3.091228197), "Hungary": (481.0826364, 2.319596741),
    "Iceland": (495.1873762, 1.953082603), "Ireland": (499.632894, 2.198621128),
    "Israel": (463.0345488, 3.498563228), "Italy": (486.5898573, 2.780045867),
    "Japan": (526.9732502, 2.471475318), "Korea": (525.933002, 3.121394315),
    "Latvia": (496.1263306, 1.962766789), "Lithuania": (481.1911884, 1.953282039),
    "Luxembourg": (483.421485, 1.097632409), "Mexico": (408.8014734, 2.493225544),
    "Netherlands": (519.2309824, 2.632277885), "New Zealand": (494.489676, 1.705942856),
    "Norway": (500.9637885, 2.219044878), "Poland": (515.6478747, 2.602085176),
    "Portugal": (492.4874062, 2.684570081), "Slovak Republic": (486.1648542, 2.555595707),
    "Slovenia": (508.8975441, 1.363877596), "Spain": (481.3926126, 1.462417763),
    "Sweden": (502.3877022, 2.654250935), "Switzerland": (515.3147131, 2.908003898),
    "Turkey": (453.5077774, 2.260406789), "United Kingdom": (501.7698992, 2.564428111),
    "United States": (478.2447174, 3.235444099),
}  # fmt: skip


def normal(estimates: object, errors: object, freedom: float = np.inf) -> Approvals:
    """Independent estimates with known errors."""
    means = np.asarray(estimates, float)
    return Approvals(means, np.diag(np.square(errors)), np.full((len(means), len(means)), freedom))


def test_countries_hold_the_places_that_were_published() -> None:
    """What csranks, the authors' package, says of these data in its introduction."""
    scores, errors = zip(*PISA.values(), strict=True)
    sure = dict(zip(PISA, rank_ranges(normal(scores, errors)), strict=True))
    bold = dict(zip(PISA, rank_ranges(normal(scores, errors), level=0.75), strict=True))
    behind = {"Chile", "Mexico", "Colombia"}
    assert all((one.best >= 35) == (name in behind) for name, one in sure.items())
    assert all((one.worst >= 35) == (name in behind) for name, one in sure.items())
    assert sure["Germany"].best <= 7 <= sure["Korea"].worst
    assert bold["Germany"].best > bold["Korea"].worst


def test_the_first_step_is_tukeys_where_all_are_alike() -> None:
    """Equal independent errors: the largest difference is a studentised range (Tukey 1949)."""
    critical = studentized_range.ppf(0.95, 8, np.inf)
    for gap, apart in ((0.97 * critical, False), (1.03 * critical, True)):
        estimates = np.zeros(8)
        estimates[0] = gap
        estimates[1:7] = gap / 2
        assert surely_above(normal(estimates, np.ones(8)), draws=100_000)[0, 7] == apart


def test_what_contenders_share_drops_out_of_their_difference() -> None:
    estimates, own, shared = np.array([0.62, 0.60]), 0.004**2, 0.05**2
    together = Approvals(estimates, np.full((2, 2), shared) + own * np.eye(2), np.full((2, 2), 50.0))
    assert rank_ranges(together) == [RankRange(1, 1), RankRange(2, 2)]
    assert rank_ranges(normal(estimates, [0.05, 0.05])) == [RankRange(1, 2), RankRange(1, 2)]


def test_few_clusters_leave_more_open() -> None:
    estimates = [0.7, 0.6]
    assert rank_ranges(normal(estimates, [0.02, 0.02], 60))[0] == RankRange(1, 1)
    assert rank_ranges(normal(estimates, [0.02, 0.02], 2))[0] == RankRange(1, 2)


def test_a_contender_without_votes_may_hold_any_place_and_takes_none() -> None:
    ranges = rank_ranges(normal([0.9, np.nan, 0.1], [0.01, 0, 0.01]))
    assert ranges == [RankRange(1, 2), RankRange(1, 3), RankRange(2, 3)]
    assert rank_ranges(normal([], [])) == []


def test_contenders_that_found_the_same_are_not_told_apart() -> None:
    same = Approvals(np.array([0.5, 0.5]), np.full((2, 2), 0.01), np.ones((2, 2)))
    assert not surely_above(same).any()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.001, 0.2)), min_size=1, max_size=7))
def test_ranges_hold_the_estimated_order_and_depend_on_differences_alone(
    contenders: list[tuple[float, float]],
) -> None:
    estimates, errors = (np.array(column) for column in zip(*contenders, strict=True))
    above = surely_above(normal(estimates, errors))
    ranges = rank_ranges(normal(estimates, errors))
    places = (-estimates).argsort(kind="stable").argsort() + 1
    assert all(one.best <= place <= one.worst for one, place in zip(ranges, places, strict=True))
    for one, two in combinations(range(len(estimates)), 2):
        assert not (above[one, two] and above[two, one])
    assert ranges == rank_ranges(normal(estimates + 3, errors))


def test_all_true_places_are_held_together_as_often_as_said() -> None:
    """Three groups of equals, where stepping down has the most to win and to lose."""
    rng, truth, runs, held = np.random.default_rng(3), np.repeat([0.0, 3.0, 9.0], 3), 400, 0
    for _ in range(runs):
        above = surely_above(normal(truth + rng.normal(size=9), np.ones(9)), draws=2000)
        held += not (above & (truth[:, None] <= truth[None, :])).any()
    assert held / runs >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / runs)
