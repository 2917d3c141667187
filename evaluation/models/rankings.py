"""Rankings: what the votes of a catalogue said when every one of them was looked at."""

from django.db import models


class Ranking(models.Model):
    """Made once a night where votes came in; older ones stay, as history. ``figures``: see `rank_votes`."""

    catalogue = models.ForeignKey("search.Catalogue", on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField()
    tallied = models.PositiveBigIntegerField(help_text="Credits of all contenders, before votes were read.")
    votes = models.PositiveIntegerField(help_text="Counted dopes and nopes that it rests on.")
    players = models.PositiveIntegerField()
    figures = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["catalogue", "-made_at"], name="ranking_newest")]

    def __str__(self) -> str:
        return f"{self.catalogue_id} at {self.made_at:%Y-%m-%d %H:%M}"
