"""Text files of published data sets, line by line; a line that cannot be taken is noted and left out."""

import io
from collections.abc import Container, Iterable, Iterator, Sequence
from sys import intern

from search.catalogues.delimited import guess_encoding
from search.catalogues.files import Entry
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.records import LONGEST_LINE
from search.catalogues.rows import Box, CatalogueUnreadable

_DIGITS = 9  # of a count or a coordinate; no true one has more


def read_lines(root: Unpacked, entry: Entry) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, without their ends, under their numbers. Raises CatalogueUnreadable."""
    stream = root.open(entry)
    encoding = guess_encoding(stream)
    stream.seek(0)
    with io.TextIOWrapper(stream, encoding=encoding, errors="replace") as text:
        number = 0
        while line := text.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                while (rest := text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                    pass
                note_line(root, entry, number, f"It has more than {LONGEST_LINE:,} characters")
            elif "\0" in line:
                note_line(root, entry, number, "It holds a NUL character")
            elif line.strip():
                yield number, line.rstrip("\n")


def note_line(root: Unpacked, entry: Entry, number: int, what: str) -> None:
    """Report a line that was left out. `what` is a sentence without its full stop."""
    message = f"{what}, so this line of {entry.name} was left out. Correct it or unpack the file again."
    root.note("malformed", message, number, entry.name)


def read_list(root: Unpacked, entry: Entry, columns: int) -> Iterator[tuple[int, list[str]]]:
    """Rows of a DeepFashion list: how many there are, a header, then rows of `columns` columns.

    White space divides columns; only the first may hold some itself ("abstract chevron print  1"), so rows
    are divided from their end. Raises CatalogueUnreadable where the first line is no number.
    """
    lines = read_lines(root, entry)
    first = next(lines, (0, ""))[1].strip()
    if not (first.isascii() and first.isdigit() and len(first) <= _DIGITS):
        raise CatalogueUnreadable(
            f"{entry.name} does not begin with the number of its rows, as it was published. Unpack it again."
        )
    next(lines, None)
    rows = 0
    for number, line in lines:
        parts = line.rsplit(None, columns - 1)
        rows += 1
        if len(parts) == columns:
            yield number, [intern(parts[0].strip()), *parts[1:]]  # several lists have the same names
        else:
            note_line(root, entry, number, f"It has {len(parts)} columns instead of {columns}")
    if rows != int(first):
        message = f"{entry.name} announces {int(first):,} rows and has {rows:,}. Unpack it again."
        root.note("incomplete", message, key=entry.name)


def read_by_name(root: Unpacked, entry: Entry, columns: int) -> dict[str, tuple[str, ...]]:
    """The rows of a DeepFashion list by their first column; of a name that comes again, the first row."""
    rows: dict[str, tuple[str, ...]] = {}
    for number, (name, *rest) in read_list(root, entry, columns):
        if name in rows:
            note_line(root, entry, number, "An earlier line is about the same name")
        else:
            rows[name] = tuple(map(intern, rest))
    return rows


def read_column(
    root: Unpacked, places: Sequence[str], columns: int, names: Iterable[str], loss: str
) -> dict[str, tuple[str, ...]]:
    """What a DeepFashion list that may be missing says of each name; what it does not say is noted."""
    told = root.optional(places, lambda entry: read_by_name(root, entry, columns), loss)
    if told is not None:
        note_gaps(root, places[0], names, told, loss)
    return told or {}


def note_gaps(root: Unpacked, file: str, names: Iterable[str], told: Container[str], loss: str) -> None:
    """Say once how many of the names a file is silent about, and what comes of it."""
    silent = [name for name in names if name not in told]
    if silent:
        message = f"{file} says nothing about {len(silent):,} pictures ({silent[0][:80]} first). {loss}"
        root.note("incomplete", message, key=file)


def parse_box(parts: Sequence[str]) -> Box:
    """left, top, right, bottom of four whole numbers, however many zeros lead them. Raises ValueError."""
    if any(len(part) > _DIGITS for part in parts):
        raise ValueError("a coordinate has too many digits")
    left, top, right, bottom = (float(int(part)) for part in parts)
    return (left, top, right, bottom)
