"""Tables as files that people and programs take away: one definition of the columns, three formats.

A row is an instance of a dataclass, whose fields are the columns, in their order. Files are written piece by
piece, so that a table may have more rows than fit into memory.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, Final, get_args, get_origin, get_type_hints

from search.catalogues.slate_judgements import BETWEEN
from search.selectors.tables import neutralise

AT_ONCE: Final = 2000  # rows of one piece, which others wait for
GROUP: Final = 25  # so many of these are a row group of a Parquet file, whose end lists all groups


@dataclass(frozen=True)
class Table:
    """Rows of a dataclass ``of``; fields are texts, numbers, flags, days, or tuples of texts or integers."""

    of: type
    rows: Iterable[Any]


@dataclass(frozen=True)
class TableFormat:
    """A way to write a table; ``write`` gives the file in pieces, some of them empty."""

    label: str
    content_type: str
    write: Callable[[Table], Iterator[bytes]]


def list_columns(of: type) -> Mapping[str, type]:
    """The columns with the types of their cells; a tuple's is that of its elements, as tuple[X, ...]."""
    hints = get_type_hints(of)
    return {field.name: _strip_none(hints[field.name]) for field in dataclasses.fields(of)}


def _strip_none(hint: Any) -> type:
    if isinstance(hint, types.UnionType):
        (hint,) = (one for one in get_args(hint) if one is not types.NoneType)
    return hint  # type: ignore[no-any-return]


def write_csv(table: Table) -> Iterator[bytes]:
    """No cell is a formula to a spreadsheet; several values in one cell have | between them."""
    names = list(list_columns(table.of))
    yield _write_lines([names])
    for rows in _split(table.rows):
        yield _write_lines([neutralise(_flatten(getattr(row, name))) for name in names] for row in rows)


def _write_lines(lines: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def _flatten(cell: object) -> object:
    return BETWEEN.join(map(str, cell)) if isinstance(cell, tuple) else cell


def write_jsonl(table: Table) -> Iterator[bytes]:
    """A JSON object on each line, every cell as it is; days as 2026-03-01."""
    names = list(list_columns(table.of))
    for rows in _split(table.rows):
        objects = ({name: getattr(row, name) for name in names} for row in rows)
        yield "".join(f"{json.dumps(one, ensure_ascii=False, default=str)}\n" for one in objects).encode()


def write_parquet(table: Table) -> Iterator[bytes]:
    """Every cell as it is, in columns of its type."""
    # A web process loads it for who asks for Parquet, and otherwise does without its 40 MB.
    import pyarrow
    from pyarrow import parquet

    kinds = {str: "string", int: "int64", float: "float64", bool: "bool", date: "date32"}

    def kind_of(cell: Any) -> Any:
        if get_origin(cell) is tuple:
            return pyarrow.list_(kind_of(get_args(cell)[0]))
        return pyarrow.type_for_alias(kinds[cell])

    columns = list_columns(table.of)
    schema = pyarrow.schema([(name, kind_of(cell)) for name, cell in columns.items()])
    pieces = _Pieces()
    with parquet.ParquetWriter(pieces, schema) as writer:
        group = []
        for rows in _split(table.rows):
            cells = [[getattr(row, name) for row in rows] for name in columns]
            group.append(pyarrow.record_batch(cells, schema=schema))
            if len(group) == GROUP:
                writer.write_table(pyarrow.Table.from_batches(group))
                group.clear()
            yield pieces.take()
        if group:
            writer.write_table(pyarrow.Table.from_batches(group))
    yield pieces.take()


class _Pieces(io.RawIOBase):
    """A file that forgets what was taken from it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def take(self) -> bytes:
        taken, self._held = bytes(self._held), bytearray()
        return taken


def _split(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while some := list(islice(left, AT_ONCE)):
        yield some


FORMATS: Final[Mapping[str, TableFormat]] = {
    "csv": TableFormat("CSV", "text/csv; charset=utf-8", write_csv),
    "jsonl": TableFormat("JSONL", "application/x-ndjson; charset=utf-8", write_jsonl),
    "parquet": TableFormat("Parquet", "application/vnd.apache.parquet", write_parquet),
}
