"""Trainings: what an encoder or a ranker is, or was, to be trained from, and how that went."""

from django.db import models


class Training(models.Model):
    """One run of training; the newest finished one of a name is the encoder of that name.

    ``fingerprint`` covers everything the result depends on: asked for again, the same run goes on.
    """

    name = models.SlugField(max_length=60, help_text="Of what it makes.")
    kind = models.CharField(max_length=20)
    catalogue = models.ForeignKey("search.Catalogue", on_delete=models.CASCADE, related_name="trainings")
    catalogue_hash = models.CharField(max_length=64)
    space = models.CharField(max_length=200, blank=True, help_text="What a ranker's games are played in.")
    aspects = models.JSONField(default=list, help_text="Names, in order; the category alone where empty.")
    settings = models.JSONField(default=dict)
    weights = models.CharField(max_length=1000, blank=True, help_text="File of the backbone's first weights.")
    weights_sha256 = models.CharField(max_length=64, blank=True)
    device = models.CharField(max_length=4, default="auto")
    triplets = models.CharField(max_length=1000, blank=True, help_text="Folder or file that is learned from.")
    triplets_sha256 = models.CharField(max_length=64, blank=True)
    parent = models.CharField(max_length=100, blank=True, help_text="The network that is taught once more.")
    parent_version = models.CharField(max_length=80, blank=True)
    fingerprint = models.CharField(max_length=64, unique=True)
    job = models.OneToOneField("search.Job", on_delete=models.SET_NULL, null=True, related_name="training")
    curve = models.JSONField(default=list, help_text="Points: step, loss, rate, measures.")
    measures = models.JSONField(default=dict, help_text="Of the weights that were kept.")
    encoder_version = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"
