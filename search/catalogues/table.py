"""A table whose rows name pictures: CSV, TSV, JSONL or Parquet, in a folder or in a zip archive."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, NoReturn

from search.catalogues.columns import (
    CATEGORY_NAMES,
    IMAGE_NAMES,
    BoxColumns,
    ColumnFacts,
    find_box_columns,
    find_column,
)
from search.catalogues.delimited import DelimitedFile
from search.catalogues.files import TABLE_SUFFIXES, Entry, Refused, Tree, printable
from search.catalogues.pictures import Pictures
from search.catalogues.records import MAX_COLUMNS, JsonLinesFile, Record, Table, Unreadable
from search.catalogues.rows import (
    MAX_KEY,
    MAX_NAME,
    AspectSpec,
    CatalogueUnreadable,
    ImportOptions,
    ReadImage,
    Rejection,
    Row,
)

_SAMPLE = 200


def tables_in(tree: Tree, folder: str) -> list[Entry]:
    """The tables that lie directly in a folder."""
    held = tree.folder(folder).values()
    return [entry for entry in held if entry.suffix in TABLE_SUFFIXES and not entry.is_folder]


@dataclass(frozen=True)
class _Plan:
    """What each column is taken for."""

    image: str
    category: str | None
    group: str | None
    box: BoxColumns | None
    labels: dict[str, str]  # column -> name of the aspect
    texts: dict[str, str]


class TableImporter:
    """The rows of one table. The item's key is what the image column says.

    A cell is one label, however many values a person would read in it: "a|b" stays "a|b". Blank cells give no
    label; "NA" is a label like any other.
    """

    def __init__(self, tree: Tree, entry: Entry, options: ImportOptions) -> None:
        self._tree, self._entry = tree, entry
        if entry.refused is not None:
            raise CatalogueUnreadable(f"{entry.name}: {entry.refused.message}")
        self._stream = tree.open(entry)
        self._table = _open_table(self._stream, entry)
        if len(self._table.columns) > MAX_COLUMNS:
            raise CatalogueUnreadable(f"{entry.name} has more than {MAX_COLUMNS} columns. Leave some out.")
        self._pictures = Pictures(tree, entry.name.rpartition("/")[0])
        self._facts = {column: ColumnFacts() for column in self._table.columns}
        self._sample: list[Record] = []
        self._count = 0
        self._read_once()
        self._plan = self._make_plan(options)

    @property
    def generator(self) -> str:
        return ""

    @property
    def total(self) -> int | None:
        return self._count + len(self._table.notes) + len(self._tree.refusals())

    def aspects(self) -> list[AspectSpec]:
        plan = self._plan
        names = {**plan.labels, **plan.texts}
        return [
            AspectSpec(names[column], "label" if column in plan.labels else "text", column == plan.category)
            for column in self._table.columns
            if column in names
        ]

    def rows(self) -> Iterator[Row | Rejection]:
        yield from self._tree.refusals()
        yield from (_rejection(note) for note in self._table.notes)
        seen: dict[str, int] = {}
        for record in self._table.records():
            yield _rejection(record) if isinstance(record, Unreadable) else self._row(record, seen)

    def prepare(self, rows: Iterable[Row]) -> Iterator[Row]:
        yield from rows

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        self._stream.seek(0)
        while block := self._stream.read(1 << 20):
            digest.update(block)
        for record in self._table.records():
            if isinstance(record, Record):
                found = self._pictures.find(record.values.get(self._plan.image, ""))
                if isinstance(found, Entry):
                    digest.update(f"{found.name}\0{found.size}\0{found.stamp}\n".encode())
        return digest.hexdigest()

    def close(self) -> None:
        self._stream.close()
        self._tree.close()

    def _read_once(self) -> None:
        for record in self._table.records():
            self._count += 1
            if isinstance(record, Unreadable) or record.tail or record.cells < len(self._table.columns):
                continue
            for column, value in record.values.items():
                self._facts[column].see(value)
            if len(self._sample) < _SAMPLE:
                self._sample.append(record)

    def _make_plan(self, options: ImportOptions) -> _Plan:
        image = self._image_column()
        box = find_box_columns(self._facts, self._sample)
        used = {image, *(box.names if box else ())}
        free = [column for column, facts in self._facts.items() if column not in used and facts.filled]
        category = self._chosen(options.category, "category", free)
        group = self._chosen(options.group, "group", [column for column in self._facts if column != image])
        if category is None:
            found = (find_column(name, free) for name in CATEGORY_NAMES)
            category = next((column for column in found if column and not self._facts[column].is_text), None)
        labels: dict[str, str] = {}
        texts: dict[str, str] = {}
        for place, column in enumerate(free):
            name = _aspect_name(column, place)
            (labels if column == category or not self._facts[column].is_text else texts)[column] = name
        return _Plan(image, category, group, box, labels, texts)

    def _chosen(self, wanted: str, what: str, columns: list[str]) -> str | None:
        if not wanted:
            return None
        column = find_column(wanted, columns)
        if column is None:
            raise CatalogueUnreadable(
                f"{self._entry.name} has no column {wanted!r} to take as {what}. Its columns are: "
                f"{', '.join(self._table.columns)}."
            )
        return column

    def _image_column(self) -> str:
        """The column whose values are pictures that are there, the more so if its name says so."""
        if not self._table.columns:
            raise CatalogueUnreadable(f"{self._entry.name} is empty. Its first line must name its columns.")
        shares: dict[str, float] = {}
        for place, column in enumerate(self._table.columns):
            records = [record for record in self._sample if record.values.get(column)]
            hits = sum(self._picture(record, column) is not None for record in records)
            named = column.lower() in IMAGE_NAMES
            if hits:
                shares[column] = hits / len(records) + (0.5 if named else 0.0) - place * 1e-6
        if not shares:
            self._refuse_without_image()
        return max(shares, key=lambda column: shares[column])

    def _refuse_without_image(self) -> NoReturn:
        columns = self._table.columns
        likely = next((c for name in IMAGE_NAMES for c in columns if c.lower() == name), None)
        example = next((r.values[likely] for r in self._sample if likely and r.values.get(likely)), "")
        tried = f" The column {likely!r} says for example {example[:80]!r}." if likely and example else ""
        raise CatalogueUnreadable(
            f"No column of {self._entry.name} names a picture that is there.{tried} Its columns are: "
            f"{', '.join(columns)}. Put the pictures beside the table or in images/ there, and let one "
            "column hold their names, with or without extension."
        )

    def _picture(self, record: Record, column: str) -> Entry | ReadImage | None:
        """The picture a cell means, in the table itself or among the files; None where there is none."""
        if record.pictures and column in record.pictures:
            return partial(bytes, record.pictures[column])
        value = record.values.get(column, "")
        found = self._pictures.find(value) if value and len(value) <= MAX_KEY else None
        return None if isinstance(found, Refused) else found

    def _row(self, record: Record, seen: dict[str, int]) -> Row | Rejection:
        values, plan, columns = dict(record.values), self._plan, self._table.columns
        key = values.get(plan.image, "")
        if record.tail and columns[-1] in plan.texts:
            values[columns[-1]] = record.tail  # a comma in free text at the end, which nobody quoted
        elif record.tail or record.cells < len(columns):
            message = (
                f"It has {record.cells} cells where the header has {len(columns)}. Quote cells that hold "
            )
            return Rejection(
                record.number, key[:MAX_KEY], "ragged", message + "the separator, or fill the row."
            )
        refused = self._refusal(record, key)
        if refused is not None:
            return Rejection(record.number, key[:MAX_KEY], refused.code, refused.message)
        image = self._picture(record, plan.image)
        assert image is not None  # or it would have been refused
        try:
            box = plan.box.read(values) if plan.box else None
        except ValueError as error:
            message = f"Its box is not four numbers: {str(error)[:80]!r}. Correct it or leave it blank."
            return Rejection(record.number, key, "bad-box", message)
        name = key
        if key in seen and box is not None:
            name = f"{key}#{seen[key] + 1}"  # several boxes in one picture
        elif key in seen:
            message = "An earlier row names the same picture. Give each picture one row, or each row a box."
            return Rejection(record.number, key, "duplicate-key", message)
        seen[key] = seen.get(key, 0) + 1
        labels = {name: values[column] for column, name in plan.labels.items() if values.get(column)}
        return Row(
            number=record.number,
            key=name,
            image=partial(self._tree.read, image) if isinstance(image, Entry) else image,
            labels=labels,
            texts={name: values[column] for column, name in plan.texts.items() if values.get(column)},
            category=values.get(plan.category) or None if plan.category else None,
            # Boxes of one picture may overlap, so they stand on the same side of the split.
            group=(values.get(plan.group, "") if plan.group else "") or (key if plan.box else ""),
            box=box,
        )

    def _refusal(self, record: Record, key: str) -> Refused | None:
        if not key:
            return Refused(
                "no-image", f"Its cell in the column {self._plan.image!r} is blank. Name its picture."
            )
        if len(key) > MAX_KEY:
            return Refused("bad-name", f"The name of its picture has {len(key)} characters; shorten it.")
        if record.pictures and self._plan.image in record.pictures:
            return None
        found = self._pictures.find(key)
        if found is None:
            return Refused(
                "unknown-image",
                f"It names the picture {key[:80]!r}, which is neither beside the table nor in images/ there, "
                "with or without extension. Put it there or correct the name.",
            )
        return found if isinstance(found, Refused) else None


def _aspect_name(column: str, place: int) -> str:
    """A name that can be stored and shown; what JSON and Parquet call a column may be any text, or none."""
    name = printable(column).strip() or f"column {place + 1}"
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 8]}… {place}"


def _open_table(stream: BinaryIO, entry: Entry) -> Table:
    if entry.suffix == ".parquet":
        # Imported here because pyarrow is 100 MB, and most tables are not Parquet.
        from search.catalogues.parquet import ParquetFile

        return ParquetFile(stream)
    return JsonLinesFile(stream) if entry.suffix in (".jsonl", ".ndjson") else DelimitedFile(stream)


def _rejection(record: Unreadable) -> Rejection:
    return Rejection(record.number, "", record.code, record.message)
