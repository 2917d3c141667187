"""DeepFashion, category and attribute prediction (Liu, Luo, Qiu, Wang & Tang, CVPR 2016).

Its lists lie in `Anno/` or `Anno_coarse/`, its pictures in `img/`, `Img/img/` or, unpacked twice, `img/img/`.
"""

from collections.abc import Iterator, Mapping

from search.catalogues.files import Entry
from search.catalogues.published.importer import SPLIT, Record
from search.catalogues.published.text_files import note_gaps, note_line, parse_box, read_column, read_list
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.rows import Rejection

CLOTHES_TYPES = {"1": "upper-body", "2": "lower-body", "3": "full-body"}
ATTRIBUTE_TYPES = {"1": "texture", "2": "fabric", "3": "shape", "4": "part", "5": "style"}
WHOLE = "Pictures without a box are taken whole."
BAD_BOX = "Its box is not four whole numbers (x_1, y_1, x_2, y_2). Correct it or unpack the list again."
_FOLDERS = ("Anno", "Anno_coarse", "Anno_fine")
_IMAGES = "list_category_img.txt"
_HEAD = 2  # lines before the first row, which is row 1
_VALUES = frozenset({"-1", "0", "1"})

_Attribute = tuple[str, str]  # aspect, value
_Attributes = tuple[_Attribute, ...]


class DeepFashion:
    """The pictures of list_category_img.txt with what the other lists say about each of them.

    About 450 MB and 40 seconds for all 289,222 pictures. Raises CatalogueUnreadable, OSError.
    """

    category = "category"
    labels = ("category", "clothes type", *ATTRIBUTE_TYPES.values(), SPLIT)
    texts = ()
    remedy = "Unpack img.zip there, so that they lie in img/ or Img/img/."

    def __init__(self, root: Unpacked) -> None:
        images = root.need(*(f"{folder}/{_IMAGES}" for folder in _FOLDERS), _IMAGES)
        anno = images.name.removesuffix(_IMAGES)
        categories = read_list(root, root.need(f"{anno}list_category_cloth.txt"), 2)
        self._categories = {str(number - _HEAD): row for number, row in categories}
        self._images = [(number, name, label) for number, (name, label) in read_list(root, images, 2)]
        names = [name for _, name, _ in self._images]
        self._boxes = read_column(root, (f"{anno}list_bbox.txt",), 5, names, WHOLE)
        splits = ("Eval/list_eval_partition.txt", "list_eval_partition.txt")
        self._splits = read_column(root, splits, 2, names, "They have no published split.")
        self._attributes = _read_attributes(root, anno, names)
        self._pictures = root.pictures_under(("", "Img", "img"), names)

    def records(self) -> Iterator[Record | Rejection]:
        for number, name, label in self._images:
            if label not in self._categories:
                message = (
                    f"Its category {label[:20]!r} is not among the {len(self._categories)} of "
                    "list_category_cloth.txt, so it was taken without one. Correct it and import again."
                )
                yield Rejection(number, name, "unknown-label", message)
            try:
                box = parse_box(self._boxes[name]) if name in self._boxes else None
            except ValueError:
                # Not taken whole: once people have voted on a picture it stays as it is.
                yield Rejection(number, name, "bad-box", BAD_BOX)
                continue
            yield Record(number, name, self._pictures.find(name), self._labels(name, label), box=box)

    def _labels(self, name: str, label: str) -> Mapping[str, list[str]]:
        labels: dict[str, list[str]] = {SPLIT: list(self._splits.get(name, ()))}
        if label in self._categories:
            category, kind = self._categories[label]
            labels |= {"category": [category], "clothes type": [CLOTHES_TYPES.get(kind, kind)]}
        for kind, value in self._attributes.get(name, ()):
            labels.setdefault(kind, []).append(value)
        return labels


def _read_attributes(root: Unpacked, anno: str, names: list[str]) -> dict[str, _Attributes]:
    """(aspect, value) of every attribute that a picture has for certain, by name of the picture."""
    file, loss = f"{anno}list_attr_cloth.txt", "They have no attributes."
    known = root.optional((file,), lambda entry: _read_attribute_names(root, entry), loss)
    if not known:
        return {}
    file = f"{anno}list_attr_img.txt"
    told = root.optional((file,), lambda entry: _read_attribute_rows(root, entry, known), loss)
    if told is not None:
        note_gaps(root, file, names, told, loss)
    return told or {}


def _read_attribute_names(root: Unpacked, entry: Entry) -> list[_Attribute | None]:
    """(aspect, value) by column of list_attr_img.txt; None for one that is of no known type."""
    known: list[_Attribute | None] = []
    for number, (value, kind) in read_list(root, entry, 2):
        known += [None] * (number - _HEAD - 1 - len(known))  # a line that was left out keeps its column
        if kind not in ATTRIBUTE_TYPES:
            note_line(root, entry, number, f"Its type {kind[:20]!r} is not 1 to 5")
        known.append((ATTRIBUTE_TYPES[kind], value) if kind in ATTRIBUTE_TYPES else None)
    return known


def _read_attribute_rows(
    root: Unpacked, entry: Entry, known: list[_Attribute | None]
) -> dict[str, _Attributes]:
    """By name of the picture, those of the known attributes whose value is 1 (-1 says no, 0 nobody knows)."""
    rows: dict[str, _Attributes] = {}
    same: dict[_Attributes, _Attributes] = {}  # many pictures have the same few
    for number, (name, *values) in read_list(root, entry, 1 + len(known)):
        if not _VALUES.issuperset(values):
            note_line(root, entry, number, "One of its values is not -1, 0 or 1")
            continue
        pairs = zip(known, values, strict=True)
        found = tuple(attribute for attribute, value in pairs if value == "1" and attribute is not None)
        rows.setdefault(name, same.setdefault(found, found))
    return rows
