"""Forgetting players: the votes stay counted, and nothing leads from them to a person.

Whoever forgets has the turn first, so that no vote on its way gives deals to a person just forgotten.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from evaluation.models import Deal, Player, Race, RaceSeat, Round, Taste
from evaluation.services.race_news import tell_race
from evaluation.services.tastes import forget_tastes, lock_players
from evaluation.services.turns import wait_for_turn
from search.services.photos import forget_photos

# No deal is on its way for longer.
FINISHED_AFTER = timedelta(hours=1)


@transaction.atomic
def forget_account(*, user: User, now: datetime) -> None:
    """Forget the players of this account, on all its devices."""
    wait_for_turn()
    _forget(list(user.players.all()), now=now)


@transaction.atomic
def forget_holder(*, key: uuid.UUID, now: datetime) -> bool:
    """Forget whoever holds this key, on all devices of their account; False where nothing was stored."""
    wait_for_turn()
    player = Player.objects.filter(key=key).first()
    if player is None:  # who only searched has photos and is no player
        return forget_photos(holders=[key]) > 0
    if player.user is None:
        _forget([player], now=now)
    else:
        forget_account(user=player.user, now=now)
    return True


@transaction.atomic
def finish_forgetting(now: datetime) -> int:
    """Clear away what was being dealt to players while they were forgotten; returns how many deals.

    Neither dealing nor joining a race waits for the turn, so a deal or a seat may be stored just after the
    player's others were cleared away.
    """
    lately = Player.objects.filter(forgotten_at__gt=now - FINISHED_AFTER)
    if Taste.objects.filter(player__in=lately).exists():
        wait_for_turn()
        forget_tastes(lock_players(lately), now=now)
    Round.objects.filter(player__in=lately).exclude(holder="").update(holder="")
    _forget_races(RaceSeat.objects.filter(player__in=lately))
    return Deal.objects.filter(player__in=lately, vote=None).delete()[0]


def _forget(players: Sequence[Player], *, now: datetime) -> None:
    """Cut every link between a person, who is all these players, and their votes and games.

    The keys are replaced, the rounds no longer know them, the account is unlinked, deals without a vote are
    gone, and so are private encoders and the names that were chosen for races.
    The votes stay, so that nobody can move the board by being forgotten.
    """
    lock_players(Player.objects.filter(pk__in=[player.pk for player in players]))
    forget_photos(holders=[player.key for player in players])
    Deal.objects.filter(player__in=players, vote=None).delete()
    Round.objects.filter(player__in=players).update(holder="")
    _forget_races(RaceSeat.objects.filter(player__in=players))
    forget_tastes(players, now=now)
    for player in players:
        player.key = uuid.uuid4()
        player.user = None
        player.forgotten_at = now
        player.save(update_fields=["key", "user", "forgotten_at"])


def _forget_races(seats: QuerySet[RaceSeat]) -> None:
    """Take the names away, and the seats in races that have not begun."""
    named = seats.filter(Q(game=None) | ~Q(nickname=""))
    held = Race.objects.select_for_update().filter(pk__in=named.values("race")).order_by("pk")
    for race in held:
        tell_race(race.pk)
    seats = seats.filter(race__in=list(held))
    seats.filter(game=None).delete()
    seats.update(nickname="")
