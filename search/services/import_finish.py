"""What is known only when all rows are in: near duplicates, sides of the split, order, content hash."""

from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from search import events
from search.catalogues.duplicates import near_duplicates
from search.catalogues.rows import Rejection
from search.catalogues.split import evaluation_units, unit_of
from search.engine.errors import ImageRejected
from search.engine.images import load_rgb
from search.models import Catalogue, CatalogueState, Item, Split
from search.selectors.catalogues import hash_content, image_path
from search.services.item_writer import ItemWriter
from search.services.job_context import JobContext

_OUT_OF_THE_WAY = 1_000_000_000  # positions have to be unique at every moment


def finish_import(
    context: JobContext, catalogue: Catalogue, writer: ItemWriter, *, fingerprint: str, began: datetime
) -> None:
    """Drop what is gone and order the rest, then settle the items and open the catalogue.

    Each of the two is one transaction; the second changes what people see.
    """
    gone = sorted(writer.known.keys() - set(writer.order))
    settled = catalogue.settled_items
    kept = {key for key in gone if writer.known[key].position < settled}
    away = Item.objects.filter(catalogue=catalogue, removed_at__isnull=False)
    removed = set(away.values_list("key", flat=True))
    for key in sorted(kept - removed):
        message = (
            "It is no longer in the source, or no longer readable there. It was kept, because people may "
        )
        message += "have voted on it."
        writer.reject(Rejection(0, key, "gone", message))
    writer.flush()
    with context.publish():
        Item.objects.filter(pk__in=[writer.known[key].pk for key in gone if key not in kept]).delete()
        _order_items(catalogue, writer)
    items = list(Item.objects.filter(catalogue=catalogue).order_by("position"))
    duplicates = _find_duplicates(items)
    changed = [*_note_duplicates(items, duplicates), *_assign_sides(items, duplicates, settled)]
    with context.publish():
        # A removal meanwhile has the hash counted anew as well: the one after the other.
        Catalogue.objects.select_for_update(no_key=True).get(pk=catalogue.pk)
        unique = list({item.pk: item for item in changed}.values())
        Item.objects.bulk_update(unique, ["split", "near_duplicate_of"], batch_size=100)
        catalogue.content_hash = hash_content(catalogue)
        catalogue.source_fingerprint = fingerprint
        catalogue.settled_items = len(items)
        catalogue.state = CatalogueState.READY
        catalogue.imported_at = context.now()
        catalogue.report = _report(writer, items, began, context.now())
        catalogue.save()
        events.bump("catalogues")
        events.bump("changes")
    context.progress(len(items), len(items), f"{len(items):,} items")


def _order_items(catalogue: Catalogue, writer: ItemWriter) -> None:
    """Give unsettled items the positions an undisturbed import gives: dense, in the order of the source."""
    settled = catalogue.settled_items
    free = [key for key in writer.order if writer.known[key].position >= settled]
    wanted = {writer.known[key].pk: settled + place for place, key in enumerate(free)}
    items = list(Item.objects.filter(catalogue=catalogue, position__gte=settled))
    moved = [item for item in items if item.position != wanted[item.pk]]
    for offset in (_OUT_OF_THE_WAY, 0):
        for item in moved:
            item.position = wanted[item.pk] + offset
        Item.objects.bulk_update(moved, ["position"], batch_size=100)


def _find_duplicates(items: list[Item]) -> list[tuple[int, int]]:
    """Pairs of places whose pictures are the same, or nearly."""
    first: dict[str, int] = {}
    equal = [
        (first[item.image_sha256], place)
        for place, item in enumerate(items)
        if first.setdefault(item.image_sha256, place) != place
    ]
    distinct = list(first.values())

    def pixels(at: int) -> npt.NDArray[np.uint8]:
        try:
            return load_rgb(image_path(items[distinct[at]].image_sha256))
        except (OSError, ImageRejected):
            return np.zeros((1, 1, 3), dtype=np.uint8)  # lost from the disk: looks like nothing

    near = near_duplicates([items[place].perceptual_hash for place in distinct], pixels)
    return equal + [(distinct[one], distinct[other]) for one, other in near]


def _note_duplicates(items: list[Item], duplicates: list[tuple[int, int]]) -> list[Item]:
    """Point every near duplicate to the first item it looks like; returns those that changed.

    A removed item is no original: it is not there to be shown in the place of what looks like it.
    """
    first: dict[int, int] = {}
    for one, other in duplicates:
        if items[one].removed_at is not None:
            continue
        first[other] = min(one, first.get(other, one))
    changed = []
    for place, item in enumerate(items):
        original = items[first[place]].pk if place in first else None
        if item.near_duplicate_of_id != original:
            item.near_duplicate_of_id = original
            changed.append(item)
    return changed


def _assign_sides(items: list[Item], duplicates: list[tuple[int, int]], settled: int) -> list[Item]:
    """The one split, over groups and duplicates; returns the items that changed."""
    fixed = {place: items[place].split == Split.EVALUATION for place in range(min(settled, len(items)))}
    sides = evaluation_units([unit_of(item.key, item.group) for item in items], duplicates, fixed)
    changed = []
    for item, is_evaluation in zip(items, sides, strict=True):
        side = Split.EVALUATION if is_evaluation else Split.TRAINABLE
        if item.split != side:
            item.split = side
            changed.append(item)
    return changed


def _report(writer: ItemWriter, items: list[Item], began: datetime, ended: datetime) -> dict[str, Any]:
    tally = writer.tally
    return {
        "items": len(items),
        "added": tally.added,
        "updated": tally.updated,
        "unchanged": tally.unchanged,
        "rejected": dict(sorted(tally.rejected.items())),
        "near_duplicates": sum(item.near_duplicate_of_id is not None for item in items),
        "evaluation_only": sum(item.split == Split.EVALUATION for item in items),
        "seconds": round((ended - began).total_seconds(), 1),
    }
