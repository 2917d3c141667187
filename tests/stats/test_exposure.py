"""Balance of exposure: what is dealt by lot is not called off, what leans is, and what is unknown is not."""

import numpy as np
import pytest

from evaluation.stats.exposure import FEWEST_PAIRS, LEVEL, Balance, Exposure, check_balance, list_off

CONTENDERS = 12
POOL = FEWEST_PAIRS


def expose(rng: np.random.Generator, *, deals: int, lean: dict[Balance, float]) -> tuple[Exposure, Exposure]:
    """Deals of pairs that each contender found by lot; the first one's lean in some respect."""
    found = rng.random((deals, CONTENDERS + 1)) < 0.3
    found[:, -1] = True
    favoured = found[:, 0] & (rng.random(deals) < 0.5)
    first = rng.random(deals) < np.where(favoured, 0.5 + lean.get(Balance.SIDE, 0), 0.5)
    place = rng.integers(0, 4, deals)
    place = np.where(favoured & (rng.random(deals) < lean.get(Balance.PLACE, 0)), 0, place)
    expired = rng.random(deals) < np.where(favoured, 0.1 + lean.get(Balance.UNANSWERED, 0), 0.1)
    bands = np.stack([(found & (place == part)[:, None]).sum(axis=0) for part in range(4)], axis=1)
    sums = [(found & kept[:, None]).sum(axis=0) for kept in (np.ones(deals, bool), first, expired)]
    of = [
        Exposure(sums[0][s], sums[1][s], bands[s], sums[0][s], sums[2][s])
        for s in (slice(0, -1), slice(-1, None))
    ]
    return of[0], of[1]


def test_dealt_by_lot_hardly_ever_anything_is_off() -> None:
    rng = np.random.default_rng(0)
    alarms = sum(
        bool(list_off(check_balance(*expose(rng, deals=2000, lean={}), pool=POOL))) for _ in range(200)
    )
    assert alarms <= 200 * LEVEL + 2 * np.sqrt(200 * LEVEL)


@pytest.mark.parametrize("balance", Balance)
def test_what_leans_is_found_and_named_alone(balance: Balance) -> None:
    rng = np.random.default_rng(1)
    off = list_off(check_balance(*expose(rng, deals=4000, lean={balance: 0.2}), pool=POOL))
    assert {(test.contender, test.balance) for test in off} == {(0, balance)}
    assert off[0].share > off[0].expected


def test_few_deals_say_nothing_but_of_sides_and_none_say_nothing_at_all() -> None:
    rng = np.random.default_rng(2)
    few = check_balance(*expose(rng, deals=12, lean={}), pool=POOL)
    assert {test.balance for test in few if test.p is not None} == {Balance.SIDE}
    assert check_balance(*expose(rng, deals=0, lean={}), pool=POOL) == []


def test_in_a_small_pool_places_are_not_tested() -> None:
    tests = check_balance(*expose(np.random.default_rng(3), deals=900, lean={}), pool=POOL - 1)
    assert {test.balance for test in tests} == {Balance.SIDE}


def test_who_found_everything_is_compared_with_nobody() -> None:
    whole = Exposure(*(np.array(column) for column in ([50], [20], [[20, 10, 10, 10]], [50], [9])))
    tests = {test.balance: test for test in check_balance(whole, whole, pool=POOL)}
    assert tests[Balance.PLACE].p is None
    assert tests[Balance.SIDE].p is not None
    assert list_off(list(tests.values())) == []
