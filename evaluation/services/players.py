"""Forgetting a player: the votes stay counted, and nothing leads from them to a person."""

import uuid
from datetime import datetime

from django.db import transaction

from evaluation.models import Deal, Player, Round


@transaction.atomic
def forget_player(*, player: Player, now: datetime) -> None:
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


@transaction.atomic
def forget_holder(*, key: uuid.UUID, now: datetime) -> bool:
    """Forget whoever holds this key, on all devices of their account; False where nothing was stored."""
    player = Player.objects.filter(key=key).first()
    if player is None:
        return False
    same = Player.objects.filter(user=player.user) if player.user else [player]
    for each in list(same):
        forget_player(player=each, now=now)
    return True
