"""What the columns of a table are: which names the picture, which hold a box, which are labels or texts."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from search.catalogues.records import Record
from search.catalogues.rows import Box

TEXT_SHARE = 0.9  # of the values differ: a text
FEWEST_FOR_TEXT = 20  # values; in a smaller table everything differs
LONGEST_LABEL = 100  # characters; longer values are texts however few there are
IMAGE_NAMES = (
    "image", "image_path", "imagepath", "image_name", "image_file", "img", "img_path", "file", "file_name",
    "filename", "filepath", "file_path", "path", "photo", "picture", "id", "image_id", "key", "name",
)  # fmt: skip
CATEGORY_NAMES = ("category", "kind", "label")
COLOUR_NAMES = ("colour", "color", "basecolour", "base_colour", "base colour", "basecolor")
# Names of box columns, and whether the last two are the far corner or the size.
_BOXES = (
    (("x", "y", "w", "h"), False),
    (("x", "y", "width", "height"), False),
    (("bbox_x", "bbox_y", "bbox_w", "bbox_h"), False),
    (("x1", "y1", "x2", "y2"), True),
    (("x_1", "y_1", "x_2", "y_2"), True),
    (("xmin", "ymin", "xmax", "ymax"), True),
    (("x_min", "y_min", "x_max", "y_max"), True),
    (("left", "top", "right", "bottom"), True),
)
_BOX_IN_ONE = ("bbox", "box", "bounding_box", "boundingbox")
_MANY = 200_000


@dataclass
class ColumnFacts:
    """What was seen of one column while the table was read once."""

    filled: int = 0
    longest: int = 0
    numbers: int = 0
    distinct: set[int] = field(default_factory=set)

    def see(self, value: str) -> None:
        if not value:
            return
        self.filled += 1
        self.longest = max(self.longest, len(value))
        self.numbers += _number(value) is not None
        if len(self.distinct) < _MANY:
            self.distinct.add(hash(value))

    @property
    def is_text(self) -> bool:
        if self.longest > LONGEST_LABEL or len(self.distinct) >= _MANY:
            return True
        return self.filled >= FEWEST_FOR_TEXT and len(self.distinct) >= TEXT_SHARE * self.filled


@dataclass(frozen=True)
class BoxColumns:
    """Where the bounding box of a record stands. One column alone holds x, y, width, height, as in COCO."""

    names: tuple[str, ...]
    is_corner: bool

    def read(self, values: Mapping[str, str]) -> Box | None:
        """left, top, right, bottom; None where all of it is blank. Raises ValueError for anything else."""
        parts = [values.get(name, "") for name in self.names]
        if not any(parts):
            return None
        if len(self.names) == 1:
            parts = _parts(parts[0])
        numbers = [_number(part) for part in parts]
        if len(numbers) != 4 or None in numbers:
            raise ValueError(", ".join(parts))
        x, y, third, fourth = (number or 0.0 for number in numbers)
        return (x, y, third, fourth) if self.is_corner else (x, y, x + third, y + fourth)


def find_box_columns(facts: Mapping[str, ColumnFacts], sample: Sequence[Record]) -> BoxColumns | None:
    """The columns of a box: known names, and mostly numbers in them."""
    by_name = {name.lower(): name for name in reversed(list(facts))}
    for names, is_corner in _BOXES:
        columns = tuple(by_name[name] for name in names if name in by_name)
        if len(columns) == 4 and all(2 * facts[c].numbers > facts[c].filled for c in columns):
            return BoxColumns(columns, is_corner)
    for name in _BOX_IN_ONE:
        column = by_name.get(name)
        cells = [record.values.get(column, "") for record in sample] if column else []
        if column and any(len(_parts(cell)) == 4 and _number(_parts(cell)[0]) is not None for cell in cells):
            return BoxColumns((column,), is_corner=False)
    return None


def find_column(wanted: str, columns: Iterable[str]) -> str | None:
    """The column of that name, capitals aside where no name is exactly it."""
    columns = list(columns)
    if wanted in columns:
        return wanted
    return next((column for column in columns if column.lower() == wanted.lower()), None)


def _parts(cell: str) -> list[str]:
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, list):
        return [str(part) for part in value]
    return [part for part in re.split(r"[\s,;|]+", cell.strip("[]() ")) if part]


def _number(text: str) -> float | None:
    try:
        return float(text) if len(text) < 40 else None
    except ValueError:
        return None
