"""What finished games say together: the results of a day, and how many slates people need by policy."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Final

import numpy as np
from django.db.models import Max

from evaluation.models import NavigationGame, Puzzle
from evaluation.selectors.games import MOST_SLATES
from evaluation.stats.navigation import mean_of_clusters
from search.models import EmbeddingSpace

Outcome = NavigationGame.Outcome
LEFT: Final = ""  # the outcome of a game that nobody ended
LEFT_AFTER: Final = timedelta(days=1)  # since its last slate was shown
METHOD = (
    f"Slates until the hidden item was picked. A game counts {MOST_SLATES} where it was given up, where "
    f"nothing was found within {MOST_SLATES} slates, and where it was left without a move for more than "
    "a day, also before its first pick: no policy looks good by driving people away. Who comes back to "
    "such a game makes it count for what it becomes. The policy of each game was drawn and hidden. The "
    "95 % interval allows for games of one player being alike. Rows compare within one catalogue, space "
    "and size of slate. Daily puzzles and races are left out, for all of them have one policy; so are "
    "games whose files were lost."
)


@dataclass(frozen=True)
class DayResults:
    """How a daily puzzle went: games by slates, fewest first; ``most`` is the largest of the counts."""

    number: int
    day: date
    games: int
    bars: Sequence[tuple[str, int]]
    most: int


@dataclass(frozen=True)
class PolicyRow:
    """How people fared with a policy; ``low`` and ``high`` are None with fewer than two players.

    ``build`` names the very bytes of the space and of its masks.
    """

    catalogue: str
    catalogue_title: str
    space: str
    masks: str
    build: str
    slate: int
    policy: str
    games: int
    players: int
    mean: float
    low: float | None
    high: float | None
    found: float
    given_up: float
    left: float


@dataclass(frozen=True)
class NavigationBoard:
    """Rows by catalogue, space and slate, the fewest slates first; ``going_on`` counts games not over yet."""

    rows: Sequence[PolicyRow]
    going_on: int
    method: str


@dataclass(frozen=True)
class _Group:
    """What is compared in one row."""

    catalogue: str
    catalogue_title: str
    spaces: tuple[tuple[int, str], ...]  # id and sha256 of the space, then of its masks
    slate: int
    policy: str


_Game = tuple[str, int, int]  # outcome, slates, player


def read_day(puzzle: Puzzle) -> DayResults:
    """The results so far of a daily puzzle."""
    ended = NavigationGame.objects.filter(puzzle=puzzle, ended_at__isnull=False).exclude(
        outcome=Outcome.BROKEN
    )
    counts: Counter[int] = Counter()
    missed = 0
    for outcome, slates in ended.values_list("outcome", "slates"):
        if outcome == Outcome.FOUND:
            counts[slates] += 1
        else:
            missed += 1
    reach = range(1, max(counts) + 1) if counts else range(0)
    bars = [*((str(slates), counts[slates]) for slates in reach), ("not found", missed)]
    assert puzzle.number is not None and puzzle.day is not None
    return DayResults(
        puzzle.number, puzzle.day, sum(counts.values()) + missed, bars, max(count for _, count in bars)
    )


def list_days(puzzle: Puzzle) -> list[DayResults]:
    """The results of a daily puzzle and of the one before it, if there is one."""
    before = Puzzle.objects.filter(day__lt=puzzle.day).order_by("-day").first()
    return [read_day(one) for one in (puzzle, before) if one is not None]


def read_navigation_board(*, now: datetime) -> NavigationBoard:
    """Every policy on every catalogue, space and slate with at least one game over that was drawn for it."""
    drawn = NavigationGame.objects.filter(
        puzzle__day=None, puzzle__race=None, puzzle__target__isnull=False, stood_in=False
    ).exclude(outcome=Outcome.BROKEN)
    ended = drawn.filter(ended_at__isnull=False)
    waiting = drawn.filter(ended_at=None).annotate(last=Max("shown__shown_at"))
    left = waiting.filter(last__lt=now - LEFT_AFTER)
    columns = (
        "puzzle__catalogue__slug",
        "puzzle__catalogue__title",
        "puzzle__spaces",
        "puzzle__k",
        "puzzle__policy",
        "outcome",
        "slates",
        "player_id",
    )
    groups: dict[_Group, list[_Game]] = defaultdict(list)
    for slug, title, spaces, k, policy, *game in chain(
        ended.values_list(*columns), left.values_list(*columns)
    ):
        frozen = tuple((pk, sha256) for pk, sha256 in spaces)
        groups[_Group(slug, title, frozen, k, policy)].append((game[0], game[1], game[2]))
    names = EmbeddingSpace.objects.in_bulk({pk for group in groups for pk, _ in group.spaces})
    rows = [_sum_up(group, games, names) for group, games in groups.items()]
    rows.sort(key=lambda row: (row.catalogue, row.space, row.build, row.slate, row.mean, row.policy))
    return NavigationBoard(rows, waiting.filter(last__gte=now - LEFT_AFTER).count(), METHOD)


def _sum_up(group: _Group, games: Sequence[_Game], names: Mapping[int, EmbeddingSpace]) -> PolicyRow:
    outcomes, slates, players = zip(*games, strict=True)
    values = [
        count if outcome == Outcome.FOUND else MOST_SLATES
        for outcome, count in zip(outcomes, slates, strict=True)
    ]
    mean = mean_of_clusters(np.array(values), np.array(players), low=1, high=MOST_SLATES)
    whole, *masks = (names.get(pk) for pk, _ in group.spaces)
    return PolicyRow(
        catalogue=group.catalogue,
        catalogue_title=group.catalogue_title,
        space=whole.encoder if whole else "gone",
        masks=", ".join(mask.mask if mask else "gone" for mask in masks),
        build=_name_build(group.spaces),
        slate=group.slate,
        policy=group.policy,
        games=len(games),
        players=len(set(players)),
        mean=mean.mean,
        low=mean.low,
        high=mean.high,
        found=outcomes.count(Outcome.FOUND) / len(games),
        given_up=outcomes.count(Outcome.GIVEN_UP) / len(games),
        left=outcomes.count(LEFT) / len(games),
    )


def _name_build(spaces: Sequence[tuple[int, str]]) -> str:
    """The start of the sha256 of the spaces' own."""
    return hashlib.sha256(" ".join(sha256 for _, sha256 in spaces).encode()).hexdigest()[:12]
