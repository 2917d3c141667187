"""Revision numbers of what open pages watch."""

from django.db import models


class Revision(models.Model):
    """How often a topic changed; raised in the transaction that changes it."""

    topic = models.CharField(max_length=40, primary_key=True)
    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.topic} {self.number}"
