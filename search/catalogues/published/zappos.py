"""UT-Zappos50K (Yu & Grauman, CVPR 2014): 50,025 shoes.

`ut-zap50k-data/meta-data.csv` describes them under a CID such as 100627-72; the picture is
`CATEGORY/SUBCATEGORY/BRAND/100627.72.jpg` below the folder of pictures, of which there are two editions.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from search.catalogues.delimited import DelimitedFile
from search.catalogues.files import PICTURE_SUFFIXES, Entry, Refused, walk
from search.catalogues.published.importer import Record
from search.catalogues.published.unpacked import Unpacked
from search.catalogues.records import Unreadable
from search.catalogues.rows import CatalogueUnreadable, Rejection

COLUMNS = ("Category", "SubCategory", "HeelHeight", "Insole", "Closure", "Gender", "Material", "ToeStyle")
BRAND = "Brand"
_FOLDERS = ("ut-zap50k-images", "ut-zap50k-images-square", "images")
_TABLE = "meta-data.csv"


def item_key(path: str) -> str:
    """The key of the shoe at a path below the pictures, the same however its brand is spelt there.

    Where a brand ends in a full stop ("W.A.G."), one edition leaves it out and the other writes %2E; one
    writes Levi's&#174; for Levi's. Lists of file names follow one spelling or another.
    """
    *folders, file = path.replace("%2E", ".").replace("&#174;", "").split("/")
    return "/".join([*(folder.rstrip(".") for folder in folders), file])


class Zappos:
    """The shoes of meta-data.csv, in its order; the colours of one shoe are a group.

    Raises CatalogueUnreadable, OSError.
    """

    category = "Category"
    labels = (*COLUMNS, BRAND)
    texts = ()
    remedy = "Unpack ut-zap50k-images.zip or ut-zap50k-images-square.zip there."

    def __init__(self, root: Unpacked) -> None:
        table = root.need(f"ut-zap50k-data/{_TABLE}", _TABLE)
        self._rows = _read_table(root, table)
        self._base = root.need(*_FOLDERS).name
        self._pictures = defaultdict[str, list[Entry]](list)
        for entry in walk(root.tree, self._base):
            if entry.suffix in PICTURE_SUFFIXES:
                self._pictures[_cid_of(entry)].append(entry)

    def records(self) -> Iterator[Record | Rejection]:
        listed = set()
        for number, cid, row in self._rows:
            listed.add(cid)
            yield self._record(number, cid, row) if isinstance(row, dict) else row
        for cid, entries in self._pictures.items():
            if cid not in listed:
                message = f"{_TABLE} has no line for it, so it was left out. Unpack the table again."
                yield Rejection(0, self._key(entries[0]), "unlisted", message)

    def _record(self, number: int, cid: str, row: dict[str, str]) -> Record:
        found = self._pictures.get(cid, [])
        labels: Mapping[str, list[str]] = {name: _values(row.get(name, "")) for name in COLUMNS}
        product = cid.partition("-")[0]
        if not found:
            return Record(number, cid, None, labels, group=product)
        key = self._key(found[0])
        picture: Entry | Refused = found[0].refused or found[0]
        if len(found) > 1:
            names = " and ".join(entry.name for entry in found[:3])
            picture = Refused("ambiguous-image", f"It could mean {names}. Leave one of them there.")
        folders = key.split("/")[:-1]
        brand = folders[2:3]  # below category and subcategory
        return Record(number, key, picture, {**labels, BRAND: brand}, group=product)

    def _key(self, entry: Entry) -> str:
        return item_key(entry.name[len(self._base) + 1 :])


def _cid_of(entry: Entry) -> str:
    """100627-72 of .../100627.72.jpg: a table's dash is a file's dot."""
    file = entry.name.rpartition("/")[2]
    return file[: -len(entry.suffix)].replace(".", "-")


def _values(cell: str) -> list[str]:
    """The values of a cell, which are divided by semicolons; a blank cell has none."""
    return list(dict.fromkeys(value.strip() for value in cell.split(";") if value.strip()))


def _read_table(root: Unpacked, entry: Entry) -> list[tuple[int, str, dict[str, str] | Rejection]]:
    """(line, CID, cells by column, or why the line was left out). Raises CatalogueUnreadable."""
    rows: list[tuple[int, str, dict[str, str] | Rejection]] = []
    with root.open(entry) as stream:
        table = DelimitedFile(stream)
        missing = [name for name in COLUMNS if name not in table.columns]
        if "CID" not in table.columns:
            raise CatalogueUnreadable(f"{entry.name} has no column CID. Unpack ut-zap50k-data.zip again.")
        if missing:
            message = f"{entry.name} has no column {', '.join(missing)}. Unpack ut-zap50k-data.zip again."
            root.note("missing-column", message, key=entry.name)
        for record in table.records():
            if isinstance(record, Unreadable):
                rows.append((record.number, "", Rejection(record.number, "", record.code, record.message)))
                continue
            cid = record.values.get("CID", "")
            if record.tail or record.cells < len(table.columns) or not cid:
                message = f"It has not one cell for each of {len(table.columns)} columns. Correct the line."
                rows.append((record.number, cid, Rejection(record.number, cid, "ragged", message)))
            else:
                rows.append((record.number, cid, record.values))
    return rows
