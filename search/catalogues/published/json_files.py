"""JSON of published data sets: read whole where it is small, element by element where it may be large."""

import io
import json
from collections.abc import Iterator
from typing import Any, TextIO, TypeVar

from search.catalogues.files import Entry
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.records import LONGEST_LINE
from search.catalogues.rows import CatalogueUnreadable

MAX_BYTES = 64 * 2**20  # of a file that is read whole
_BLOCK = 1 << 16  # characters
_BLANKS = " \t\r\n"
_decoder = json.JSONDecoder()
T = TypeVar("T", list[Any], dict[str, Any])


def read_json(root: Unpacked, entry: Entry, kind: type[T]) -> T:
    """The list or object that a file holds. Raises CatalogueUnreadable, OSError."""
    data = root.read(entry, MAX_BYTES).removeprefix(b"\xef\xbb\xbf")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CatalogueUnreadable(f"{entry.name} is not JSON ({error}). Unpack it again.") from error
    if not isinstance(value, kind):
        raise CatalogueUnreadable(f"{entry.name} holds no JSON {kind.__name__}. Unpack it again.")
    return value


def walk_json(root: Unpacked, entry: Entry) -> Iterator[tuple[str, Any]]:
    """(name, element) for each element of each list in the object that a file holds, one in memory at a time.

    Where the file stops being JSON, or an element has more than a million characters, that is noted and what
    was read stands. Raises CatalogueUnreadable where it cannot be opened.
    """
    with io.TextIOWrapper(root.open(entry), encoding="utf-8-sig", errors="replace") as text:
        try:
            yield from _lists(_Window(text))
        except (ValueError, RecursionError) as error:
            message = f"{entry.name} is damaged ({error}); what comes after was left out. Unpack it again."
            root.note("malformed", message, key=entry.name)


def _lists(window: "_Window") -> Iterator[tuple[str, Any]]:
    window.take("{")
    while window.mark() != "}":
        name = window.value()
        window.take(":")
        if window.mark() == "[":
            yield from ((str(name), element) for element in _elements(window))
        else:
            window.value()
        if window.mark() != "}":
            window.take(",")


def _elements(window: "_Window") -> Iterator[Any]:
    window.take("[")
    while window.mark() != "]":
        yield window.value()
        if window.mark() != "]":
            window.take(",")
    window.take("]")


class _Window:
    """The part of a JSON text that is being read. Its methods raise ValueError where it is no JSON."""

    def __init__(self, text: TextIO) -> None:
        self._text, self._held, self._at, self._ended = text, "", 0, False

    def mark(self) -> str:
        """The next character that is not blank, which stays; "" at the end."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in _BLANKS:
                self._at += 1
            if self._at < len(self._held) or self._ended:
                return self._held[self._at : self._at + 1]
            self._fill()

    def take(self, wanted: str) -> None:
        """Step over the next character, which must be the wanted one."""
        if (found := self.mark()) != wanted:
            raise ValueError(f"{wanted!r} was expected instead of {found!r}")
        self._at += 1

    def value(self) -> Any:
        """The value that begins here, once enough was read to hold it."""
        self.mark()
        while True:
            try:
                value, end = _decoder.raw_decode(self._held, self._at)
                if end < len(self._held) or self._ended:  # a number at the edge could go on
                    self._at = end
                    return value
            except ValueError:
                if self._ended or len(self._held) - self._at > LONGEST_LINE:
                    raise
            self._fill()

    def _fill(self) -> None:
        block = self._text.read(_BLOCK)
        self._held, self._at, self._ended = self._held[self._at :] + block, 0, not block
