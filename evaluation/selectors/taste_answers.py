"""What one person said that may teach their private encoder, and the spaces that it is learned in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from evaluation.models import Answer, Contender, NavigationGame, Player
from evaluation.models.votes import UNDO_LIFE, settled
from evaluation.selectors.lessons import list_teaching, walk_picks
from evaluation.selectors.promotions import find_in_charge, list_teachable
from search.models import Catalogue, EmbeddingSpace, Item, Metric, Split
from search.selectors.navigable_spaces import list_masks, list_ready_spaces

LEAST = 30  # answers, of which so many at least are
LEAST_OF_EACH = 5  # dopes, and nopes
MOST_LEARNED = 2000  # votes, the newest, and as many rows of picks


@dataclass(frozen=True)
class Told:
    """Of one person in one catalogue, on trainable questions, newest first, all items by id.

    ``votes``: (question, candidate, dope); ``picks``: (slate, target, picked, passed over), a row for each
    item that was passed over. ``unsettled`` votes may still be taken back. ``latest``: when the last of it
    came to count.
    """

    votes: Sequence[tuple[int, int, bool]]
    picks: Sequence[tuple[int, int, int, int]]
    unsettled: int
    latest: datetime | None

    @property
    def picked(self) -> int:
        return len({slate for slate, *_ in self.picks})

    @property
    def answers(self) -> int:
        return len(self.votes) + self.picked

    @property
    def missing(self) -> str:
        """What has to be said before anything can be learned, in words; empty where it is enough."""
        dopes = sum(dope for *_, dope in self.votes)
        wanted = [
            (LEAST - self.answers, "answer", "answers"),
            (LEAST_OF_EACH - dopes, "dope", "dopes"),
            (LEAST_OF_EACH - (len(self.votes) - dopes), "nope", "nopes"),
        ]
        parts = [f"{lack} {one if lack == 1 else many}" for lack, one, many in wanted if lack > 0]
        return " and ".join(parts)


@dataclass(frozen=True)
class Public:
    """What a private encoder is learned from: a contender by L2, its space, and its masks' spaces."""

    contender: Contender
    space: EmbeddingSpace
    masks: Sequence[EmbeddingSpace]

    @property
    def spaces(self) -> dict[str, EmbeddingSpace]:
        """By mask; the whole space, first, by no name."""
        return {"": self.space} | {one.mask: one for one in self.masks}


def find_public(catalogue: Catalogue) -> Public | None:
    """The encoder in charge where it has masks, else the first that stands and has; None where none has."""
    ready = list_ready_spaces(catalogue)
    standing = find_in_charge(catalogue)
    for contender in sorted(
        list_teachable(catalogue), key=lambda one: standing is None or one.encoder != standing.encoder
    ):
        assert contender.index is not None, "only those with one can be taught"
        space = next((one for one in ready if one.pk == contender.index.space_id), None)
        if contender.metric == Metric.L2 and space is not None and (masks := list_masks(ready, space)):
            return Public(contender, space, masks)
    return None


def list_players(player: Player) -> QuerySet[Player]:
    """All players that are the same person: those of one account, or this one alone."""
    own = Q(pk=player.pk)
    return Player.objects.filter(own if player.user_id is None else own | Q(user=player.user_id))


def read_told(players: QuerySet[Player], catalogue: Catalogue, *, now: datetime) -> Told:
    """Whether others' counts leave these players out does not matter: this is about themselves alone."""
    votes = list_teaching(catalogue).filter(
        deal__player__in=players, deal__pair__candidate__split=Split.TRAINABLE
    )
    rows = list(
        votes.settled(now)
        .order_by("-cast_at", "pk")
        .values_list(
            *("deal__pair__question_id", "deal__pair__candidate_id", "answer"),
            *("cast_at", "deal__round__revealed_at"),
        )[:MOST_LEARNED]
    )
    games = _list_games(players, catalogue)
    times = [min(cast_at + UNDO_LIFE, revealed_at or now) for *_, cast_at, revealed_at in rows]
    return Told(
        votes=[(question, other, said == Answer.DOPE) for question, other, said, *_ in rows],
        picks=_read_picks(games, catalogue),
        unsettled=votes.exclude(settled(now)).count(),
        latest=max(
            [*times, *games.order_by("-ended_at").values_list("ended_at", flat=True)[:1]], default=None
        ),
    )


def _list_games(players: QuerySet[Player], catalogue: Catalogue) -> QuerySet[NavigationGame]:
    """Those that are over and may teach."""
    return NavigationGame.objects.filter(
        player__in=players,
        puzzle__catalogue=catalogue,
        puzzle__target__split=Split.TRAINABLE,
        ended_at__isnull=False,
    )


def _read_picks(games: QuerySet[NavigationGame], catalogue: Catalogue) -> list[tuple[int, int, int, int]]:
    """Picks that stand; of each all that was passed over."""
    trainable = Item.objects.filter(catalogue=catalogue, split=Split.TRAINABLE)
    teachable = set(trainable.values_list("pk", flat=True))
    rows = walk_picks(games.order_by("-begun_at", "pk"), set())
    picks = [
        (slate, hidden, picked, passed)
        for slate, _, hidden, picked, passed in rows
        if picked in teachable and passed in teachable
    ]
    return picks[:MOST_LEARNED]
