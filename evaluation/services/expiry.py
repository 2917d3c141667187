"""What nobody needs any more; the sweeper calls it."""

from datetime import datetime

from django.contrib.sessions.models import Session


def delete_ended_sessions(now: datetime) -> int:
    """Delete the sessions that have run out, and return how many."""
    return Session.objects.filter(expire_date__lt=now).delete()[0]
