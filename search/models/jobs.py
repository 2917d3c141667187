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

    def free(self) -> Self:
        """Queued jobs that wait for no other."""
        return self.filter(models.Q(after=None) | models.Q(after__state=JobState.DONE), state=JobState.QUEUED)

    def due_for_a_hint(self, *, hinted_before: datetime) -> Self:
        """Queued jobs that wait for no other and of which no worker was told lately, oldest first."""
        return self.free().filter(models.Q(hinted_at=None) | models.Q(hinted_at__lt=hinted_before))


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
    worker = models.CharField(
        max_length=200, blank=True, help_text="Who took it last: HOST:PID of a process."
    )
    lease_until = models.DateTimeField(null=True)
    after = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        related_name="followers",
        help_text="Must be done first.",
    )
    cancel_requested = models.BooleanField(default=False)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    resumed_from = models.PositiveIntegerField(
        default=0, help_text="What was done when this attempt began; time left is judged by the rest."
    )
    message = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=1000, blank=True, help_text="Why it failed, and the remedy.")
    catalogue = models.ForeignKey(
        "search.Catalogue", on_delete=models.CASCADE, null=True, related_name="jobs"
    )
    created_at = models.DateTimeField()
    hinted_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True, help_text="Of the current attempt.")
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["state", "queue"], name="job_by_state")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def is_finished(self) -> bool:
        return self.state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)

    def seconds_left(self, *, now: datetime) -> float | None:
        """Time to the end at this attempt's pace so far, in seconds; None while nothing can be said."""
        fresh = self.done - self.resumed_from
        if self.state != JobState.RUNNING or self.started_at is None or fresh <= 0 or self.total < self.done:
            return None
        return (now - self.started_at).total_seconds() * (self.total - self.done) / fresh
