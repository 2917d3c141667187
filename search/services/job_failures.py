"""Who is told that a job failed."""

from __future__ import annotations

from datetime import datetime

from search.models import Job, Topic
from search.services.webhooks import announce


def tell_failure(job: Job, reason: str, *, now: datetime) -> None:
    """Have webhooks told that the job failed; call it in the transaction in which it does."""
    data = {
        "job": str(job.pk),
        "kind": job.kind,
        "title": job.title,
        "catalogue": job.catalogue.slug if job.catalogue else None,
        "reason": reason[:1000],
    }
    announce(Topic.JOB_FAILED, data, now=now)
