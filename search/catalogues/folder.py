"""A folder of pictures: the first sub-folder is the category, the path below the folder is the key."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import partial

from search.catalogues.files import Entry, Tree, is_picture, walk
from search.catalogues.rows import AspectSpec, CatalogueUnreadable, ImportOptions, Rejection, Row

CATEGORY = "category"


class FolderImporter:
    """Pictures below `root` of a tree. Raises CatalogueUnreadable where there is not one."""

    def __init__(self, tree: Tree, options: ImportOptions, root: str = "") -> None:
        if options.category not in ("", CATEGORY):
            raise CatalogueUnreadable(
                f"A folder has no column {options.category!r}: its sub-folders are the category. "
                "Leave the category out, or give a table with that column."
            )
        if options.group not in ("", CATEGORY):
            raise CatalogueUnreadable(
                f"A folder has no column {options.group!r} to group by. Leave the group out, or give a table."
            )
        self._tree, self._root, self._by_category = tree, root, bool(options.group)
        self._entries = [
            entry for entry in walk(tree, root) if entry.refused is not None or is_picture(tree, entry)
        ]
        if not any(entry.refused is None for entry in self._entries):
            raise CatalogueUnreadable(
                f"{tree.title} holds no picture (JPEG, PNG, WebP, GIF, BMP or TIFF). Give a folder with "
                "pictures in it or in its sub-folders, or a table that names them."
            )

    @property
    def generator(self) -> str:
        return ""

    @property
    def total(self) -> int | None:
        return len(self._entries) + len(self._tree.refusals())

    def aspects(self) -> list[AspectSpec]:
        if any("/" in self._key(entry) for entry in self._entries if entry.refused is None):
            return [AspectSpec(CATEGORY, is_category=True)]
        return []

    def rows(self) -> Iterator[Row | Rejection]:
        yield from self._tree.refusals()
        for number, entry in enumerate(self._entries, start=1):
            if entry.refused is not None:
                yield Rejection(number, self._key(entry), entry.refused.code, entry.refused.message)
            else:
                yield self._row(number, entry)

    def prepare(self, rows: Iterable[Row]) -> Iterator[Row]:
        yield from rows

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for entry in self._entries:
            digest.update(f"{entry.name}\0{entry.size}\0{entry.stamp}\n".encode())
        for refused in self._tree.refusals():
            digest.update(f"{refused.key}\0{refused.code}\n".encode())
        return digest.hexdigest()

    def close(self) -> None:
        self._tree.close()

    def _key(self, entry: Entry) -> str:
        return entry.name[len(self._root) :].lstrip("/") if self._root else entry.name

    def _row(self, number: int, entry: Entry) -> Row:
        key = self._key(entry)
        category = key.split("/", 1)[0] if "/" in key else None
        return Row(
            number=number,
            key=key,
            image=partial(self._tree.read, entry),
            labels={} if category is None else {CATEGORY: category},
            category=category,
            group=category or "" if self._by_category else "",
        )
