"""The fashion product pictures of Kaggle: `styles.csv` and `images/ID.jpg`.

The last column is a name in which nobody quoted commas, so a line is divided at the first nine. NA is a value
that its authors wrote, and a blank is none.
"""

from collections.abc import Iterator

from search.catalogues.files import Entry
from search.catalogues.published.importer import Record
from search.catalogues.published.text_files import read_lines
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.rows import CatalogueUnreadable, Rejection

COLUMNS = (
    "id", "gender", "masterCategory", "subCategory", "articleType", "baseColour", "season", "year", "usage",
    "productDisplayName",
)  # fmt: skip
_TABLE = "styles.csv"


class Styles:
    """The lines of styles.csv. Raises CatalogueUnreadable, OSError."""

    category = "articleType"
    labels = COLUMNS[1:-1]
    texts = COLUMNS[-1:]
    remedy = "Unpack the pictures into images/ beside styles.csv."

    def __init__(self, root: Unpacked) -> None:
        self._rows = _read_table(root, root.need(_TABLE))
        ids = [row[0] for _, row in self._rows if not isinstance(row, Rejection)]
        self._pictures = root.pictures_under(("images", ""), ids)

    def records(self) -> Iterator[Record | Rejection]:
        for number, row in self._rows:
            if isinstance(row, Rejection):
                yield row
                continue
            labels = {
                name: [value] if value else [] for name, value in zip(self.labels, row[1:-1], strict=True)
            }
            yield Record(number, row[0], self._pictures.find(row[0]), labels, {COLUMNS[-1]: row[-1]})


def _read_table(root: Unpacked, entry: Entry) -> list[tuple[int, list[str] | Rejection]]:
    """(line, its ten cells or why it was left out). Raises CatalogueUnreadable."""
    lines = read_lines(root, entry)
    header = [name.strip().strip('"') for name in next(lines, (0, ""))[1].split(",")]
    surplus = len(header) - len(COLUMNS)  # a header may end in commas, and lines may follow it in that
    if tuple(header[: len(COLUMNS)]) != COLUMNS or any(header[len(COLUMNS) :]):
        raise CatalogueUnreadable(
            f"The first line of {entry.name} is not {','.join(COLUMNS)}. Unpack it again; a table with other "
            "columns is imported by the format table."
        )
    rows: list[tuple[int, list[str] | Rejection]] = []
    for number, line in lines:
        cells = [cell.strip() for cell in line.split(",", len(COLUMNS) - 1)]
        if len(cells) < len(COLUMNS) or not cells[0]:
            message = f"It has not an id and {len(COLUMNS)} cells. Correct the line."
            rows.append((number, Rejection(number, cells[0], "ragged", message)))
        else:
            rows.append((number, [*cells[:-1], _name_of(cells[-1], surplus)]))
    return rows


def _name_of(cell: str, surplus: int) -> str:
    """A product's name without the header's surplus commas, and without quotes that a program set."""
    for _ in range(surplus):
        cell = cell.removesuffix(",")
    inner = cell[1:-1].replace('""', "")
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner
    return cell[1:-1].replace('""', '"') if is_quoted else cell
