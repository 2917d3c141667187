"""The records of a table, whatever it is stored as: column names to text, one record at a time."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

LONGEST_LINE = 2**20  # bytes or characters of one line
MAX_COLUMNS = 2000


@dataclass(frozen=True)
class Record:
    """One record: its text by column, the number of cells it had, and, where it had more cells than the
    header, what the last column would be if the separators in it had been quoted.

    `pictures` holds bytes of pictures that are stored in the table itself, by column.
    """

    number: int
    values: dict[str, str]
    cells: int
    tail: str = ""
    pictures: dict[str, bytes] | None = None


@dataclass(frozen=True)
class Unreadable:
    """A record that cannot be taken, or something about the table that a person should know."""

    number: int
    code: str
    message: str


class Table(Protocol):
    """`columns` in order; `notes` about the table as a whole; `records()` begins anew each time."""

    columns: list[str]
    notes: list[Unreadable]

    def records(self) -> Iterator[Record | Unreadable]: ...


class JsonLinesFile:
    """One JSON object per line. The columns are all names that occur, in order of first occurrence."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.notes: list[Unreadable] = []
        seen: dict[str, None] = {}
        for _, value in self._objects():
            if isinstance(value, dict):
                seen.update(dict.fromkeys(value))
            if len(seen) > MAX_COLUMNS:
                break  # who opens the table counts them
        self.columns = list(seen)

    def records(self) -> Iterator[Record | Unreadable]:
        for number, value in self._objects():
            if isinstance(value, Unreadable):
                yield value
            else:
                values = {name: as_text(value.get(name)) for name in self.columns}
                if any("\0" in text for text in values.values()):
                    yield Unreadable(number, "nul", "It holds a NUL character. Take it out.")
                else:
                    yield Record(number, values, len(self.columns))

    def _objects(self) -> Iterator[tuple[int, "dict[str, Any] | Unreadable"]]:
        self._file.seek(0)
        number = 0
        while line := self._file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                while (rest := self._file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                    pass
                limit = f"It is longer than {LONGEST_LINE:,} bytes, which is more than a record may have."
                yield number, Unreadable(number, "malformed", limit)
                continue
            try:
                value = json.loads(line.removeprefix(b"\xef\xbb\xbf")) if line.strip() else None
            except (ValueError, RecursionError) as error:
                yield number, Unreadable(number, "malformed", f"It is not JSON ({error}). Correct the line.")
                continue
            if isinstance(value, dict):
                yield number, value
            elif value is not None:
                yield number, Unreadable(number, "malformed", "It is JSON, but not an object with columns.")


def as_text(value: object) -> str:
    """One value as a person would write it in a cell; nothing stays blank, and "NA" stays "NA"."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip().encode("utf-8", "replace").decode("utf-8")  # JSON may hold half characters
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isnan(value):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, list | tuple):
        return "|".join(as_text(part) for part in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)
