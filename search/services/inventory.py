"""The inventory graph of a catalogue, and how games went along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.engine.navigation.episodes import Episode
from search.engine.navigation.inventory import Inventory
from search.models import Catalogue, Item
from search.selectors.attributes import read_attributes
from search.services.navigation_terrain import OpenTerrain


@dataclass(frozen=True)
class Walk:
    """How picks followed each other: the share that share an attribute with the one before, and how far apart
    those lie by the nearest mask, 1 being the mean of all pairs. None where nothing is known of two picks.
    """

    linked: float | None
    apart: float | None


def read_inventory(*, catalogue: Catalogue, opened: OpenTerrain) -> Inventory:
    """The items of a terrain with what is known of them."""
    rows = Item.objects.filter(catalogue=catalogue).values_list("position", "pk")
    pk_of = dict(rows)
    known = read_attributes(catalogue=catalogue)
    places = enumerate(opened.items.tolist())
    return Inventory(opened.terrain, {place: known.get(pk_of[position], {}) for place, position in places})


def sum_up_walks(inventory: Inventory, episodes: Sequence[Episode]) -> Walk:
    """How the picks of all episodes followed each other, from the start to the target where it was found."""
    links = [link for episode in episodes for link in inventory.follow(_path(episode))]
    if not links or not any(inventory.attributes.values()):
        return Walk(None, None)
    there = [min(link.weights) for link in links if link is not None]
    return Walk(len(there) / len(links), sum(there) / len(there) if there else None)


def _path(episode: Episode) -> list[int]:
    history = episode.history
    path = [] if history.start is None else [history.start]
    path += [step.pick for step in history.steps if step.pick is not None]
    return [*path, episode.target] if episode.found else path
