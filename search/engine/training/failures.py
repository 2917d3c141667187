"""The ways in which a training ends badly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from search.engine.errors import EngineError


class TrainingFailed(EngineError):
    """Training cannot go on; the message says why, and the remedy."""


@contextmanager
def memory_errors(
    what: str = "a batch",
    remedy: str = "Set a smaller batch (or fewer queries or items) or a smaller side.",
) -> Iterator[None]:
    """Turn a lack of memory, however torch words it, into TrainingFailed with the remedy."""
    failure = TrainingFailed(f"There is not enough memory for {what}. {remedy}")
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise failure from error
    except RuntimeError as error:
        if "can't allocate memory" not in str(error):  # torch says so on a CPU
            raise
        raise failure from error
