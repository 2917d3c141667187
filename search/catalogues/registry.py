"""Formats by name. A new one is a class with the methods of `rows.Importer` and one line here."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from search.catalogues.archives import ZipTree
from search.catalogues.files import FolderTree
from search.catalogues.folder import FolderImporter
from search.catalogues.published.deepfashion import DeepFashion
from search.catalogues.published.deepfashion_inshop import DeepFashionInShop
from search.catalogues.published.fashion200k import Fashion200K
from search.catalogues.published.fashioniq import FashionIQ
from search.catalogues.published.imaterialist import IMaterialist
from search.catalogues.published.importer import published
from search.catalogues.published.osr import Osr
from search.catalogues.published.styles import Styles
from search.catalogues.published.zappos import Zappos
from search.catalogues.rows import CatalogueUnreadable, Importer, ImportOptions
from search.catalogues.sample import SampledImporter
from search.catalogues.table import TableImporter, tables_in
from search.catalogues.wardrobe_importer import WardrobeImporter

Open = Callable[[Path, ImportOptions], Importer]


@dataclass(frozen=True)
class Format:
    """How sources of one kind are opened. `draws`: it makes its items itself, from options alone."""

    name: str
    title: str
    open: Open
    draws: bool = False


_formats: dict[str, Format] = {}


def register_format(format: Format) -> None:
    _formats[format.name] = format


def list_formats() -> list[Format]:
    return list(_formats.values())


def find_format(name: str) -> Format:
    """Raises CatalogueUnreadable, which lists the formats there are."""
    if name not in _formats:
        known = "; ".join(f"{known.name} ({known.title})" for known in _formats.values())
        raise CatalogueUnreadable(f"There is no format {name!r}. Known are: {known}.")
    return _formats[name]


def open_importer(name: str, path: Path | None, options: ImportOptions) -> Importer:
    """The source at `path`, opened. Raises CatalogueUnreadable when nothing in it can be imported."""
    format = find_format(name)
    if format.draws:
        if path is not None:
            raise CatalogueUnreadable(f"The format {name} draws its items itself. Leave the path out.")
        return format.open(Path(), options)
    if path is None:
        raise CatalogueUnreadable(f"The format {name} reads {format.title}. Give its path.")
    with _told(path):
        importer = format.open(path, options)
    if options.items is None:
        return importer
    try:
        return SampledImporter(importer, options.items, options.seed)
    except CatalogueUnreadable:
        importer.close()
        raise


def detect_format(path: Path) -> str:
    """The format of what lies at a path. Raises CatalogueUnreadable."""
    with _told(path):
        if path.is_dir():
            return "table" if tables_in(FolderTree(path), "") else "folder"
        _refuse_sheet(path)
        with path.open("rb") as file:
            start = file.read(4)
    return "zip" if start in (b"PK\3\4", b"PK\5\6") and path.suffix.lower() != ".parquet" else "table"


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in words what the system says by an error when a source is opened."""
    try:
        if not path.exists():
            raise CatalogueUnreadable(f"{path} was not found. Check the path.")
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise CatalogueUnreadable(
            f"{path} cannot be read: {reason}. Allow it and what is in it to be read (chmod)."
        ) from error


def _refuse_sheet(path: Path) -> None:
    if path.suffix.lower() in (".xlsx", ".xls", ".ods", ".numbers"):
        raise CatalogueUnreadable(f"{path} is a spreadsheet, which is not read. Save the sheet as CSV.")


def _open_folder(path: Path, options: ImportOptions) -> Importer:
    if not path.is_dir():
        raise CatalogueUnreadable(f"{path} is not a folder. Give a folder, or another format than folder.")
    return FolderImporter(FolderTree(path), options)


def _open_table(path: Path, options: ImportOptions) -> Importer:
    real = path.resolve()
    if real.is_dir():
        tree = FolderTree(real)
        tables = tables_in(tree, "")
        if len(tables) != 1:
            held = ", ".join(table.name for table in tables) or "none"
            raise CatalogueUnreadable(
                f"{path} must hold one table (CSV, TSV, JSONL or Parquet); it holds {held}. "
                "Give the table's path."
            )
        return TableImporter(tree, tables[0], options)
    _refuse_sheet(real)
    tree = FolderTree(real.parent)
    entry = tree.folder("").get(real.name)
    if entry is None:
        raise CatalogueUnreadable(f"{path} is hidden (its name begins with a dot). Rename it.")
    return TableImporter(tree, entry, options)


def _open_zip(path: Path, options: ImportOptions) -> Importer:
    if not path.is_file():
        raise CatalogueUnreadable(f"{path} is not a file. Give a zip archive, or the format folder.")
    tree = ZipTree(path)
    try:
        # What archivers pack everything in is no category, unless nothing but it would be one.
        for root in dict.fromkeys(("", tree.root)):
            tables = tables_in(tree, root)
            if len(tables) == 1:
                return TableImporter(tree, tables[0], options)
        inner = any(entry.is_folder for entry in tree.folder(tree.root).values())
        return FolderImporter(tree, options, root=tree.root if inner else "")
    except CatalogueUnreadable:
        tree.close()
        raise


register_format(Format("folder", "a folder of pictures, sub-folder = category", _open_folder))
register_format(Format("table", "a CSV, TSV, JSONL or Parquet table that names pictures", _open_table))
register_format(Format("zip", "a zip archive of either", _open_zip))
register_format(
    Format("wardrobe", "the demo catalogue", lambda _, options: WardrobeImporter(options), draws=True)
)
register_format(Format("deepfashion", "DeepFashion, categories and attributes", published(DeepFashion)))
register_format(Format("deepfashion-inshop", "DeepFashion, in-shop retrieval", published(DeepFashionInShop)))
register_format(Format("zappos", "UT-Zappos50K", published(Zappos)))
register_format(Format("osr", "Outdoor Scene Recognition with relative attributes", published(Osr)))
register_format(Format("fashion200k", "Fashion200K", published(Fashion200K)))
register_format(Format("fashioniq", "FashionIQ with its relative captions", published(FashionIQ)))
register_format(Format("imaterialist", "iMaterialist Fashion 2018", published(IMaterialist)))
register_format(Format("styles", "Kaggle's fashion product pictures (styles.csv)", published(Styles)))
