"""What annotators picked in a project, as tables that `measure_agreement` reads. People go by numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evaluation.models import Annotation, AnnotationProject
from evaluation.selectors.annotation import ANSWERS, name_person, standing
from search.catalogues.slate_judgements import SlatePick


def list_rows(project: AnnotationProject) -> list[dict[str, Any]]:
    """The project's picks as judgements: one row for each option that was not picked, beside the picked one.

    In the order in which they were given, so that a person's first answer to a question stands first. A pick
    of four is three rows about one target that were decided together: intervals over reference items and over
    people keep them together, but a count of rows is no count of independent answers.
    """
    keys = dict(project.catalogue.items.values_list("position", "key"))
    rows = []
    for pick, person in _name_people(project):
        question, picked = pick.question, pick.option
        for option in range(len(question.options)):
            if option == picked or picked is None:
                continue
            # What the question names first stands as a, so that the order of columns tells nothing.
            first, second = sorted((option, picked))
            rows.append(
                {
                    "ref": keys[question.target],
                    "a": keys[question.options[first]],
                    "b": keys[question.options[second]],
                    "person": person,
                    "choice": "a" if first == picked else "b",
                    "question": question.place,
                    "options": len(question.options),
                    "source": question.source,
                    "turn": pick.turn,
                }
            )
    return rows


def list_slates(project: AnnotationProject) -> list[SlatePick]:
    """The project's answers as whole slates, also those of people who cannot tell.

    In the order in which they were given; each slate in the order in which the person saw it.
    """
    keys = dict(project.catalogue.items.values_list("position", "key"))
    return [
        SlatePick(
            ref=keys[one.question.target],
            slate=tuple(keys[one.question.options[place]] for place in one.shown),
            pick=None if one.option is None else keys[one.question.options[one.option]],
            person=person,
            source=one.question.source,
            turn=one.turn,
        )
        for one, person in _name_people(project)
    ]


def _name_people(project: AnnotationProject) -> Iterator[tuple[Annotation, str]]:
    """The answers that stand, and whose they are: one name for all players of a person."""
    given = standing(project).filter(kind__in=ANSWERS).select_related("question", "player")
    people: dict[str, int] = {}
    for one in given.order_by("id"):
        yield one, f"annotator-{people.setdefault(name_person(one.player), one.player_id)}"
