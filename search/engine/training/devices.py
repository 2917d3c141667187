"""Where a network learns."""

from __future__ import annotations

import torch

from search.engine.training.failures import TrainingFailed


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


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 by itself, so that learning in it is faster, not slower."""
    if device.type == "cpu":
        return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))
