"""A data set's root folder as people unpack it: files under several names, and what is missing noted."""

from collections.abc import Callable, Iterable
from typing import BinaryIO, TypeVar

from search.catalogues.files import Entry, FolderTree
from search.catalogues.pictures import Pictures
from search.catalogues.rows import CatalogueUnreadable, Rejection
from search.engine.errors import ImageRejected

MAX_NOTES = 1000  # that are kept one by one; a file that is damaged throughout has as many as lines
T = TypeVar("T")


class Unpacked:
    """The files below one root, by path and whatever their capitals are.

    Files are opened through the tree, so nothing outside the root is read. `files` are those that were
    opened, `notes` say what could not be used; neither stops the import.
    """

    def __init__(self, tree: FolderTree) -> None:
        self.tree = tree
        self.files: list[Entry] = []
        self._notes: list[Rejection] = []
        self._more = 0

    @property
    def notes(self) -> list[Rejection]:
        if not self._more:
            return self._notes
        message = f"{self._more:,} more remarks about this data set's files are not listed."
        return [*self._notes, Rejection(0, "", "more", message)]

    def note(self, code: str, message: str, number: int = 0, key: str = "") -> None:
        """Report something and go on. `number` is a line or a place in a list."""
        if len(self._notes) < MAX_NOTES:
            self._notes.append(Rejection(number, key, code, message))
        else:
            self._more += 1

    def find(self, *places: str) -> Entry | None:
        """The first of several files or folders that is there; perhaps one that is refused."""
        return next((found for place in places if (found := self._locate(place)) is not None), None)

    def need(self, *places: str) -> Entry:
        """A file or folder nothing can be imported without. Raises CatalogueUnreadable."""
        found = self.find(*places)
        if found is None:
            raise CatalogueUnreadable(
                f"{self.tree.title} holds no {' or '.join(places)}. Unpack the whole data set there, or give "
                "the folder in which it lies."
            )
        if found.refused is not None:
            raise CatalogueUnreadable(f"{found.name}: {found.refused.message}")
        return found

    def optional(self, places: Iterable[str], read: Callable[[Entry], T], loss: str) -> T | None:
        """What `read` makes of a file; None, and a note with the `loss`, where that cannot be had."""
        names = list(places)
        try:
            return read(self.need(*names))
        except CatalogueUnreadable as error:
            self.note("missing-file", f"{loss} {error}"[:500], key=names[0])
            return None

    def open(self, entry: Entry) -> BinaryIO:
        """Raises CatalogueUnreadable, OSError."""
        self.files.append(entry)
        return self.tree.open(entry)

    def read(self, entry: Entry, limit: int) -> bytes:
        """A whole file of at most `limit` bytes. Raises CatalogueUnreadable, OSError."""
        self.files.append(entry)
        try:
            return self.tree.read(entry, limit)
        except ImageRejected as error:
            raise CatalogueUnreadable(f"{entry.name}: {error.message}") from error

    def pictures_under(self, places: Iterable[str], names: Iterable[str]) -> Pictures:
        """Looks pictures up below the first place where any of these lies ("" is the root)."""
        names = list(names)
        tried = self.pictures_in(places)
        for pictures in tried:
            if any(isinstance(pictures.find(name), Entry) for name in names):
                return pictures
        return tried[0] if tried else Pictures(self.tree, "")

    def pictures_in(self, places: Iterable[str]) -> list[Pictures]:
        """Looks pictures up below each of the places that is a folder."""
        found = [(place, self._locate(place) if place else None) for place in places]
        return [
            Pictures(self.tree, entry.name if entry is not None else "")
            for place, entry in found
            if not place or (entry is not None and entry.is_folder and entry.refused is None)
        ]

    def _locate(self, place: str) -> Entry | None:
        entry: Entry | None = None
        folder = ""
        for part in place.split("/"):
            held = self.tree.folder(folder)
            alike = (held[name] for name in held if name.lower() == part.lower())
            entry = held.get(part) or next(alike, None)
            if entry is None or entry.refused is not None:
                return entry
            folder = entry.name
        return entry
