"""CSV as people really save it: any of the usual encodings and separators, ragged, with stray quotes.

A record that cannot be taken is reported under its line number, and reading goes on.
"""

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, TextIO

from search.catalogues.records import LONGEST_LINE, Record, Unreadable
from search.catalogues.rows import CatalogueUnreadable

LONGEST_CELL = 131_072  # characters; the limit of the csv module, which is one per process
MAX_REREAD = 1000  # records that may be begun again after a quote that was never closed
_SEPARATORS = ",;\t"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def guess_encoding(file: BinaryIO) -> str:
    """By byte order mark, by NULs in every second place, by whether it is UTF-8; else Windows-1252."""
    file.seek(0)
    start = file.read(4096)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    even, odd = start[0::2], start[1::2]
    if len(start) >= 8 and odd.count(0) > len(odd) * 0.6 and even.count(0) < len(even) * 0.1:
        return "utf-16-le"
    if len(start) >= 8 and even.count(0) > len(even) * 0.6 and odd.count(0) < len(odd) * 0.1:
        return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while block := file.read(1 << 20):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def guess_separator(line: str) -> str:
    """The one that divides the header into most parts; a comma where none does."""
    return max(_SEPARATORS, key=lambda mark: (len(next(csv.reader([line], delimiter=mark), [])), mark == ","))


class DelimitedFile:
    """The records of one CSV or TSV file. The first line that is not blank is the header."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._encoding = guess_encoding(file)
        lines = _Lines(self._text())
        header = _first_line(lines)
        self._separator = guess_separator(header)
        self._header_line = lines.number
        cells = next(csv.reader([header], delimiter=self._separator), [])
        while cells and not cells[-1].strip():
            cells.pop()  # separators at the end of the header name no column
        self.columns, self.notes = _name_columns([cell.replace("\0", "") for cell in cells], lines.number)

    def records(self) -> Iterator[Record | Unreadable]:
        lines = _Lines(self._text())
        for _ in range(self._header_line):
            next(lines)
        reread = 0
        while True:
            lines.begin_record()
            number = lines.number + 1
            problem = ""
            cells: list[str] | None = None
            try:
                cells = next(csv.reader(lines, delimiter=self._separator), None)
            except csv.Error as error:
                problem = f"It cannot be read as CSV ({error}); a cell may have {LONGEST_CELL:,} characters."
            if cells is None and not problem:
                return
            several = lines.lines_in_record > 1 and reread < MAX_REREAD
            if several and (problem or not self._fits(cells or [])):
                # Most likely a quote that is never closed and swallows the lines that follow.
                reread += 1
                lines.reread_all_but_first()
                problem = "A quote in it is never closed, or it is longer than a record may be."
            if problem:
                yield Unreadable(number, "malformed", problem)
            elif any(cell.strip() for cell in cells or []):
                yield self._record(number, cells or [])

    def _fits(self, cells: list[str]) -> bool:
        wanted = len(self.columns)
        return len(cells) >= wanted and not any(cell.strip() for cell in cells[wanted:])

    def _record(self, number: int, cells: list[str]) -> Record | Unreadable:
        if any("\0" in cell for cell in cells):
            return Unreadable(number, "nul", "It holds a NUL character. Save the table again as text.")
        values = dict(zip(self.columns, (cell.strip() for cell in cells), strict=False))
        overflow = cells[len(self.columns) :]
        if any(cell.strip() for cell in overflow):
            tail = self._separator.join([cells[len(self.columns) - 1], *overflow]).strip()
            return Record(number, values, len(cells), tail)
        return Record(number, values, len(cells) - len(overflow))

    def _text(self) -> TextIO:
        self._file.seek(0)
        # The stream stays open for the next reading; errors were judged when the encoding was guessed.
        raw = io.BufferedReader(_Unclosed(self._file))
        return io.TextIOWrapper(raw, encoding=self._encoding, errors="replace", newline="")


class _Unclosed(io.RawIOBase):
    """A view of a stream that does not close it."""

    def __init__(self, file: BinaryIO) -> None:
        self._source = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Lines:
    """Lines with their numbers, that can be gone back to."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self._record: list[str] = []
        self.number = 0

    @property
    def lines_in_record(self) -> int:
        return len(self._record)

    def begin_record(self) -> None:
        self._record = []

    def reread_all_but_first(self) -> None:
        self._again.extendleft(reversed(self._record[1:]))
        self.number -= len(self._record) - 1
        self._record = self._record[:1]

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self._record.append(line)
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            while (rest := self._text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            raise csv.Error(f"a line has more than {LONGEST_LINE:,} characters")
        return line


def _first_line(lines: _Lines) -> str:
    try:
        return next((line for line in lines if line.strip("\r\n\t ;,\0")), "")
    except csv.Error as error:
        raise CatalogueUnreadable(f"The table has no header that can be read: {error}.") from error


def _name_columns(cells: list[str], line: int) -> tuple[list[str], list[Unreadable]]:
    """Every column under a name of its own: blank ones numbered, repeated ones numbered and reported."""
    names: list[str] = []
    notes: list[Unreadable] = []
    for place, cell in enumerate(cells, start=1):
        wanted = name = " ".join(cell.split()) or f"column {place}"
        copy = 2
        while name in names:
            name, copy = f"{wanted} {copy}", copy + 1
        if name != wanted:
            message = f"The column {wanted!r} is there more than once; this one is read as {name!r}."
            notes.append(Unreadable(line, "duplicate-column", message))
        names.append(name)
    return names, notes
