"""Embedding spaces and the indexes built over them: rows that point at immutable, checksummed files."""

import hashlib
from typing import Self

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


class EmbeddingSpaceQuerySet(models.QuerySet["EmbeddingSpace"]):
    def of_content(self, content_hash: str) -> Self:
        """Those through which a catalogue with this hash is seen: built over it, or brought up to date."""
        built = models.Q(covers="", catalogue_hash=content_hash)
        return self.filter(built | models.Q(covers=content_hash))


class EmbeddingSpace(models.Model):
    """One encoder (and mask) over one catalogue, as it was when it was embedded."""

    catalogue = models.ForeignKey("search.Catalogue", on_delete=models.CASCADE, related_name="spaces")
    encoder = models.CharField(max_length=100)
    encoder_version = models.CharField(max_length=80, help_text="Changes whenever the encoder's answers may.")
    mask = models.CharField(max_length=100, blank=True)
    title = models.CharField(max_length=200, blank=True, help_text="The encoder's name for people.")
    family = models.CharField(max_length=60, blank=True)
    catalogue_hash = models.CharField(max_length=64)
    covers = models.CharField(
        max_length=64,
        blank=True,
        help_text="Content hash of the catalogue as searches see it through this; blank: as it was embedded.",
    )
    segments = models.JSONField(
        default=list,
        help_text="Items added since, in order: the sha256 of each segment's file and its items.",
    )
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

    objects = EmbeddingSpaceQuerySet.as_manager()

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

    @property
    def composition(self) -> str:
        """Names what a search finds: the vectors, and what was added and taken away since."""
        if not self.segments and self.covers in ("", self.catalogue_hash):
            return self.sha256
        parts = [self.sha256, *(segment["sha256"] for segment in self.segments), self.covers]
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()


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
