"""Catalogues, their items and what is said about each item."""

from typing import Self

from django.db import models


class CatalogueState(models.TextChoices):
    IMPORTING = "importing"
    READY = "ready"
    FAILED = "failed"


class Catalogue(models.Model):
    """A collection of items, imported from one source by one importer."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    format = models.CharField(max_length=40)
    source = models.CharField(
        max_length=1000, blank=True, help_text="Path the importer read; blank where it draws."
    )
    options = models.JSONField(
        default=dict, help_text="Category and group columns, number of items, seed, generator version."
    )
    state = models.CharField(max_length=12, choices=CatalogueState.choices, default=CatalogueState.IMPORTING)
    content_hash = models.CharField(
        max_length=64, blank=True, help_text="sha256 over the items' keys, images and labels."
    )
    source_fingerprint = models.CharField(
        max_length=64, blank=True, help_text="Of the source at the last finished import."
    )
    settled_items = models.PositiveIntegerField(
        default=0, help_text="Items up to this position keep their picture, position and side of the split."
    )
    report = models.JSONField(default=dict, help_text="Counts of the last finished import.")
    created_at = models.DateTimeField()
    imported_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.slug


class Aspect(models.Model):
    """A property that the catalogue's items are labelled with: colour, closure, kind."""

    class Kind(models.TextChoices):
        LABEL = "label"
        TEXT = "text"

    catalogue = models.ForeignKey(Catalogue, on_delete=models.CASCADE, related_name="aspects")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.LABEL)
    position = models.PositiveSmallIntegerField()
    is_category = models.BooleanField(default=False)
    is_computed = models.BooleanField(
        default=False, help_text="Measured from the pixels, not given by the source."
    )

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["catalogue", "name"], name="aspect_name_once")]

    def __str__(self) -> str:
        return self.name


class Attribute(models.Model):
    """One value of an aspect: colour = red."""

    aspect = models.ForeignKey(Aspect, on_delete=models.CASCADE, related_name="attributes")
    value = models.CharField(max_length=200)

    class Meta:
        ordering = ["value"]
        constraints = [models.UniqueConstraint(fields=["aspect", "value"], name="attribute_value_once")]

    def __str__(self) -> str:
        return self.value


class Split(models.TextChoices):
    """Which side of the one hash split, made at import, a query stands on."""

    TRAINABLE = "trainable"
    EVALUATION = "evaluation"


class ItemQuerySet(models.QuerySet["Item"]):
    def evaluation_only(self) -> Self:
        """Items whose questions no contender was or will be trained on."""
        return self.filter(split=Split.EVALUATION)

    def present(self) -> Self:
        """All but those that an operator took away."""
        return self.filter(removed_at=None)


class Item(models.Model):
    """One row of a catalogue, with its image."""

    catalogue = models.ForeignKey(Catalogue, on_delete=models.CASCADE, related_name="items")
    key = models.CharField(max_length=500)
    position = models.PositiveIntegerField(
        help_text="Row of the item in every array of embeddings of the catalogue."
    )
    image_sha256 = models.CharField(max_length=64)
    source_sha256 = models.CharField(
        max_length=64, help_text="Of the bytes (and bounding box) the image was made from."
    )
    details_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the labels, texts and group as they were given."
    )
    perceptual_hash = models.BigIntegerField(help_text="64 bits, stored signed.")
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    category = models.ForeignKey(Attribute, on_delete=models.PROTECT, null=True, related_name="+")
    group = models.CharField(
        max_length=200, blank=True, help_text="Items of one group stand on the same side of the split."
    )
    split = models.CharField(max_length=10, choices=Split.choices)
    texts = models.JSONField(default=dict)
    near_duplicate_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    lifestyle_sha256 = models.CharField(max_length=64, blank=True)
    removed_at = models.DateTimeField(
        null=True, help_text="Since then it is found and dealt no more; votes on it stay."
    )

    objects = ItemQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["catalogue", "key"], name="item_key_once"),
            models.UniqueConstraint(fields=["catalogue", "position"], name="item_position_once"),
        ]
        indexes = [
            models.Index(fields=["catalogue", "split"], name="item_by_split"),
            # Few, and asked for again and again.
            models.Index(
                fields=["catalogue"], condition=models.Q(removed_at__isnull=False), name="item_removed"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Label(models.Model):
    """An item has an attribute; who says so, and how surely."""

    class Source(models.TextChoices):
        GIVEN = "given"
        COMPUTED = "computed"
        PREDICTED = "predicted"

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="labels")
    attribute = models.ForeignKey(Attribute, on_delete=models.PROTECT, related_name="labels")
    source = models.CharField(max_length=9, choices=Source.choices, default=Source.GIVEN)
    confidence = models.FloatField(null=True, help_text="Of a prediction, 0 to 1; empty for a given label.")
    predicted_by = models.CharField(
        max_length=140, blank=True, help_text="Encoder and version; blank for a given label."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "attribute", "source"], name="label_once")]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.attribute_id}"


class RejectedRow(models.Model):
    """A row the importer could not take, and why; the rest of the import went on."""

    catalogue = models.ForeignKey(Catalogue, on_delete=models.CASCADE, related_name="rejected_rows")
    number = models.PositiveIntegerField()
    key = models.CharField(max_length=500, blank=True)
    code = models.CharField(max_length=40)
    message = models.CharField(max_length=500)

    class Meta:
        ordering = ["number", "id"]

    def __str__(self) -> str:
        return f"row {self.number}: {self.message}"
