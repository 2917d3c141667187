"""Jobs: the truth about background work. The broker only carries hints about these rows."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models


class JobState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Queue(models.TextChoices):
    IO = "io", "imports and indexes"
    ML = "ml", "embedding, training and ranking"


class JobQuerySet(models.QuerySet["Job"]):
    def unfinished(self) -> Self:
        return self.filter(state__in=[JobState.QUEUED, JobState.RUNNING])

    def due_for_a_hint(self, *, now: datetime, hinted_before: datetime) -> Self:
        """Queued jobs nobody was told of lately, and running ones whose worker stopped renewing its lease."""
        return self.filter(
            models.Q(state=JobState.QUEUED)
            & (models.Q(hinted_at=None) | models.Q(hinted_at__lt=hinted_before))
            | models.Q(state=JobState.RUNNING, lease_until__lt=now)
        )


class Job(models.Model):
    """One unit of background work, with state and progress.

    ``fence`` counts the workers that ever took the job; only the holder of the newest may publish.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=2, choices=Queue.choices)
    arguments = models.JSONField(default=dict)
    idempotency_key = models.CharField(
        max_length=200, unique=True, help_text="The same work asked for twice is one job."
    )
    title = models.CharField(max_length=200)
    state = models.CharField(max_length=9, choices=JobState.choices, default=JobState.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=1000, blank=True, help_text="Why it failed, and the remedy.")
    catalogue = models.ForeignKey(
        "search.Catalogue", on_delete=models.CASCADE, null=True, related_name="jobs"
    )
    created_at = models.DateTimeField()
    hinted_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["state", "queue"], name="job_by_state")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
