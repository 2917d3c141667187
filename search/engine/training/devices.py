"""Where a network learns."""

from __future__ import annotations

import torch

from search.engine.training.loop import TrainingFailed


def find_device(wanted: str) -> torch.device:
    """A GPU where there is one, unless "cpu" was asked for.

    On a CPU torch uses the cores this process may use, or as many as OMP_NUM_THREADS says.

    Raises TrainingFailed where "cuda" was asked for and there is none.
    """
    if wanted != "cpu" and torch.cuda.is_available():
        return torch.device("cuda")
    if wanted == "cuda":
        raise TrainingFailed("Device cuda was asked for, but torch finds none. Use auto or cpu.")
    return torch.device("cpu")
