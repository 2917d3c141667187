"""Where a network learns."""

from __future__ import annotations

import os

import torch

from search.engine.training.loop import TrainingFailed


def find_device(wanted: str) -> torch.device:
    """A GPU where there is one, unless "cpu" was asked for; a CPU with all cores this process may use.

    Raises TrainingFailed where "cuda" was asked for and there is none.
    """
    if wanted != "cpu" and torch.cuda.is_available():
        return torch.device("cuda")
    if wanted == "cuda":
        raise TrainingFailed("Device cuda was asked for, but torch finds none. Use auto or cpu.")
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    return torch.device("cpu")
