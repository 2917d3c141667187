"""Retraining: what people said becomes lessons, lessons a challenger, and one that wins is put in charge."""

from typing import Any

from django.db import models


class Learn(models.TextChoices):
    """How much of the parent encoder's network learns."""

    HEAD = "head", "the layers above the trunk"
    MASKS = "masks", "a mask of taste alone"
    ALL = "all", "the whole network"


class Retraining(models.Model):
    """An encoder in charge taught by what people said; what comes out challenges it, under ``name``.

    How far it is follows from the job of its training and from its contender.
    """

    catalogue = models.ForeignKey("search.Catalogue", on_delete=models.PROTECT, related_name="retrainings")
    rival = models.ForeignKey(
        "evaluation.Contender",
        on_delete=models.PROTECT,
        related_name="challenges",
        help_text="The contender whose encoder was taught; the challenger has to beat it, under its metric.",
    )
    name = models.SlugField(max_length=60, unique=True, help_text="Of the challenger's encoder.")
    learn = models.CharField(max_length=5, choices=Learn.choices)
    period = models.CharField(
        max_length=40, help_text="The day of the schedule, or when somebody asked for it: one run each."
    )
    training = models.OneToOneField(
        "search.Training", on_delete=models.SET_NULL, null=True, related_name="retraining"
    )
    votes = models.PositiveIntegerField(help_text="Different ones that it learns from.")
    picks = models.PositiveIntegerField()
    players = models.PositiveIntegerField()
    triplets = models.PositiveIntegerField()
    figures: "models.JSONField[Any, Any]" = models.JSONField(
        default=dict, help_text="Of the last comparison with the rival; see `compare_challenger`."
    )
    compared_at = models.DateTimeField(null=True)
    made_by = models.CharField(max_length=150, blank=True, help_text="Who asked; empty for the schedule.")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-made_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["catalogue", "period"], name="retraining_once_a_period")
        ]

    def __str__(self) -> str:
        return self.name


class Lesson(models.Model):
    """A triplet that was learned from, and what people said that it comes from.

    Two votes on pairs of one question, or a pick: the hidden item, what was picked, what else was shown.
    """

    retraining = models.ForeignKey(
        Retraining, on_delete=models.CASCADE, related_name="lessons", db_index=False
    )
    number = models.PositiveIntegerField(help_text="In the retraining, from 1.")
    anchor = models.ForeignKey("search.Item", on_delete=models.CASCADE, related_name="+", db_index=False)
    positive = models.ForeignKey("search.Item", on_delete=models.CASCADE, related_name="+", db_index=False)
    negative = models.ForeignKey("search.Item", on_delete=models.CASCADE, related_name="+", db_index=False)
    liked = models.ForeignKey(
        "evaluation.Vote", on_delete=models.PROTECT, null=True, related_name="taught_liked"
    )
    disliked = models.ForeignKey(
        "evaluation.Vote", on_delete=models.PROTECT, null=True, related_name="taught_disliked"
    )
    pick = models.ForeignKey("evaluation.Move", on_delete=models.PROTECT, null=True, related_name="taught")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["retraining", "number"], name="lesson_once"),
            models.CheckConstraint(
                condition=models.Q(liked__isnull=False, disliked__isnull=False, pick__isnull=True)
                | models.Q(liked__isnull=True, disliked__isnull=True, pick__isnull=False),
                name="lesson_of_votes_or_of_a_pick",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.retraining_id}, {self.number}"


class GoldSet(models.Model):
    """Questions with a right and a wrong candidate that no encoder in charge may forget, drawn once.

    ``cards``: {question, right, wrong, source}, items by their ids; all questions are evaluation-only.
    """

    catalogue = models.OneToOneField(
        "search.Catalogue", on_delete=models.PROTECT, primary_key=True, related_name="gold_set"
    )
    cards: "models.JSONField[list[dict[str, Any]], list[dict[str, Any]]]" = models.JSONField()
    sha256 = models.CharField(max_length=64, help_text="Of the cards and of the pictures they show.")
    frozen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.catalogue_id}: {len(self.cards)} cards"


class Promotion(models.Model):
    """Who is in charge of a catalogue, since when and why; the last one stands.

    In charge means: the encoder that is taught next, and that a challenger has to beat.
    """

    class Kind(models.TextChoices):
        APPOINTED = "appointed"
        PROMOTED = "promoted"
        ROLLED_BACK = "rolled-back", "rolled back"

    catalogue = models.ForeignKey("search.Catalogue", on_delete=models.PROTECT, related_name="promotions")
    number = models.PositiveIntegerField(help_text="Of this catalogue's, from 1: of two at once one fails.")
    kind = models.CharField(max_length=11, choices=Kind.choices)
    contender = models.ForeignKey("evaluation.Contender", on_delete=models.PROTECT, related_name="promotions")
    retraining = models.ForeignKey(
        Retraining, on_delete=models.PROTECT, null=True, related_name="promotions", help_text="If it was one."
    )
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+", help_text="What stood before it."
    )
    restores = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+", help_text="Of one that rolls back."
    )
    evidence = models.JSONField(default=dict, help_text="The figures that it rests on.")
    made_by = models.CharField(max_length=150, blank=True, help_text="Who decided; empty for the rule.")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["catalogue", "number"], name="promotion_once")]

    def __str__(self) -> str:
        return f"{self.contender_id} {self.kind} in {self.catalogue_id}"
