"""Outdoor Scene Recognition as Relative Attributes uses it (Parikh & Grauman, ICCV 2011).

`data.mat` names the pictures, gives each one's class, and ranks the classes by six attributes.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from search.catalogues.published.importer import SPLIT, Record
from search.catalogues.published.matlab_files import read_matlab
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.records import as_text
from search.catalogues.rows import CatalogueUnreadable, Rejection

ATTRIBUTES = ("natural", "open", "perspective", "size-large", "diagonal-plane", "depth-close")
_PLACES = ("data.mat", "osr/data.mat", "osr_data/data.mat")
_FOLDERS = ("spatial_envelope_256x256_static_8outdoorcategories", "images", "")
_NAMES = ["im_names", "class_labels", "used_for_training", "relative_ordering"]


class Osr:
    """The pictures of data.mat. An attribute's label is the rank of the picture's class, as it was published.

    Raises CatalogueUnreadable, OSError.
    """

    category = "class"
    labels = ("class", *ATTRIBUTES, SPLIT)
    texts = ()
    remedy = f"Unpack {_FOLDERS[0]}.zip there."

    def __init__(self, root: Unpacked) -> None:
        entry = root.need(*_PLACES)
        arrays = read_matlab(root, entry, _NAMES)
        if "im_names" not in arrays or "class_labels" not in arrays:
            raise CatalogueUnreadable(f"{entry.name} holds no im_names and class_labels. Unpack it again.")
        self._names = [_text_of(cell) for cell in arrays["im_names"].ravel()]
        self._classes = _whole_numbers(arrays["class_labels"])
        if len(self._classes) != len(self._names):
            raise CatalogueUnreadable(
                f"{entry.name} names {len(self._names):,} pictures and gives {len(self._classes):,} classes. "
                "Unpack it again."
            )
        self._class_names = _name_classes(self._names, self._classes)
        self._training = _whole_numbers(arrays.get("used_for_training", np.array([])))
        if len(self._training) != len(self._names):
            root.note("incomplete", f"{entry.name} does not say which pictures were used for training.")
            self._training = []
        self._ranks = arrays.get("relative_ordering", np.zeros((0, 0)))
        if self._ranks.shape[:1] != (len(ATTRIBUTES),) or not _is_numeric(self._ranks):
            root.note("incomplete", f"{entry.name} does not rank classes by {len(ATTRIBUTES)} attributes.")
            self._ranks = np.zeros((len(ATTRIBUTES), 0))
        self._pictures = root.pictures_under(_FOLDERS, self._names)

    def records(self) -> Iterator[Record | Rejection]:
        for place, (name, number) in enumerate(zip(self._names, self._classes, strict=True)):
            labels = {"class": [self._class_names[number]]}
            if 1 <= number <= self._ranks.shape[1]:  # classes are counted from 1
                ranks = self._ranks[:, number - 1]
                labels |= {name: [as_text(float(rank))] for name, rank in zip(ATTRIBUTES, ranks, strict=True)}
            if self._training:
                labels[SPLIT] = ["train" if self._training[place] else "test"]
            yield Record(place + 1, name, self._pictures.find(name), labels)


def _text_of(cell: Any) -> str:
    """A text of a cell array, which comes wrapped in an array of its own."""
    value = np.asarray(cell).ravel()
    return as_text(str(value[0])) if value.size else ""


def _whole_numbers(array: npt.NDArray[Any]) -> list[int]:
    """All values, row by row; none where one is no number."""
    return [int(value) for value in array.ravel()] if _is_numeric(array) else []


def _is_numeric(array: npt.NDArray[Any]) -> bool:
    return array.dtype.kind in "buif" and bool(np.isfinite(array).all())


def _name_classes(names: list[str], classes: list[int]) -> dict[int, str]:
    """What all pictures of a class are called before the underscore (coast_art1130.jpg); else its number."""
    heads: dict[int, set[str]] = {}
    for name, number in zip(names, classes, strict=True):
        heads.setdefault(number, set()).add(name.partition("_")[0].lower())
    return {
        number: min(some) if len(some) == 1 and all(some) else f"class {number}"
        for number, some in heads.items()
    }
