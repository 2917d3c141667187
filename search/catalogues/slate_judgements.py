"""What people picked from whole slates: a table (CSV, TSV or JSONL) with a row for each answer.

A row says that ``person`` was shown ``slate``, keys of items with | between them (in JSONL also a list), and
picked ``pick`` as what looks most like item ``ref``; a pick left blank says that they could not tell.
``source`` names who chose the slate, as `RANDOM` for one drawn evenly; without that column, or blank, it is
`IMPORTED`. Of a person's several answers to one question the first counts, by ``turn`` where that column is
there, and the others are repeats. Other columns are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from search.catalogues.judgements import JudgementsRejected, open_judgements
from search.catalogues.records import Record, Unreadable

RANDOM, IMPORTED = "random", "imported"
COLUMNS = ("ref", "slate", "pick", "person")
BETWEEN = "|"  # keys of a slate, as `records.as_text` writes a list


@dataclass(frozen=True)
class SlatePick:
    """One answer: what ``person`` picked from ``slate`` as most like ``ref``; None where they cannot tell."""

    ref: str
    slate: tuple[str, ...]
    pick: str | None
    person: str
    source: str
    turn: int = 1


@dataclass(frozen=True)
class SlateQuestion:
    """Items by their places in the names; ``options`` are in the order of their names."""

    ref: int
    options: tuple[int, ...]
    source: str


@dataclass(frozen=True)
class SlateAnswer:
    """Who answered which question, by their places, and with which option; None where they cannot tell."""

    question: int
    person: int
    option: int | None


@dataclass(frozen=True)
class SlateJudgements:
    """Answers to questions about named items.

    ``answers`` holds a person's first answer to each question, ``repeats`` their later ones.
    """

    names: tuple[str, ...]
    people: tuple[str, ...]
    questions: tuple[SlateQuestion, ...]
    answers: tuple[SlateAnswer, ...]
    repeats: tuple[SlateAnswer, ...]


def holds_slates(path: Path) -> bool:
    """Whether a table is one of slates, rather than of pairs. Raises JudgementsRejected."""
    with open_judgements(path) as (table, _):
        return set(COLUMNS) <= {name.lower() for name in table.columns}


def read_slate_judgements(path: Path) -> tuple[SlateJudgements, str]:
    """Read a table of slates; also its checksum. Raises JudgementsRejected."""
    with open_judgements(path) as (table, sha256):
        columns = {name.lower(): name for name in table.columns}
        picks = []
        for record in table.records():
            try:
                picks.append(_read_pick(record, columns))
            except ValueError as error:
                raise JudgementsRejected(f"{path}, line {record.number}: {error}") from error
    if not picks:
        raise JudgementsRejected(f"{path} holds no answer. Give one row per answer.")
    return gather_slates(picks), sha256


def gather_slates(picks: Iterable[SlatePick]) -> SlateJudgements:
    """Questions and who answered them: a slate about one item from one source is one question."""
    given = sorted(picks, key=lambda pick: pick.turn)
    names = sorted({name for pick in given for name in (pick.ref, *pick.slate)})
    people = sorted({pick.person for pick in given})
    place = {name: number for number, name in enumerate(names)}
    who = {person: number for number, person in enumerate(people)}
    questions: dict[SlateQuestion, int] = {}
    answers: dict[tuple[int, int], SlateAnswer] = {}
    repeats = []
    for pick in given:
        options = tuple(sorted(place[name] for name in pick.slate))
        question = questions.setdefault(SlateQuestion(place[pick.ref], options, pick.source), len(questions))
        option = None if pick.pick is None else options.index(place[pick.pick])
        answer = SlateAnswer(question, who[pick.person], option)
        if answers.setdefault((question, answer.person), answer) is not answer:
            repeats.append(answer)
    return SlateJudgements(
        tuple(names), tuple(people), tuple(questions), tuple(answers.values()), tuple(repeats)
    )


def _read_pick(record: Record | Unreadable, columns: dict[str, str]) -> SlatePick:
    """Raises ValueError with what is wrong and the remedy."""
    if isinstance(record, Unreadable):
        raise ValueError(record.message)
    cells = {name: record.values.get(column, "") for name, column in columns.items()}
    slate = tuple(name.strip() for name in cells["slate"].split(BETWEEN))
    shown = (cells["ref"], *slate)
    if len(slate) < 2 or not all(shown) or len(set(shown)) < len(shown):
        raise ValueError(
            "It must name an item and a slate of two different ones or more beside it, with | between them."
        )
    if cells["pick"] and cells["pick"] not in slate:
        raise ValueError(f"“{cells['pick'][:40]}” is not on the slate. Pick one of it, or none.")
    if not cells["person"]:
        raise ValueError("It needs a person: any name, the same in each of their answers.")
    turn = cells.get("turn") or "1"
    if not (turn.isascii() and turn.isdigit() and len(turn) < 10):
        raise ValueError(f"turn is a whole number, 1 for a first answer, not “{turn[:40]}”.")
    return SlatePick(
        cells["ref"],
        slate,
        cells["pick"] or None,
        cells["person"],
        cells.get("source") or IMPORTED,
        int(turn),
    )
