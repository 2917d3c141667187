"""A zip archive as a tree of files. Nothing is ever extracted: members are read where they are.

So no name in an archive can become a path on the disk; names that try are refused and reported all the same.
What remains is size: the number of entries is checked before the list of them is read, entries may not
overlap (CVE-2024-0450), and a member is inflated block by block while the bytes that come out are counted.
"""

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from search.catalogues.files import Entry, Refused, name_refusal, printable, too_large
from search.catalogues.rows import CatalogueUnreadable, Rejection
from search.engine.errors import ImageRejected
from search.engine.images import MAX_BYTES

MAX_ENTRIES = 100_000
MAX_DIRECTORY = 64 * 2**20  # bytes of the list of entries
MAX_TOTAL = 20 * 2**30  # bytes of all members, inflated
MAX_RATIO = 200  # inflated over packed; photos hardly shrink, tables shrink to a tenth
SMALL = 2**20  # below this size the ratio does not matter
MAX_TABLE = 64 * 2**20  # bytes of a table, which is held in memory
_BLOCK = 1 << 16
# What zipfile raises for a damaged archive or member; ValueError for names that are not in their encoding.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, ValueError)
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")


class ZipTree:
    """The members of a zip archive, by names in which `/` divides folders.

    Raises CatalogueUnreadable for what is no zip archive, or one that is refused as a whole.
    """

    def __init__(self, path: Path) -> None:
        self.title = str(path)
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise CatalogueUnreadable(f"{path} cannot be read: {error.strerror}.") from error
        try:
            _check_directory(self._file, path)
            self._zip = zipfile.ZipFile(self._file)
            _check_members(self._zip, path)
        except (*_DAMAGED, OverflowError, OSError) as error:
            self._file.close()
            raise CatalogueUnreadable(
                f"{path} is not a zip archive that can be read ({error}). Make it again."
            ) from error
        except CatalogueUnreadable:
            self._file.close()
            raise
        self._members: dict[str, zipfile.ZipInfo] = {}
        self._folders: dict[str, dict[str, Entry]] = {"": {}}
        self._refusals: list[Rejection] = []
        self._fill()
        self._folders = {name: dict(sorted(held.items())) for name, held in self._folders.items()}
        self.root = self._only_folder()

    def folder(self, name: str) -> Mapping[str, Entry]:
        return self._folders.get(name, {})

    def read(self, entry: Entry, limit: int = MAX_BYTES) -> bytes:
        info = self._members[entry.name]
        if info.file_size > limit:
            raise too_large(info.file_size, limit)
        inflated = bytearray()
        try:
            with self._zip.open(info) as member:
                while block := member.read(_BLOCK):
                    inflated += block
                    _check_inflated(len(inflated), info, limit)
        except _DAMAGED as error:
            raise ImageRejected(
                "truncated", f"It is damaged inside the archive ({error}). Pack it again."
            ) from error
        return bytes(inflated)

    def open(self, entry: Entry) -> BinaryIO:
        try:
            return io.BytesIO(self.read(entry, MAX_TABLE))
        except ImageRejected as error:
            raise CatalogueUnreadable(f"{entry.name} in {self.title}: {error.message}") from error

    def begins(self, entry: Entry) -> bytes:
        try:
            with self._zip.open(self._members[entry.name]) as member:
                return member.read(16)
        except _DAMAGED as error:
            raise ImageRejected("truncated", "It is damaged inside the archive.") from error

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def refusals(self) -> list[Rejection]:
        return self._refusals

    def _fill(self) -> None:
        """Sort the members into folders; of two that could be taken for each other, the first stands."""
        taken = _Names()
        for number, info in enumerate(self._zip.infolist(), start=1):
            name = info.filename.replace("\\", "/").removeprefix("./")
            parts = name.rstrip("/").split("/")
            refused = _member_refusal(info, name)
            if refused is None and (info.is_dir() or not name or _is_hidden(parts)):
                continue
            refused = refused or taken.collision(name)
            if refused is not None:
                self._refusals.append(Rejection(number, printable(name), refused.code, refused.message))
            else:
                self._members[name] = info
                self._place(Entry(name, False, info.file_size, info.CRC))

    def _place(self, entry: Entry) -> None:
        above, _, last = entry.name.rpartition("/")
        self._folders.setdefault(above, {})[last] = entry
        while above:
            parent, _, folder = above.rpartition("/")
            siblings = self._folders.setdefault(parent, {})
            if folder in siblings:
                return
            siblings[folder] = Entry(above, True, 0, 0)
            above = parent

    def _only_folder(self) -> str:
        """The one folder that archivers like to pack everything in, or "" where there is none."""
        top = list(self._folders[""].values())
        return top[0].name if len(top) == 1 and top[0].is_folder else ""


class _Names:
    """Names taken so far, so that no two differ only in capitals and none is both a file and a folder."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def collision(self, name: str) -> Refused | None:
        folded = name.casefold()
        parts = folded.split("/")
        above = {"/".join(parts[:depth]) for depth in range(1, len(parts))}
        if folded in self._files or folded in self._folders or above & self._files:
            return Refused(
                "duplicate-name", "An earlier entry has the same name, capitals aside. Rename one of the two."
            )
        self._files.add(folded)
        self._folders |= above
        return None


def _is_hidden(parts: list[str]) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _check_directory(file: BinaryIO, path: Path) -> None:
    """Refuse by the end record alone, before a million entries become a million objects.

    The layout is that of APPNOTE 6.3.10, sections 4.3.14 to 4.3.16.
    """
    size = file.seek(0, io.SEEK_END)
    start = max(0, size - 22 - 65535)
    file.seek(start)
    tail = file.read()
    at = len(tail) - 22
    if not (tail[at : at + 4] == b"PK\5\6" and tail[-2:] == b"\0\0"):
        at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < 22:
        raise CatalogueUnreadable(f"{path} is not a zip archive, or its end is missing. Make it again.")
    entries, length = struct.unpack_from("<HL", tail, at + 10)
    locator = tail[at - 20 : at] if at >= 20 else b""
    if locator[:4] == b"PK\6\7":
        file.seek(struct.unpack_from("<Q", locator, 8)[0])
        record = file.read(56)
        if record[:4] == b"PK\6\6" and len(record) == 56:
            entries, length = struct.unpack_from("<QQ", record, 32)
    if entries > MAX_ENTRIES or length > MAX_DIRECTORY:
        raise CatalogueUnreadable(
            f"{path} lists {entries:,} entries in {length / 2**20:.0f} MiB; at most {MAX_ENTRIES:,} entries "
            f"in {MAX_DIRECTORY >> 20} MiB are read. Split it, or unpack it and import the folder."
        )


def _check_members(archive: zipfile.ZipFile, path: Path) -> None:
    members = sorted(archive.infolist(), key=lambda info: info.header_offset)
    if len(members) > MAX_ENTRIES:
        raise CatalogueUnreadable(f"{path} lists more than {MAX_ENTRIES:,} entries. Split it.")
    total = sum(info.file_size for info in members)
    if total > MAX_TOTAL:
        raise CatalogueUnreadable(
            f"{path} would inflate to {total / 2**30:.0f} GiB; at most {MAX_TOTAL >> 30} GiB are read. "
            "Split it."
        )
    ends = [*(info.header_offset for info in members[1:]), archive.start_dir]
    for info, end in zip(members, ends, strict=True):
        if info.header_offset + 30 + len(info.orig_filename) + info.compress_size > end:
            raise CatalogueUnreadable(
                f"{path} is refused: entry {printable(info.filename)!r} overlaps what follows it, as in "
                "archives made to fill a disk. Pack the pictures again with an ordinary program."
            )


def _member_refusal(info: zipfile.ZipInfo, name: str) -> Refused | None:
    mode = stat.S_IFMT(info.external_attr >> 16)
    parts = name.rstrip("/").split("/")
    if ".." in parts or "." in parts or name.startswith("/") or re.match(r"[A-Za-z]:", name) or "" in parts:
        return Refused("outside-folder", "Its name leads out of the archive. Pack it again with plain names.")
    if "\0" in info.orig_filename:
        return Refused("bad-name", "Its name holds a NUL character. Rename it.")
    if mode == stat.S_IFLNK:
        return Refused("outside-folder", "It is a symbolic link. Pack the file it means instead.")
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        return Refused("not-a-file", "It is a device, a pipe or a socket, not a file.")
    if info.flag_bits & 0x1:
        return Refused("encrypted", "It is encrypted. Pack the archive again without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return Refused("unsupported-format", "It is packed by a method that is not read. Use Deflate.")
    if name.lower().endswith(_ARCHIVES):
        return Refused("nested-archive", "It is an archive inside the archive. Unpack it first.")
    if info.file_size > SMALL and info.file_size > MAX_RATIO * info.compress_size:
        return _bomb(info)
    return name_refusal(name)


def _bomb(info: zipfile.ZipInfo) -> Refused:
    return Refused(
        "bomb",
        f"It inflates more than {MAX_RATIO} times (from {info.compress_size:,} to {info.file_size:,} bytes), "
        "as files made to fill a memory do. Save the picture as JPEG or PNG.",
    )


def _check_inflated(count: int, info: zipfile.ZipInfo, limit: int) -> None:
    if count > limit or count > info.file_size:
        raise too_large(count, limit)
    if count > SMALL and count > MAX_RATIO * info.compress_size:
        refused = _bomb(info)
        raise ImageRejected(refused.code, refused.message)
