"""Forgetting players: the votes stay counted, and nothing leads from them to a person.

Whoever forgets has the turn first, so that no vote on its way gives deals to a person just forgotten.
"""

import uuid
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from evaluation.models import Deal, Player, Round
from evaluation.services.turns import wait_for_turn

# No deal is on its way for longer.
FINISHED_AFTER = timedelta(hours=1)


@transaction.atomic
def forget_account(*, user: User, now: datetime) -> None:
    """Forget the players of this account, on all its devices."""
    wait_for_turn()
    for player in list(user.players.all()):
        _forget(player, now=now)


@transaction.atomic
def forget_holder(*, key: uuid.UUID, now: datetime) -> bool:
    """Forget whoever holds this key, on all devices of their account; False where nothing was stored."""
    wait_for_turn()
    player = Player.objects.filter(key=key).first()
    if player is None:
        return False
    if player.user is None:
        _forget(player, now=now)
    else:
        forget_account(user=player.user, now=now)
    return True


def finish_forgetting(now: datetime) -> int:
    """Clear away what was being dealt to players while they were forgotten; returns how many deals.

    Dealing does not wait for the turn, so a deal may be stored just after the player's others were deleted.
    """
    lately = Player.objects.filter(forgotten_at__gt=now - FINISHED_AFTER)
    Round.objects.filter(player__in=lately).exclude(holder="").update(holder="")
    return Deal.objects.filter(player__in=lately, vote=None).delete()[0]


def _forget(player: Player, *, now: datetime) -> None:
    """Cut every link between a person and their votes.

    The key is replaced, the rounds no longer know it, the account is unlinked, deals without a vote are gone.
    The votes stay, so that nobody can move the board by being forgotten.
    """
    Deal.objects.filter(player=player, vote=None).delete()
    Round.objects.filter(player=player).update(holder="")
    player.key = uuid.uuid4()
    player.user = None
    player.forgotten_at = now
    player.save(update_fields=["key", "user", "forgotten_at"])
