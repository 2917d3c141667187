"""Embedding spaces and the indexes built over them: rows that point at immutable, checksummed files."""

from django.db import models


class BuildState(models.TextChoices):
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"
    RETIRED = "retired"


class Metric(models.TextChoices):
    L1 = "l1", "L1"
    L2 = "l2", "L2"
    HAMMING = "hamming", "Hamming"


class EmbeddingSpace(models.Model):
    """One encoder (and mask) over one catalogue, as it was when it was embedded."""

    catalogue = models.ForeignKey("search.Catalogue", on_delete=models.CASCADE, related_name="spaces")
    encoder = models.CharField(max_length=100)
    encoder_version = models.CharField(max_length=80, help_text="Changes whenever the encoder's answers may.")
    mask = models.CharField(max_length=100, blank=True)
    title = models.CharField(max_length=200, blank=True, help_text="The encoder's name for people.")
    family = models.CharField(max_length=60, blank=True)
    catalogue_hash = models.CharField(max_length=64)
    dimensions = models.PositiveIntegerField(default=0)
    items = models.PositiveIntegerField(default=0, help_text="Those that have a vector.")
    sign_structured = models.BooleanField(
        default=False, help_text="Zero already divides the values; no centring for sign bits."
    )
    is_control = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=BuildState.choices, default=BuildState.BUILDING)
    file = models.CharField(max_length=300, blank=True, help_text="Below the artefacts folder.")
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["catalogue", "encoder", "encoder_version", "mask", "catalogue_hash"],
                name="space_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.encoder} over {self.catalogue_id}"


class Index(models.Model):
    """One space under one metric: searchable, immutable, with the nearest candidates of every item."""

    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="indexes")
    metric = models.CharField(max_length=7, choices=Metric.choices)
    state = models.CharField(max_length=8, choices=BuildState.choices, default=BuildState.BUILDING)
    file = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["space", "metric"], name="index_once")]

    def __str__(self) -> str:
        return f"{self.space} {self.metric}"
