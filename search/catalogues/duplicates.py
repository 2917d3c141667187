"""Near-duplicate pictures: alike to the perceptual hash, and then alike to the eye.

The hash does not see colour, and drawn pictures often share an outline, so a pair of close hashes is only a
suspicion; it is confirmed on 16 x 16 colour values, where a scaled or re-compressed copy hardly differs.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt
from PIL import Image

MAX_DISTANCE = 4  # of 64 bits; scaled and re-compressed copies differ by fewer
MAX_MEAN = 3.0  # grey levels of 255, over all places and channels
MAX_WORST = 24.0  # at the place that differs most
MAX_SUSPICIONS = 2_000_000  # where the hash tells nothing apart, looking at all pairs would never end
_SIDE = 16
_CELLS = 8_000_000  # comparisons made at once: 64 MB


def near_pairs(hashes: Sequence[int], max_distance: int = MAX_DISTANCE) -> Iterator[tuple[int, int]]:
    """All (i, j) with i < j whose hashes differ in at most `max_distance` of 64 bits, in order.

    Compares everything with everything, some rows at a time: exact, no index to keep, and 20,000 hashes are
    done within a second or two.
    """
    values = np.array([value & 0xFFFFFFFFFFFFFFFF for value in hashes], dtype=np.uint64)
    step = max(1, _CELLS // max(1, len(values)))
    for start in range(0, len(values), step):
        distances = np.bitwise_count(values[start : start + step, None] ^ values[None, start:])
        rows, columns = np.nonzero(distances <= max_distance)
        later = columns > rows
        yield from zip((rows[later] + start).tolist(), (columns[later] + start).tolist(), strict=True)


def near_duplicates(
    hashes: Sequence[int], pixels: Callable[[int], npt.NDArray[np.uint8]]
) -> list[tuple[int, int]]:
    """The pairs of `near_pairs` that also look alike; `pixels(i)` gives picture i as (height, width, 3)."""
    small: dict[int, npt.NDArray[np.float32]] = {}

    def shrunk(item: int) -> npt.NDArray[np.float32]:
        if item not in small:
            small[item] = _shrink(pixels(item))
        return small[item]

    confirmed = []
    for one, other in islice(near_pairs(hashes), MAX_SUSPICIONS):
        difference = np.abs(shrunk(one) - shrunk(other))
        if difference.mean() <= MAX_MEAN and difference.max() <= MAX_WORST:
            confirmed.append((one, other))
    return confirmed


def _shrink(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    picture = Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.BOX)
    return np.asarray(picture, dtype=np.float32)
