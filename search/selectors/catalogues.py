"""Questions about catalogues and their items."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from search.models import Catalogue, Item, Label


def image_path(sha256: str) -> Path:
    """Where the picture with this sha256 is kept, whether it is there or not."""
    folder: Path = settings.IMAGES_FOLDER
    return folder / sha256[:2] / f"{sha256}.webp"


def image_url(sha256: str) -> str:
    """The address the picture is served at."""
    return f"/images/{sha256}.webp"


def has_all_pictures(catalogue: Catalogue) -> bool:
    """Whether the pictures of all items are in their place, whole or not; nothing is read."""
    stored = Item.objects.filter(catalogue=catalogue).values_list("image_sha256", flat=True)
    return all(image_path(sha256).is_file() for sha256 in stored)


def hash_content(catalogue: Catalogue) -> str:
    """sha256 over keys, pictures and labels of all items but removed ones, in order of position.

    Whatever was computed from a catalogue is of the catalogue with this hash and no other.
    """
    digest = hashlib.sha256()
    labels = _labels_by_item(catalogue)
    following = next(labels, None)
    items = Item.objects.present().filter(catalogue=catalogue).order_by("position")
    for position, *facts in items.values_list("position", "key", "image_sha256", "lifestyle_sha256", "texts"):
        own = following[1] if following and following[0] == position else []
        if own:
            following = next(labels, None)
        digest.update(json.dumps([*facts, own], sort_keys=True, separators=(",", ":")).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def hash_units(catalogue: Catalogue) -> str:
    """sha256 over what belongs together: groups and near duplicates, by position.

    Not part of `hash_content`: vectors do not depend on it, but what is learned from what does.
    """
    digest = hashlib.sha256()
    items = Item.objects.filter(catalogue=catalogue).order_by("position")
    for row in items.values_list("position", "group", "split", "near_duplicate_of__position"):
        digest.update(json.dumps(row).encode() + b"\n")
    return digest.hexdigest()


def _labels_by_item(catalogue: Catalogue) -> Iterator[tuple[int, list[list[str]]]]:
    """(position, its labels as sorted [aspect, value, source]) for every item there that has labels."""
    known = Label.objects.filter(item__catalogue=catalogue, item__removed_at=None).exclude(
        source=Label.Source.PREDICTED
    )
    rows = known.order_by("item__position", "attribute__aspect__name", "attribute__value", "source")
    at = -1
    own: list[list[str]] = []
    columns = ("item__position", "attribute__aspect__name", "attribute__value", "source")
    for position, *label in rows.values_list(*columns).iterator(chunk_size=5000):
        if position != at and own:
            yield at, own
            own = []
        at = position
        own.append(label)
    if own:
        yield at, own
