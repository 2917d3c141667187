"""Makes the weights that the project ships: draws a training set, trains the small network, writes a card.

The demo catalogue has seed 0; training draws from `TRAINING_SEEDS` and is measured on `HELD_OUT_SEEDS`, so
that the shipped network has never seen an item of the demo or of its own report.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from search.catalogues import wardrobe
from search.engine.encoders.thimble import FRAMING
from search.engine.networks import Thimble
from search.engine.training import (
    MISSING,
    StepReport,
    TrainingConfig,
    TrainingSet,
    initialise,
    measure_accuracy,
    train,
)
from search.engine.weight_files import write_weights
from search.services.training_drawings import Drawings, Labels, collect_drawings

TRAINING_SEEDS = range(1000, 1004)
HELD_OUT_SEEDS = range(2000, 2001)


def train_shipped_weights(
    *,
    target: Path,
    cache_folder: Path,
    items: int,
    held_out: int,
    config: TrainingConfig,
    processes: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Draw, train and write ``target`` with its card; return the card.

    ``items`` and ``held_out`` count items over all seeds. Drawings and the checkpoint are kept in
    ``cache_folder``: an interrupted run goes on where it stopped. Raises TrainingFailed, DiskFull.
    """
    cache = cache_folder / f"wardrobe-{wardrobe.VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    learned = collect_drawings(cache, TRAINING_SEEDS, items, processes, say)
    unseen = collect_drawings(cache, HELD_OUT_SEEDS, held_out, processes, say)
    aspects = _list_aspects(learned.labels)
    samples, test = _label(learned, aspects), _label(unseen, aspects)
    network = initialise(Thimble, config.seed)
    # Of these drawings, framed so: with others training begins anew.
    checkpoint = cache / f"checkpoint-{items}-framed{FRAMING}.safetensors"
    heads = train(network, samples, config, report=_every(100, say), checkpoint=checkpoint)
    card = _describe(config, items, held_out) | {"accuracy": measure_accuracy(network, heads, test)}
    write_weights(target, network.state_dict(), card)
    return card


def _describe(config: TrainingConfig, items: int, held_out: int) -> dict[str, Any]:
    """What a reader must know to judge and to regenerate the weights."""
    return {
        "name": "thimble",
        "catalogue": "wardrobe",
        "catalogue_version": wardrobe.VERSION,
        "training_seeds": list(TRAINING_SEEDS),
        "training_items": items,
        "held_out_seeds": list(HELD_OUT_SEEDS),
        "held_out_items": held_out,
        "steps": config.steps,
        "items_per_step": config.items,
        "seed": config.seed,
        "command": f"manage.py train_shipped_weights --items {items} --held-out {held_out} "
        f"--steps {config.steps} --seed {config.seed}",
    }


def _every(steps: int, say: Callable[[str], None]) -> Callable[[StepReport], None]:
    """Say where training stands every so many steps."""

    def report(progress: StepReport) -> None:
        if progress.step % steps == 0 or progress.step == progress.steps:
            say(f"step {progress.step} of {progress.steps}, loss {progress.loss:.3f}")

    return report


def _list_aspects(labels: Labels) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """List the aspects that were seen with their values: the category first, then by name."""
    names = sorted({name for label in labels for name in label} - {"kind"})
    return tuple(
        (name, tuple(sorted({label[name] for label in labels if name in label}))) for name in ("kind", *names)
    )


def _label(drawn: Drawings, aspects: tuple[tuple[str, tuple[str, ...]], ...]) -> TrainingSet:
    """Turn labels into indices; a value that training never saw counts as missing."""
    places = [(name, {value: place for place, value in enumerate(values)}) for name, values in aspects]
    table = [
        [places_of.get(label.get(name, ""), MISSING) for name, places_of in places] for label in drawn.labels
    ]
    return TrainingSet(drawn.catalogue, drawn.lifestyle, np.array(table, dtype=np.int64), aspects)
