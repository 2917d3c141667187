"""The files below one folder, seen only through names that cannot leave it.

`Tree` is what the folder and the table importer read from; a zip archive is another one (`archives.py`).
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from search.catalogues.rows import MAX_KEY, CatalogueUnreadable, Rejection
from search.engine.errors import ImageRejected
from search.engine.images import MAX_BYTES

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"})
READ_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".mpo"}
)
# Pictures that are not read: they are tried all the same, so that the report names them.
PICTURE_SUFFIXES = READ_SUFFIXES | {
    *(".svg", ".svgz", ".heic", ".heif", ".avif", ".jxl", ".jp2", ".psd", ".eps", ".ai", ".ico", ".fits"),
    *(".raw", ".cr2", ".nef", ".dng"),
}
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
MAX_DEPTH = 32


@dataclass(frozen=True)
class Refused:
    """Why a file or folder is not used."""

    code: str
    message: str


@dataclass(frozen=True)
class Entry:
    """One file or folder of a tree. `name` is its path from the tree's root, with `/` between parts."""

    name: str
    is_folder: bool
    size: int
    stamp: int  # of the last change, nanoseconds; of an archive's member, its checksum
    refused: Refused | None = None

    @property
    def suffix(self) -> str:
        return os.path.splitext(self.name)[1].lower()  # noqa: PTH122 (a name in an archive is no path)


class Tree(Protocol):
    """Files by name. Every method refuses names that lead outside."""

    title: str

    def folder(self, name: str) -> Mapping[str, Entry]:
        """What lies directly in a folder ("" is the root), by last part of the name, in order of names."""

    def read(self, entry: Entry, limit: int = MAX_BYTES) -> bytes:
        """The whole file. Raises ImageRejected (too-large, changed, outside-folder, ...) or OSError."""

    def open(self, entry: Entry) -> BinaryIO:
        """A seekable stream, for tables. Raises CatalogueUnreadable or OSError."""

    def begins(self, entry: Entry) -> bytes:
        """The first 16 bytes, or fewer."""

    def refusals(self) -> list[Rejection]:
        """What is refused wherever it lies, beyond the refused entries of the folders."""

    def close(self) -> None: ...


def walk(tree: Tree, name: str = "") -> Iterator[Entry]:
    """All files below a folder, and all refused entries, in order of names."""
    for entry in tree.folder(name).values():
        if entry.refused is None and entry.is_folder:
            yield from walk(tree, entry.name)
        else:
            yield entry


def is_picture(tree: Tree, entry: Entry) -> bool:
    """By extension; without a telling extension, by the first bytes."""
    if entry.suffix in PICTURE_SUFFIXES:
        return True
    if entry.suffix in TABLE_SUFFIXES or entry.is_folder or not entry.size:
        return False
    try:
        start = tree.begins(entry)
    except (OSError, ImageRejected):
        return False
    return start.startswith(_MAGIC) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")


def name_refusal(name: str) -> Refused | None:
    """Why a name cannot be an item's key, whatever it leads to."""
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in name):
        return Refused(
            "bad-name", "Its name holds control characters or bytes that are not UTF-8. Rename it."
        )
    if len(name) > MAX_KEY:
        return Refused("bad-name", f"Its name has {len(name)} characters; at most {MAX_KEY} are kept.")
    if name.count("/") >= MAX_DEPTH:
        return Refused("bad-name", f"It lies more than {MAX_DEPTH} folders deep. Move it up.")
    return None


class FolderTree:
    """A folder on the disk. Links that lead out of it, devices and hidden files are not used."""

    def __init__(self, base: Path) -> None:
        try:
            self.base = base.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise CatalogueUnreadable(f"{base} was not found. Check the path.") from error
        if not self.base.is_dir():
            raise CatalogueUnreadable(f"{base} is not a folder.")
        self.title = str(base)
        self._folders: dict[str, dict[str, Entry]] = {}

    def folder(self, name: str) -> Mapping[str, Entry]:
        if name not in self._folders:
            self._folders[name] = self._list(name)
        return self._folders[name]

    def _list(self, name: str) -> dict[str, Entry]:
        path = self._inside(name)
        if path is None or not path.is_dir():
            return {}
        try:
            with os.scandir(path) as scan:
                found = sorted((part for part in scan if not part.name.startswith(".")), key=lambda p: p.name)
        except OSError as error:
            if not name:
                raise CatalogueUnreadable(
                    f"{self.title} cannot be read: {error.strerror}. Allow it to be read (chmod)."
                ) from error
            return {}
        return {part.name: self._entry(f"{name}/{part.name}" if name else part.name, part) for part in found}

    def _entry(self, name: str, part: "os.DirEntry[str]") -> Entry:
        try:
            facts = part.stat()
        except (OSError, ValueError):
            message = "It is a link to nothing." if part.is_symlink() else "It cannot be read."
            return Entry(printable(name), False, 0, 0, Refused("unreadable", message))
        is_folder = stat.S_ISDIR(facts.st_mode)
        refused = name_refusal(name) or self._refusal(name, part, is_folder, facts.st_mode)
        shown = printable(name) if refused else name
        return Entry(shown, is_folder, facts.st_size, facts.st_mtime_ns, refused)

    def _refusal(self, name: str, part: "os.DirEntry[str]", is_folder: bool, mode: int) -> Refused | None:
        if part.is_symlink():
            if self._inside(name) is None:
                return Refused(
                    "outside-folder",
                    "It is a link that leads out of the folder. Copy the file it means into the folder.",
                )
            if is_folder:
                return Refused("linked-folder", "It is a link to a folder that is read in its own place.")
        if is_folder and not os.access(part.path, os.R_OK | os.X_OK):
            return Refused("unreadable", "The folder cannot be read. Allow it to be read (chmod).")
        if not is_folder and not stat.S_ISREG(mode):
            return Refused("not-a-file", "It is a device, a pipe or a socket, not a file.")
        return None

    def _inside(self, name: str) -> Path | None:
        """The real path of a name, where that lies in the base folder."""
        try:
            real = Path(os.path.realpath(self.base / name))
        except (OSError, ValueError):
            return None
        return real if real == self.base or self.base in real.parents else None

    def read(self, entry: Entry, limit: int = MAX_BYTES) -> bytes:
        if entry.size > limit:
            raise too_large(entry.size, limit)
        with self._opened(entry) as file:
            data = file.read(entry.size + 1)
            self._check_unchanged(entry, file, len(data))
        return data

    def open(self, entry: Entry) -> BinaryIO:
        try:
            return self._opened(entry)
        except ImageRejected as error:
            raise CatalogueUnreadable(f"{entry.name}: {error.message}") from error

    def begins(self, entry: Entry) -> bytes:
        with self._opened(entry) as file:
            return file.read(16)

    def refusals(self) -> list[Rejection]:
        return []

    def close(self) -> None:
        """Nothing is held open."""

    def _opened(self, entry: Entry) -> BinaryIO:
        path = self._inside(entry.name)
        if path is None:
            raise ImageRejected("outside-folder", "It became a link that leads out of the folder.")
        # Not followed if it has just become a link, not waited for if it has just become a pipe.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
        try:
            self._check_unchanged(entry, file, entry.size)
        except ImageRejected:
            file.close()
            raise
        return file

    def _check_unchanged(self, entry: Entry, file: BinaryIO, read: int) -> None:
        facts = os.fstat(file.fileno())
        same = stat.S_ISREG(facts.st_mode) and (facts.st_size, facts.st_mtime_ns) == (entry.size, entry.stamp)
        if not same or read != entry.size:
            raise ImageRejected(
                "changed", "It changed while it was being imported. Import again when nothing writes to it."
            )


def too_large(size: int, limit: int) -> ImageRejected:
    return ImageRejected(
        "too-large",
        f"The file has {size / 2**20:.1f} MiB; at most {limit >> 20} MiB are read. Save it smaller.",
    )


def printable(name: str) -> str:
    """A name as it may be stored and shown, at most as long as a key."""
    text = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in name)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")[:MAX_KEY]
