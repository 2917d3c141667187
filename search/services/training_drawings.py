"""Draws the wardrobe's items as training pictures, in several processes, into files that are kept.

A module of its own, without torch, because every drawing process imports it.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from search.catalogues import wardrobe
from search.engine.encoders import thimble

Pictures = NDArray[np.uint8]
Labels = list[dict[str, str]]


@dataclass(frozen=True)
class Drawings:
    """Two pictures of each item, (n, side, side, 3), memory-mapped, and the items' labels."""

    catalogue: Pictures
    lifestyle: Pictures
    labels: Labels


def collect_drawings(
    cache: Path, seeds: Sequence[int], items: int, processes: int, say: Callable[[str], None]
) -> Drawings:
    """Draw both views of items spread evenly over seeds, once; later calls read the kept arrays."""
    numbers = [(seeds[place % len(seeds)], place // len(seeds)) for place in range(items)]
    drawn = f"{seeds[0]}-{items}-framed{thimble.FRAMING}"
    views = [cache / f"{view}-{drawn}.npy" for view in ("catalogue", "lifestyle")]
    labels = [wardrobe.draw_item(*number).labels for number in numbers]
    if not all(view.exists() for view in views):
        _draw_all(views, numbers, processes, say)
    catalogue, lifestyle = (np.load(view, mmap_mode="r", allow_pickle=False) for view in views)
    return Drawings(catalogue, lifestyle, labels)


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
    """Draw in processes of their own; spawned, because a fork of a process with torch may hang."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(draw_pictures, numbers, chunksize=25)


def draw_pictures(number: tuple[int, int]) -> tuple[Pictures, Pictures]:
    """Draw one item's catalogue and lifestyle view at the network's size."""
    drawing = wardrobe.draw_item(*number)
    catalogue, lifestyle = (
        thimble.frame(view.convert("RGB")) for view in (drawing.catalogue_view(), drawing.lifestyle_view())
    )
    return catalogue, lifestyle
