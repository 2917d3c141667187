"""Photos that somebody searches with: kept for hours, for whoever holds their key, and listed nowhere."""

import uuid

from django.db import models


class Photo(models.Model):
    """A photo as it is stored: re-encoded from its pixels, in a file that its key names.

    ``holder`` is the key of the visitor whose it is, which a signed cookie holds; None for a program's.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4, help_text="Whoever knows it may see the photo.")
    holder = models.UUIDField(null=True, db_index=True)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    areas = models.JSONField(
        default=list, help_text="Where something seems to be, best first: [left, top, width, height]."
    )
    created_at = models.DateTimeField()
    kept_until = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"photo {self.pk}"
