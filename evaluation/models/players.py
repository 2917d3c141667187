"""People: players (mostly anonymous) and invitations to a role."""

import uuid

from django.conf import settings
from django.db import models

from search.models import Role


class Player(models.Model):
    """Somebody who voted. The key is what the signed cookie holds; forgetting a player replaces it."""

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="players"
    )
    judged = models.PositiveIntegerField(
        default=0, help_text="Pairs judged, skips included: the streak. Never depends on the answer."
    )
    is_excluded = models.BooleanField(
        default=False, db_default=False, help_text="What the last verdict says: no vote of theirs counts."
    )
    created_at = models.DateTimeField()
    forgotten_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Of the few that were, so that the sweeper need not read all players.
            models.Index(
                fields=["forgotten_at"],
                condition=models.Q(forgotten_at__isnull=False),
                name="player_by_forgetting",
            ),
            models.Index(fields=["id"], condition=models.Q(is_excluded=True), name="player_who_is_excluded"),
        ]

    def __str__(self) -> str:
        return f"player {self.pk}"


class Invitation(models.Model):
    """A link that gives one person a role, once. Only the hash of its token is kept."""

    token_sha256 = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=9, choices=Role.choices)
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.role} until {self.expires_at:%Y-%m-%d}"
