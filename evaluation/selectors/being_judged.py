"""Which pictures a player is about to judge."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db.models import Q

from evaluation.models import Deal
from evaluation.models.votes import UNDO_LIFE


def is_being_judged(*, key: uuid.UUID, catalogue: str, position: int, now: datetime) -> bool:
    """Whether an item is one of the two in a pair that this player was dealt and can still judge.

    Until contenders are shown a vote can be taken back, and the pair judged again.
    """
    can_change = Q(vote=None, expires_at__gt=now) | Q(vote__cast_at__gt=now - UNDO_LIFE)
    open_deals = Deal.objects.filter(can_change, player__key=key, round__revealed_at=None)
    either = Q(pair__question__position=position) | Q(pair__candidate__position=position)
    return open_deals.filter(either, round__catalogue__slug=catalogue).exists()
