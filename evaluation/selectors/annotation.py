"""Questions about the annotator's work: what is next for a person, how far they are, and how they agree.

A person is a user with all of their players, of which browsers make several.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from evaluation.models import Annotation, AnnotationKind, AnnotationProject, AnnotationQuestion, Player

FEWEST_COMPARED = 10  # questions, below which agreement with others is not told: it would give answers away
LONGEST_NUMBER = 10  # characters: what is longer is no number of a project
REPEAT_AFTER = 10  # answers that lie between a question and the same one again, at least
ANSWERS = (AnnotationKind.PICK, AnnotationKind.UNSURE)  # others leave the question to somebody else


@dataclass(frozen=True)
class Asked:
    """A question as one person is asked it: the options in an order of their own."""

    question: AnnotationQuestion
    turn: int
    shown: tuple[int, ...]  # places in the question's options


@dataclass(frozen=True)
class Account:
    """How a person answered; ``agreement`` with others is None below a few questions."""

    repeated: int
    of_repeats: int
    right: int
    of_gold: int
    agreement: float | None
    of_compared: int

    @property
    def tells(self) -> bool:
        return bool(self.of_repeats or self.of_gold or self.agreement is not None)


@dataclass(frozen=True)
class Progress:
    """How far a person is. ``account`` is there once nothing is left for them to answer, and not before.

    While they answer, a figure that moves with an answer would tell them what others said, or what is right.
    ``left_out``: skipped and flagged; ``questions`` holds these as well.
    """

    answered: int
    left_out: int
    questions: int
    account: Account | None
    is_closed: bool

    @property
    def can_undo(self) -> bool:
        """Whether the person may take their last answer back: not once they were told how they answered."""
        told = self.account is not None and self.account.tells
        return bool(self.answered + self.left_out) and not self.is_closed and not told


def find_project(name: str) -> AnnotationProject | None:
    """The project of a name, or else of a number."""
    projects = AnnotationProject.objects.select_related("catalogue")
    by_name = projects.filter(slug=name).first()
    if by_name is None and name.isascii() and name.isdigit() and len(name) < LONGEST_NUMBER:
        return projects.filter(pk=int(name)).first()
    return by_name


def find_annotator(user: User) -> Player:
    """Under which of the user's players they annotate: one that has annotated, or else the oldest.

    It is not stored yet where the user has none.
    """
    annotated = Exists(Annotation.objects.filter(player=OuterRef("pk")))
    return user.players.order_by(annotated.desc(), "created_at", "pk").first() or Player(user=user)


def name_person(player: Player) -> str:
    """One name for a person, whichever of their players it is; nobody sees it."""
    return f"user {player.user_id}" if player.user_id else f"player {player.pk}"


def standing(*projects: AnnotationProject) -> QuerySet[Annotation]:
    """The projects' answers that were not undone."""
    return Annotation.objects.filter(question__project__in=projects, retraction=None)


def answers_of(player: Player, *projects: AnnotationProject) -> QuerySet[Annotation]:
    """A person's standing answers, in the order in which they were given."""
    return standing(*projects).filter(is_of(player)).order_by("id")


def is_of(player: Player) -> Q:
    """Annotations of a person."""
    return Q(player__user=player.user_id) if player.user_id else Q(player=player)


def find_next(project: AnnotationProject, player: Player) -> Asked | None:
    """What to ask a person next; None where nothing is left for them.

    First what they took back, then one of their own again where that is due, then questions that somebody has
    begun, in order. Gold is asked of everybody.
    """
    if project.closed_at is not None:
        return None
    work = _read_work([project], player)[project.pk]
    return work.find_undone() or work.find_repeat() or _find_fresh(project, player)


def show(question: AnnotationQuestion, player: Player, turn: int) -> Asked:
    """The question with its options in this person's order, the same each time they look."""
    order = list(range(len(question.options)))
    random.Random(f"{question.pk} {name_person(player)} {turn}").shuffle(order)
    return Asked(question, turn, tuple(order))


def read_progress(project: AnnotationProject, player: Player) -> Progress:
    """How far the person is in the project."""
    return read_all_progress([project], player)[project.pk]


def read_all_progress(projects: Sequence[AnnotationProject], player: Player) -> dict[int, Progress]:
    """How far the person is, by project: the same few queries however many there are."""
    works = _read_work(projects, player)
    left = Counter(_open_to(projects, player).order_by().values_list("project", flat=True))
    ended = [one for one in projects if one.closed_at or not (left[one.pk] or works[one.pk].is_asked_again)]
    said = _read_others(ended, player)
    progress = {}
    for project in projects:
        first = works[project.pk].first
        answered = sum(one.kind in ANSWERS for one in first.values())
        progress[project.pk] = Progress(
            answered=answered,
            left_out=len(first) - answered,
            questions=len(first) + left[project.pk],
            account=works[project.pk].account_for(said) if project in ended else None,
            is_closed=project.closed_at is not None,
        )
    return progress


def export_annotations(player: Player) -> list[dict[str, Any]]:
    """Everything stored about one player's annotations, also the undone ones."""
    given = Annotation.objects.filter(player=player).select_related("question__project", "retraction")
    return [
        {
            "project": one.question.project.slug,
            "question": one.question.place,
            "turn": one.turn,
            "answer": one.kind,
            "option": one.option,
            "shown": one.shown,
            "note": one.note,
            "answered_at": one.answered_at,
            "undone": hasattr(one, "retraction"),
        }
        for one in given.order_by("id")
    ]


@dataclass
class _Work:
    """What a person did in one project: standing answers and undone ones, in the order they were given."""

    project: AnnotationProject
    player: Player
    given: list[Annotation]
    undone: list[Annotation]

    @cached_property
    def first(self) -> dict[int, Annotation]:
        """First answers by question."""
        return {one.question_id: one for one in self.given if one.turn == 1}

    @property
    def is_asked_again(self) -> bool:
        return (self.find_undone() or self.find_repeat()) is not None

    def find_undone(self) -> Asked | None:
        """What the person took back and has not answered since, the earliest answer first."""
        standing = {(one.question_id, one.turn) for one in self.given}
        # They are taken back from the last on: what was taken back latest was answered earliest.
        for one in sorted(self.undone, key=lambda one: (-one.retraction.retracted_at.timestamp(), one.pk)):
            if (one.question_id, one.turn) not in standing:
                return show(one.question, self.player, one.turn)
        return None

    def find_repeat(self) -> Asked | None:
        """The person's oldest pick that was not asked again, where one is due."""
        first = list(self.first.values())
        again = {one.question_id for one in self.given if one.turn > 1}
        every = self.project.repeat_every
        if not every or len(first) // every <= len(again):
            return None
        old = first[: max(0, len(first) - REPEAT_AFTER)]
        due = [one for one in old if one.kind == AnnotationKind.PICK and one.question_id not in again]
        return show(due[0].question, self.player, 2) if due else None

    def account_for(self, said: dict[int, list[int | None]]) -> Account:
        """How the person answered, beside what others picked, by question; a question at a time."""
        again = [one for one in self.given if one.turn > 1 and one.kind in ANSWERS]
        gold = [one for one in self.first.values() if one.question.gold is not None and one.kind in ANSWERS]
        picks = {key: one.option for key, one in self.first.items() if one.kind == AnnotationKind.PICK}
        compared = [said[key].count(picks[key]) / len(said[key]) for key in picks if said.get(key)]
        return Account(
            repeated=sum(one.option == self.first[one.question_id].option for one in again),
            of_repeats=len(again),
            right=sum(one.option == one.question.gold for one in gold),
            of_gold=len(gold),
            agreement=sum(compared) / len(compared) if len(compared) >= FEWEST_COMPARED else None,
            of_compared=len(compared),
        )


def _read_work(projects: Sequence[AnnotationProject], player: Player) -> dict[int, _Work]:
    """By project; one query."""
    works = {project.pk: _Work(project, player, [], []) for project in projects}
    everything = Annotation.objects.filter(is_of(player), question__project__in=projects)
    for one in everything.select_related("question", "retraction").order_by("id"):
        work = works[one.question.project_id]
        (work.undone if hasattr(one, "retraction") else work.given).append(one)
    return works


def _open_to(projects: Sequence[AnnotationProject], player: Player) -> QuerySet[AnnotationQuestion]:
    """Questions that the person has not answered and that need more answers, those begun first."""
    counted = Q(annotations__retraction=None, annotations__turn=1, annotations__kind__in=ANSWERS)
    questions = AnnotationQuestion.objects.filter(project__in=[one for one in projects if not one.closed_at])
    questions = questions.annotate(answers=Count("annotations", filter=counted))
    needed = questions.filter(Q(answers__lt=F("project__overlap")) | Q(gold__isnull=False))
    own = answers_of(player, *projects).order_by().values("question")
    return needed.exclude(pk__in=own).order_by("-answers", "place")


def _find_fresh(project: AnnotationProject, player: Player) -> Asked | None:
    question = _open_to([project], player).first()
    return None if question is None else show(question, player, 1)


def _read_others(projects: Sequence[AnnotationProject], player: Player) -> dict[int, list[int | None]]:
    """What others picked, by question, of those that the person answered."""
    said: dict[int, list[int | None]] = defaultdict(list)
    own = answers_of(player, *projects).order_by().values("question")
    others = standing(*projects).filter(turn=1, kind=AnnotationKind.PICK, question__in=own)
    for question, option in others.exclude(is_of(player)).values_list("question", "option"):
        said[question].append(option)
    return said
