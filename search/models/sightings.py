"""When processes that nobody talks to were last seen at work."""

from django.db import models


class Sighting(models.Model):
    """One row per kind of process ("sweeper", or the queues of a worker); the newest word of any of them."""

    who = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.who} at {self.seen_at:%Y-%m-%d %H:%M:%S}"
