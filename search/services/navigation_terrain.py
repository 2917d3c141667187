"""The terrain of a navigation game: the items of a catalogue in an embedding space that is ready."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from search import artifacts
from search.engine.navigation.terrain import Items, Space, Terrain
from search.models import BuildState, Catalogue, EmbeddingSpace, Item


class NoSuchSpace(Exception):
    """A space that cannot be navigated; the text says why, and the remedy."""


@dataclass(frozen=True)
class OpenTerrain:
    """A terrain with the items that its places are: ``items[place]`` is `Item.position`.

    ``versions`` names the encoder's version and the checksum of the space and of each mask.
    """

    terrain: Terrain
    items: Items
    versions: dict[str, str]


def open_terrain(*, catalogue: Catalogue, space: str) -> OpenTerrain:
    """The terrain of ENCODER, with its masks if it has any, or of ENCODER/ASPECT, one mask alone.

    Raises ``NoSuchSpace``, ``ArtifactDamaged`` and ``FileNotFoundError``.
    """
    chosen = _find_space(catalogue, space)
    masks = [] if chosen.mask else _list_masks(catalogue, chosen)
    items = artifacts.read_items(chosen)
    images = dict(Item.objects.filter(catalogue=catalogue).values_list("position", "image_sha256"))
    identity = np.unique([images[position] for position in items.tolist()], return_inverse=True)[1]
    terrain = Terrain(
        whole=_open(chosen, items),
        masks=tuple(_open(mask, items) for mask in masks),
        identity=identity.astype(np.int64),
    )
    versions = {one.encoder: f"{one.encoder_version} {one.sha256}" for one in (chosen, *masks)}
    return OpenTerrain(terrain, items, versions)


def open_space(*, catalogue: Catalogue, space: str, items: Items) -> Space:
    """Another space over the items of a terrain. Raises as `open_terrain`."""
    return _open(_find_space(catalogue, space), items)


def _list_ready(catalogue: Catalogue) -> list[EmbeddingSpace]:
    """Spaces that are searched in: those of older versions have no index that is ready any more."""
    ready = EmbeddingSpace.objects.filter(
        catalogue=catalogue,
        catalogue_hash=catalogue.content_hash,
        state=BuildState.READY,
        indexes__state=BuildState.READY,
    )
    return list(ready.distinct().order_by("id"))


def _find_space(catalogue: Catalogue, name: str) -> EmbeddingSpace:
    by_name = {_name(space): space for space in _list_ready(catalogue)}
    if name not in by_name:
        raise NoSuchSpace(
            f"“{catalogue.title}” has no space named '{name}'. There are: {', '.join(sorted(by_name))}."
        )
    return by_name[name]


def _list_masks(catalogue: Catalogue, whole: EmbeddingSpace) -> list[EmbeddingSpace]:
    """The masked spaces of the same encoder in the same version, by aspect."""
    version = whole.encoder_version
    masked = [one for one in _list_ready(catalogue) if one.mask and one.encoder_version == version]
    own = [one for one in masked if one.encoder == f"{whole.encoder}.{one.mask}"]
    return sorted(own, key=lambda one: one.mask)


def _name(space: EmbeddingSpace) -> str:
    return f"{space.encoder.removesuffix(f'.{space.mask}')}/{space.mask}" if space.mask else space.encoder


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
