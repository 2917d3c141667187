"""The compiled loop of `reckoning`: squared distances, added up in one order and never fused.

No ``fastmath`` here: the compiler must neither change the order nor make one rounding of two.
Compiled code is kept where numba keeps it: in NUMBA_CACHE_DIR, else beside this file.
"""

from typing import Any

import numba
import numpy as np
from numba import types

LANES = 8  # sums that are taken side by side and then folded: p-th dimensions with the same p % LANES
BLOCK = 128  # rows whose sums are taken together

_BLOCKS = types.Array(types.float32, 3, "C", readonly=True)
_FLOATS = types.Array(types.float32, 2, "C", readonly=True)


# The signature is given so that compiling happens (or is read from the cache) at import, once.
@numba.njit(types.void(_BLOCKS, _FLOATS, types.float32[:, :, :]), nogil=True, cache=True)
def add_in_order(blocks: Any, ones: Any, out: Any) -> None:
    """Squared distances of (o, d) to the rows of (b, d, BLOCK), (o, b, BLOCK): see `reckoning`."""
    lanes = np.empty((LANES, BLOCK), np.float32)
    for b in range(blocks.shape[0]):
        for i in range(ones.shape[0]):
            lanes[:] = 0
            for p in range(blocks.shape[1]):
                one, lane = ones[i, p], p % LANES
                for r in range(BLOCK):
                    gap = blocks[b, p, r] - one
                    lanes[lane, r] += gap * gap
            half = LANES // 2
            while half:
                for lane in range(half):
                    for r in range(BLOCK):
                        lanes[lane, r] += lanes[lane + half, r]
                half //= 2
            for r in range(BLOCK):
                out[i, b, r] = lanes[0, r]
