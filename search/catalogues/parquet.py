"""Tables stored as Parquet."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow
from pyarrow import parquet

from search.catalogues.records import Record, Unreadable, as_text
from search.catalogues.rows import CatalogueUnreadable

MAX_ROW_GROUP = 2**28  # bytes of one row group, inflated, as the file declares it
_BATCH = 32
_ERRORS = (pyarrow.ArrowException, OSError, ValueError)


class ParquetFile:
    """A Parquet file; pictures may be stored in it, as bytes or as the pair of bytes and path."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._file = parquet.ParquetFile(file)
        except _ERRORS as error:
            raise CatalogueUnreadable(f"The table is not Parquet that can be read ({error}).") from error
        facts = self._file.metadata
        largest = max((facts.row_group(at).total_byte_size for at in range(facts.num_row_groups)), default=0)
        if largest > MAX_ROW_GROUP:
            raise CatalogueUnreadable(
                f"A row group of the table has {largest / 2**20:.0f} MiB; at most {MAX_ROW_GROUP >> 20} MiB "
                "are read at once. Write it again with smaller row groups."
            )
        self.columns = list(dict.fromkeys(self._file.schema_arrow.names))
        self.notes: list[Unreadable] = []

    def records(self) -> Iterator[Record | Unreadable]:
        number = 0
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH, columns=self.columns, use_threads=False):
                for values in batch.to_pylist():
                    number += 1
                    yield _record(number, values)
        except _ERRORS as error:
            message = f"The table is damaged from here on ({error}). Write it again."
            yield Unreadable(number + 1, "malformed", message)


def _record(number: int, values: dict[str, Any]) -> Record:
    pictures: dict[str, bytes] = {}
    texts: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
            pictures[name] = value["bytes"]
            value = value.get("path") or f"row-{number}"
        elif isinstance(value, bytes):
            pictures[name] = value
            value = f"row-{number}"
        texts[name] = as_text(value).replace("\0", "")
    return Record(number, texts, len(texts), pictures=pictures)
