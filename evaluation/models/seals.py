"""Seals: what the votes were when they had settled, in a chain that nobody without the key can continue."""

from typing import Any

from django.db import models


class Seal(models.Model):
    """Fingerprints of all votes and retractions of one span of time, bound to the seal before it.

    ``mac`` is keyed and covers everything here and the previous seal's ``mac``.
    """

    number = models.PositiveBigIntegerField(primary_key=True, help_text="From 1, without a gap.")
    since = models.DateTimeField()
    until = models.DateTimeField(help_text="Rows from `since` to before this moment are sealed.")
    rows: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(
        help_text="Fingerprint by row: “vote ID” or “retraction ID”."
    )
    previous = models.CharField(max_length=64, blank=True)
    mac = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.number} {self.mac}"
