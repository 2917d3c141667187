"""What every importer gives: aspects, then rows one by one, and a sentence for each row it cannot give."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

Box: TypeAlias = tuple[float, float, float, float]
ReadImage: TypeAlias = Callable[[], bytes]

MAX_KEY = 500  # characters of an item's key
MAX_NAME = 100  # characters of an aspect's name
MAX_LABEL = 200  # characters of a label


class CatalogueUnreadable(Exception):
    """Nothing at all can be imported; `str(error)` says why and what to do about it."""


@dataclass(frozen=True)
class ImportOptions:
    """What the person who imports decides. `items` keeps at most that many, chosen by `seed`."""

    category: str = ""
    group: str = ""
    items: int | None = None
    seed: int = 0

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ImportOptions":
        return cls(**{name: values[name] for name in cls.__dataclass_fields__ if name in values})


@dataclass(frozen=True)
class AspectSpec:
    """A column: labels (few values, many items each) or texts (nearly every value differs)."""

    name: str
    kind: Literal["label", "text"] = "label"
    is_category: bool = False


@dataclass(frozen=True)
class Row:
    """One item to be. `number` is where a person finds it: the line, the record, the place in the listing.

    `image` (and `lifestyle`, a second view of the same thing) read bytes and raise ImageRejected or OSError.
    `box` is left, top, right, bottom in pixels. `fingerprint`, where not blank, identifies the picture
    without reading it. `group` is blank where the item stands alone.
    """

    number: int
    key: str
    image: ReadImage
    labels: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    category: str | None = None
    group: str = ""
    box: Box | None = None
    lifestyle: ReadImage | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class Rejection:
    """A row, or a file, that was not taken. `code` is for programs, `message` for people."""

    number: int
    key: str
    code: str
    message: str


class Importer(Protocol):
    """One opened source. Reading its rows twice gives the same rows, in the same order."""

    @property
    def generator(self) -> str:
        """Name and version of what draws the items; blank where they are read."""

    @property
    def total(self) -> int | None:
        """How many rows and rejections `rows` will give, where that is known."""

    def aspects(self) -> list[AspectSpec]: ...

    def rows(self) -> Iterator[Row | Rejection]: ...

    def prepare(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows that are really wanted, perhaps with their images made ahead of time."""

    def fingerprint(self) -> str:
        """sha256 over everything that tells cheaply whether the source is as it was; images are not read."""

    def close(self) -> None: ...
