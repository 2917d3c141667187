"""From which distance on an index's answer is believed, as it was counted over the index that there was."""

from django.db import models


class Asking(models.TextChoices):
    """With which pictures items were looked for: what is promised is about pictures of that kind."""

    PHOTOS = "photos", "photos of items in use"
    OTHERS = "others", "other pictures of the same thing"
    CHANGED = "changed", "the items' own pictures, changed"


class Calibration(models.Model):
    """What settles when an index says "this is it". Of other bytes than the index has now, it is void."""

    index = models.OneToOneField("search.Index", on_delete=models.CASCADE, related_name="calibration")
    index_sha256 = models.CharField(max_length=64)
    vectors_sha256 = models.CharField(max_length=64)
    asking = models.CharField(max_length=7, choices=Asking.choices)
    limits = models.JSONField(help_text="By score and category: engine/no_match.py.")
    alpha = models.FloatField(help_text="How often, at most, what is promised not to be said is said.")
    queries = models.PositiveIntegerField(help_text="That the limits were counted from.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"calibration of {self.index_id}"
