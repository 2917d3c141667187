"""What people said that may teach an encoder, what of it waits, and why the rest does not qualify."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import Q, QuerySet

from evaluation.models import Answer, Contender, Lesson, Move, NavigationGame, Retraining, Vote
from evaluation.models.votes import VoteQuerySet, settled
from evaluation.selectors.games import read_states
from evaluation.stats.lessons import Ballots, Lessons, Places, draw_lessons
from evaluation.stats.pick_lessons import Shown, keep_shown
from search.models import Catalogue, Item, Split

MOST_READ = 50_000  # the newest votes, and picks, that may teach and are looked at
GAMES_AT_ONCE = 500
ASKED_AT_ONCE = 5000

UNSETTLED, EXCLUDED, JUDGES, UNMATCHED, CAPPED, TEACHES = (
    *("unsettled", "excluded", "judges", "unmatched", "capped", "teaches"),
)
REASONS: Mapping[str, str] = {
    TEACHES: "teach with the next retraining",
    UNSETTLED: "may still be taken back",
    EXCLUDED: "are of players whose votes are left out",
    JUDGES: "are about items that only judge",
    UNMATCHED: "have no counterpart: a dope and a nope on one question teach together",
    CAPPED: "are more than one player, or one vote, may teach",
}


@dataclass(frozen=True)
class Triplet:
    """Items by id; two votes by their deals, or the slate that was picked from."""

    anchor: int
    positive: int
    negative: int
    liked: str | None = None
    disliked: str | None = None
    pick: int | None = None


@dataclass(frozen=True)
class Waiting:
    """What the next retraining would learn, and how many votes and picks qualify or not, by reason.

    ``taught`` votes were learned from by the encoder in charge, or what it comes from; ``more``: there are
    older ones, which were not looked at.
    """

    triplets: Sequence[Triplet]
    players: int
    votes: Mapping[str, int]
    picks: Mapping[str, int]
    taught: int
    more: bool


def list_line(contender: Contender) -> list[int]:
    """The retrainings that a contender's encoder comes from, the latest first."""
    line: list[int] = []
    found: Contender | None = contender
    while found is not None:
        rows = Retraining.objects.filter(catalogue=found.catalogue_id, name=found.encoder)
        retraining = rows.exclude(pk__in=line).select_related("rival").first()
        found = None if retraining is None else retraining.rival
        line += [] if retraining is None else [retraining.pk]
    return line


def read_waiting(catalogue: Catalogue, contender: Contender | None, *, now: datetime) -> Waiting:
    """What waits to be taught to this contender's encoder, or to any; nothing is taught to it twice."""
    line = [] if contender is None else list_line(contender)
    seed = catalogue.retrainings.count()
    votes, voters, vote_counts, read = _read_votes(catalogue, line, seed=seed, now=now)
    picks, pickers, pick_counts = _read_picks(catalogue, line, seed=seed)
    return Waiting(
        triplets=[*votes, *picks],
        players=len(voters | pickers),
        votes=vote_counts,
        picks=pick_counts,
        taught=sum(Retraining.objects.filter(pk__in=line).values_list("votes", flat=True)),
        more=MOST_READ in (read, sum(pick_counts.values()), *vote_counts.values()),
    )


def count_new(triplets: Sequence[Triplet], rival: Contender) -> int:
    """Those with a vote or a pick that nobody who was taught from this contender has learned."""
    taught = Retraining.objects.filter(rival=rival, training__ready_at__isnull=False)
    line = list(taught.values_list("pk", flat=True))
    told = [(one.liked, one.disliked) for one in triplets if one.liked and one.disliked]
    votes = _find_taught([vote for both in told for vote in both], line)
    picks = set(_list_taught(line))
    new = sum(not votes.issuperset(both) for both in told)
    return new + sum(one.pick is not None and one.pick not in picks for one in triplets)


def list_teaching(catalogue: Catalogue) -> VoteQuerySet:
    """Dopes and nopes on questions that may teach, of pictures alone; none of checks."""
    said = Vote.objects.counting().filter(answer__in=[Answer.DOPE, Answer.NOPE])
    return said.filter(
        deal__pair__catalogue=catalogue, deal__pair__split=Split.TRAINABLE, deal__pair__words=""
    )


def _read_votes(
    catalogue: Catalogue, line: Sequence[int], *, seed: int, now: datetime
) -> tuple[list[Triplet], set[int], Mapping[str, int], int]:
    """The triplets, who taught them, counts, and how many votes were looked at."""
    said = list_teaching(catalogue)
    excluded = Q(deal__player__is_excluded=True)
    judges = ~excluded & ~Q(deal__pair__candidate__split=Split.TRAINABLE)
    rows = list(
        said.exclude(excluded)
        .filter(deal__pair__candidate__split=Split.TRAINABLE)
        .order_by("-cast_at", "pk")
        .annotate(is_settled=settled(now))
        .values_list(
            *("pk", "answer", "is_settled", "deal__player_id"),
            *("deal__pair__question_id", "deal__pair__candidate_id"),
        )[:MOST_READ]
    )
    taught = _find_taught([row[0] for row in rows], line)
    counts: Counter[str] = Counter()
    for reason, which in ((EXCLUDED, excluded), (JUDGES, judges)):
        counts[reason] = said.filter(which)[:MOST_READ].count()
    able: list[int] = []
    for place, (vote, _, is_settled, *_) in enumerate(rows):
        if vote in taught:
            continue
        if not is_settled:
            counts[UNSETTLED] += 1
        else:
            able.append(place)
    columns = [np.array([rows[place][at] for place in able], np.int64) for at in (3, 4, 5)]
    dope = np.array([rows[place][1] == Answer.DOPE for place in able], bool)
    ballots = Ballots(columns[0], columns[1], columns[2], dope, np.array(able, np.int64))
    lessons = draw_lessons(ballots, seed=seed)
    used = np.isin(ballots.vote, np.concatenate([lessons.dope, lessons.nope]))
    matched = _find_matched(ballots)
    counts[TEACHES] = int(used.sum())
    counts[UNMATCHED] = int((~used & ~matched).sum())
    counts[CAPPED] = int((~used & matched).sum())
    return _tell(lessons, rows), set(ballots.player[used].tolist()), counts, len(rows)


def _find_taught(votes: Sequence[str], line: Sequence[int]) -> set[str]:
    """Those of these votes that the line learned from."""
    found: set[str] = set()
    taught = Lesson.objects.filter(retraining__in=line)
    for first in range(0, len(votes) if line else 0, ASKED_AT_ONCE):
        some = votes[first : first + ASKED_AT_ONCE]
        for side in ("liked_id", "disliked_id"):
            found.update(taught.filter(**{f"{side}__in": some}).values_list(side, flat=True))
    return found


def _find_matched(ballots: Ballots) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,): whether the question has an answer of the other kind on another candidate."""
    said: dict[tuple[int, bool], set[int]] = {}
    rows = list(
        zip(ballots.question.tolist(), ballots.candidate.tolist(), ballots.dope.tolist(), strict=True)
    )
    for question, candidate, dope in rows:
        said.setdefault((question, dope), set()).add(candidate)
    return np.array(
        [bool(said.get((question, not dope), set()) - {candidate}) for question, candidate, dope in rows],
        bool,
    )


def _tell(lessons: Lessons, rows: Sequence[tuple[str, *tuple[object, ...]]]) -> list[Triplet]:
    lines = zip(lessons.triplets.tolist(), lessons.dope.tolist(), lessons.nope.tolist(), strict=True)
    return [
        Triplet(anchor, positive, negative, liked=rows[dope][0], disliked=rows[nope][0])
        for (anchor, positive, negative), dope, nope in lines
    ]


def _read_picks(
    catalogue: Catalogue, line: Sequence[int], *, seed: int
) -> tuple[list[Triplet], set[int], Mapping[str, int]]:
    """Picks that stand, of games whose hidden item may teach; those of games that go on are unsettled."""
    games = NavigationGame.objects.filter(
        puzzle__catalogue=catalogue, puzzle__target__split=Split.TRAINABLE
    ).order_by("-begun_at", "pk")
    counts: Counter[str] = Counter()
    moves = Move.objects.filter(kind=Move.Kind.PICK, slate__game__in=games)
    excluded, open_ = Q(slate__game__player__is_excluded=True), Q(slate__game__ended_at=None)
    counts[EXCLUDED] = moves.filter(excluded).count()
    counts[UNSETTLED] = moves.filter(~excluded & open_).count()
    ended = games.filter(player__is_excluded=False, ended_at__isnull=False)
    rows = list(walk_picks(ended, set(_list_taught(line))))
    teachable = set(
        Item.objects.filter(catalogue=catalogue, split=Split.TRAINABLE).values_list("pk", flat=True)
    )
    table: Places = np.array(
        [row for row in rows if row[3] in teachable and row[4] in teachable], np.int64
    ).reshape(-1, 5)
    shown = Shown(*table.T)
    kept = keep_shown(shown, seed=seed)
    used = np.unique(shown.pick[kept])
    counts[TEACHES] = len(used)
    counts[JUDGES] = len({row[0] for row in rows}) - len(np.unique(shown.pick))
    counts[CAPPED] = len(np.unique(shown.pick)) - len(used)
    triplets = [
        Triplet(anchor, positive, negative, pick=pick)
        for pick, _, anchor, positive, negative in table[kept].tolist()
    ]
    return triplets, set(shown.player[kept].tolist()), counts


def _list_taught(line: Sequence[int]) -> QuerySet[Lesson, int | None]:
    taught = Lesson.objects.filter(retraining__in=line, pick__isnull=False)
    return taught.values_list("pick_id", flat=True).distinct()


def walk_picks(games: QuerySet[NavigationGame], taught: set[int | None]) -> Iterator[tuple[int, ...]]:
    """Pick, player, hidden item, what was picked and what else was shown: a row for each of the latter."""
    left = MOST_READ
    targets = dict(games.values_list("pk", "puzzle__target_id"))
    for some in _in_parts(games):
        for state in read_states(some):
            hidden = targets[state.game.pk]
            for step in state.steps:
                move = state.moves[step.slate.turn]
                if move.kind != Move.Kind.PICK or step.pick == hidden or step.slate.pk in taught:
                    continue
                if not left:
                    return
                left -= 1
                for other in step.slate.items:
                    if other not in (step.pick, hidden):
                        yield step.slate.pk, state.game.player_id, hidden, step.pick, other  # type: ignore[misc]


def _in_parts(games: QuerySet[NavigationGame]) -> Iterator[list[NavigationGame]]:
    part: list[NavigationGame] = []
    for game in games.iterator(chunk_size=GAMES_AT_ONCE):
        part.append(game)
        if len(part) == GAMES_AT_ONCE:
            yield part
            part = []
    yield part
