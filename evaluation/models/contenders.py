"""Contenders, the pairs they found, and the credit that ties the two."""

from typing import Literal, Self

from django.db import models

from search.models import Metric, Split


class ContenderQuerySet(models.QuerySet["Contender"]):
    def active(self) -> Self:
        return self.filter(entered_at__isnull=False, retired_at=None)


class Contender(models.Model):
    """What competes on the leaderboard: an embedding space under a metric. Never deleted, only retired."""

    class Kind(models.TextChoices):
        NEIGHBOUR = "neighbour", "nearest candidate of an embedding space under a metric"

    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.NEIGHBOUR)
    catalogue = models.ForeignKey("search.Catalogue", on_delete=models.CASCADE, related_name="contenders")
    index = models.OneToOneField(
        "search.Index", on_delete=models.PROTECT, null=True, related_name="contender"
    )
    title = models.CharField(max_length=200)
    family = models.CharField(max_length=60, help_text="Encoders of one family share a colour in charts.")
    encoder = models.CharField(max_length=100)
    encoder_version = models.CharField(max_length=80)
    metric = models.CharField(max_length=7, choices=Metric.choices, blank=True)
    is_control = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    entered_at = models.DateTimeField(
        null=True, help_text="When all its pairs were credited; before that it is on no board."
    )
    retired_at = models.DateTimeField(null=True)
    gave_lessons = models.BooleanField(
        default=False, help_text="Whether lessons were made of what it found, and checks where none were."
    )

    objects = ContenderQuerySet.as_manager()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.title

    @property
    def state(self) -> Literal["entering", "active", "retired"]:
        if self.retired_at is not None:
            return "retired"
        return "entering" if self.entered_at is None else "active"


class BoardChange(models.Model):
    """What became of a contender on the leaderboard, as it happened: written once, and public."""

    class Kind(models.TextChoices):
        ENTERED = "entered"
        REPLACED = "replaced", "another version took its place"
        RETIRED = "retired"
        RETURNED = "returned", "stands for its encoder again"

    contender = models.ForeignKey(Contender, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    by = models.ForeignKey(
        Contender, on_delete=models.CASCADE, null=True, related_name="+", help_text="Who took its place."
    )
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.contender_id} {self.kind}"


class Pair(models.Model):
    """A question (an item, optionally words) and a candidate, judged for all contenders that found it."""

    catalogue = models.ForeignKey("search.Catalogue", on_delete=models.CASCADE, related_name="pairs")
    question = models.ForeignKey("search.Item", on_delete=models.CASCADE, related_name="+")
    words = models.CharField(max_length=300, blank=True)
    candidate = models.ForeignKey("search.Item", on_delete=models.CASCADE, related_name="+")
    category = models.ForeignKey(
        "search.Attribute", on_delete=models.PROTECT, null=True, related_name="+", help_text="The question's."
    )
    split = models.CharField(
        max_length=10, choices=Split.choices, help_text="The question's side of the split."
    )
    dopes = models.PositiveIntegerField(default=0)
    nopes = models.PositiveIntegerField(default=0)
    skips = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["question", "words", "candidate"], name="pair_once")]
        indexes = [models.Index(fields=["catalogue", "split"], name="pair_by_split")]

    def __str__(self) -> str:
        return f"{self.question_id} -> {self.candidate_id}"


class Credit(models.Model):
    """This contender returned this pair, so a vote on the pair counts for it."""

    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="credits")
    # No index of its own: the constraint below has one that begins with it.
    contender = models.ForeignKey(Contender, on_delete=models.CASCADE, related_name="credits", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contender", "pair"], name="credit_once")]

    def __str__(self) -> str:
        return f"{self.pair_id} to {self.contender_id}"


class Catch(models.Model):
    """A pair with a known answer, to check players with; once a contender finds it, dealt as any other."""

    class Kind(models.TextChoices):
        IDENTICAL = "identical", "the same item twice"
        RANDOM = "random", "two items of different categories"

    pair = models.OneToOneField(Pair, on_delete=models.CASCADE, primary_key=True, related_name="catch")
    kind = models.CharField(max_length=9, choices=Kind.choices)

    def __str__(self) -> str:
        return f"{self.kind}: {self.pair_id}"


class DealingStamp(models.Model):
    """Changes, to a value never used before, whenever the pairs that may be dealt change.

    Each web process keeps the pairs of a catalogue in memory for as long as the stamp stays.
    """

    catalogue = models.OneToOneField(
        "search.Catalogue", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    stamp = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.catalogue_id}: {self.stamp}"
