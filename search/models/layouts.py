"""Maps: where the items of an embedding space lie on a plane, as one method placed them once."""

from typing import Any

from django.db import models

from search.models.embeddings import BuildState, Metric


class Method(models.TextChoices):
    TSNE = "tsne", "t-SNE"
    UMAP = "umap", "UMAP"


class Layout(models.Model):
    """A map of one space under one metric. Of other vectors than the space has now, it is outdated."""

    space = models.ForeignKey("search.EmbeddingSpace", on_delete=models.CASCADE, related_name="layouts")
    metric = models.CharField(max_length=7, choices=Metric.choices)
    method = models.CharField(max_length=4, choices=Method.choices)
    parameters: "models.JSONField[Any, Any]" = models.JSONField(help_text="By name: engine/layouts.py.")
    seed = models.PositiveIntegerField()
    vectors_sha256 = models.CharField(max_length=64, help_text="Of the vectors it is made from.")
    fingerprint = models.CharField(
        max_length=64, unique=True, help_text="Of all above: the same asked for twice is one map."
    )
    state = models.CharField(max_length=8, choices=BuildState.choices, default=BuildState.BUILDING)
    items = models.PositiveIntegerField(default=0)
    kept = models.FloatField(
        null=True, help_text="Of an item's nearest, the share that is among as many nearest on the map."
    )
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.method} of {self.space_id} by {self.metric}"
