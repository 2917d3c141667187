"""Navigation games: what is played on, frozen, and what happened, slate by slate.

Slates and moves are append-only, and all there is: where a game stands is worked out from them.
"""

from typing import Any

from django.db import models


class Puzzle(models.Model):
    """What a game is played on, frozen when it is made: whatever is built later changes nothing in it."""

    catalogue = models.ForeignKey("search.Catalogue", on_delete=models.PROTECT, related_name="puzzles")
    spaces: "models.JSONField[Any, Any]" = models.JSONField(
        help_text="[id, sha256] of the embedding space, then of its masks."
    )
    policy = models.CharField(max_length=40)
    allocation = models.CharField(max_length=20, help_text="What chose the policy, with its version.")
    propensity = models.FloatField(help_text="Probability with which this policy was chosen then.")
    ranker = models.CharField(
        max_length=64, blank=True, help_text="The sha256 of a trained policy's networks."
    )
    seed = models.PositiveBigIntegerField()
    k = models.PositiveSmallIntegerField(help_text="Items on a slate.")
    start = models.ForeignKey("search.Item", on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(
        "search.Item",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="Empty where the player has it in mind.",
    )
    day = models.DateField(null=True, unique=True, help_text="Of a daily puzzle, in UTC.")
    number = models.PositiveIntegerField(
        null=True, help_text="Of a daily puzzle, counting days from the first."
    )
    simulated: "models.JSONField[Any, Any]" = models.JSONField(
        null=True, help_text="How the simulated user fares with each policy; worked out after the first end."
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(propensity__gt=0, propensity__lte=1),
                name="puzzle_propensity_is_a_probability",
            )
        ]

    def __str__(self) -> str:
        return f"puzzle {self.pk}"


class NavigationGame(models.Model):
    """One player's walk through a puzzle. The id is 128 random bits."""

    class Outcome(models.TextChoices):
        FOUND = "found"
        GIVEN_UP = "given-up"
        NOT_FOUND = "not-found", "every slate there may be was shown"
        BROKEN = "broken", "what it was played on is gone"
        LATE = "late", "its race was over first"

    id = models.CharField(primary_key=True, max_length=32)
    puzzle = models.ForeignKey(Puzzle, on_delete=models.PROTECT, related_name="games")
    player = models.ForeignKey("evaluation.Player", on_delete=models.PROTECT, related_name="games")
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=9, choices=Outcome.choices, blank=True)
    slates = models.PositiveSmallIntegerField(default=0, help_text="How many were shown; counted at the end.")
    stood_in = models.BooleanField(
        default=False, help_text="Its ranker was lost, and another policy went on in its place."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["player", "puzzle"], name="puzzle_once_per_player")]

    def __str__(self) -> str:
        return self.id


class Slate(models.Model):
    """Items as they were shown, in that order; ``turn`` counts all of a game, those shown again included."""

    game = models.ForeignKey(NavigationGame, on_delete=models.PROTECT, related_name="shown", db_index=False)
    turn = models.PositiveSmallIntegerField()
    items: "models.JSONField[list[int], list[int]]" = models.JSONField(help_text="Ids of the items.")
    again = models.BooleanField(help_text="Shown before: the move that answered it was taken back.")
    bits = models.FloatField(help_text="How much there was left to know of the target when it was shown.")
    shown_at = models.DateTimeField()

    class Meta:
        ordering = ["turn"]
        constraints = [models.UniqueConstraint(fields=["game", "turn"], name="turn_once")]

    def __str__(self) -> str:
        return f"{self.game_id} turn {self.turn}"


class Move(models.Model):
    """What the player did with a slate."""

    class Kind(models.TextChoices):
        PICK = "pick", "this one is closest"
        UNSURE = "unsure", "cannot tell"
        UNDO = "undo", "took the move before back"
        FOUND = "found", "this is it"
        GIVE_UP = "give-up", "gave up"

    class Modality(models.TextChoices):
        TOUCH = "touch"
        MOUSE = "mouse"
        KEY = "key"
        FORM = "form", "not known: without the page's script"

    slate = models.OneToOneField(Slate, on_delete=models.PROTECT, primary_key=True, related_name="move")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    item = models.ForeignKey(
        "search.Item", on_delete=models.PROTECT, null=True, related_name="+", help_text="Of a pick, or found."
    )
    dwell_ms = models.PositiveIntegerField(null=True, help_text="From all pictures decoded to the move.")
    modality = models.CharField(max_length=5, choices=Modality.choices)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} on {self.slate_id}"
