"""What can be searched: catalogues, the engines of each, its filters, and items as pages show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial, reduce
from typing import Final

import numpy as np
from django.conf import settings
from django.db.models import Count, Q
from numpy.typing import NDArray

from search.engine.encoders.photo_encoders import may_run_here, takes_photos
from search.engine.encoders.trained import kind_of
from search.models import Aspect, BuildState, Catalogue, CatalogueState, Index, Item, Label, Metric
from search.selectors.attributes import read_attributes
from search.selectors.catalogues import image_url
from search.selectors.searches import Engine, FilterChoice, FoundItem, SearchRefused, TakesPhotos

# Which index answers best for a catalogue, as somebody outside knows it: its primary key, or None.
Preference = Callable[[Catalogue], int | None]

Positions = NDArray[np.int64]  # of items

MOST_VALUES: Final = 60  # of an aspect, offered as filters
MOST_FILTERS: Final = 10  # values at once
# What a trained network has learned, best first: to find a thing on a photo, to see aspects, to name kinds.
KINDS: Final = ("siamese", "csn", "aspects", "transfer")
FAMILIES: Final = ("trained", "vgg", "plugin", "vectors", "histograms")
METRICS: Final = (Metric.L2, Metric.L1, Metric.HAMMING)

_preferences: list[Preference] = []
_kinds: dict[tuple[str, str], str] = {}


def register_preference(preference: Preference) -> None:
    """Have ``preference`` asked which index is the default; called from ``AppConfig.ready``."""
    if preference not in _preferences:
        _preferences.append(preference)


def list_searchable() -> list[Catalogue]:
    """The catalogues that have an index to be searched, the oldest first."""
    searchable = Index.objects.filter(state=BuildState.READY, space__state=BuildState.READY)
    return list(
        Catalogue.objects.filter(
            state=CatalogueState.READY, pk__in=searchable.values("space__catalogue")
        ).order_by("created_at", "pk")
    )


def find_searchable(slug: str) -> Catalogue:
    """Raises SearchRefused("unknown-catalogue")."""
    catalogue = Catalogue.objects.filter(slug=slug).first()
    if catalogue is None:
        raise SearchRefused("unknown-catalogue", f"There is no catalogue “{slug[:60]}”.", status=404)
    return catalogue


def list_indexes(catalogue: Catalogue) -> list[Index]:
    """Its indexes that are ready, the default one first; controls, which answer by lot, are left out.

    The default is what is preferred outside (the encoder in charge), where it is one of them. Else it is a
    siamese network's, which learned to find the thing on a photo, then that of other trained networks, of
    VGG, of what people brought, of histograms; whole spaces before masks, L2 before L1 before Hamming. Of
    equals it is the newest.
    """
    ready = Index.objects.filter(
        space__catalogue=catalogue,
        state=BuildState.READY,
        space__state=BuildState.READY,
        space__is_control=False,
    )
    preferred = {preference(catalogue) for preference in _preferences}
    return sorted(
        ready.select_related("space__catalogue"), key=lambda index: (index.pk not in preferred, *_rank(index))
    )


def list_engines(catalogue: Catalogue) -> list[Engine]:
    """What can be searched with, the default one first."""
    return [
        describe_engine(index, is_default=not place) for place, index in enumerate(list_indexes(catalogue))
    ]


def describe_engine(index: Index, *, is_default: bool) -> Engine:
    """An index as people choose it."""
    space = index.space
    takes, why_not = _tell_photos(space.family)
    return Engine(
        encoder=space.encoder,
        metric=index.metric,
        title=f"{space.title or space.encoder} by {index.get_metric_display()}",
        takes_photos=takes,
        why_not=why_not,
        is_default=is_default,
    )


def list_filters(catalogue: Catalogue) -> list[FilterChoice]:
    """Aspects with the values that items have, as files or people said; empty where nothing is known."""
    return list(_count_values(*_key(catalogue)))


def find_allowed(catalogue: Catalogue, filters: Mapping[str, Sequence[str]]) -> Positions | None:
    """Positions of the items that have, of each aspect, one of the values; None where nothing is asked.

    Raises SearchRefused("bad-filter") for an aspect or value that no item has, or more than `MOST_FILTERS`.
    """
    asked = {aspect: tuple(values) for aspect, values in filters.items() if values}
    if not asked:
        return None
    if sum(map(len, asked.values())) > MOST_FILTERS:
        raise SearchRefused(
            "bad-filter",
            f"At most {MOST_FILTERS} values can be filtered by at once: take some away.",
            status=422,
        )
    known = {aspect.name: aspect for aspect in catalogue.aspects.filter(kind=Aspect.Kind.LABEL)}
    asked = _settle_names(known, asked)
    for name, values in asked.items():
        _require_known(known, name, values)
    having = [
        reduce(np.union1d, (_find_positions(*_key(catalogue), name, value) for value in values))
        for name, values in asked.items()
    ]
    return reduce(partial(np.intersect1d, assume_unique=True), having)


def show_items(catalogue: Catalogue, positions: Iterable[int]) -> dict[int, FoundItem]:
    """Items by position; those that are gone or removed are left out."""
    there = Item.objects.present().filter(catalogue=catalogue, position__in=set(positions))
    items = list(there.select_related("category"))
    attributes = read_attributes(catalogue=catalogue, items=[item.pk for item in items])
    return {
        item.position: FoundItem(
            position=item.position,
            key=item.key,
            image=image_url(item.image_sha256),
            width=item.width,
            height=item.height,
            category=item.category.value if item.category else "",
            attributes=attributes.get(item.pk, {}),
        )
        for item in items
    }


def show_item(*, catalogue: Catalogue, position: int) -> FoundItem:
    """Raises SearchRefused("no-such-item")."""
    found = show_items(catalogue, [position])
    if position not in found:
        raise SearchRefused("no-such-item", f"“{catalogue.title}” has no item {position}.", status=404)
    return found[position]


def list_originals(catalogue: Catalogue) -> Mapping[int, int]:
    """From the position of each near-duplicate to that of the item that it is one of."""
    return _find_originals(*_key(catalogue))


def list_removed(catalogue: Catalogue) -> Positions:
    """Positions of the items that were taken away, ascending: what was built before still has them."""
    return _find_removed(*_key(catalogue))


def _rank(index: Index) -> tuple[int, int, int, int, int]:
    space = index.space
    kind = ""
    if space.family == "trained":
        network = space.encoder.removesuffix(f".{space.mask}") if space.mask else space.encoder
        kind = _find_kind(network, space.encoder_version)
    return (
        bool(space.mask),
        FAMILIES.index(space.family) if space.family in FAMILIES else len(FAMILIES),
        KINDS.index(kind) if kind in KINDS else len(KINDS),
        METRICS.index(Metric(index.metric)),
        -space.pk,
    )


def _find_kind(network: str, version: str) -> str:
    """Of one version of a network, which was trained as one kind; blank while its card is not there."""
    kind = _kinds.get((network, version)) or kind_of(network, settings.TRAINED_FOLDER)
    if kind:
        _kinds[network, version] = kind
    return kind


def _key(catalogue: Catalogue) -> tuple[int, str, datetime | None]:
    """What is known of a catalogue stays so until its next import, which may change more than the hash."""
    return catalogue.pk, catalogue.content_hash, catalogue.imported_at


def _tell_photos(family: str) -> tuple[TakesPhotos, str]:
    if may_run_here(family):
        return "here", ""
    if takes_photos(family):
        return "worker", "It comes from another package: a worker looks at the photo, which takes a moment."
    return "no", "It is known by its vectors alone, and nothing here can make the same of a photo."


def _settle_names(known: Iterable[str], asked: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Programs part names from values at the first colon: where that is no name, the longest is that fits."""
    settled: dict[str, tuple[str, ...]] = {}
    for name, values in asked.items():
        for value in values:
            told = f"{name}:{value}"
            fitting = [aspect for aspect in known if told.startswith(f"{aspect}:")]
            meant = name if name in fitting or not fitting else max(fitting, key=len)
            settled[meant] = (*settled.get(meant, ()), told[len(meant) + 1 :])
    return settled


def _require_known(known: Mapping[str, Aspect], name: str, values: Sequence[str]) -> None:
    if name not in known:
        there = ", ".join(known) or "none"
        raise SearchRefused(
            "bad-filter",
            f"There is no aspect “{name[:60]}” to filter by in this catalogue; there are: {there}.",
            status=422,
        )
    found = set(known[name].attributes.filter(value__in=values).values_list("value", flat=True))
    for value in values:
        if value not in found:
            raise SearchRefused(
                "bad-filter", f"No item has “{value[:60]}” as its {name}. Choose another value.", status=422
            )


@lru_cache(256)
def _find_positions(
    catalogue: int, content_hash: str, imported_at: datetime | None, aspect: str, value: str
) -> Positions:
    """Of the items that have this value, ascending."""
    has = Label.objects.exclude(source=Label.Source.PREDICTED).filter(
        attribute__aspect__catalogue=catalogue, attribute__aspect__name=aspect, attribute__value=value
    )
    # The category is a label of its own where a source gives no other.
    of_category = Q(
        category__aspect__name=aspect, category__aspect__catalogue=catalogue, category__value=value
    )
    items = Item.objects.present().filter(Q(pk__in=has.values("item")) | of_category, catalogue=catalogue)
    return np.fromiter(
        items.order_by("position").values_list("position", flat=True).iterator(chunk_size=5000), np.int64
    )


@lru_cache(32)
def _count_values(
    catalogue: int, content_hash: str, imported_at: datetime | None
) -> tuple[FilterChoice, ...]:
    labels = Label.objects.exclude(source=Label.Source.PREDICTED).filter(
        attribute__aspect__catalogue=catalogue,
        attribute__aspect__kind=Aspect.Kind.LABEL,
        item__removed_at=None,
    )
    rows = labels.order_by().values_list("attribute__aspect__name", "attribute__value")
    counts: dict[str, dict[str, int]] = {}
    for aspect, value, number in rows.annotate(number=Count("item", distinct=True)):
        counts.setdefault(aspect, {})[value] = number
    of_category = Item.objects.present().filter(catalogue=catalogue).exclude(category=None).order_by()
    for aspect, value, number in of_category.values_list(
        "category__aspect__name", "category__value"
    ).annotate(number=Count("pk")):
        counts.setdefault(aspect, {}).setdefault(value, number)
    names = Aspect.objects.filter(catalogue=catalogue).order_by("position").values_list("name", flat=True)
    return tuple(
        FilterChoice(name, sorted(counts[name].items(), key=lambda one: (-one[1], one[0]))[:MOST_VALUES])
        for name in names
        if name in counts
    )


@lru_cache(32)
def _find_originals(catalogue: int, content_hash: str, imported_at: datetime | None) -> Mapping[int, int]:
    rows = Item.objects.filter(catalogue=catalogue, near_duplicate_of__isnull=False).order_by("position")
    found: dict[int, int] = {}
    for position, original in rows.values_list("position", "near_duplicate_of__position"):
        found[position] = found.get(original, original)  # which is always an earlier item
    return found


@lru_cache(32)
def _find_removed(catalogue: int, content_hash: str, imported_at: datetime | None) -> Positions:
    removed = Item.objects.filter(catalogue=catalogue, removed_at__isnull=False).order_by("position")
    return np.array(removed.values_list("position", flat=True), np.int64)
