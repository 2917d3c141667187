"""What dealing has to know about several players at once, read with few queries."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import F, Q
from numpy.typing import NDArray

from evaluation.models import Deal, Player, Round
from search.models import Catalogue

Person = tuple[str, int]


@dataclass(frozen=True)
class Dealt:
    """A deal of a round, as far as dealing on depends on it."""

    deal: str
    place: int
    pair: int
    question: int
    spent: bool
    expires_at: datetime


@dataclass(frozen=True)
class Table:
    """Catalogues by slug, players by key, open rounds newest first, their deals by place, and pairs seen."""

    catalogues: Mapping[str, Catalogue]
    players: Mapping[uuid.UUID, Player]
    rounds: Sequence[Round]
    dealt: Mapping[str, Sequence[Dealt]]
    seen: Mapping[Person, Sequence[int]]

    def seen_by(self, player: Player) -> NDArray[np.int64]:
        """Ids of all pairs ever dealt to this player; for a user, on any of their devices."""
        return np.array(self.seen.get(_person(player.pk, player.user_id), ()), dtype=np.int64)


def read_table(
    *, slugs: Collection[str], keys: Collection[uuid.UUID], rounds: Collection[str], since: datetime
) -> Table:
    """Everything about these players and rounds; of the rounds only those begun after ``since`` and open."""
    players = {player.key: player for player in Player.objects.filter(key__in=keys)}
    mine = [player.pk for player in players.values()]
    users = [player.user_id for player in players.values() if player.user_id]
    open_rounds = list(
        Round.objects.filter(
            Q(pk__in=rounds) | Q(player__in=mine),
            revealed_at=None,
            created_at__gt=since,
            judged__lt=F("size"),
        ).order_by("-created_at", "pk")
    )
    dealt: dict[str, list[Dealt]] = defaultdict(list)
    rows = Deal.objects.filter(round__in=open_rounds).order_by("place", "issued_at")
    for round_id, pk, place, pair, question, vote, expires_at in rows.values_list(
        "round_id", "pk", "place", "pair_id", "pair__question_id", "vote", "expires_at"
    ):
        dealt[round_id].append(Dealt(pk, place, pair, question, vote is not None, expires_at))
    seen: dict[Person, list[int]] = defaultdict(list)
    theirs = Deal.objects.filter(Q(player__in=mine) | Q(player__user__in=users)).order_by()
    for player_id, user_id, pair in theirs.values_list("player_id", "player__user_id", "pair_id"):
        seen[_person(player_id, user_id)].append(pair)
    catalogues = {one.slug: one for one in Catalogue.objects.filter(slug__in=slugs)}
    return Table(catalogues, players, open_rounds, dealt, seen)


def _person(player_id: int, user_id: int | None) -> Person:
    return ("user", user_id) if user_id else ("player", player_id)
