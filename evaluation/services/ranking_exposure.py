"""The exposure of a ranking: how each contender's pairs were dealt, and whether anything is off."""

from __future__ import annotations

from typing import Any

from evaluation.selectors.deal_counts import COUNTS, DealCounts
from evaluation.stats.allocation import EPSILON
from evaluation.stats.exposure import BalanceTest, Exposure, check_balance, list_off
from evaluation.stats.votes import Places


def describe_exposure(counts: DealCounts) -> dict[str, Any]:
    """``rows`` of contenders; ``policies``; how many ``tests`` were made, and those that say it is ``off``.

    ``uniform``: which part of a contender's deals the uniform half of the dealing drew, about. Of a deal with
    propensity p that is EPSILON / (pool p), its share in it, as long as players have seen little of the pool.
    """
    own, everything = _expose(counts, slice(0, -1)), _expose(counts, slice(-1, None))
    tests = check_balance(own, everything, pool=counts.pool)
    return {
        "rows": [_describe(counts, place, pk) for place, pk in enumerate(counts.contenders.tolist())],
        "policies": [list(policy) for policy in counts.policies],
        "tests": sum(test.p is not None for test in tests),
        "off": [_tell(counts.contenders, test) for test in list_off(tests)],
    }


def _expose(counts: DealCounts, some: slice) -> Exposure:
    of = counts.counts
    return Exposure(
        issued=of["issued"][some],
        candidate_first=of["candidate_first"][some],
        bands=counts.bands[some],
        settled=(of["issued"] - of["waiting"])[some],
        expired=of["expired"][some],
    )


def _describe(counts: DealCounts, place: int, pk: int) -> dict[str, Any]:
    row: dict[str, Any] = {"contender": pk, "pairs": int(counts.pairs[place])}
    row |= {name: int(counts.counts[name][place]) for name in COUNTS}
    issued = row["issued"]
    row["propensity"] = float(counts.propensities[place]) / issued if issued else None
    uniform = EPSILON * float(counts.inverses[place]) / max(1, counts.pool * issued)
    row["uniform"] = min(1.0, uniform) if issued else None
    return row


def _tell(contenders: Places, test: BalanceTest) -> dict[str, Any]:
    return {
        "contender": int(contenders[test.contender]),
        "balance": test.balance.value,
        "share": test.share,
        "expected": test.expected,
        "p": test.p,
    }
