"""People's answers about whole slates, divided into those that can be measured together.

Slates of one size belong together, and those drawn evenly lie apart from those that policies chose: the same
user agrees with people more or less often by what is shown.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.services.agreement import People, Poll, describe_people
from evaluation.stats import agreement as stats
from evaluation.stats.agreement_answers import pairs_interval, two_way_interval
from evaluation.stats.intervals import Interval, wilson
from search.catalogues.judgements import Answers
from search.catalogues.slate_judgements import IMPORTED, RANDOM, SlateAnswer, SlateJudgements

POLICIES = "policies"
_ORDER = (RANDOM, POLICIES, IMPORTED)
Places = NDArray[np.int64]


@dataclass(frozen=True)
class SamePerson:
    """How often a person said the same when asked again, with Wilson's interval; None where never asked."""

    person: str
    answers: int
    repeats: int
    same: int
    interval: Interval | None


@dataclass(frozen=True)
class SlatePart:
    """Slates of one size that were drawn evenly (`RANDOM`), chosen by `POLICIES` or read (`IMPORTED`).

    ``questions`` (n, 1 + options) are places in the judgements' names, the reference and the options, of what
    somebody picked something about. ``poll`` counts who picked what; ``unsure`` is how many cannot tell.
    ``people`` and ``by_people``, the interval over people and items, are there where two answered a question
    and some question has a majority. ``again``: how often people said the same when asked again.
    """

    options: int
    shown: str
    sources: tuple[str, ...]
    questions: Places
    poll: Poll
    unsure: int
    decided: int
    people: People | None
    by_people: Interval | None
    persons: tuple[SamePerson, ...]
    again: Interval | None

    @property
    def answers(self) -> int:
        """How many picks there are, without repeats."""
        return int(self.poll.votes.sum())

    @property
    def asked_again(self) -> list[SamePerson]:
        """Whoever was."""
        return [person for person in self.persons if person.repeats]

    @property
    def chance(self) -> float:
        return stats.chance(self.options)


def divide_slates(said: SlateJudgements) -> list[SlatePart]:
    """The parts, by the size of the slates, those drawn evenly first; none where nobody picked anything."""
    grouped: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, question in enumerate(said.questions):
        grouped[len(question.options), _ORDER.index(_name_kind(question.source))].append(place)
    picked = {answer.question for answer in said.answers if answer.option is not None}
    return [
        _build(said, options, _ORDER[kind], [place for place in places if place in picked], set(places))
        for (options, kind), places in sorted(grouped.items())
        if picked & set(places)
    ]


def _name_kind(source: str) -> str:
    return source if source in (RANDOM, IMPORTED) else POLICIES


def _build(said: SlateJudgements, options: int, shown: str, places: list[int], asked: set[int]) -> SlatePart:
    given = [answer for answer in said.answers if answer.question in asked]
    row = {place: number for number, place in enumerate(places)}
    picks = np.array(
        [
            (row[answer.question], answer.option, answer.person)
            for answer in given
            if answer.option is not None
        ],
        dtype=np.int64,
    )
    answers = Answers(picks[:, 0], picks[:, 1], picks[:, 2])
    votes = np.zeros((len(places), options), np.int64)
    np.add.at(votes, (answers.questions, answers.options), 1)
    questions = np.array([(said.questions[place].ref, *said.questions[place].options) for place in places])
    poll = Poll(questions[:, 0], votes, answers)
    people = _describe(poll)
    persons, again = _measure_repeats(said, given, asked)
    return SlatePart(
        options=options,
        shown=shown,
        sources=tuple(sorted({said.questions[place].source for place in places})),
        questions=questions,
        poll=poll,
        unsure=len(given) - len(picks),
        decided=int((stats.majorities(votes) != stats.NOBODY).sum()),
        people=people,
        by_people=_interval_of_pairs(poll, answers) if people else None,
        persons=persons,
        again=again,
    )


def _describe(poll: Poll) -> People | None:
    try:
        return describe_people(poll)
    except stats.NothingToCompare:
        return None


def _interval_of_pairs(poll: Poll, answers: Answers) -> Interval:
    items = poll.references[answers.questions]
    return pairs_interval(answers.options, answers.people, answers.questions, items)


def _measure_repeats(
    said: SlateJudgements, given: list[SlateAnswer], asked: set[int]
) -> tuple[tuple[SamePerson, ...], Interval | None]:
    """Of picks that were asked again, whether the same was picked; "cannot tell" is another answer."""
    first = {(one.question, one.person): one.option for one in given if one.option is not None}
    again = [one for one in said.repeats if (one.question, one.person) in first]
    same = np.array([first[one.question, one.person] == one.option for one in again], dtype=float)
    people = np.array([one.person for one in again], dtype=np.int64)
    items = np.array([said.questions[one.question].ref for one in again], dtype=np.int64)
    counts = np.bincount([one.person for one in given], minlength=len(said.people))
    persons = []
    for person in np.flatnonzero(counts).tolist():
        repeats, equal = int((people == person).sum()), int(same[people == person].sum())
        interval = wilson(equal, repeats) if repeats else None
        persons.append(SamePerson(said.people[person], int(counts[person]), repeats, equal, interval))
    return tuple(persons), two_way_interval(same, people, items) if again else None
