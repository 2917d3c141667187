"""What nobody needs any more: deals of visitors who never voted, and sessions that ended."""

from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import transaction

from evaluation.models import Round
from evaluation.services.deals import DEAL_LIFE

# At a time, so that votes do not wait for a long transaction.
ROUNDS_AT_ONCE = 500


@transaction.atomic
def delete_unused_rounds(now: datetime) -> int:
    """Delete rounds that no player ever voted in, with their deals, well after the last of these expired.

    Deals of players stay, spent or not: they say which pairs the player has seen.
    """
    unused = Round.objects.filter(player=None, created_at__lt=now - 3 * DEAL_LIFE).order_by("created_at")
    expired = list(unused.values_list("pk", flat=True)[:ROUNDS_AT_ONCE])
    Round.objects.filter(pk__in=expired, player=None).delete()
    return len(expired)


def delete_ended_sessions(now: datetime) -> int:
    return Session.objects.filter(expire_date__lt=now).delete()[0]
