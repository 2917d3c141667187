"""Makes the weights that the project ships: draws a training set, trains the small network, writes a card.

The demo catalogue has seed 0; training draws from `TRAINING_SEEDS` and is measured on `HELD_OUT_SEEDS`, so
that the shipped network has never seen an item of the demo or of its own report.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from search.catalogues import wardrobe
from search.engine.encoders import thimble
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

TRAINING_SEEDS = range(1000, 1004)
HELD_OUT_SEEDS = range(2000, 2001)

Pictures = NDArray[np.uint8]
Labels = list[dict[str, str]]


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
    learned = _collect(cache, TRAINING_SEEDS, items, processes, say)
    unseen = _collect(cache, HELD_OUT_SEEDS, held_out, processes, say)
    aspects = _list_aspects(learned[2])
    samples, test = _label(learned, aspects), _label(unseen, aspects)
    network = initialise(Thimble, config.seed)
    heads = train(network, samples, config, report=_every(100, say), checkpoint=cache / "checkpoint.pt")
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
        "command": f"manage.py train_shipped_weights --items {items} --steps {config.steps}",
    }


def _every(steps: int, say: Callable[[str], None]) -> Callable[[StepReport], None]:
    """Say where training stands every so many steps."""

    def report(progress: StepReport) -> None:
        if progress.step % steps == 0 or progress.step == progress.steps:
            say(f"step {progress.step} of {progress.steps}, loss {progress.loss:.3f}")

    return report


def _collect(
    cache: Path, seeds: Sequence[int], items: int, processes: int, say: Callable[[str], None]
) -> tuple[Pictures, Pictures, Labels]:
    """Draw both views of items spread evenly over seeds, once; later calls read the kept arrays."""
    numbers = [(seeds[place % len(seeds)], place // len(seeds)) for place in range(items)]
    views = [cache / f"{view}-{seeds[0]}-{items}.npy" for view in ("catalogue", "lifestyle")]
    labels = [wardrobe.draw_item(*number).labels for number in numbers]
    if not all(view.exists() for view in views):
        _draw_all(views, numbers, processes, say)
    catalogue, lifestyle = (np.load(view, mmap_mode="r", allow_pickle=False) for view in views)
    return catalogue, lifestyle, labels


def _draw_all(
    views: Sequence[Path], numbers: Sequence[tuple[int, int]], processes: int, say: Callable[[str], None]
) -> None:
    """Draw into memory-mapped files that get their names when they are complete."""
    partial = [view.with_suffix(".partial") for view in views]
    shape = (len(numbers), thimble.SIDE, thimble.SIDE, 3)
    arrays = [open_memmap(path, mode="w+", dtype=np.uint8, shape=shape) for path in partial]
    for place, pictures in enumerate(_draw_in_order(numbers, processes)):
        for array, picture in zip(arrays, pictures, strict=True):
            array[place] = picture
        if (place + 1) % 500 == 0 or place + 1 == len(numbers):
            say(f"drawn {place + 1} of {len(numbers)} items")
    for array, path, view in zip(arrays, partial, views, strict=True):
        array.flush()
        path.rename(view)


def _draw_in_order(numbers: Sequence[tuple[int, int]], processes: int) -> Iterator[tuple[Pictures, Pictures]]:
    """Draw in processes of their own; spawned, because a forked torch may hang."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(draw_pictures, numbers, chunksize=25)


def draw_pictures(number: tuple[int, int]) -> tuple[Pictures, Pictures]:
    """Draw one item's catalogue and lifestyle view at the network's size."""
    drawing = wardrobe.draw_item(*number)
    catalogue, lifestyle = (
        thimble.frame(np.asarray(view.convert("RGB")))
        for view in (drawing.catalogue_view(), drawing.lifestyle_view())
    )
    return catalogue, lifestyle


def _list_aspects(labels: Labels) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """List the aspects that were seen with their values: the category first, then by name."""
    names = sorted({name for label in labels for name in label} - {"kind"})
    return tuple(
        (name, tuple(sorted({label[name] for label in labels if name in label}))) for name in ("kind", *names)
    )


def _label(
    drawn: tuple[Pictures, Pictures, Labels], aspects: tuple[tuple[str, tuple[str, ...]], ...]
) -> TrainingSet:
    """Turn labels into indices; a value that training never saw counts as missing."""
    catalogue, lifestyle, labels = drawn
    places = [(name, {value: place for place, value in enumerate(values)}) for name, values in aspects]
    table = [[places_of.get(label.get(name, ""), MISSING) for name, places_of in places] for label in labels]
    return TrainingSet(catalogue, lifestyle, np.array(table, dtype=np.int64), aspects)
