"""What the importers of published data sets share: a data set gives records, this makes rows of them.

A published data set names its pictures in its own files, so a picture may be missing; that is reported row by
row and, first of all, as a whole (`coverage`). Where one item has several values of a label, they are kept
together as a text under the label's name and `SEVERAL`, because an item has one label of each aspect.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from search.catalogues.files import Entry, FolderTree, Refused, name_refusal, printable
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.rows import (
    AspectSpec,
    Box,
    CatalogueUnreadable,
    Importer,
    ImportOptions,
    Rejection,
    Row,
)

SPLIT = "published split"  # which side its authors put an item on; ours is made by hash as always
SEVERAL = " (several)"


@dataclass(frozen=True)
class Record:
    """One item as its data set describes it. `picture` is None where it is not among the files.

    `labels` gives the values of each aspect, none, one or several; `box` is left, top, right, bottom.
    """

    number: int
    key: str
    picture: Entry | Refused | None
    labels: Mapping[str, Sequence[str]]
    texts: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    box: Box | None = None


class DataSet(Protocol):
    """One unpacked data set, its annotations read. `records` gives the same each time."""

    @property
    def category(self) -> str:
        """The label that says what kind of thing an item is."""

    @property
    def labels(self) -> Sequence[str]: ...

    @property
    def texts(self) -> Sequence[str]: ...

    @property
    def remedy(self) -> str:
        """Where pictures should lie, as a sentence."""

    def records(self) -> Iterator[Record | Rejection]: ...


class _Survey:
    """What all records of a data set have, counted once."""

    def __init__(self, records: Iterable[Record | Rejection]) -> None:
        self.given, self.several, self.texts = Counter[str](), Counter[str](), Counter[str]()
        self.wanted, self.found = Counter[str](), Counter[str]()  # pictures, by published split
        self.records = self.rejections = 0
        for record in records:
            if isinstance(record, Rejection):
                self.rejections += 1
            else:
                self.records += 1
                self._see(record)

    def _see(self, record: Record) -> None:
        for name, values in record.labels.items():
            self.given[name] += len(values) == 1
            self.several[name] += len(values) > 1
        self.texts.update(name for name, text in record.texts.items() if text)
        for split in record.labels.get(SPLIT) or ("all",):
            self.wanted[split] += 1
            self.found[split] += isinstance(record.picture, Entry)

    def coverage(self, remedy: str) -> str:
        """A sentence about missing pictures; blank where there are none. Items of two splits count twice."""
        if self.found == self.wanted:
            return ""
        shares = ", ".join(
            f"{split} {self.found[split]:,} of {count:,}" for split, count in self.wanted.items()
        )
        return f"Pictures that are there: {shares}. The others are reported one by one. {remedy}"


class PublishedImporter:
    """The rows of one published data set; its key of an item is the data set's own name for it."""

    def __init__(self, root: Unpacked, data_set: DataSet, options: ImportOptions) -> None:
        self._root, self._data = root, data_set
        self._category = self._chosen(options.category, "category") or data_set.category
        self._group = self._chosen(options.group, "group")
        self._survey = _Survey(data_set.records())
        if not self._survey.found.total():
            raise CatalogueUnreadable(
                f"Not one of the {self._survey.records:,} pictures that {root.tree.title} names is there. "
                f"{data_set.remedy}"
            )
        self._coverage = self._survey.coverage(data_set.remedy)

    @property
    def generator(self) -> str:
        return ""

    @property
    def total(self) -> int | None:
        remarks = len(self._root.notes) + bool(self._coverage)
        return remarks + self._survey.records + self._survey.rejections

    def aspects(self) -> list[AspectSpec]:
        survey, specs = self._survey, []
        for name in self._data.labels:
            if survey.given[name]:
                specs.append(AspectSpec(name, is_category=name == self._category))
            if survey.several[name]:
                specs.append(AspectSpec(name + SEVERAL, "text"))
        return [*specs, *(AspectSpec(name, "text") for name in self._data.texts if survey.texts[name])]

    def rows(self) -> Iterator[Row | Rejection]:
        if self._coverage:
            yield Rejection(0, "", "coverage", self._coverage[:500])
        yield from self._root.notes
        seen: set[str] = set()
        for record in self._data.records():
            if isinstance(record, Rejection):
                yield record
                continue
            refused = self._refusal(record, seen)
            if refused is not None:
                yield Rejection(record.number, printable(record.key), refused.code, refused.message)
            else:
                yield self._row(record)

    def prepare(self, rows: Iterable[Row]) -> Iterator[Row]:
        yield from rows

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        pictures = (one.picture for one in self._data.records() if isinstance(one, Record))
        for entry in (*self._root.files, *pictures):
            if isinstance(entry, Entry):
                digest.update(f"{entry.name}\0{entry.size}\0{entry.stamp}\n".encode())
        return digest.hexdigest()

    def close(self) -> None:
        self._root.tree.close()

    def _chosen(self, wanted: str, what: str) -> str:
        if wanted and wanted not in self._data.labels:
            raise CatalogueUnreadable(
                f"This data set has no label {wanted!r} to take as {what}. Its labels are: "
                f"{', '.join(self._data.labels)}."
            )
        return wanted

    def _refusal(self, record: Record, seen: set[str]) -> Refused | None:
        """Why a record becomes no row; notes its key."""
        if (refused := name_refusal(record.key)) is not None:
            return refused
        if not _is_storable(record):
            return Refused("nul", "It holds a NUL or half a character. Take it out of the data set's file.")
        if record.picture is None:
            return Refused("unknown-image", f"Its picture is not there. {self._data.remedy}")
        if isinstance(record.picture, Refused):
            return record.picture
        if record.key in seen:
            return Refused("duplicate-key", "An earlier line is about the same picture; that one is taken.")
        seen.add(record.key)
        return None

    def _row(self, record: Record) -> Row:
        assert isinstance(record.picture, Entry)  # or it would have been refused
        labels = {name: values[0] for name, values in record.labels.items() if len(values) == 1}
        several = {
            name + SEVERAL: ";".join(values) for name, values in record.labels.items() if len(values) > 1
        }
        return Row(
            number=record.number,
            key=record.key,
            image=partial(self._root.tree.read, record.picture),
            labels=labels,
            texts={**several, **{name: text for name, text in record.texts.items() if text}},
            category=labels.get(self._category),
            group=labels.get(self._group, "") if self._group else record.group,
            box=record.box,
        )


def published(data_set: Callable[[Unpacked], DataSet]) -> Callable[[Path, ImportOptions], Importer]:
    """How the registry opens a folder as that data set. The opener raises CatalogueUnreadable, OSError."""

    def open_data_set(path: Path, options: ImportOptions) -> Importer:
        root = Unpacked(FolderTree(path))
        return PublishedImporter(root, data_set(root), options)

    return open_data_set


def _is_storable(record: Record) -> bool:
    """Whether a database takes every text of it."""
    texts = [
        record.group,
        *record.texts.values(),
        *(value for some in record.labels.values() for value in some),
    ]
    try:
        return not any(b"\0" in text.encode() for text in texts)
    except UnicodeEncodeError:
        return False
