"""How contenders were dealt, as the newest ranking of a catalogue counted it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evaluation.models import Contender, Ranking
from evaluation.stats.allocation import EPSILON
from search.models import Catalogue


@dataclass(frozen=True)
class ExposureRow:
    """Deals of what one contender found; shares are of those dealt, None where none was.

    ``propensity`` is the mean chance that just this pair was dealt; ``place`` the mean one in the round.
    """

    contender: int
    title: str
    pairs: int
    issued: int
    answered: int
    skipped: int
    undone: int
    expired: int
    waiting: int
    uniform: float | None
    propensity: float | None
    candidate_first: float | None
    place: float | None

    @property
    def per_pair(self) -> float:
        return self.issued / self.pairs if self.pairs else 0.0

    @property
    def one_in(self) -> float | None:
        return 1 / self.propensity if self.propensity else None


@dataclass(frozen=True)
class Imbalance:
    """One test that failed: see `BalanceTest`."""

    contender: int
    title: str
    balance: str
    share: float
    expected: float
    p: float


@dataclass(frozen=True)
class ShownExposure:
    made_at: datetime
    rows: Sequence[ExposureRow]
    policies: Sequence[tuple[str, str, int]]
    tests: int
    off: Sequence[Imbalance]
    uniform: float


def read_exposure(catalogue: Catalogue) -> ShownExposure | None:
    """None before the first ranking that counted deals."""
    rankings = Ranking.objects.filter(catalogue=catalogue, votes__gt=0).order_by("-made_at")
    newest = rankings.values_list("made_at", "figures__exposure").first()
    if newest is None or newest[1] is None:
        return None
    made_at, figures = newest
    titles = dict(Contender.objects.filter(catalogue=catalogue).values_list("pk", "title"))
    return ShownExposure(
        made_at=made_at,
        rows=[_show(row, titles) for row in figures["rows"]],
        policies=[(name, version, deals) for name, version, deals in figures["policies"]],
        tests=figures["tests"],
        off=[Imbalance(title=_name(row, titles), **row) for row in figures["off"]],
        uniform=EPSILON,
    )


def _show(row: Mapping[str, Any], titles: Mapping[int, str]) -> ExposureRow:
    issued = row["issued"]
    kept = ("contender", "pairs", "issued", "answered", "skipped", "undone", "expired", "waiting")
    return ExposureRow(
        title=_name(row, titles),
        candidate_first=row["candidate_first"] / issued if issued else None,
        place=row["places"] / issued if issued else None,
        uniform=row["uniform"],
        propensity=row["propensity"],
        **{name: row[name] for name in kept},
    )


def _name(row: Mapping[str, Any], titles: Mapping[int, str]) -> str:
    return titles.get(row["contender"], f"contender {row['contender']}")
