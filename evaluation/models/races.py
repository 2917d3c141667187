"""Races: rooms in which people look for the same hidden item, each in a game of their own."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

LONGEST_NAME = 20


class Race(models.Model):
    """A room. Whoever knows its code may look on and come in; where it stands follows from its seats.

    It is open until it is started, and over once all its games ended: at ``ends_at`` at the latest.
    """

    code = models.CharField(primary_key=True, max_length=12)
    puzzle = models.OneToOneField("evaluation.Puzzle", on_delete=models.PROTECT, related_name="race")
    after = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="rematch",
        help_text="The race that this one is the rematch of.",
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True, db_index=True, help_text="Known from the start on.")

    def __str__(self) -> str:
        return f"race {self.code}"


class RaceSeat(models.Model):
    """One player in a race; the game comes with its start. The name is blank once its player is forgotten."""

    race = models.ForeignKey(Race, on_delete=models.PROTECT, related_name="seats", db_index=False)
    player = models.ForeignKey("evaluation.Player", on_delete=models.PROTECT, related_name="seats")
    nickname = models.CharField(max_length=LONGEST_NAME, blank=True)
    joined_at = models.DateTimeField()
    game = models.OneToOneField(
        "evaluation.NavigationGame", on_delete=models.PROTECT, null=True, related_name="seat"
    )

    class Meta:
        ordering = ["joined_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["race", "player"], name="race_one_seat_per_player"),
            models.UniqueConstraint(
                "race", Lower("nickname"), condition=~Q(nickname=""), name="race_names_differ"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.nickname} in {self.race_id}"
