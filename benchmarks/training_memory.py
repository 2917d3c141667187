"""One training over many items, in a process of its own, and the most memory it held; `training` starts it.

python -m benchmarks.training_memory FILE ITEMS write|train
"""

import sys
from pathlib import Path

import torch

from benchmarks.training import make_learner, write_random
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.loop import fit
from search.engine.training.settings import TransferSettings

SIDE, STEPS = 64, 36


def main(path: Path, items: int, what: str) -> None:
    if what == "write":
        write_random(path, items=items, side=SIDE)
        return
    settings = TransferSettings(steps=STEPS, batch=48, side=SIDE, hidden=256, validate_every=12, patience=0)
    fit(
        make_learner(path, settings, judged=256),
        settings,
        checkpoint=CheckpointFile(None, {}),
        report=lambda progress: None,
        device=torch.device("cpu"),
    )
    print(read_peak())


def read_peak() -> int:
    """Bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
