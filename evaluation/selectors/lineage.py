"""From an encoder back to each vote and pick that taught it, and from a vote or a pick to what it taught."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet

from evaluation.models import Lesson, Move, Retraining, Vote
from evaluation.selectors.lessons import list_line

AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class LessonRow:
    """A lesson with keys of items; of each vote or pick its id, the day, the player, what became of it.

    ``…_now`` is "left out" where the player's votes count no more, "taken back" where the vote was undone
    since, else "counts"; None, as all of a side, where the lesson is not of that kind.
    """

    retraining: str
    number: int
    anchor: str
    positive: str
    negative: str
    liked: str | None
    liked_on: date | None
    liked_by: int | None
    liked_now: str | None
    disliked: str | None
    disliked_on: date | None
    disliked_by: int | None
    disliked_now: str | None
    pick: int | None
    picked_on: date | None
    picked_by: int | None
    picked_now: str | None


@dataclass(frozen=True)
class Source:
    """A vote or a pick that was looked up, and its lessons."""

    title: str
    player: int
    at: datetime
    now: str
    lessons: Sequence[LessonRow]
    names: Sequence[Retraining]


def list_ancestors(retraining: Retraining) -> Sequence[Retraining]:
    """The retraining and those its parent comes from, the latest first."""
    line = [retraining.pk, *list_line(retraining.rival)]
    found = Retraining.objects.select_related("rival", "catalogue").in_bulk(line)
    return [found[pk] for pk in line]


def count_left_out(retraining: Retraining) -> int:
    """Lessons that would not be taught now: a vote or pick of theirs counts no more."""
    lessons = Lesson.objects.filter(retraining=retraining)
    # One by one, so that each begins with the few players who are left out, or votes that were undone.
    gone: set[int] = set()
    for reason in (
        *("liked__deal__player__is_excluded", "disliked__deal__player__is_excluded"),
        "pick__slate__game__player__is_excluded",
    ):
        gone.update(lessons.filter(**{reason: True}).values_list("number", flat=True))
    for vote in ("liked", "disliked"):
        undone = lessons.filter(**{f"{vote}__retraction__isnull": False})
        gone.update(undone.values_list("number", flat=True))
    return len(gone)


def list_lessons(retraining: Retraining, *, first: int, many: int) -> list[LessonRow]:
    """Lessons by number, from ``first``."""
    rows = Lesson.objects.filter(retraining=retraining, number__gte=first, number__lt=first + many)
    return _read(rows.order_by("number"))


def iterate_lessons(retraining: Retraining) -> Iterator[LessonRow]:
    """All lessons by number, read in parts: each brings its votes and their players along."""
    for first in range(1, retraining.triplets + 1, AT_ONCE):
        yield from list_lessons(retraining, first=first, many=AT_ONCE)


def trace_vote(deal: str) -> Source | None:
    """What a vote taught; None where there is no such vote."""
    vote = Vote.objects.select_related("deal__player", "retraction").filter(pk=deal).first()
    if vote is None or vote.deal.player is None:
        return None
    lessons = Lesson.objects.filter(Q(liked=vote) | Q(disliked=vote))
    now = _judge(excluded=vote.deal.player.is_excluded, undone=hasattr(vote, "retraction"))
    return _gather(f"Vote {vote.pk}: {vote.answer}", vote.deal.player_id, vote.cast_at, now, lessons)


def trace_pick(slate: int) -> Source | None:
    """What a pick taught; None where there is no such pick."""
    moves = Move.objects.select_related("slate__game__player")
    move = moves.filter(pk=slate, kind=Move.Kind.PICK).first()
    if move is None:
        return None
    lessons = Lesson.objects.filter(pick=move)
    player = move.slate.game.player
    now = _judge(excluded=player.is_excluded, undone=False)
    return _gather(f"Pick {move.pk}", player.pk, move.made_at, now, lessons)


def _gather(title: str, player: int | None, at: datetime, now: str, lessons: QuerySet[Lesson]) -> Source:
    assert player is not None
    names = Retraining.objects.filter(pk__in=lessons.values("retraining")).order_by("pk")
    return Source(title, player, at, now, _read(lessons.order_by("retraining", "number")), list(names))


def _read(lessons: QuerySet[Lesson]) -> list[LessonRow]:
    rows: Iterable[tuple[Any, ...]] = lessons.values_list(
        *("retraining__name", "number", "anchor__key", "positive__key", "negative__key"),
        *("liked", "liked__cast_at", "liked__deal__player", "liked__deal__player__is_excluded"),
        "liked__retraction",
        *("disliked", "disliked__cast_at", "disliked__deal__player", "disliked__deal__player__is_excluded"),
        "disliked__retraction",
        *("pick", "pick__made_at", "pick__slate__game__player"),
        "pick__slate__game__player__is_excluded",
    )
    return [
        LessonRow(*(*row[:5], *_tell(row[5:10]), *_tell(row[10:15]), *_tell((*row[15:19], None))))
        for row in rows
    ]


def _tell(said: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a row says of one vote or pick; nothing where it has none of the kind."""
    source, at, player, excluded, undone = said
    if source is None:
        return None, None, None, None
    return source, at.date(), player, _judge(excluded=excluded, undone=undone is not None)


def _judge(*, excluded: bool, undone: bool) -> str:
    if excluded:
        return "left out"
    return "taken back" if undone else "counts"
