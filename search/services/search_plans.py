"""What a search needs of the database, looked up first: which index answers, and among which items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Final

import numpy as np

from search.engine.encoders.photo_encoders import EncoderVersion
from search.models import BuildState, Catalogue, EmbeddingSpace, Index, Metric
from search.selectors.photos import find_photo, show
from search.selectors.searchable import (
    METRICS,
    Positions,
    describe_engine,
    find_allowed,
    find_searchable,
    list_indexes,
    list_originals,
    list_removed,
    show_item,
)
from search.selectors.searches import FoundItem, SearchRefused, ShownPhoto, Wish
from search.services.aspect_search import AspectPlan, plan_aspects
from search.services.photo_vectors import Glance
from search.services.photos import LONGEST

BUILT_AGAIN_S: Final = 30  # until it is worth asking again


@dataclass(frozen=True)
class Plan:
    """A wish with all that the database knows of it.

    ``indexes``: the one to search, then those that serve in its place should its files be damaged; none where
    it is being built and nothing else can. ``default`` is the primary key of the catalogue's first index.
    ``allowed``: positions of the items that pass the filters, None for all. ``originals``: from the position
    of a near-duplicate to that of the item that it is one of. ``aspects``: how they are weighed, where any
    are known. ``removed``: positions of items that were taken away.
    """

    wish: Wish
    catalogue: Catalogue
    indexes: Sequence[Index]
    default: int
    photo: ShownPhoto | None
    query: FoundItem | None
    allowed: Positions | None
    originals: Mapping[int, int]
    aspects: AspectPlan | None = None
    removed: Positions = field(default_factory=lambda: np.empty(0, np.int64))

    def glance(self, index: Index) -> Glance:
        """The photo as the encoder of this index is to see it."""
        return self.glance_by(index.space)

    def glance_by(self, space: EmbeddingSpace) -> Glance:
        """The photo as the encoder of this space is to see it."""
        assert self.photo is not None
        made = EncoderVersion(space.encoder, space.encoder_version, space.family, space.mask)
        return Glance(self.photo.key, self.wish.area, made)


def make_plan(wish: Wish, *, now: datetime) -> Plan:
    """Look up what is wished. Raises SearchRefused."""
    _check(wish)
    catalogue = find_searchable(wish.catalogue)
    ready = list_indexes(catalogue)
    indexes = _list_named(wish, catalogue) if wish.encoder else _list_default(wish, catalogue, ready)
    return Plan(
        wish=wish,
        catalogue=catalogue,
        indexes=indexes,
        default=ready[0].pk if ready else 0,
        photo=None if wish.photo is None else show(find_photo(wish.photo, now=now), longest=LONGEST),
        query=None if wish.item is None else show_item(catalogue=catalogue, position=wish.item),
        allowed=find_allowed(catalogue, wish.filters),
        originals=list_originals(catalogue),
        aspects=_plan_aspects(wish, catalogue, indexes),
        removed=list_removed(catalogue),
    )


def _plan_aspects(wish: Wish, catalogue: Catalogue, indexes: Sequence[Index]) -> AspectPlan | None:
    encoder = indexes[0].space.encoder if indexes else ""
    return plan_aspects(catalogue=catalogue, encoder=encoder, own=wish.weights)


def _check(wish: Wish) -> None:
    if (wish.photo is None) == (wish.item is None):
        raise SearchRefused(
            "nothing-asked", "Give a photo to search with, or an item: one of the two.", status=422
        )
    for aspect, weight in wish.weights.items():
        if not isfinite(weight) or not 0 <= weight <= 1:
            raise SearchRefused("bad-weight", f"The weight of “{aspect[:60]}” is from 0 to 1.", status=422)


def _list_named(wish: Wish, catalogue: Catalogue) -> list[Index]:
    """The index that is named, L2 before L1 before Hamming, and what its encoder answered by before it."""
    rows = Index.objects.filter(space__catalogue=catalogue, space__encoder=wish.encoder)
    if wish.metric:
        rows = rows.filter(metric=wish.metric)
    known = rows.filter(state__in=[BuildState.READY, BuildState.BUILDING], space__is_control=False)
    newest = known.select_related("space").order_by("-pk").first()
    if newest is None:
        named = " by ".join(part[:60] for part in (wish.encoder, wish.metric) if part)
        raise SearchRefused(
            "unknown-engine", f"“{catalogue.title}” has no index “{named}”. Choose another.", status=404
        )
    if wish.photo is not None:
        _require_eyes(newest)
    serving = rows.filter(
        state__in=[BuildState.READY, BuildState.RETIRED],
        space__state=BuildState.READY,
        ready_at__isnull=False,
    )
    return sorted(
        serving.select_related("space__catalogue").order_by("-ready_at"),
        key=lambda index: (index.state != BuildState.READY, METRICS.index(Metric(index.metric))),
    )


def _list_default(wish: Wish, catalogue: Catalogue, ready: Sequence[Index]) -> list[Index]:
    """All that can answer, best first: a photo goes to those that take photos."""
    if not ready:
        raise SearchRefused(
            "not-searchable",
            f"“{catalogue.title}” cannot be searched yet: nothing is built. Come back when it is.",
            status=404,
        )
    fitting = [index for index in ready if wish.metric in ("", index.metric)]
    if not fitting:
        raise SearchRefused(
            "unknown-engine", f"“{catalogue.title}” has no index by “{wish.metric[:60]}”.", status=404
        )
    if wish.photo is None:
        return fitting
    able = [index for index in fitting if _takes_photos(index)]
    if not able:
        _require_eyes(fitting[0])
    return able


def _takes_photos(index: Index) -> bool:
    return describe_engine(index, is_default=False).takes_photos != "no"


def _require_eyes(index: Index) -> None:
    engine = describe_engine(index, is_default=False)
    if engine.takes_photos == "no":
        raise SearchRefused(
            "refuses-photos",
            f"{engine.title} takes no photos. {engine.why_not} Search from an item, or choose another.",
            status=422,
        )
