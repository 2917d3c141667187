"""Verdicts: whose votes are left out of every count, since when and why."""

from django.db import models


class Ruling(models.TextChoices):
    EXCLUDED = "excluded"
    RESTORED = "restored"


class Verdict(models.Model):
    """A decision about all votes of a player, past and to come; the last one stands.

    The votes themselves stay as they are, and their player is not told.
    """

    player = models.ForeignKey("evaluation.Player", on_delete=models.PROTECT, related_name="verdicts")
    number = models.PositiveSmallIntegerField(help_text="Of this player's, from 1.")
    ruling = models.CharField(max_length=8, choices=Ruling.choices)
    reason = models.CharField(max_length=300, help_text="In words that may be published.")
    check_name = models.CharField(
        max_length=40, blank=True, help_text="The check that found it; empty where a person looked."
    )
    evidence = models.JSONField(default=dict, help_text="The figures that it rests on.")
    judged = models.PositiveIntegerField(help_text="Pairs that the player had judged by then.")
    made_by = models.CharField(max_length=150, blank=True, help_text="Who decided; empty for a check.")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["player", "number"], name="verdict_once")]

    def __str__(self) -> str:
        return f"player {self.player_id} {self.ruling}: {self.reason}"
