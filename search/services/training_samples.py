"""A catalogue as training sees it: labels, sides, framed pictures, read once and kept for other runs."""

from __future__ import annotations

import fcntl
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from search.catalogues.published.importer import SPLIT
from search.catalogues.split import cut_share, unit_of
from search.engine.encoders import trained
from search.engine.errors import ArtifactDamaged, ImageRejected
from search.engine.images import load_picture
from search.engine.training.pictures import PictureFile, count_partial, count_written, write_pictures
from search.engine.training.samples import MISSING, Aspect, Division, Labels
from search.models import Aspect as AspectRow
from search.models import Catalogue, Item, Label, Split
from search.selectors.catalogues import image_path
from search.services.jobs import JobFailed

VALIDATION_SALT = "dope or nope: learned from or judged by while learning"
_BETWEEN_LOOKS_S = 0.2


@dataclass(frozen=True)
class CatalogueItems:
    """What rows of a training are: row i is the i-th item by position.

    ``copies`` numbers items so that near duplicates of each other have one number.
    """

    positions: list[int]
    keys: list[str]
    images: list[str]
    lifestyles: list[str]
    trainable: NDArray[np.bool_]
    units: list[str]
    joined: list[tuple[int, int]]
    copies: NDArray[np.int64]
    removed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.keys)


def read_items(catalogue: Catalogue) -> CatalogueItems:
    """All items of the catalogue, in order of position; removed ones are not trainable."""
    rows = list(
        Item.objects.filter(catalogue=catalogue)
        .order_by("position")
        .values_list(
            "pk",
            "position",
            "key",
            "image_sha256",
            "lifestyle_sha256",
            "split",
            "group",
            "near_duplicate_of_id",
            "removed_at",
        )
    )
    place_of = {row[0]: place for place, row in enumerate(rows)}
    first_with: dict[str, int] = {}
    joined = []
    for place, (_, _, _, image, _, _, _, near, _) in enumerate(rows):
        if near in place_of:
            joined.append((place, place_of[near]))
        if image in first_with:
            joined.append((place, first_with[image]))
        first_with.setdefault(image, place)
    return CatalogueItems(
        positions=[row[1] for row in rows],
        keys=[row[2] for row in rows],
        images=[row[3] for row in rows],
        lifestyles=[row[4] for row in rows],
        trainable=np.array([row[5] == Split.TRAINABLE and row[8] is None for row in rows], bool),
        units=[unit_of(row[2], row[6]) for row in rows],
        joined=joined,
        copies=number_copies(len(rows), joined),
        removed=np.array([row[8] is not None for row in rows], bool),
    )


def read_labels(catalogue: Catalogue, items: CatalogueItems, names: Sequence[str]) -> Labels:
    """The labels of these aspects, the category's where none is named.

    Values that only evaluation-only items have are left out; so are an item's where it has several of one
    aspect. Predictions do not count. Raises ``JobFailed`` for an aspect that cannot be learned.
    """
    aspects = _find_aspects(catalogue, names)
    table = np.full((len(items), len(aspects)), MISSING, np.int64)
    described = []
    for column, aspect in enumerate(aspects):
        values = _read_column(aspect, items, table[:, column], catalogue)
        if len(values) < 2:
            only = f"the value “{values[0]}” only" if values else "no value"
            raise JobFailed(
                f"Nothing can be learned of “{aspect.name}”: trainable items have {only}. "
                "Name another aspect."
            )
        described.append(Aspect(aspect.name, values))
    return Labels(tuple(described), table)


def read_known(catalogue: Catalogue, items: CatalogueItems) -> NDArray[np.int64]:
    """Whatever is known of the items, (n, aspects) as in `read_labels`: of every aspect that they have.

    On which side their authors put them says nothing about items and is left out.
    """
    aspects = list(catalogue.aspects.filter(kind=AspectRow.Kind.LABEL).exclude(name=SPLIT))
    table = np.full((len(items), len(aspects)), MISSING, np.int64)
    for column, aspect in enumerate(aspects):
        _read_column(aspect, items, table[:, column], catalogue)
    return table


def divide(items: CatalogueItems, *, validation_share: float) -> Division:
    """Learned, validation and held-out rows; validation is cut from the trainable side, unit by unit."""
    trainable = np.flatnonzero(items.trainable)
    place_of = {row: place for place, row in enumerate(trainable.tolist())}
    joined = [
        (place_of[one], place_of[other])
        for one, other in items.joined
        if one in place_of and other in place_of
    ]
    units = [items.units[row] for row in trainable]
    judged = np.array(cut_share(units, joined, share=validation_share, salt=VALIDATION_SALT), bool)
    return Division(
        learned=trainable[~judged],
        validation=trainable[judged],
        # What was removed is on no side: an encoder of before may have learned from it.
        held_out=np.flatnonzero(~items.trainable & ~items.removed),
    )


def frame_pictures(
    catalogue: Catalogue,
    images: Sequence[str],
    *,
    view: str,
    side: int,
    report: Callable[[int], None],
) -> PictureFile:
    """One view of every item, framed; made once per catalogue and side. Items without one get a black square.

    ``report`` is told how many are framed and may raise to stop; what was framed is kept. While another
    process frames the same pictures, it is waited for.
    """
    digest = hashlib.sha256("\n".join(images).encode()).hexdigest()
    name = f"{catalogue.content_hash[:16]}-{view}-{digest[:8]}-{side}-{trained.FRAMING}.u8"
    path: Path = settings.TRAINING_FOLDER / "pictures" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with alone(path, while_waiting=lambda: report(count_partial(path, side=side))):
        try:
            return PictureFile(path)
        except (FileNotFoundError, ArtifactDamaged):
            pass
        facts = {"images": digest}
        done = count_written(path, side=side, facts=facts)

        def pictures() -> Iterator[NDArray[np.uint8]]:
            for place, image in enumerate(images[done:], start=done):
                report(place)
                yield _frame(image, side)

        write_pictures(path, pictures(), side=side, facts=facts, after=done)
        return PictureFile(path)


@contextmanager
def alone(path: Path, *, while_waiting: Callable[[], None]) -> Iterator[None]:
    """One process at a time; the system lets go of the lock when that process ends, however it does."""
    with path.with_name(path.name + ".lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                while_waiting()
                time.sleep(_BETWEEN_LOOKS_S)
        yield


def _frame(image: str, side: int) -> NDArray[np.uint8]:
    if not image:
        return np.zeros((side, side, 3), np.uint8)
    try:
        return trained.frame(load_picture(image_path(image)), side=side)
    except FileNotFoundError as error:
        raise JobFailed(
            f"A picture is gone from {settings.IMAGES_FOLDER}: import the catalogue again."
        ) from error
    except ImageRejected as error:
        raise JobFailed(str(error)) from error


def _find_aspects(catalogue: Catalogue, names: Sequence[str]) -> list[AspectRow]:
    known = {aspect.name: aspect for aspect in catalogue.aspects.filter(kind=AspectRow.Kind.LABEL)}
    there_are = f"“{catalogue.title}” has: {', '.join(known) or 'none'}."
    if not names:
        category = [aspect for aspect in known.values() if aspect.is_category]
        if not category:
            raise JobFailed(
                f"The catalogue has no category: import it with --category, or name aspects. {there_are}"
            )
        return category
    for name in names:
        if name not in known:
            raise JobFailed(f"The catalogue has no aspect “{name}”. {there_are}")
    return [known[name] for name in names]


def _read_column(
    aspect: AspectRow, items: CatalogueItems, column: NDArray[np.int64], catalogue: Catalogue
) -> tuple[str, ...]:
    """Fill an aspect's column and return the values that trainable items have."""
    place_of = {key: place for place, key in enumerate(items.keys)}
    found: dict[int, str | None] = {}
    given = Label.objects.filter(item__catalogue=catalogue, attribute__aspect=aspect).exclude(
        source=Label.Source.PREDICTED
    )
    for key, value in given.values_list("item__key", "attribute__value").iterator(chunk_size=5000):
        place = place_of[key]
        found[place] = None if found.get(place, value) != value else value
    seen = sorted({value for place, value in found.items() if value is not None and items.trainable[place]})
    number_of = {value: number for number, value in enumerate(seen)}
    for place, known in found.items():
        if known in number_of:
            column[place] = number_of[known]
    return tuple(seen)


def number_copies(count: int, joined: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """(count,): one number for all that are joined with each other, directly or by others."""
    parents = list(range(count))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    for one, other in joined:
        parents[root(one)] = root(other)
    return np.array([root(place) for place in range(count)], np.int64)
