"""Searching by aspects: what the database knows first, then the order, for which none is asked.

An encoder that knows aspects has them weighed for every query. Any other answers by the whole picture alone,
until somebody sets weights of their own: then the catalogue's best ground orders its candidates as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from search.engine.aspect_ranking import OVERALL, FixedWeights, Weigher, find_candidates, share_out
from search.engine.aspect_views import AspectView
from search.engine.encoders.base import Vectors, WeightsDamaged
from search.models import Catalogue
from search.selectors.searches import AspectWeight, SearchRefused, WeightBy
from search.services.aspect_grounds import GroundRows, OpenGround, list_grounds, name_aspects, open_ground
from search.services.aspect_rankings import find_weigher

Positions = NDArray[np.int64]  # of items
WHOLE_ALONE: Final = (AspectWeight(OVERALL, 1.0, "fixed"),)


@dataclass(frozen=True)
class AspectPlan:
    """Whose aspects are looked at, who weighs them, and which of them the person weighs."""

    rows: GroundRows
    aspects: Sequence[str]
    weigher: Weigher
    by: WeightBy
    own: Mapping[str, float]

    @property
    def is_active(self) -> bool:
        """Whether anything but the whole picture may count."""
        return self.by != "fixed" or any(weight for name, weight in self.own.items() if name != OVERALL)

    def tell(self, weights: Sequence[float] | Vectors) -> list[AspectWeight]:
        """Each weight with who set it: the person, or who weighs."""
        names = (OVERALL, *self.aspects)
        return [
            AspectWeight(name, self.own[name], "person")
            if name in self.own
            else AspectWeight(name, float(weight), self.by)
            for name, weight in zip(names, weights, strict=True)
        ]

    def tell_passive(self) -> list[AspectWeight]:
        """The weights where only the whole picture counts."""
        return self.tell([1.0, *[0.0] * len(self.aspects)])


@dataclass(frozen=True)
class Ordered:
    """Candidates by `Item.position`, best first, with scores and similarities by aspect, and the weights."""

    positions: Positions
    scores: NDArray[np.float32]
    similarities: NDArray[np.float32]  # (m, K), in the aspects' order
    weights: Sequence[AspectWeight]


def plan_aspects(*, catalogue: Catalogue, encoder: str, own: Mapping[str, float]) -> AspectPlan | None:
    """How a search by this encoder weighs aspects; None where nothing of the catalogue knows any.

    Raises SearchRefused("bad-weight") for a weight of what is no aspect here.
    """
    grounds = list_grounds(catalogue)
    rows = next((rows for rows in grounds if rows.encoder == encoder), None)
    is_its_own = rows is not None
    rows = rows or next(iter(grounds), None)
    aspects: Sequence[str] = ()
    try:
        aspects = name_aspects(rows) if rows else ()
        _check(own, aspects, catalogue)
        if rows is None:
            return None
        if is_its_own:
            return AspectPlan(rows, aspects, find_weigher(catalogue=catalogue, rows=rows), "network", own)
    except WeightsDamaged:
        return None
    alone = np.zeros(1 + len(aspects), np.float32)
    alone[0] = 1
    return AspectPlan(rows, aspects, FixedWeights(alone), "fixed", own)


def look(
    plan: AspectPlan, *, position: int | None, photo: Callable[[], Mapping[str, Vectors]]
) -> tuple[OpenGround, AspectView] | None:
    """An item, or what the ground's encoders make of a photo; None for an item that has no vector there.

    Raises as `open_ground`, and whatever ``photo`` raises.
    """
    opened = open_ground(plan.rows)
    if position is None:
        made = photo()
        by_layer = {space.mask: made[space.encoder] for space in plan.rows.spaces}
        return opened, opened.ground.look(by_layer)
    place = int(np.searchsorted(opened.items, position))
    if place == len(opened.items) or opened.items[place] != position:
        return None
    return opened, opened.ground.look_at(place)


def order(
    plan: AspectPlan,
    opened: OpenGround,
    view: AspectView,
    *,
    nearest: Positions,
    overall: Callable[[Positions], NDArray[np.float32]],
    excluded: Positions,
) -> Ordered:
    """The union of the ``nearest`` by the whole picture and the nearest by each aspect, by one weighted sum.

    ``overall``: similarities of items, 0 to 1, by the index that is searched, -infinity where it has none.
    Positions that are ``excluded``, and those that either side has no vector of, are no candidates.
    """
    allowed = ~np.isin(opened.items, excluded)
    by_aspect = opened.items[find_candidates(view, allowed=allowed)]
    positions = np.union1d(by_aspect, nearest[np.isin(nearest, opened.items)])
    places = np.searchsorted(opened.items, positions)
    alike = view.similarities[places, 1:]
    whole = overall(positions)
    told = plan.tell(plan.weigher.weigh(view))
    weights = share_out([one.weight for one in told])
    scores = weights[0] * whole + alike @ weights[1:]
    best = np.lexsort((positions, -whole, -scores))
    best = best[np.isfinite(scores[best])]
    return Ordered(positions[best], scores[best], alike[best], told)


def _check(own: Mapping[str, float], aspects: Sequence[str], catalogue: Catalogue) -> None:
    for name in own:
        if name != OVERALL and name not in aspects:
            there = ", ".join((OVERALL, *aspects))
            raise SearchRefused(
                "bad-weight",
                f"“{catalogue.title}” has no aspect “{name[:60]}” to weigh; there are: {there}.",
                status=422,
            )
