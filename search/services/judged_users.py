"""Simulated users that learn from people's judgements, by what a catalogue's spaces see."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db.models import Q
from numpy.typing import NDArray

from search.engine.encoders.vectors import GIVEN_FAMILY
from search.engine.files import disk_errors
from search.engine.navigation.terrain import Distances
from search.engine.training.judgements import DEFAULTS, JudgementSettings, Learned, Lesson, learn_places
from search.models import EmbeddingSpace, Item, Job
from search.services.given_vectors import add_vectors
from search.services.judgements import JudgedCatalogue, open_views
from search.services.navigation_terrain import NoSuchSpace, list_spaces
from search.services.training_samples import number_copies, read_items
from search.services.training_wishes import check_name

MOST_JUDGED = 3000  # things: all pairs of them are held in memory
_BLOCK = 4096  # items that are placed at once


class TooMuchJudged(Exception):
    """More things were judged than can be learned from at once; the text says what to do."""


@dataclass(frozen=True)
class OpenLesson:
    """A lesson about the judgements' names, and which version of each space it was read from, by name.

    ``items`` (n, views), `Item.position`, are the names' items and then all others, each of which stands
    there as each of its views: a lesson sees with all items of the catalogue in view.
    """

    lesson: Lesson
    versions: Mapping[str, str]
    items: NDArray[np.int64]

    @property
    def spaces(self) -> tuple[str, ...]:
        """In the order of the lesson's."""
        return tuple(self.versions)


@dataclass(frozen=True)
class LearnedUser:
    """A learned user, whose places are a space of the catalogue; ``jobs`` are the indexes it still needs."""

    learned: Learned
    spaces: tuple[str, ...]
    jobs: list[Job]


def list_lessons(judged: JudgedCatalogue) -> dict[str, str]:
    """The spaces that can be learned from, by name, with the version of each.

    They are those of encoders: no controls, nothing that was brought or learned.
    """
    left_out = EmbeddingSpace.objects.filter(
        Q(is_control=True) | Q(family=GIVEN_FAMILY), catalogue=judged.catalogue
    )
    names = set(left_out.values_list("encoder", flat=True))
    known = list_spaces(judged.catalogue)
    return {name: version for name, version in known.items() if name not in names}


def open_lesson(judged: JudgedCatalogue) -> OpenLesson:
    """What the judgements teach. Raises NoSuchSpace, TooMuchJudged and ArtifactDamaged."""
    versions = list_lessons(judged)
    if not versions:
        raise NoSuchSpace(f"“{judged.catalogue.title}” has no space to see by: build its contenders.")
    count = len(judged.judgements.names)
    if count > MOST_JUDGED:
        raise TooMuchJudged(
            f"{count:,} items were judged; at most {MOST_JUDGED:,} are learned from. Leave some out."
        )
    items = _list_items(judged)
    things = np.arange(count)
    squared = [open_views(judged.catalogue, space, items).between(things, things) for space in versions]
    lesson = Lesson(
        np.stack(squared).astype(float),
        judged.judgements.triplets,
        judged.judgements.votes,
        _number_units(judged),
    )
    return OpenLesson(lesson, versions, items)


def learn_user(
    judged: JudgedCatalogue,
    *,
    name: str,
    seed: int,
    now: datetime,
    how: JudgementSettings = DEFAULTS,
) -> LearnedUser:
    """Learn from all judgements, and make the places of all items the space ``name`` of the catalogue.

    Its exact user is the learned one: `other:NAME` where games are simulated. It is a space of bare vectors:
    it has places for the items of this catalogue and refuses photos. Raises TrainingRefused, NoSuchSpace,
    TooMuchJudged, VectorsRejected, ArtifactDamaged and DiskFull.
    """
    check_name(name)
    opened = open_lesson(judged)
    learned = learn_places(opened.lesson, how, seed=seed)
    places = _place(judged, opened, learned)
    settings.TRAINING_FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="judgements-", dir=settings.TRAINING_FOLDER) as folder:
        path = _write(judged, Path(folder) / "places.npy", opened.items, places)
        jobs, _ = add_vectors(catalogue=judged.catalogue, name=name, path=path, keys=None, now=now)
    return LearnedUser(learned, opened.spaces, jobs)


def _list_items(judged: JudgedCatalogue) -> NDArray[np.int64]:
    """The items of the judgements' names, then all others of the catalogue, (n, views)."""
    every = np.fromiter(
        Item.objects.filter(catalogue=judged.catalogue).values_list("position", flat=True), np.int64
    )
    others = np.setdiff1d(every, judged.items)
    return np.concatenate([judged.items, np.repeat(others[:, None], judged.items.shape[1], axis=1)])


def _number_units(judged: JudgedCatalogue) -> NDArray[np.int64]:
    """One number for names whose items are of one group or show copies of one picture, (names,)."""
    items = read_items(judged.catalogue)
    first_of: dict[str, int] = {}
    grouped = [(place, first_of.setdefault(unit, place)) for place, unit in enumerate(items.units)]
    number = number_copies(len(items), [*items.joined, *grouped])
    places = np.searchsorted(items.positions, judged.items)
    first_with: dict[int, int] = {}
    joined = [
        (name, first_with.setdefault(unit, name))
        for name, views in enumerate(number[places].tolist())
        for unit in views
    ]
    return number_copies(len(places), joined)


def _place(judged: JudgedCatalogue, opened: OpenLesson, learned: Learned) -> NDArray[np.float32]:
    """Where all items lie, (n, d); one space is open at a time, and looks at a block of them."""
    things = np.arange(len(judged.judgements.names))
    places = np.zeros((len(opened.items), learned.places.shape[1]))
    for number, space in enumerate(opened.spaces):
        sight: Distances = open_views(judged.catalogue, space, opened.items)
        for start in range(0, len(places), _BLOCK):
            block = np.arange(start, min(start + _BLOCK, len(places)))
            places[block] += learned.place(number, sight.between(block, things))
    return places.astype(np.float32)


def _write(
    judged: JudgedCatalogue, path: Path, items: NDArray[np.int64], places: NDArray[np.float32]
) -> Path:
    """Vectors by item key beside their keys, as `add_vectors` reads them."""
    keys = dict(Item.objects.filter(catalogue=judged.catalogue).values_list("position", "key"))
    place_of = {int(position): thing for thing, views in enumerate(items) for position in views}
    with disk_errors(path):
        np.save(path, places[list(place_of.values())])
        path.with_suffix(".txt").write_text("".join(f"{keys[position]}\n" for position in place_of))
    return path
