"""Personal taste: private encoders, each of one player, and what they are compared on with the public one."""

from django.db import models


class Taste(models.Model):
    """The private encoder of a player who asked for it: how the masks of a public one are weighted for them.

    The weights are all there is of it. It is no contender; the row goes when the player wants it to go, or is
    forgotten. How far a request is follows from its job; until that is done, what was learned before stays.
    """

    player = models.ForeignKey("evaluation.Player", on_delete=models.CASCADE, related_name="tastes")
    catalogue = models.ForeignKey("search.Catalogue", on_delete=models.CASCADE, related_name="tastes")
    job = models.OneToOneField("search.Job", on_delete=models.SET_NULL, null=True, related_name="taste")
    asked_at = models.DateTimeField()
    contender = models.ForeignKey(
        "evaluation.Contender",
        on_delete=models.PROTECT,
        null=True,
        related_name="tastes",
        help_text="The public one that it was learned from, and is compared with.",
    )
    votes = models.PositiveIntegerField(default=0, help_text="That it learned from.")
    picks = models.PositiveIntegerField(default=0)
    asked = models.PositiveIntegerField(default=0, help_text="Evaluation-only questions that it was asked.")
    differing = models.PositiveIntegerField(
        default=0, help_text="Of these, for how many it finds something else than the public one."
    )
    shares: "models.JSONField[dict[str, float], dict[str, float]]" = models.JSONField(
        default=dict, help_text="By mask, and “” for the whole embedding: parts of a distance, on the whole."
    )
    weights: "models.JSONField[dict[str, float], dict[str, float]]" = models.JSONField(
        default=dict, help_text="By mask, and “” for the whole embedding, of squared distances."
    )
    ready_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["player", "catalogue"], name="taste_once")]

    def __str__(self) -> str:
        return f"of player {self.player_id} in {self.catalogue_id}"

    @property
    def is_own(self) -> bool:
        """Whether any mask weighs anything: else it is the public encoder's equal."""
        return any(weight for mask, weight in self.weights.items() if mask)


class TastePair(models.Model):
    """One of the two pairs of a question for which a private encoder and the public one differ."""

    taste = models.ForeignKey(Taste, on_delete=models.CASCADE, related_name="pairs", db_index=False)
    pair = models.ForeignKey("evaluation.Pair", on_delete=models.CASCADE, related_name="tastes")
    is_private = models.BooleanField(help_text="Whether the private encoder found it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["taste", "pair"], name="taste_pair_once")]

    def __str__(self) -> str:
        return f"{self.pair_id} for {self.taste_id}"


class SparePair(models.Model):
    """A pair that a private encoder was compared on until ``since``; deleted where nothing else needs it.

    Some minutes later, so that no deal of it is on its way any more.
    """

    pair = models.OneToOneField(
        "evaluation.Pair", on_delete=models.CASCADE, primary_key=True, related_name="spare"
    )
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.pair_id} since {self.since}"
