"""What the database says to those who watch the site. Every query is small, however many votes there are."""

from datetime import datetime

from django.db import connection
from django.db.models import Count, Min

from search.models import Job, JobState, Sighting


def count_jobs() -> dict[tuple[str, str], int]:
    """How many jobs of each kind are in each state."""
    counted = Job.objects.order_by().values_list("kind", "state").annotate(number=Count("pk"))
    return {(kind, state): number for kind, state, number in counted}


def find_oldest_queued() -> dict[str, datetime]:
    """Since when the job that waits longest has waited, by queue."""
    queued = Job.objects.filter(state=JobState.QUEUED).order_by().values_list("queue")
    return dict(queued.annotate(oldest=Min("created_at")))


def list_sightings() -> dict[str, datetime]:
    """When each kind of process was last seen at work."""
    return dict(Sighting.objects.values_list("who", "seen_at"))


def measure_database() -> int:
    """Bytes that the database takes on its server's disk."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return int(cursor.fetchone()[0])
