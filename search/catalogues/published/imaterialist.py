"""iMaterialist Fashion 2018 (Guo, Huang, Zhang, Srikhanta, Cui, Li, Adam, Scott & Belongie, 2019).

`train.json`, `validation.json` (or `val.json`) and `test.json` list pictures by number, from 1 in each; the
pictures lie in `train/1.jpg` and so on. Keys are written image_id or imageId. A table maps numbers of labels.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from search.catalogues.delimited import DelimitedFile
from search.catalogues.files import Entry
from search.catalogues.pictures import Pictures
from search.catalogues.published.importer import SPLIT, Record
from search.catalogues.published.json_files import walk_json
from search.catalogues.published.text_files import note_line
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.records import Unreadable, as_text
from search.catalogues.rows import MAX_NAME, CatalogueUnreadable, Rejection

SPLITS = {"train": ("train.json",), "validation": ("validation.json", "val.json"), "test": ("test.json",)}
NUMBERS = "label numbers"
_MAP = ("labelId", "labelName", "taskName")


@dataclass
class _Side:
    """One of the three files: its pictures in order, and the numbers of each one's labels."""

    images: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: Pictures | None = None


class IMaterialist:
    """The pictures of all files; an item's key is SPLIT/NUMBER. Each task (pattern, sleeve, ...) is a label.

    The files are read element by element: about 250 MB and 20 seconds for all of them. Raises
    CatalogueUnreadable, OSError.
    """

    category = "category"
    texts = (NUMBERS,)
    remedy = "Put them into train/, validation/ and test/ there, as NUMBER.jpg."

    def __init__(self, root: Unpacked) -> None:
        self._names = _read_label_map(root)  # by number: (task, label)
        tasks = sorted({task for task, _ in self._names.values()})
        self.labels = (*tasks, SPLIT)
        self._sides: dict[str, _Side] = {}
        for split, files in SPLITS.items():
            loss = f"The pictures of {split} are left out."
            side = root.optional(files, lambda entry: _read_side(root, entry), loss)
            if side is not None:
                self._sides[split] = side
        for split, side in self._sides.items():
            side.pictures = _find_folder(root, split, side.images, is_alone=len(self._sides) == 1)
        if not any(side.images for side in self._sides.values()):
            raise CatalogueUnreadable(
                f"{root.tree.title} holds no train.json, validation.json or test.json with a picture in it. "
                "Give the folder in which they lie."
            )

    def records(self) -> Iterator[Record | Rejection]:
        for split, side in self._sides.items():
            for place, (image, numbers) in enumerate(side.images.items(), start=1):
                unknown = [number for number in numbers if number not in self._names]
                if unknown and self._names:
                    message = (
                        f"The table of labels has no {', '.join(unknown)[:80]}, so it was taken without."
                    )
                    message += " Complete the table and import again."
                    yield Rejection(place, f"{split}/{image}", "unknown-label", message)
                picture = side.pictures.find(image) if side.pictures else None
                labels = {**self._labels(numbers), SPLIT: [split]}
                texts = {NUMBERS: ";".join(unknown)}
                yield Record(place, f"{split}/{image}", picture, labels, texts)

    def _labels(self, numbers: tuple[str, ...]) -> dict[str, list[str]]:
        labels: dict[str, list[str]] = {}
        for task, name in (self._names[number] for number in numbers if number in self._names):
            labels.setdefault(task, []).append(name)
        return labels


def _read_side(root: Unpacked, entry: Entry) -> _Side:
    side = _Side()
    same: dict[tuple[str, ...], tuple[str, ...]] = {}  # many pictures have the same labels
    for place, (name, element) in enumerate(walk_json(root, entry), start=1):
        if name not in ("images", "annotations"):
            continue
        image = as_text(_either(element, "image_id", "imageId"))
        numbers = _either(element, "label_id", "labelId")
        if not image or (name == "annotations" and not isinstance(numbers, list)):
            message = (
                f"Element {place:,} of {entry.name} has no image_id or no list label_id and was left out."
            )
            root.note("malformed", f"{message} Unpack the file again.", place, entry.name)
            continue
        side.images.setdefault(image, ())
        if name == "annotations":
            told = tuple(intern(as_text(number)) for number in numbers)
            side.images[image] = same.setdefault(told, told)
    return side


def _find_folder(root: Unpacked, split: str, names: Iterable[str], is_alone: bool) -> Pictures | None:
    """Where the pictures of a file lie. Numbers begin anew in each, so only one file can have `images/`."""
    called = (split, "val") if split == "validation" else (split,)
    folders = [place for name in called for place in (name, f"images/{name}", f"{name}_images")]
    if is_alone:
        folders += ["images", ""]
    return root.pictures_under(folders, names) if root.pictures_in(folders) else None


def _either(element: Any, snake: str, camel: str) -> Any:
    """A value under either spelling of its key; None where the element has neither."""
    return element.get(snake, element.get(camel)) if isinstance(element, dict) else None


def _read_label_map(root: Unpacked) -> dict[str, tuple[str, str]]:
    """(task, label) by number, of whichever table in the root has the columns; none, with a note, without."""
    for entry in root.tree.folder("").values():
        if entry.suffix == ".csv":
            names = root.optional((entry.name,), lambda entry: _read_table(root, entry), "It was left out.")
            if names:
                return names
    message = "No table with the columns labelId, labelName and taskName lies there, so labels stay numbers. "
    root.note("missing-file", message + "Put iMat_fashion_2018_label_map_228.csv there.")
    return {}


def _read_table(root: Unpacked, entry: Entry) -> dict[str, tuple[str, str]]:
    """(task, label) by number; none where the table has other columns. Raises CatalogueUnreadable."""
    names: dict[str, tuple[str, str]] = {}
    with root.open(entry) as stream:
        table = DelimitedFile(stream)
        for row in table.records() if set(_MAP) <= set(table.columns) else ():
            values = {} if isinstance(row, Unreadable) else row.values
            number, label, task = (values.get(column, "") for column in _MAP)
            if number and label and task:
                names[number] = (task[:MAX_NAME], label)
            else:
                note_line(root, entry, row.number, f"It has not one cell for each of {', '.join(_MAP)}")
    return names
