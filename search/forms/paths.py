"""Paths on the server that operators may name in forms."""

import os
from collections.abc import Iterable
from pathlib import Path

from django.core.exceptions import ValidationError


def resolve_below(given: str, roots: Iterable[Path]) -> Path:
    """The real path, where it lies below an allowed root; links that lead out of it do not.

    Raises ValidationError.
    """
    path = Path(given).resolve()
    if not any(path.is_relative_to(root) for root in roots):
        raise ValidationError("This path is not below one of the allowed folders.")
    if not os.path.exists(path):  # noqa: PTH110  # Path.exists raises for names no file system takes
        raise ValidationError("There is nothing at this path.")
    return path
