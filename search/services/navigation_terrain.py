"""The terrain of a navigation game: the items of a catalogue in an embedding space that is ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search import artifacts
from search.engine.navigation.reckoning import IN_ORDER, Reckoner
from search.engine.navigation.terrain import Items, Space, Terrain
from search.models import Catalogue, EmbeddingSpace, Item
from search.selectors.navigable_spaces import choose_spaces, list_masks, list_ready_spaces


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
    return open_spaces(_list_rows(catalogue, space))


def open_spaces(spaces: Sequence[EmbeddingSpace], *, reckoner: Reckoner = IN_ORDER) -> OpenTerrain:
    """The terrain of these very rows, the whole space first and then its masks, whatever was built since.

    ``reckoner`` works out distances in large spaces. Raises as `open_terrain`.
    """
    chosen, *masks = spaces
    items = artifacts.read_items(chosen)
    images = dict(Item.objects.filter(catalogue=chosen.catalogue_id).values_list("position", "image_sha256"))
    identity = np.unique([images[position] for position in items.tolist()], return_inverse=True)[1]
    terrain = Terrain(
        whole=_open(chosen, items, reckoner),
        masks=tuple(_open(mask, items, reckoner) for mask in masks),
        identity=identity.astype(np.int64),
    )
    return OpenTerrain(terrain, items, say_versions(spaces))


def suggest_space(catalogue: Catalogue) -> str:
    """The name of what people play on; blank where nothing is ready."""
    return next((_name(space) for space in choose_spaces(catalogue)), "")


def list_spaces(catalogue: Catalogue) -> dict[str, str]:
    """The spaces that can be navigated, by name: the encoder's version and the checksum of each."""
    return {_name(space): _say_version(space) for space in list_ready_spaces(catalogue)}


def list_versions(*, catalogue: Catalogue, space: str) -> dict[str, str]:
    """What `open_terrain` would open, as `OpenTerrain.versions`. Raises ``NoSuchSpace``."""
    return say_versions(_list_rows(catalogue, space))


def say_versions(spaces: Sequence[EmbeddingSpace]) -> dict[str, str]:
    """What `open_spaces` would open, as `OpenTerrain.versions`."""
    return {one.encoder: _say_version(one) for one in spaces}


def open_space(*, catalogue: Catalogue, space: str, items: Items) -> Space:
    """Another space over the items of a terrain. Raises as `open_terrain`."""
    return _open(_find_space(catalogue, space), items)


def _list_rows(catalogue: Catalogue, space: str) -> list[EmbeddingSpace]:
    """The space of a name, followed by its masks."""
    chosen = _find_space(catalogue, space)
    return [chosen] if chosen.mask else [chosen, *list_masks(list_ready_spaces(catalogue), chosen)]


def _find_space(catalogue: Catalogue, name: str) -> EmbeddingSpace:
    by_name = {_name(space): space for space in list_ready_spaces(catalogue)}
    if name not in by_name:
        raise NoSuchSpace(
            f"“{catalogue.title}” has no space named '{name}'. There are: {', '.join(sorted(by_name))}."
        )
    return by_name[name]


def _name(space: EmbeddingSpace) -> str:
    return f"{space.encoder.removesuffix(f'.{space.mask}')}/{space.mask}" if space.mask else space.encoder


def _say_version(space: EmbeddingSpace) -> str:
    return f"{space.encoder_version} {space.sha256}"


def _open(space: EmbeddingSpace, items: Items, reckoner: Reckoner = IN_ORDER) -> Space:
    """The vectors of these items, in their order."""
    own = artifacts.read_items(space)
    rows = artifacts.open_vectors(space).rows
    if not np.array_equal(own, items):
        places = np.searchsorted(own, items).clip(max=len(own) - 1)
        if not np.array_equal(own[places], items):
            raise NoSuchSpace(f"Not every item has a vector in {space.title}: choose another space.")
        rows = rows[places]
    return Space(space.title, np.ascontiguousarray(rows), reckoner)
