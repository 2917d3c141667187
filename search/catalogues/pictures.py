"""From what a cell says to the file it means: beside the table or in `images/`, with or without extension."""

import re

from search.catalogues.files import PICTURE_SUFFIXES, Entry, Refused, Tree

PLACES = ("", "images")


class Pictures:
    """Looks pictures up by name below the folder of a table; every folder is listed once."""

    def __init__(self, tree: Tree, folder: str) -> None:
        self._tree, self._folder = tree, folder
        self._stems: dict[str, dict[str, list[Entry]]] = {}

    def find(self, value: str) -> Entry | Refused | None:
        name = value.replace("\\", "/").removeprefix("./")
        parts = name.split("/")
        if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in parts or "\0" in name:
            return Refused(
                "outside-folder",
                f"It names the picture {value[:80]!r}, which leads out of the folder. "
                "Name pictures by their path from the table's folder.",
            )
        for place in PLACES:
            found = self._look(
                "/".join(part for part in (self._folder, place, *parts[:-1]) if part), parts[-1]
            )
            if found is not None:
                return found
        return None

    def _look(self, folder: str, last: str) -> Entry | Refused | None:
        exact = self._tree.folder(folder).get(last)
        if exact is not None and (exact.refused is not None or not exact.is_folder):
            return exact.refused or exact
        alike = self._by_stem(folder).get(last, [])
        if len(alike) > 1:
            names = " and ".join(entry.name for entry in alike[:3])
            return Refused("ambiguous-image", f"It could mean {names}. Write the extension.")
        return (alike[0].refused or alike[0]) if alike else None

    def _by_stem(self, folder: str) -> dict[str, list[Entry]]:
        if folder not in self._stems:
            stems: dict[str, list[Entry]] = {}
            for last, entry in self._tree.folder(folder).items():
                if entry.suffix in PICTURE_SUFFIXES and (entry.refused is not None or not entry.is_folder):
                    stems.setdefault(last[: -len(entry.suffix)], []).append(entry)
            self._stems[folder] = stems
        return self._stems[folder]
