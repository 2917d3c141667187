"""The terrain of a navigation game: the items of a catalogue in an embedding space that is ready."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet

from search import artifacts
from search.engine.navigation.terrain import Items, Space, Terrain
from search.models import BuildState, Catalogue, EmbeddingSpace, Item


class NoSuchSpace(Exception):
    """A space that cannot be navigated; the text says why, and the remedy."""


@dataclass(frozen=True)
class OpenTerrain:
    """A terrain with the items that its places are: ``items[place]`` is `Item.position`."""

    terrain: Terrain
    items: Items


def open_terrain(*, catalogue: Catalogue, space: str) -> OpenTerrain:
    """The terrain of ENCODER, with its masks if it has any, or of ENCODER/ASPECT, one mask alone.

    Raises ``NoSuchSpace`` and ``ArtifactDamaged``.
    """
    chosen = _find_space(catalogue, space)
    masked = _ready(catalogue).filter(encoder__startswith=f"{chosen.encoder}.").exclude(mask="")
    items = artifacts.read_items(chosen)
    images = dict(Item.objects.filter(catalogue=catalogue).values_list("position", "image_sha256"))
    identity = np.unique([images[position] for position in items.tolist()], return_inverse=True)[1]
    terrain = Terrain(
        whole=_open(chosen, items),
        masks=tuple(_open(mask, items) for mask in masked.order_by("encoder")),
        identity=identity.astype(np.int64),
    )
    return OpenTerrain(terrain, items)


def open_space(*, catalogue: Catalogue, space: str, items: Items) -> Space:
    """Another space over the items of a terrain. Raises as `open_terrain`."""
    return _open(_find_space(catalogue, space), items)


def _ready(catalogue: Catalogue) -> QuerySet[EmbeddingSpace]:
    return EmbeddingSpace.objects.filter(
        catalogue=catalogue, catalogue_hash=catalogue.content_hash, state=BuildState.READY
    )


def _find_space(catalogue: Catalogue, name: str) -> EmbeddingSpace:
    encoder, _, aspect = name.partition("/")
    ready = _ready(catalogue)
    found = ready.filter(encoder=f"{encoder}.{aspect}" if aspect else encoder, mask=aspect)
    chosen = found.order_by("-ready_at", "-id").first()
    if chosen is None:
        names = [
            f"{one.encoder.removesuffix(f'.{one.mask}')}/{one.mask}" if one.mask else one.encoder
            for one in ready
        ]
        raise NoSuchSpace(
            f"“{catalogue.title}” has no space named '{name}'. There are: {', '.join(sorted(set(names)))}."
        )
    return chosen


def _open(space: EmbeddingSpace, items: Items) -> Space:
    """The vectors of these items, in their order."""
    own = artifacts.read_items(space)
    rows = artifacts.open_vectors(space).rows
    if not np.array_equal(own, items):
        places = np.searchsorted(own, items).clip(max=len(own) - 1)
        if not np.array_equal(own[places], items):
            raise NoSuchSpace(f"Not every item has a vector in {space.title}: choose another space.")
        rows = rows[places]
    return Space(space.title, np.ascontiguousarray(rows))
