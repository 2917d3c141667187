"""Fashion200K (Han, Wu, Huang, Zhang, Zhu, Li, Zhao & Davis, ICCV 2017): pictures with captions.

A line of `labels/dress_train_detect_all.txt` is path, score of a detector, caption, with tabs between, and a
path is `women/dresses/casual_and_day_dresses/56037632/56037632_0.jpeg`: the last folder is the product.
"""

from collections.abc import Iterator

from search.catalogues.files import Entry
from search.catalogues.published.importer import SPLIT, Record
from search.catalogues.published.text_files import note_line, read_lines
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.rows import CatalogueUnreadable, Rejection

CATEGORIES = ("dress", "jacket", "pants", "skirt", "top")
SPLITS = ("train", "test")
_DEPTH = 5  # parts of a path: women, category, subcategory, product, file


class Fashion200K:
    """The lines of all label files; pictures of one product are a group.

    The boxes in `detection/` are not used: the pictures were cut out by them before they were published.
    Raises CatalogueUnreadable, OSError.
    """

    category = "category"
    labels = ("category", "subcategory", SPLIT)
    texts = ("caption", "detection score")
    remedy = "Unpack women.tar.gz there, so that they lie in women/."

    def __init__(self, root: Unpacked) -> None:
        self._lines: list[tuple[int, str, str, str, str, str]] = []
        for category in CATEGORIES:
            for split in SPLITS:
                file = f"{category}_{split}_detect_all.txt"
                loss = f"The {split} side of {category} is left out."
                places = (f"labels/{file}", file)
                lines = root.optional(places, lambda entry: _read_lines(root, entry), loss) or []
                self._lines += [(number, category, split, *told) for number, told in lines]
        if not self._lines:
            raise CatalogueUnreadable(
                f"{root.tree.title} holds no labels/dress_train_detect_all.txt or another label file with a "
                "line in it. Unpack the labels there."
            )
        self._pictures = root.pictures_under(("", "images"), [path for _, _, _, path, _, _ in self._lines])

    def records(self) -> Iterator[Record | Rejection]:
        for number, category, split, path, score, caption in self._lines:
            parts = path.split("/")
            if len(parts) != _DEPTH:
                message = "Its path does not say women/CATEGORY/SUBCATEGORY/PRODUCT/FILE. Correct the line."
                yield Rejection(number, path, "malformed", message)
                continue
            labels = {"category": [category], "subcategory": [parts[2]], SPLIT: [split]}
            texts = {"caption": caption, "detection score": score}
            yield Record(number, path, self._pictures.find(path), labels, texts, group=parts[3])


def _read_lines(root: Unpacked, entry: Entry) -> list[tuple[int, tuple[str, str, str]]]:
    """(line, (path, score, caption)), the caption letter by letter as it stands."""
    rows = []
    for number, line in read_lines(root, entry):
        path, *rest = line.split("\t", 2)
        if len(rest) == 2 and path.strip():
            rows.append((number, (path.strip(), rest[0].strip(), rest[1])))
        else:
            note_line(root, entry, number, "It has not a path, a score and a caption with tabs between")
    return rows
