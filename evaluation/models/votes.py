"""Rounds, deals, votes and the integer counts that change with them.

Votes and retractions are append-only. Every count can be recounted from them, exactly.
"""

from datetime import datetime, timedelta
from typing import Self

from django.db import models

from evaluation.stats.places import REPEAT, TASTE, UNCOUNTED

UNDO_LIFE = timedelta(hours=24)  # no vote is taken back after it


class Answer(models.TextChoices):
    DOPE = "dope"
    NOPE = "nope"
    SKIP = "skip"


class Side(models.TextChoices):
    """Which image stands first (above, or left)."""

    QUESTION_FIRST = "question-first"
    CANDIDATE_FIRST = "candidate-first"


class Modality(models.TextChoices):
    DRAG = "drag"
    BUTTON = "button"
    KEY = "key"


class Round(models.Model):
    """Twenty places for one player. ``holder`` binds it to the player's key before the player has a row."""

    id = models.CharField(primary_key=True, max_length=32)
    catalogue = models.ForeignKey("search.Catalogue", on_delete=models.CASCADE, related_name="rounds")
    player = models.ForeignKey(
        "evaluation.Player", on_delete=models.PROTECT, null=True, related_name="rounds"
    )
    holder = models.CharField(max_length=64, help_text="sha256 of the player's key and this round's id.")
    size = models.PositiveSmallIntegerField(
        default=20, help_text="Places; fewer where the player has seen every pair before the end."
    )
    judged = models.PositiveSmallIntegerField(default=0, help_text="Places spent, skips included.")
    created_at = models.DateTimeField()
    revealed_at = models.DateTimeField(
        null=True, help_text="Once contenders were shown, nothing in it can be undone."
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"], condition=models.Q(player__isnull=True), name="round_of_nobody"
            )
        ]

    def __str__(self) -> str:
        return self.id


class Deal(models.Model):
    """One pair handed to one player, once. The id is 128 random bits and all that leaves the server."""

    id = models.CharField(primary_key=True, max_length=32)
    pair = models.ForeignKey("evaluation.Pair", on_delete=models.CASCADE, related_name="deals")
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="deals")
    player = models.ForeignKey(
        "evaluation.Player",
        on_delete=models.PROTECT,
        null=True,
        related_name="deals",
        help_text="Empty before the first vote.",
    )
    place = models.PositiveSmallIntegerField(help_text="In the round, from 1.")
    side = models.CharField(max_length=15, choices=Side.choices)
    policy = models.CharField(max_length=40, help_text="What the pair was dealt for, and how it was chosen.")
    policy_version = models.CharField(max_length=20)
    propensity = models.FloatField(
        help_text="Probability with which the policy dealt this pair to this player, the place being its."
    )
    replaces = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="replaced_by",
        help_text="The deal whose vote was undone.",
    )
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["player", "pair"],
                condition=models.Q(player__isnull=False, replaces__isnull=True)
                & ~models.Q(policy__in=[REPEAT, TASTE]),
                name="pair_dealt_to_count_once",
            ),
            models.UniqueConstraint(
                fields=["player", "pair"],
                condition=models.Q(player__isnull=False, replaces__isnull=True, policy=REPEAT),
                name="pair_repeated_once",
            ),
            models.UniqueConstraint(
                fields=["player", "pair"],
                condition=models.Q(player__isnull=False, replaces__isnull=True, policy=TASTE),
                name="pair_compared_once",
            ),
            # Of two processes that deal from one round at once, one fails, tries again and finds the other's.
            models.UniqueConstraint(
                fields=["round", "place"], condition=models.Q(replaces__isnull=True), name="place_dealt_once"
            ),
            models.CheckConstraint(
                condition=models.Q(propensity__gt=0, propensity__lte=1), name="propensity_is_a_probability"
            ),
        ]

    def __str__(self) -> str:
        return self.id


def settled(now: datetime, vote: str = "") -> models.Q:
    """Of votes that cannot be taken back any more; ``vote``: the path that leads to them, with its "__"."""
    return models.Q(**{f"{vote}deal__round__revealed_at__isnull": False}) | models.Q(
        **{f"{vote}cast_at__lte": now - UNDO_LIFE}
    )


class VoteQuerySet(models.QuerySet["Vote"]):
    def counting(self) -> Self:
        """Those that count for their pairs: not taken back, not of a check, not of a private encoder."""
        return self.filter(retraction=None).exclude(deal__policy__in=UNCOUNTED)

    def settled(self, now: datetime) -> Self:
        """Those that cannot be taken back any more."""
        return self.filter(settled(now))

    def on_the_board(self) -> Self:
        """Those that count for contenders as well: none of players who are left out."""
        return self.counting().filter(deal__player__is_excluded=False)


class Vote(models.Model):
    """The answer that spent a deal."""

    deal = models.OneToOneField(Deal, on_delete=models.PROTECT, primary_key=True, related_name="vote")
    answer = models.CharField(max_length=4, choices=Answer.choices)
    dwell_ms = models.PositiveIntegerField(help_text="From both images decoded to the answer.")
    modality = models.CharField(max_length=6, choices=Modality.choices)
    cast_at = models.DateTimeField()

    objects = VoteQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.answer} on {self.deal_id}"


class Retraction(models.Model):
    """An undone vote: it stays on record and is counted no more."""

    vote = models.OneToOneField(Vote, on_delete=models.PROTECT, primary_key=True, related_name="retraction")
    retracted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"retraction of {self.vote_id}"


class Tally(models.Model):
    """Counted votes of one contender on questions of one category, and how they lie over its pairs.

    With d dopes among n answers (dopes and nopes) of a pair, ``shares`` is the sum over pairs of d / n and
    ``inverses`` that of 1 / n, each in units of 1 / `evenness.UNIT`, rounded down; ``pairs`` are those with
    n > 0. So every pair counts alike, however often it was dealt.
    """

    contender = models.ForeignKey("evaluation.Contender", on_delete=models.CASCADE, related_name="tallies")
    category = models.ForeignKey("search.Attribute", on_delete=models.PROTECT, null=True, related_name="+")
    dopes = models.PositiveIntegerField(default=0)
    nopes = models.PositiveIntegerField(default=0)
    skips = models.PositiveIntegerField(default=0)
    pairs = models.PositiveIntegerField(default=0)
    shares = models.PositiveBigIntegerField(default=0)
    inverses = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contender", "category"],
                condition=models.Q(category__isnull=False),
                name="tally_once",
            ),
            models.UniqueConstraint(
                fields=["contender"], condition=models.Q(category=None), name="tally_without_category_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contender_id}: {self.dopes} of {self.dopes + self.nopes}"


class RaterTally(models.Model):
    """Counted votes of one player on one contender: intervals allow for votes of one person being alike."""

    # The constraint's index begins with the player, and nothing looks rows up by the contender alone.
    contender = models.ForeignKey(
        "evaluation.Contender", on_delete=models.CASCADE, related_name="rater_tallies", db_index=False
    )
    player = models.ForeignKey(
        "evaluation.Player", on_delete=models.PROTECT, related_name="tallies", db_index=False
    )
    dopes = models.PositiveIntegerField(default=0)
    nopes = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["player", "contender"], name="rater_tally_once")]

    def __str__(self) -> str:
        return f"{self.contender_id} by {self.player_id}"


class Spread(models.Model):
    """How unevenly one contender's counted votes lie over players and over pairs, as integer sums.

    With d dopes among n answers (dopes and nopes) of one player, or of one pair, these are the sums over
    players and pairs of d*d, d*n and n*n, and how many have n > 0. The variance of an approval p that allows
    for clusters needs only the sum of (d - p n)^2 = dd - 2 p dn + p^2 nn: one row per contender, however
    many votes.
    """

    contender = models.OneToOneField(
        "evaluation.Contender", on_delete=models.CASCADE, primary_key=True, related_name="spread"
    )
    players = models.PositiveIntegerField(default=0)
    player_dd = models.PositiveBigIntegerField(default=0)
    player_dn = models.PositiveBigIntegerField(default=0)
    player_nn = models.PositiveBigIntegerField(default=0)
    pairs = models.PositiveIntegerField(default=0)
    pair_dd = models.PositiveBigIntegerField(default=0)
    pair_dn = models.PositiveBigIntegerField(default=0)
    pair_nn = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.contender_id}: {self.players} players, {self.pairs} pairs"
