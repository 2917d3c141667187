"""What `/api/search/` is told and what it answers, as its description says it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Field, Schema

MOST_WORDS = 40  # weights or filters in one question
Share = Annotated[float, Field(ge=0, le=1)]
# PostgreSQL keeps no text with a NUL in it, and refuses to look for one.
Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class AreaOut(Schema):
    """A part of a photo: fractions of its width and height, from the upper left corner."""

    left: float
    top: float
    width: float
    height: float


class PhotoOut(Schema):
    """A kept photo. Whoever has its key can search with it and delete it; areas are where something seems to
    be, best first."""

    key: UUID
    width: int
    height: int
    areas: list[AreaOut]
    kept_until: datetime
    longest: datetime


class ItemOut(Schema):
    """An item of a catalogue; ``image`` is the address of its picture."""

    position: int
    key: str
    image: str
    width: int
    height: int
    category: str
    attributes: dict[str, str]


class CandidateOut(Schema):
    """An item that was found. Similarities are 0 to 1; near-duplicates of it are named by position."""

    item: ItemOut
    distance: float | None
    closeness: str
    similarity: float
    aspects: dict[str, float]
    duplicates: list[int]


class WeightOut(Schema):
    """How much an aspect counted, 0 to 1, and who said so: the person, a network, or nobody."""

    aspect: str
    weight: float
    by: Literal["person", "network", "fixed"]


class VerdictOut(Schema):
    """Whether it is there: match, similar or nothing; in words, and what these promise."""

    kind: str
    words: str
    promise: str


class FilterOut(Schema):
    """An aspect that can be filtered by, with its values and how many items have each."""

    aspect: str
    values: list[tuple[str, int]]


class SearchOut(Schema):
    """What was found, a page of it. Engine, metric and distances are null for who is no analyst."""

    catalogue: str
    photo: PhotoOut | None
    item: ItemOut | None
    verdict: VerdictOut | None
    candidates: list[CandidateOut]
    weights: list[WeightOut]
    total: int
    page: int
    pages: int
    engine: str | None
    metric: str | None


class WaitingOut(Schema):
    """A worker has to look at the photo first: ask again with its key, after so many seconds."""

    detail: str
    photo: PhotoOut
    seconds: int


class Options(Schema):
    """What a search can be told, in an address or beside a photo."""

    left: Share | None = Field(None, description="of the area to search with, as a share of the width")
    top: Share | None = None
    width: Share | None = None
    height: Share | None = None
    weight: list[Text] = Field(
        [], max_length=MOST_WORDS, description="ASPECT:0.5, from 0 to 1; may be repeated"
    )
    filter: list[Text] = Field([], max_length=MOST_WORDS, description="ASPECT:VALUE; may be repeated")
    engine: Text = Field("", description="an encoder's name, for analysts")
    metric: Text = Field("", description="l1, l2 or hamming, for analysts")
    page: Annotated[int, Field(ge=1, le=1000)] = 1


class Question(Options):
    """The same with what is searched for: a photo that was sent before, or an item."""

    photo: UUID | None = None
    item: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
