"""Annotating: projects are made, answers are taken, and the last answer can be undone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from django.contrib.auth.models import User
from django.core.signing import Signer
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare

from evaluation.models import (
    Annotation,
    AnnotationKind,
    AnnotationProject,
    AnnotationQuestion,
    AnnotationRetraction,
    Player,
)
from evaluation.selectors.annotation import (
    Asked,
    answers_of,
    find_annotator,
    is_of,
    name_person,
    read_progress,
)
from search.catalogues.slate_judgements import IMPORTED, RANDOM, holds_slates, read_slate_judgements
from search.engine.navigation.episodes import draw_games, play
from search.engine.navigation.policies.registry import create_policy
from search.engine.navigation.users import ExactUser
from search.models import Catalogue, Item
from search.services.judgements import find_items, open_judged
from search.services.navigation_terrain import open_terrain

FEWEST_OPTIONS, MOST_OPTIONS = 2, 9  # that one key each can pick
LONGEST_NOTE = 300
_TICKETS = Signer(salt="annotation")


class AnnotationRefused(Exception):
    """An answer that cannot be taken, or a project that cannot be made; the text says why, and the remedy."""


@dataclass(frozen=True)
class Drawn:
    """A question that is to be asked; ``gold`` is the place of the right option, where it is known."""

    target: int
    options: tuple[int, ...]
    source: str
    gold: int | None = None


def create_project(
    *,
    slug: str,
    title: str,
    catalogue: Catalogue,
    questions: Sequence[Drawn],
    overlap: int,
    repeat_every: int,
    seed: int,
    now: datetime,
) -> AnnotationProject:
    """A project of these questions, asked in an order drawn by ``seed``. Raises AnnotationRefused."""
    if not questions:
        raise AnnotationRefused(
            "No question came of what was named: a policy's games that are over at once ask nothing, nor "
            "does a file without majorities as gold. Name more, or something else."
        )
    order = list(questions)
    random.Random(seed).shuffle(order)
    project = AnnotationProject(
        slug=slug,
        title=title or slug,
        catalogue=catalogue,
        overlap=overlap,
        repeat_every=repeat_every,
        created_at=now,
    )
    try:
        with transaction.atomic():
            project.save()
            _add_questions(project, order)
    except IntegrityError as error:  # even where another command made it a moment ago
        raise AnnotationRefused(f"There is a project “{slug}” already: choose another name.") from error
    return project


def close_project(*, project: AnnotationProject, now: datetime) -> None:
    """Ask nothing more in it; everybody is told how they answered. Closing it again changes nothing."""
    AnnotationProject.objects.filter(pk=project.pk, closed_at=None).update(closed_at=now)


def reopen_project(*, project: AnnotationProject) -> None:
    """Go on asking what is left."""
    AnnotationProject.objects.filter(pk=project.pk).update(closed_at=None)


def draw_random(*, catalogue: Catalogue, count: int, options: int, seed: int) -> list[Drawn]:
    """Targets and slates drawn evenly from the items that look different. Raises AnnotationRefused."""
    _check_options(options)
    looks: dict[str, int] = {}
    for position, image in Item.objects.filter(catalogue=catalogue).values_list("position", "image_sha256"):
        looks.setdefault(image, position)
    if len(looks) <= options:
        raise AnnotationRefused(f"{catalogue.title} has {len(looks)} different items: show fewer at a time.")
    draws = random.Random(seed)
    positions = sorted(looks.values())
    drawn = [draws.sample(positions, options + 1) for _ in range(count)]
    return [Drawn(target, tuple(slate), RANDOM) for target, *slate in drawn]


def draw_from_policy(
    *, catalogue: Catalogue, space: str, policy: str, count: int, options: int, seed: int
) -> list[Drawn]:
    """Slates as a policy shows them: of games with an exact user, one slate of each, drawn evenly.

    Raises AnnotationRefused, NoSuchSpace, UnknownPolicy, TooFewItems and ArtifactDamaged.
    """
    _check_options(options)
    opened = open_terrain(catalogue=catalogue, space=space)
    terrain = opened.terrain
    terrain.require(options + 1)
    chooser = create_policy(policy, terrain, seed=seed)
    drawn = []
    for number, (start, target) in enumerate(draw_games(terrain, count, seed=seed).tolist()):
        draws = np.random.default_rng([seed, number])
        user = ExactUser(terrain.whole)
        episode = play(chooser, user, terrain, target=target, start=start, k=options, draws=draws)
        slates = [step.slate for step in episode.history.steps[: -1 if episode.found else None]]
        whole = [slate for slate in slates if len(slate) == options]
        if whole:  # else the target stood on the first slate, which asks nothing
            slate = whole[int(draws.integers(len(whole)))]
            drawn.append(Drawn(int(opened.items[target]), tuple(opened.items[list(slate)].tolist()), policy))
    return drawn


def read_questions(*, catalogue: Catalogue, path: Path, gold: bool) -> list[Drawn]:
    """The questions of a file of judgements; with ``gold`` what most people chose is right, without ties.

    Of pairs as of slates, whose sources are kept. Raises JudgementsRejected, and AnnotationRefused where a
    slate shows more than a key each can pick.
    """
    polled = _read_slates(catalogue, path) if holds_slates(path) else _read_pairs(catalogue, path)
    drawn = []
    for question, votes in polled:
        most = max(votes)
        if not gold:
            drawn.append(question)
        elif votes.count(most) == 1:
            drawn.append(replace(question, gold=votes.index(most)))
    return drawn


def make_ticket(asked: Asked, player: Player) -> str:
    """What says that this person was asked this; it comes back with the answer.

    What is next for one person changes while others answer, and an answer is no worse for that.
    """
    return _TICKETS.signature(f"{name_person(player)} {asked.question.pk} {asked.turn}")


def answer(
    *,
    asked: Asked,
    ticket: str,
    player: Player,
    kind: AnnotationKind,
    option: int | None = None,
    note: str = "",
    now: datetime,
) -> Annotation:
    """Take an answer. The same one again, as a doubled request sends it, changes nothing.

    Raises AnnotationRefused, also for what the person was not asked.
    """
    question, turn = asked.question, asked.turn
    if question.project.closed_at is not None:
        raise AnnotationRefused("This project is closed: nothing more is asked in it.")
    if (kind == AnnotationKind.PICK) != (option is not None) or not 0 <= (option or 0) < len(
        question.options
    ):
        raise AnnotationRefused("Pick one of the items that are shown.")
    given = Annotation.objects.filter(is_of(player), question=question)
    is_due = turn == 1 or given.filter(turn=1, retraction=None).exists()
    if not is_due or not constant_time_compare(ticket, make_ticket(asked, player)):
        raise AnnotationRefused("You were not asked this question. Go on with the one that is shown.")
    last = given.filter(turn=turn).select_related("retraction").order_by("-attempt").first()
    if last is not None and not hasattr(last, "retraction"):
        return _same_or_refuse(last, kind, option)
    try:
        with transaction.atomic():
            return Annotation.objects.create(
                question=question,
                player=player,
                turn=turn,
                attempt=last.attempt + 1 if last else 1,
                kind=kind,
                option=option,
                shown=list(asked.shown),
                note=note[:LONGEST_NOTE],
                answered_at=now,
            )
    except IntegrityError:
        return _same_or_refuse(given.filter(turn=turn).latest("attempt"), kind, option)


def undo(*, project: AnnotationProject, player: Player, now: datetime) -> AnnotationQuestion:
    """Take the person's last answer back; its question is asked next.

    Not once they were told how they answered: else what is right could be found out. Raises
    AnnotationRefused.
    """
    if not read_progress(project, player).can_undo:
        raise AnnotationRefused("There is no answer to undo, or you were told already how you answered.")
    last = answers_of(player, project).select_related("question").latest("id")
    AnnotationRetraction.objects.get_or_create(annotation=last, defaults={"retracted_at": now})
    return last.question


def make_annotator(*, user: User, now: datetime) -> Player:
    """The player under which the user annotates, always the same one."""
    player = find_annotator(user)
    if player.pk is None:
        player.created_at = now
        player.save()
    return player


def _read_pairs(catalogue: Catalogue, path: Path) -> Iterator[tuple[Drawn, list[int]]]:
    """Questions, each with how many chose each option."""
    judged = open_judged(catalogue=catalogue, path=path)
    judgements = judged.judgements
    for places, votes in zip(judgements.triplets.tolist(), judgements.votes.tolist(), strict=True):
        target, *options = judged.items[places, 0].tolist()
        yield Drawn(target, tuple(options), IMPORTED), votes


def _read_slates(catalogue: Catalogue, path: Path) -> Iterator[tuple[Drawn, list[int]]]:
    said = read_slate_judgements(path)[0]
    items = find_items(catalogue, said.names)[0][:, 0].tolist()
    votes = [[0] * len(question.options) for question in said.questions]
    for answer in said.answers:
        if answer.option is not None:
            votes[answer.question][answer.option] += 1
    for question, counts in zip(said.questions, votes, strict=True):
        _check_options(len(question.options))
        options = tuple(items[place] for place in question.options)
        yield Drawn(items[question.ref], options, question.source), counts


def _add_questions(project: AnnotationProject, order: Sequence[Drawn]) -> None:
    AnnotationQuestion.objects.bulk_create(
        AnnotationQuestion(
            project=project,
            place=place,
            target=one.target,
            options=list(one.options),
            source=one.source,
            gold=one.gold,
        )
        for place, one in enumerate(order, start=1)
    )


def _same_or_refuse(stored: Annotation, kind: AnnotationKind, option: int | None) -> Annotation:
    if (stored.kind, stored.option) != (kind, option):
        raise AnnotationRefused("You answered this question before. Undo that answer to change it.")
    return stored


def _check_options(options: int) -> None:
    if not FEWEST_OPTIONS <= options <= MOST_OPTIONS:
        raise AnnotationRefused(f"A slate shows {FEWEST_OPTIONS} to {MOST_OPTIONS} items, not {options}.")
