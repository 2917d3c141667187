"""API tokens: what programs show in place of a session. Only their hashes are kept."""

from typing import Any

from django.conf import settings
from django.db import models


class Scope(models.TextChoices):
    """What a token may do beyond what everybody may; nothing of it changes anything."""

    READ_JOBS = "read:jobs", "jobs with their states"
    READ_VOTES = "read:votes", "votes one by one, with the contenders behind their pairs"
    READ_PLAYERS = "read:players", "what the checks say of players"
    READ_GAMES = "read:games", "navigation games that are over"
    READ_ANNOTATIONS = "read:annotations", "what annotators picked"
    CHOOSE_ENGINES = "choose:engines", "which engine answers a search, to be told and to choose"


class ApiToken(models.Model):
    """A token acts as who made it, within its scopes: it can never do what they cannot."""

    token_sha256 = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12, help_text="How it begins, by which people tell tokens apart.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    scopes: "models.JSONField[Any, Any]" = models.JSONField(help_text="Values of Scope.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_on = models.DateField(null=True, help_text="The last day on which it was shown, in UTC.")

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
