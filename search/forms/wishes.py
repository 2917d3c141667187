"""What is asked of the search page, as its address says it: read, and written again.

Whole percents for areas and weights keep addresses short, and say as much as anybody can see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict

from search.engine.regions import LEAST_CROP
from search.selectors.searches import Area, SearchRefused, Wish

SIDES: Final = ("left", "top", "width", "height")
WHOLE: Final = (0, 0, 100, 100)
WEIGHT, FILTER = "w-", "f-"
LARGEST: Final = 2**31 - 1
SHORTEST: Final = 4  # percent: nothing can be seen in less. static/js/crop.js reads it from the page

Percents = tuple[int, int, int, int]
Shortest = tuple[int, int]  # percent across and down


@dataclass(frozen=True)
class Asked:
    """The address's words.

    ``weights`` (aspect -> percent) are the person's own, None where the page is to choose. ``engine`` is
    ENCODER:METRIC. ``everything``: also where nothing is like the query, all of the nearest are to be shown.
    """

    photo: UUID | None = None
    item: int | None = None
    area: Percents | None = None
    weights: Mapping[str, int] | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    engine: str = ""
    page: int = 1
    everything: bool = False

    def wish(self, catalogue: str) -> Wish:
        """The same for who answers it."""
        encoder, _, metric = self.engine.rpartition(":")
        return Wish(
            catalogue=catalogue,
            photo=self.photo,
            item=self.item,
            area=Area(*(side / 100 for side in self.area)) if self.area else None,
            encoder=encoder,
            metric=metric,
            weights={aspect: share / 100 for aspect, share in (self.weights or {}).items()},
            filters=self.filters,
            page=self.page,
        )

    def without_filter(self, aspect: str, value: str) -> Asked:
        left = {
            name: [one for one in values if (name, one) != (aspect, value)]
            for name, values in self.filters.items()
        }
        return replace(self, filters={name: values for name, values in left.items() if values}, page=1)

    def query(self) -> str:
        """As part of an address, each thing that is as usual left out."""
        told: list[tuple[str, object]] = []
        if self.photo is not None:
            told.append(("photo", self.photo))
        if self.item is not None:
            told.append(("item", self.item))
        if self.area is not None:
            told += zip(SIDES, self.area, strict=True)
        if self.weights is not None:
            told += [("own", 1), *((WEIGHT + aspect, share) for aspect, share in self.weights.items())]
        told += [(FILTER + aspect, value) for aspect, values in self.filters.items() for value in values]
        told += [("engine", self.engine)] * bool(self.engine)
        told += [("page", self.page)] * (self.page > 1) + [("everything", 1)] * self.everything
        return urlencode(told)


def read_asked(given: QueryDict) -> Asked:
    """What an address asks. Raises SearchRefused for words that say nothing."""
    if any("\x00" in word for name, values in given.lists() for word in (name, *values)):
        raise _refuse("bad-words", "This address holds a character that no word has. Type it anew.")
    weights = {
        name.removeprefix(WEIGHT): _read_percent(
            given.get(name, ""), f"The weight of {name.removeprefix(WEIGHT)[:60]}", "bad-weight"
        )
        for name in given
        if name.startswith(WEIGHT) and given.get(name)
    }
    filters = {
        name.removeprefix(FILTER): [value for value in given.getlist(name) if value]
        for name in given
        if name.startswith(FILTER)
    }
    return Asked(
        photo=_read_key(given.get("photo", "")),
        item=_read_number(given.get("item", ""), "item", "no-such-item", least=0)
        if given.get("item")
        else None,
        area=_read_area(given),
        weights=weights if given.getlist("own") == ["1"] else None,
        filters={aspect: values for aspect, values in filters.items() if values},
        engine=given.get("engine", ""),
        page=_read_number(given.get("page") or "1", "page", "bad-page", least=1),
        everything=given.get("everything") == "1",
    )


def read_leniently(given: QueryDict) -> Asked:
    """What can be understood of an address that `read_asked` refuses: with what is searched, and no more."""
    kept = QueryDict(mutable=True)
    kept.update({name: given.get(name, "") for name in ("photo", "item")})
    try:
        return read_asked(kept)
    except SearchRefused:
        return Asked()


def find_shortest(width: int, height: int) -> Shortest:
    """The smallest crop of a photo of so many pixels that is searched with, in whole percents.

    One pixel more than is needed, because each edge is rounded to whole pixels.
    """
    across, down = (
        min(WHOLE[2], max(SHORTEST, ceil(100 * (LEAST_CROP + 1) / side))) for side in (width, height)
    )
    return across, down


def round_area(area: Area, shortest: Shortest = (SHORTEST, SHORTEST)) -> Percents:
    """In whole percents, inside the photo and no smaller than can be cropped."""
    left, top = (
        min(max(round(100 * side), 0), 100 - least)
        for side, least in zip((area.left, area.top), shortest, strict=True)
    )
    right, bottom = (
        round(100 * (at + size)) for at, size in ((area.left, area.width), (area.top, area.height))
    )
    width, height = (
        min(max(far - near, least), 100 - near)
        for near, far, least in zip((left, top), (right, bottom), shortest, strict=True)
    )
    return left, top, width, height


def write_area(area: Percents) -> str:
    """As a button of the page names it."""
    return ",".join(map(str, area))


def _read_area(given: QueryDict) -> Percents | None:
    """A button's, else that of the four fields; None for the whole photo."""
    sides = (
        given.get("region", "").split(",") if given.get("region") else [given.get(side, "") for side in SIDES]
    )
    if not any(sides):
        return None
    if len(sides) != len(SIDES) or not all(sides):
        raise _refuse(
            "bad-area", "A crop has four numbers: left, top, width and height, in percent of the photo."
        )
    left, top, width, height = (_read_percent(side, "Each number of a crop", "bad-area") for side in sides)
    if min(width, height) < SHORTEST:
        raise _refuse(
            "bad-area",
            f"A crop is at least {SHORTEST} percent wide and high: less shows nothing. Make it larger.",
        )
    if left + width > WHOLE[2] or top + height > WHOLE[3]:
        raise _refuse("bad-area", "This crop reaches beyond the photo. Make it smaller, or move it.")
    area = (left, top, width, height)
    return None if area == WHOLE else area


def _read_percent(text: str, what: str, code: str) -> int:
    number = _read_number(text, what, code, least=0)
    if number > WHOLE[2]:
        raise _refuse(code, f"{what} is from 0 to 100.")
    return number


def _read_number(text: str, what: str, code: str, *, least: int) -> int:
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST)) and least <= int(text) <= LARGEST:
        return int(text)
    raise _refuse(code, f"{what.capitalize()} is a whole number from {least} on, not “{text[:20]}”.")


def _read_key(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise SearchRefused(
            "no-such-photo", "There is no such photo. Take or choose one.", status=404
        ) from None


def _refuse(code: str, message: str) -> SearchRefused:
    return SearchRefused(code, message, status=422)
