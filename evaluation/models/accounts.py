"""Failed attempts to sign in, counted so that passwords cannot be guessed by trying."""

from django.db import models


class SignInFailures(models.Model):
    """How often one account was tried in vain from one address; forgotten with success, or with time."""

    key = models.CharField(
        primary_key=True, max_length=64, help_text="Keyed hash of the account's name and the address."
    )
    count = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.count} until {self.last_at:%Y-%m-%d %H:%M}"
