"""What people said looks more alike: judgements of a catalogue's items, in a table (CSV, TSV or JSONL).

A row asks whether item a or item b looks more like item ref. It says either how many people chose each
(columns ``votes_a`` and ``votes_b``) or who chose what (columns ``person`` and ``choice``, which is a or b).
Other columns are left alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from search.catalogues.delimited import DelimitedFile
from search.catalogues.records import JsonLinesFile, Record, Table, Unreadable
from search.catalogues.rows import CatalogueUnreadable
from search.engine.errors import EngineError

Places = NDArray[np.int64]

ITEMS = ("ref", "a", "b")
COUNTS = ("votes_a", "votes_b")
SINGLE = ("person", "choice")
SHOWN = 5  # names in a message
MAX_BYTES = 256 * 2**20
MAX_VOTES = 1_000_000  # on one question
_JSON_LINES = (".jsonl", ".ndjson")


class JudgementsRejected(EngineError):
    """Judgements that cannot be used; the sentence names the file, the line and the remedy."""


@dataclass(frozen=True)
class Answers:
    """Single answers, three parallel arrays (m,): to which question, which option (0 a, 1 b), by whom."""

    questions: Places
    options: Places
    people: Places


@dataclass(frozen=True)
class Judgements:
    """n questions about named items.

    ``triplets`` (n, 3) are places in ``names``: ref, a, b. ``votes`` (n, 2) count who chose a and who b, each
    question at least once. ``answers`` where it is known who gave them: of a person's several answers to one
    question the first counts. ``sha256`` is the file's.
    """

    names: tuple[str, ...]
    triplets: Places
    votes: Places
    answers: Answers | None
    sha256: str

    def __len__(self) -> int:
        return len(self.triplets)


def read_judgements(path: Path) -> Judgements:
    """Read a table; a question that stands there several times, in either order, is one.

    Raises JudgementsRejected.
    """
    with open_judgements(path) as (table, sha256):
        return _Reading(path).read(table, sha256)


@contextmanager
def open_judgements(path: Path) -> Iterator[tuple[Table, str]]:
    """A table of judgements and the file's checksum. Raises JudgementsRejected, also where reading fails."""
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise JudgementsRejected(
                f"{path} has {size >> 20} MiB; at most {MAX_BYTES >> 20} are read. Divide it."
            )
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            yield JsonLinesFile(file) if path.suffix.lower() in _JSON_LINES else DelimitedFile(file), sha256
    except CatalogueUnreadable as error:
        raise JudgementsRejected(f"{path}: {error}") from error
    except OSError as error:
        raise JudgementsRejected(
            f"{path} cannot be read: {error.strerror or error}. Check the path."
        ) from error


class _Reading:
    """One file on its way into arrays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: dict[str, int] = {}
        self._questions: dict[tuple[int, int, int], int] = {}
        self._votes: list[list[int]] = []
        self._people: dict[str, int] = {}
        self._answers: dict[tuple[int, int], int] = {}  # (question, person) -> option

    def read(self, table: Table, sha256: str) -> Judgements:
        columns = {name.lower(): name for name in table.columns}
        self._require_columns(table.columns, columns)
        single = not set(COUNTS) <= set(columns)
        for record in table.records():
            if isinstance(record, Unreadable):
                raise self._reject(record.number, record.message)
            cells = {name: record.values.get(column, "") for name, column in columns.items()}
            question, turned = self._find_question(record, cells)
            if single:
                self._take_answer(record, cells, question, turned)
            else:
                self._take_counts(record, cells, question, turned)
        return self._finish(sha256, single=single)

    def _require_columns(self, given: Sequence[str], columns: Iterable[str]) -> None:
        missing = [name for name in ITEMS if name not in columns]
        if missing or not (set(COUNTS) <= set(columns) or set(SINGLE) <= set(columns)):
            raise JudgementsRejected(
                f"{self._path} needs the columns ref, a, b and either votes_a, votes_b or person, choice; of "
                f"slates, ref, slate, pick, person. It has: {', '.join(given) or 'none'}."
            )

    def _find_question(self, record: Record, cells: dict[str, str]) -> tuple[int, bool]:
        """Which question a row is about, and whether it names its options in the other order."""
        named = [cells[name] for name in ITEMS]
        if not all(named) or len(set(named)) < 3:
            raise self._reject(record.number, f"It must name three different items, not {', '.join(named)}.")
        ref, a, b = (self._names.setdefault(name, len(self._names)) for name in named)
        if (other := self._questions.get((ref, b, a))) is not None:
            return other, True
        if (ref, a, b) not in self._questions:
            self._questions[ref, a, b] = len(self._votes)
            self._votes.append([0, 0])
        return self._questions[ref, a, b], False

    def _take_counts(self, record: Record, cells: dict[str, str], question: int, turned: bool) -> None:
        for option, name in enumerate(COUNTS):
            text = cells[name]
            if not (text.isascii() and text.isdigit()) or int(text) > MAX_VOTES:
                raise self._reject(record.number, f"{name} is a whole number of people, not “{text[:40]}”.")
            self._votes[question][option ^ turned] += int(text)

    def _take_answer(self, record: Record, cells: dict[str, str], question: int, turned: bool) -> None:
        person, choice = cells["person"], cells["choice"].lower()
        if not person or choice not in ("a", "b"):
            raise self._reject(
                record.number, f"It needs a person, and a choice a or b, not “{cells['choice'][:40]}”."
            )
        who = self._people.setdefault(person, len(self._people))
        if (question, who) not in self._answers:
            option = (choice == "b") ^ turned
            self._answers[question, who] = int(option)
            self._votes[question][option] += 1

    def _finish(self, sha256: str, *, single: bool) -> Judgements:
        votes = np.array(self._votes, dtype=np.int64).reshape(-1, 2)
        answered = votes.sum(axis=1) > 0
        if not answered.any():
            raise JudgementsRejected(f"{self._path} holds no answer. Give one row per question.")
        names = sorted(self._names)  # so that the order of the rows means nothing
        places = np.empty(len(names), dtype=np.int64)
        places[[self._names[name] for name in names]] = np.arange(len(names))
        triplets = places[np.array(list(self._questions), dtype=np.int64).reshape(-1, 3)]
        answers = None
        if single:
            who = np.array(list(self._answers), dtype=np.int64).reshape(-1, 2)
            options = np.fromiter(self._answers.values(), np.int64, len(self._answers))
            answers = Answers(who[:, 0], options, who[:, 1])
        return Judgements(tuple(names), triplets[answered], votes[answered], answers, sha256)

    def _reject(self, number: int, text: str) -> JudgementsRejected:
        return JudgementsRejected(f"{self._path}, line {number}: {text}")


@dataclass(frozen=True)
class Views:
    """Which items the judgements' names mean: ``places`` (names, views) in the list of keys.

    A name may have several pictures, of one thing in several lights: ``lights`` names what tells them apart.
    """

    places: Places
    lights: tuple[str, ...]


def find_views(names: Sequence[str], keys: Sequence[str]) -> Views:
    """The items that the names mean: those of that key, or else those whose file name it is.

    A key's file name is what is left without folders and ending; the folder then tells views apart, and only
    views that every name has are taken. Raises JudgementsRejected where a name means no item, or two names
    mean one.
    """
    exact = {key: place for place, key in enumerate(keys)}
    if all(name in exact for name in names):
        return Views(np.array([[exact[name]] for name in names], dtype=np.int64).reshape(-1, 1), ("",))
    by_name = _group_by_file_name(keys)
    missing = [name for name in names if name not in by_name]
    if missing:
        some = ", ".join(missing[:SHOWN]) + (" …" if len(missing) > SHOWN else "")
        raise JudgementsRejected(
            f"{len(missing)} of {len(names)} judged items are not in the catalogue: {some}. Its items are "
            f"called like {', '.join(sorted(keys)[:2]) or 'nothing'}: import what was judged."
        )
    shared = set.intersection(*(set(by_name[name]) for name in names))
    if not shared:
        raise JudgementsRejected(
            "The judged items lie in different folders, so that none of their views can be compared. "
            "Put the pictures of one light into one folder."
        )
    lights = tuple(sorted(shared))
    places = [[_only(name, light, by_name[name][light], keys) for light in lights] for name in names]
    _require_different(names, [views[0] for views in places])
    return Views(np.array(places, dtype=np.int64), lights)


def _group_by_file_name(keys: Sequence[str]) -> dict[str, dict[str, list[int]]]:
    """By file name with and without ending, then by folder: the places of the keys."""
    found: dict[str, dict[str, list[int]]] = {}
    for place, key in enumerate(map(PurePosixPath, keys)):
        for name in {key.name, key.stem}:
            found.setdefault(name, {}).setdefault(str(key.parent), []).append(place)
    return found


def _only(name: str, folder: str, places: list[int], keys: Sequence[str]) -> int:
    if len(places) > 1:
        several = ", ".join(keys[place] for place in places[:SHOWN])
        raise JudgementsRejected(f"“{name}” may mean {several} in {folder}: name items by their whole keys.")
    return places[0]


def _require_different(names: Sequence[str], places: Sequence[int]) -> None:
    name_of: dict[int, str] = {}
    for name, place in zip(names, places, strict=True):
        if (other := name_of.setdefault(place, name)) != name:
            raise JudgementsRejected(f"“{other}” and “{name}” are one item: call it the same everywhere.")
