"""Training: the real loop against a bare one, and its memory over ten times the items.

*Steps*: `loop.fit` as a job calls it, with pictures read from their file and changed as `transfer` changes
them by default, the averaged weights, a judgement and a checkpoint each turn; against PyTorch alone: the same
network and optimiser, and pictures that lie in memory and are not changed. Both see pictures of full side.
*Memory*: the peak of a process that trains over 100,000 items, against one over 10,000 (`training_memory`).
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from benchmarks.rows import Row, compare, take_turns
from search.engine.trained_networks import Architecture, make_network
from search.engine.training.checkpoints import CheckpointFile
from search.engine.training.classifying import ClassifyingLearner
from search.engine.training.devices import multiplies_bfloat16
from search.engine.training.loop import fit, initialise
from search.engine.training.pictures import PictureFile, write_pictures
from search.engine.training.samples import Aspect, Division, Labels, PictureViews, Samples
from search.engine.training.settings import TransferSettings

SIDE, BATCH, VALUES = 96, 48, 10
ITEMS = 2000
# As by default: one judgement, of 12 % of the items, and one checkpoint in 150 steps.
JUDGED, STEPS, REPEATS = 240, 150, 3
THREADS = len(os.sched_getaffinity(0))
MANY, FEW = 100_000, 10_000
PARITY = 0.9
MiB = 1 << 20


def measure() -> Sequence[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-training-") as folder:
        return [measure_steps(Path(folder)), measure_memory(Path(folder))]


def measure_steps(folder: Path) -> Row:
    torch.set_num_threads(THREADS)
    settings = TransferSettings(steps=STEPS, batch=BATCH, side=SIDE, small_share=0, patience=0)
    path = write_random(folder / "pictures", items=ITEMS, side=SIDE)
    runs = {"ours": _prepare_ours(path, settings, folder), "bare PyTorch": _prepare_bare(path, settings)}
    notes = {
        "threads": THREADS,
        "batch": BATCH,
        "side": SIDE,
        "steps_a_turn": STEPS,
        "augmentation": settings.augmentation,
    }
    rates = take_turns(runs, repeats=REPEATS)
    return compare("training-steps", rates, floor=PARITY, unit="steps/s", notes={**notes, "rates": rates})


def _prepare_ours(path: Path, settings: TransferSettings, folder: Path) -> Callable[[], int]:
    learner = make_learner(path, settings, judged=JUDGED)

    def run() -> int:
        checkpoint = folder / "checkpoint"
        checkpoint.unlink(missing_ok=True)
        fit(
            learner,
            settings,
            checkpoint=CheckpointFile(checkpoint, {}),
            report=lambda progress: None,
            device=torch.device("cpu"),
        )
        return STEPS

    return run


def _prepare_bare(path: Path, settings: TransferSettings) -> Callable[[], int]:
    network = initialise(lambda: make_network(_architecture(settings)), 0)
    network.head.dropout.p = settings.dropout
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.rate, weight_decay=settings.weight_decay, fused=True
    )
    file = PictureFile(path)
    count = len(file) // BATCH * BATCH
    batches = torch.from_numpy(file.read(np.arange(count))).split(BATCH)
    labels = torch.from_numpy(_draw_labels(count)[:, 0]).split(BATCH)
    autocasts = multiplies_bfloat16(torch.device("cpu"))  # as ours does

    def run() -> int:
        network.train()
        for pictures, wanted in islice(cycle(zip(batches, labels, strict=True)), STEPS):
            with torch.autocast("cpu", torch.bfloat16, enabled=autocasts):
                [logits] = network.head.classify(network.trunk(pictures))
                loss = functional.cross_entropy(logits.float(), wanted, label_smoothing=settings.smoothing)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        return STEPS

    return run


def measure_memory(folder: Path) -> Row:
    peaks = {items: _peak_of_training(folder, items) for items in (FEW, MANY)}
    ours, other = (1024 * MiB / peaks[items] for items in (MANY, FEW))
    told = {
        "against": f"the same over {FEW:,} items",
        "peak_mib": {str(items): round(peak / MiB, 1) for items, peak in peaks.items()},
    }
    return Row("training-memory", ours, other, ours / other, PARITY, "trainings in a GiB", told)


def _peak_of_training(folder: Path, items: int) -> int:
    """Bytes, of a process of its own."""
    path = folder / str(items)
    command = [sys.executable, "-m", "benchmarks.training_memory", str(path), str(items)]
    subprocess.run([*command, "write"], check=True)
    told = subprocess.run([*command, "train"], check=True, capture_output=True, text=True)
    path.unlink()
    return int(told.stdout)


def write_random(path: Path, *, items: int, side: int) -> Path:
    """A file of framed pictures without any sense."""
    rng = np.random.default_rng(0)
    pictures = (rng.integers(0, 256, (side, side, 3), np.uint8) for _ in range(items))
    write_pictures(path, pictures, side=side, facts={})
    return path


def make_learner(path: Path, settings: TransferSettings, *, judged: int) -> ClassifyingLearner:
    """A teacher of the small network over a file of pictures with random labels."""
    file = PictureFile(path)
    labels = Labels((Aspect("kind", tuple(map(str, range(VALUES)))),), _draw_labels(len(file)))
    rows = np.arange(len(file))
    division = Division(learned=rows[judged:], validation=rows[:judged], held_out=rows[:0])
    device = torch.device("cpu")
    nothing = np.zeros(len(file), bool)
    samples = Samples(PictureViews(file, device), None, nothing, labels, division, device)
    network = initialise(lambda: make_network(_architecture(settings)), 0)
    network.head.dropout.p = settings.dropout
    return ClassifyingLearner(network, samples, settings)


def _architecture(settings: TransferSettings) -> Architecture:
    return Architecture("transfer", settings.backbone, settings.side, settings.hidden, values=(VALUES,))


def _draw_labels(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, VALUES, (count, 1))
