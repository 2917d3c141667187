"""Rows of an import become items, labels and reports, some hundred in one transaction."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field

from django.db import OperationalError

from search.catalogues.columns import COLOUR_NAMES
from search.catalogues.rows import MAX_KEY, MAX_LABEL, AspectSpec, Rejection, Row
from search.catalogues.split import evaluation_units, unit_of
from search.engine.errors import DiskFull
from search.engine.images import NormalisedImage
from search.models import Aspect, Attribute, Catalogue, Item, Label, RejectedRow, Split
from search.selectors.catalogues import image_path
from search.services.image_store import store_images
from search.services.job_context import JobContext

CHUNK = 200  # rows of one transaction
MAX_REPORTED = 10_000  # rejected rows that are kept one by one; all are counted
COMPUTED_COLOUR = "colour"


@dataclass
class Pending:
    """A row on its way: its pictures arrive one after the other."""

    row: Row
    source_sha256: str
    image: NormalisedImage | None = None
    lifestyle: NormalisedImage | None = None
    is_rejected: bool = False

    @property
    def details_sha256(self) -> str:
        return details_of(self.row)


@dataclass(frozen=True)
class Known:
    """What the database holds of an item already."""

    pk: int
    position: int
    source_sha256: str
    details_sha256: str
    image_sha256: str
    group: str


@dataclass
class Tally:
    """Counts of one run."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


class ItemWriter:
    """Collects accepted rows and rejections and writes them chunk by chunk.

    A chunk's pictures are on the disk before its rows are in the database, so that a kill at any moment
    leaves nothing but items that are whole.
    """

    def __init__(self, context: JobContext, catalogue: Catalogue, specs: list[AspectSpec]) -> None:
        self._context, self._catalogue = context, catalogue
        self.tally = Tally()
        self._places: dict[str, int] = {}
        self._standing: set[str] = set()
        with context.publish():
            RejectedRow.objects.filter(catalogue=catalogue).delete()
            self._aspects = _sync_aspects(catalogue, specs)
        self._category = next((spec.name for spec in specs if spec.is_category), None)
        self._colour = self._aspects.get(COMPUTED_COLOUR)
        self._attributes = {
            (aspect, value): pk
            for pk, aspect, value in Attribute.objects.filter(aspect__catalogue=catalogue).values_list(
                "pk", "aspect_id", "value"
            )
        }
        columns = ("pk", "position", "source_sha256", "details_sha256", "image_sha256", "group")
        items = Item.objects.filter(catalogue=catalogue)
        self.known = {key: Known(*rest) for key, *rest in items.values_list("key", *columns)}
        self._next = 1 + max((known.position for known in self.known.values()), default=-1)
        self._accepted: list[Pending] = []
        self._rejections: list[Rejection] = []

    @property
    def order(self) -> list[str]:
        """The keys of all rows that stand, in the order of the source."""
        return sorted(self._standing, key=lambda key: self._places[key])

    def announce(self, key: str) -> bool:
        """Note the place of a key in the source; False where an earlier row has it."""
        if key in self._places:
            return False
        self._places[key] = len(self._places)
        return True

    def is_unchanged(self, row: Row, source_sha256: str) -> bool:
        """Whether the row stands in the database already, exactly so; then it is counted."""
        known = self.known.get(row.key)
        wanted = (source_sha256, details_of(row))
        if known is None or (known.source_sha256, known.details_sha256) != wanted:
            return False
        if not image_path(known.image_sha256).is_file():
            return False  # somebody cleared the folder of pictures
        self._standing.add(row.key)
        self.tally.unchanged += 1
        return True

    def reject(self, rejection: Rejection) -> None:
        self.tally.rejected[rejection.code] += 1
        if self.tally.rejected.total() <= MAX_REPORTED:
            self._rejections.append(rejection)
        if len(self._rejections) >= CHUNK:
            self.flush()

    def accept(self, pending: Pending) -> None:
        self._accepted.append(pending)
        if len(self._accepted) >= CHUNK:
            self.flush()

    def flush(self) -> None:
        """Write what was collected. Raises DiskFull, and what `JobContext.publish` raises."""
        accepted, self._accepted = self._accepted, []
        store_images(image for one in accepted for image in (one.image, one.lifestyle) if image is not None)
        try:
            with self._context.publish():
                self._write_items(accepted)
                RejectedRow.objects.bulk_create(
                    _rejected_row(self._catalogue, one) for one in self._rejections
                )
        except OperationalError as error:
            if "disk is full" in str(error):
                raise DiskFull(
                    "The disk is full: the database could not be written. Free some space and start again."
                ) from error
            raise
        self._rejections = []

    def _write_items(self, accepted: list[Pending]) -> None:
        self._make_attributes(accepted)
        new = [self._new_item(one) for one in accepted if one.row.key not in self.known]
        Item.objects.bulk_create(new)
        for item in new:
            hashes = (item.source_sha256, item.details_sha256, item.image_sha256)
            self.known[item.key] = Known(item.pk, item.position, *hashes, item.group)
        added = {item.key for item in new}
        maybe = [self._changed_item(one) for one in accepted if one.row.key not in added]
        changed = [item for item in maybe if item is not None]
        written = added | {item.key for item in changed}
        Label.objects.filter(item__in=[item.pk for item in changed]).exclude(
            source=Label.Source.PREDICTED
        ).delete()
        fields = ("image_sha256", "source_sha256", "details_sha256", "perceptual_hash", "width", "height")
        Item.objects.bulk_update(
            changed, [*fields, "category", "group", "texts", "lifestyle_sha256"], batch_size=100
        )
        Label.objects.bulk_create(
            label for one in accepted if one.row.key in written for label in self._labels(one)
        )
        self.tally.added += len(new)
        self.tally.updated += len(changed)

    def _new_item(self, one: Pending) -> Item:
        group = group_of(one.row)
        is_evaluation = evaluation_units([unit_of(one.row.key, group)], [])[0]
        item = Item(
            catalogue=self._catalogue,
            key=one.row.key,
            position=self._next,
            group=group,
            split=Split.EVALUATION if is_evaluation else Split.TRAINABLE,
        )
        self._next += 1
        self._standing.add(one.row.key)
        return self._fill(item, one)

    def _changed_item(self, one: Pending) -> Item | None:
        """The known item as the row now says it is; None, with a report, where votes rest on what it was."""
        known = self.known[one.row.key]
        assert one.image is not None
        self._standing.add(one.row.key)
        is_settled = known.position < self._catalogue.settled_items
        if is_settled and known.image_sha256 != one.image.sha256:
            message = (
                "Its picture is not the one that was imported, on which people may have voted; that one "
            )
            message += "was kept. Import the source under another slug to have the new one."
            self.reject(Rejection(one.row.number, one.row.key, "changed-image", message))
            return None
        item = Item(pk=known.pk, catalogue=self._catalogue, key=one.row.key, position=known.position)
        item.group = known.group if is_settled else group_of(one.row)
        return self._fill(item, one)

    def _fill(self, item: Item, one: Pending) -> Item:
        image = one.image
        assert image is not None
        item.image_sha256, item.source_sha256 = image.sha256, one.source_sha256
        item.details_sha256 = one.details_sha256
        item.perceptual_hash = image.perceptual_hash - ((image.perceptual_hash >> 63) << 64)  # signed
        item.width, item.height = image.width, image.height
        item.category_id = self._category_id(one.row)
        item.texts = self._split_values(one.row)[1]
        item.lifestyle_sha256 = one.lifestyle.sha256 if one.lifestyle else ""
        return item

    def _category_id(self, row: Row) -> int | None:
        if row.category is None or self._category is None:
            return None
        # None where the column was a text when the catalogue was made, and texts are no attributes.
        return self._attributes.get((self._aspects[self._category].pk, row.category))

    def _split_values(self, row: Row) -> tuple[dict[str, str], dict[str, str]]:
        """Labels and texts by the kind an aspect was given when the catalogue was made."""
        labels: dict[str, str] = {}
        texts: dict[str, str] = {}
        for name, value in {**row.labels, **row.texts}.items():
            is_label = self._aspects[name].kind == Aspect.Kind.LABEL and len(value) <= MAX_LABEL
            (labels if is_label else texts)[name] = value
        return labels, texts

    def _values(self, one: Pending) -> list[tuple[Aspect, str, Label.Source]]:
        given = [
            (self._aspects[name], value, Label.Source.GIVEN)
            for name, value in self._split_values(one.row)[0].items()
        ]
        if self._colour is not None and self._colour.is_computed and one.image is not None:
            given.append((self._colour, one.image.colour, Label.Source.COMPUTED))
        return given

    def _make_attributes(self, accepted: list[Pending]) -> None:
        needed = {(aspect.pk, value) for one in accepted for aspect, value, _ in self._values(one)}
        missing = sorted(needed - self._attributes.keys())
        Attribute.objects.bulk_create(
            (Attribute(aspect_id=aspect, value=value) for aspect, value in missing), ignore_conflicts=True
        )
        for aspect in {aspect for aspect, _ in missing}:
            for pk, value in Attribute.objects.filter(aspect=aspect).values_list("pk", "value"):
                self._attributes[aspect, value] = pk

    def _labels(self, one: Pending) -> list[Label]:
        item = self.known[one.row.key].pk
        return [
            Label(item_id=item, attribute_id=self._attributes[aspect.pk, value], source=source)
            for aspect, value, source in self._values(one)
        ]


def group_of(row: Row) -> str:
    """The row's group, or a hash of one that is too long to store."""
    return row.group if len(row.group) <= MAX_LABEL else hashlib.sha256(row.group.encode()).hexdigest()


def details_of(row: Row) -> str:
    """sha256 over all a row says beside its picture."""
    said = [row.labels, row.texts, row.category, row.group]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _sync_aspects(catalogue: Catalogue, specs: list[AspectSpec]) -> dict[str, Aspect]:
    """The catalogue's aspects by name, with a computed colour where none is given."""
    wanted = list(specs)
    has_colour = any(spec.name.lower() in COLOUR_NAMES and spec.kind == "label" for spec in specs)
    stored = {aspect.name: aspect for aspect in Aspect.objects.filter(catalogue=catalogue)}
    if not has_colour and COMPUTED_COLOUR not in {spec.name for spec in specs}:
        wanted.append(AspectSpec(COMPUTED_COLOUR))
    for spec in wanted:
        if spec.name not in stored:
            stored[spec.name] = Aspect.objects.create(
                catalogue=catalogue,
                name=spec.name,
                kind=spec.kind,
                position=len(stored),
                is_category=spec.is_category,
                is_computed=spec not in specs,
            )
    return stored


def _rejected_row(catalogue: Catalogue, one: Rejection) -> RejectedRow:
    return RejectedRow(
        catalogue=catalogue,
        number=max(0, min(one.number, 2**31 - 1)),
        key=one.key.replace("\0", "")[:MAX_KEY],
        code=one.code[:40],
        message=one.message.replace("\0", "")[:500],
    )
