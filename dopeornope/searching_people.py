"""How long people wait who search with photos, which are sent as the page's script sends them.

What is timed begins with the photo's first byte and ends with the last byte of the page that shows what was
found: taking the photo in, decoding, proposing parts, embedding, searching, rendering. Pictures of what was
found are fetched by a browser beside that, and are left out.
"""

from __future__ import annotations

import http.client
import json
import re
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from typing import Any, Final

import numpy as np

from dopeornope.lone_web import LoneWeb
from search.models import Catalogue
from search.selectors.searchable import list_engines
from search.selectors.searches import Engine

PEOPLE: Final = 20
SEARCHES_OF_EACH: Final = 10  # then somebody else comes: a person's photos are limited
FIRST: Final = 5  # searches that are not timed: the first ones start decoders and open files
PROCESSES: Final = 2  # whose fair share is told: one per core of the machine that the promise speaks of
PATIENCE_S: Final = 60
_SITTING = re.compile(rb'name="sitting" value="([^"]+)"')
_FOUND = b'<ol class="found'


class SearchFailed(Exception):
    """What a person got instead of the page with what was found."""


def find_asked_engine(catalogue: Catalogue) -> Engine:
    """What looks at photos there for who chooses nothing, as players cannot. Raises SearchFailed."""
    for engine in list_engines(catalogue):
        if engine.takes_photos != "no":
            return engine
    raise SearchFailed(f"Nothing that can look at a photo answers in “{catalogue.title}”.")


@dataclass(frozen=True)
class Waits:
    """Of searches, in milliseconds."""

    searches: int
    p50: float
    p95: float
    worst: float


@dataclass(frozen=True)
class Latency:
    """One person alone, one search after the other, and so many at once, each again as soon as answered.

    ``encoder`` and ``metric`` name what looked at the photos. ``times_alone``: the p95 of all at once over
    that of one alone. ``fair_share``: what would be waited if `PROCESSES` took turns at what takes one alone
    its median. ``errors`` counts answers that were none.
    ``processor_ms``: what a search of one alone takes of the cores, which other load does not lengthen.
    """

    items: int
    encoder: str
    metric: str
    processor_ms: float
    alone: Waits
    people: int
    at_once: Waits
    errors: int
    times_alone: float
    fair_share: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def in_words(self) -> str:
        alone, at_once = self.alone, self.at_once
        return (
            f"Photo in, page out, among {self.items:,} items by {self.encoder}, {self.metric}: p50 "
            f"{alone.p50:.0f} ms, p95 {alone.p95:.0f} ms of {alone.searches} searches by one person alone "
            f"({self.processor_ms:.0f} ms of a core); of {at_once.searches} by {self.people} people at once "
            f"p50 {at_once.p50:.0f} ms, p95 {at_once.p95:.0f} ms, {self.times_alone:.1f} times as long (fair "
            f"share of two processes: {self.fair_share:.0f} ms), {self.errors} without an answer."
        )


class Person:
    """A visitor with a connection that is kept open, as a browser's is, and the player's cookie."""

    def __init__(self, port: int, slug: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._page, self._cookie, self._sitting = f"/search/{slug}/", "", ""

    def search(self, photo: bytes) -> float:
        """Send a photo and fetch the page of what it finds; seconds, without those of opening the form first.

        Raises SearchFailed.
        """
        self._sitting = self._sitting or self._open_form()
        boundary = uuid.uuid4().hex
        body = _write_form(boundary, self._sitting, photo)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "X-Part": "photo"}
        begin = time.perf_counter()
        told = self._ask("POST", f"{self._page}photos/", body, headers, expect=201)
        page = self._ask("GET", _read_address(told), expect=200)
        taken = time.perf_counter() - begin
        if _FOUND not in page:
            raise SearchFailed("The page shows nothing that was found.")
        return taken

    def close(self) -> None:
        self._connection.close()

    def _open_form(self) -> str:
        found = _SITTING.search(self._ask("GET", self._page, expect=200))
        if found is None:
            raise SearchFailed("The search page takes no photos: nothing that can look at one answers here.")
        return found[1].decode()

    def _ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, *, expect: int
    ) -> bytes:
        try:
            self._connection.request(method, path, body, {"Cookie": self._cookie, **(headers or {})})
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise SearchFailed(f"{method} {path.partition('?')[0]}: {error!r}") from error
        if answer.status != expect:
            raise SearchFailed(f"{method} {path.partition('?')[0]}: {answer.status} {answer.reason}")
        self._cookie = (answer.getheader("Set-Cookie") or self._cookie).partition(";")[0]
        return text


def measure_waits(
    web: LoneWeb, *, slug: str, items: int, engine: Engine, photos: Sequence[bytes], searches: int
) -> Latency:
    """``searches`` by one person after another, then as many by `PEOPLE` at once; photos come round again.

    ``engine`` is the one that answers there (`find_asked_engine`). Raises SearchFailed where one person alone
    gets no answer.
    """
    _search_in_turn(web.port, slug, list(islice(cycle(photos), FIRST)))
    before = web.count_processor_s()
    alone = _sum_up(_search_in_turn(web.port, slug, list(islice(cycle(photos), searches))))
    processor_s = web.count_processor_s() - before
    each = -(-searches // PEOPLE)
    shares = [list(islice(cycle(photos), number, number + each)) for number in range(PEOPLE)]
    with ThreadPoolExecutor(PEOPLE) as pool:
        outcomes = [
            one
            for found in pool.map(lambda share: _try_in_turn(web.port, slug, share), shares)
            for one in found
        ]
    answered = [seconds for seconds in outcomes if seconds is not None]
    if not answered:
        raise SearchFailed(f"None of {PEOPLE} people who searched at once got an answer.")
    at_once = _sum_up(answered)
    return Latency(
        items=items,
        encoder=engine.encoder,
        metric=engine.metric,
        processor_ms=1000 * processor_s / searches,
        alone=alone,
        people=PEOPLE,
        at_once=at_once,
        errors=len(outcomes) - len(answered),
        times_alone=at_once.p95 / alone.p95,
        fair_share=PEOPLE / PROCESSES * alone.p50,
    )


def _search_in_turn(port: int, slug: str, photos: Sequence[bytes]) -> list[float]:
    taken: list[float] = []
    for first in range(0, len(photos), SEARCHES_OF_EACH):
        with closing(Person(port, slug)) as person:
            taken += [person.search(photo) for photo in photos[first : first + SEARCHES_OF_EACH]]
    return taken


def _try_in_turn(port: int, slug: str, photos: Sequence[bytes]) -> list[float | None]:
    """Seconds of each search; None where it failed, and then it is somebody else who goes on."""
    taken: list[float | None] = []
    while len(taken) < len(photos):
        with closing(Person(port, slug)) as person:
            for photo in photos[len(taken) : len(taken) + SEARCHES_OF_EACH]:
                taken.append(_try(person, photo))
                if taken[-1] is None:
                    break
    return taken


def _try(person: Person, photo: bytes) -> float | None:
    with suppress(SearchFailed):
        return person.search(photo)
    return None


def _read_address(told: bytes) -> str:
    """Of the page that shows what the photo finds. Raises SearchFailed."""
    try:
        return str(json.loads(told)["address"])
    except (ValueError, KeyError, TypeError) as error:
        raise SearchFailed(f"The photo was taken, and no address came back: {error!r}") from error


def _write_form(boundary: str, sitting: str, photo: bytes) -> bytes:
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
    return b"".join(
        [
            (part % ("sitting", "")).encode() + sitting.encode() + b"\r\n",
            (part % ("photo", '; filename="photo"\r\nContent-Type: image/jpeg')).encode() + photo + b"\r\n",
            f"--{boundary}--\r\n".encode(),
        ]
    )


def _sum_up(seconds: Sequence[float]) -> Waits:
    p50, p95, worst = (float(1000 * share) for share in np.quantile(seconds, [0.5, 0.95, 1.0]))
    return Waits(len(seconds), p50, p95, worst)
