"""Who may do more than play."""

from django.db import models


class Role(models.TextChoices):
    """Names of the groups whose members may do more than play."""

    OPERATOR = "operator"
    ANALYST = "analyst"
    ANNOTATOR = "annotator"
