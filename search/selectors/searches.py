"""What somebody searches for and what they are answered: the words that pages, the API and services share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

PAGE = 24  # candidates on one page
MOST_CANDIDATES = 240  # nobody pages further; also what is ranked by aspects

# What the honest answer is: "this is it"; "similar, not the same"; "nothing like it here"; not calibrated.
VerdictKind = Literal["match", "similar", "nothing", "uncalibrated"]
# Who set the weight of an aspect: the person, what looks at the query (a network or a rule), or nobody.
WeightBy = Literal["person", "network", "fixed"]
# How an engine takes a photo: at once in the web process, through a worker, or not at all.
TakesPhotos = Literal["here", "worker", "no"]


class SearchRefused(Exception):
    """What was asked cannot be answered: ``code`` is for programs, ``status`` HTTP's, ``str()`` for people.

    engine-not-told (403); being-judged (409); unknown-catalogue, not-searchable, unknown-engine,
    no-such-photo, no-such-item (404); nothing-asked, refuses-photos, bad-area, bad-filter, bad-weight (422);
    being-built, being-loaded, vectors-away, damaged, worker-failed, busy (503, come again); and the codes of
    `ImageRejected` for a photo that will not be taken in (413, 415, 422).
    """

    def __init__(self, code: str, message: str, *, status: int, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.code, self.status, self.retry_after_s = code, status, retry_after_s


@dataclass(frozen=True)
class Area:
    """A part of a photo: fractions of its width and height, from the upper left corner."""

    left: float
    top: float
    width: float
    height: float


def round_area(area: Area) -> Area:
    """With its edges at thousandths: nobody sees less, and few areas differ by it."""
    left, top = round(area.left, 3), round(area.top, 3)
    right, bottom = round(area.left + area.width, 3), round(area.top + area.height, 3)
    return Area(left, top, round(right - left, 3), round(bottom - top, 3))


@dataclass(frozen=True)
class Wish:
    """What is asked: nearest items to a photo (or an area of it) or to an item, in one catalogue.

    Exactly one of ``photo`` and ``item`` (`Item.position`) is given. ``encoder`` and ``metric`` name the
    index that is searched; empty ones leave the choice to the catalogue. ``weights`` (aspect -> 0 to 1) are
    the person's own and win over the network's. ``filters``: aspect -> values of which an item must have
    one; all aspects must be met. ``page`` counts from 1.
    """

    catalogue: str
    photo: UUID | None = None
    item: int | None = None
    area: Area | None = None
    encoder: str = ""
    metric: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    page: int = 1


@dataclass(frozen=True)
class Engine:
    """An index that can be searched: an encoder (and mask) under a metric."""

    encoder: str
    metric: str
    title: str  # for people: "Siamese “thimble-siamese” by L2"
    takes_photos: TakesPhotos
    why_not: str = ""  # in a sentence, where it takes none or needs a worker
    is_default: bool = False


@dataclass(frozen=True)
class FilterChoice:
    """An aspect that items can be filtered by, with its values and how many items have each, most first."""

    aspect: str
    values: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class ShownPhoto:
    """A kept photo as its owner sees it; ``areas`` are proposals, best first, the whole photo left out."""

    key: UUID
    width: int
    height: int
    areas: Sequence[Area]
    kept_until: datetime
    longest: datetime  # until when it can be kept with the person's consent


@dataclass(frozen=True)
class FoundItem:
    """An item as a page shows it."""

    position: int
    key: str
    image: str  # address of the picture
    width: int
    height: int
    category: str  # empty where the catalogue has none
    attributes: Mapping[str, str]  # aspect -> value, as people or files said it


@dataclass(frozen=True)
class Candidate:
    """An item that is returned, with its distance.

    ``aspects``: similarity to the query by aspect, 0 to 1. ``score`` is what the order is by (higher first).
    ``duplicates`` are near-duplicates of it that were found as well and are not shown by themselves.
    """

    item: FoundItem
    distance: float
    closeness: str  # the distance in words
    score: float
    aspects: Mapping[str, float]
    duplicates: Sequence[int]


@dataclass(frozen=True)
class AspectWeight:
    """How much an aspect counts, 0 to 1, and who says so. "overall" is the embedding as a whole."""

    aspect: str
    weight: float
    by: WeightBy


@dataclass(frozen=True)
class Verdict:
    """The honest answer, and what it promises, both in plain words."""

    kind: VerdictKind
    words: str
    promise: str


@dataclass(frozen=True)
class Answer:
    """What is found. ``verdict`` is None for what is nearest to an item, which is no question of whether.

    ``engine`` is the one that answered; ``note`` says why where it is another than was to be asked.
    """

    wish: Wish
    engine: Engine
    photo: ShownPhoto | None
    query: FoundItem | None
    verdict: Verdict | None
    candidates: Sequence[Candidate]
    weights: Sequence[AspectWeight]
    total: int  # candidates on all pages
    page: int
    pages: int
    note: str = ""


@dataclass(frozen=True)
class Waiting:
    """A worker has to look at the photo first; ask again in ``again_in_s``."""

    wish: Wish
    engine: Engine
    photo: ShownPhoto
    words: str
    again_in_s: int
    is_late: bool  # longer than it should take: the words say what may be wrong


@dataclass(frozen=True)
class ContenderNeighbours:
    """The nearest items of an item by one engine, for the item's page."""

    engine: Engine
    candidates: Sequence[Candidate]
