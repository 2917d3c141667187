"""Webhooks: addresses of operators that are told what happens, and each telling, delivered or not."""

import uuid
from typing import Any, Literal

from django.db import models
from django.db.models import Q


class Topic(models.TextChoices):
    """What an address can be told of."""

    RANKING_MADE = "ranking.made", "a catalogue was ranked"
    LEADER_CHANGED = "leader.changed", "a ranking has another leader than the one before"
    CONTENDER_ENTERED = "contender.entered", "a contender entered the leaderboard"
    CONTENDER_RETIRED = "contender.retired", "a contender left it"
    PLAYER_JUDGED = "player.judged", "a player's votes were left out, or count again"
    JOB_FAILED = "job.failed", "a job failed"


class Webhook(models.Model):
    """One address with what it is told of. Its secret is made of the salt and the site's secret key."""

    address = models.CharField(max_length=500)
    topics: "models.JSONField[Any, Any]" = models.JSONField(help_text="Values of Topic.")
    salt = models.CharField(max_length=32)
    former_salt = models.CharField(max_length=32, blank=True, help_text="Of the secret before.")
    rotated_at = models.DateTimeField(null=True, help_text="Since when the secret before is on its way out.")
    is_on = models.BooleanField(default=True)
    made_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0, help_text="In a row, since something was delivered.")
    rests_until = models.DateTimeField(
        null=True, help_text="Nothing is sent before: after a failure, or while a sweeper is at it."
    )

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.address


class Delivery(models.Model):
    """Something that one address is told, once; waiting until it is delivered or given up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    topic = models.CharField(max_length=40)
    body = models.TextField(help_text="JSON, as it is signed and sent.")
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(help_text="When it was made, or asked for again.")
    attempts = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True, help_text="Of the last attempt.")

    class Meta:
        ordering = ["asked_at", "created_at", "id"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["webhook", "asked_at"],
                condition=Q(delivered_at=None, given_up_at=None),
                name="delivery_that_waits",
            ),
            models.Index(fields=["webhook", "-created_at"], name="delivery_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} to {self.webhook_id}"

    @property
    def state(self) -> Literal["delivered", "given up", "waiting"]:
        if self.delivered_at is not None:
            return "delivered"
        return "waiting" if self.given_up_at is None else "given up"
