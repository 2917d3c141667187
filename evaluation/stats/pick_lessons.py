"""What picks of navigation games teach: what was picked lies nearer to the hidden item than the rest shown.

A pick is weaker than a dope: it says which of a few is closest, not that it is close. What one player's picks
teach is capped apart from what their votes teach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.stats.lessons import PER_PLAYER, Flags, Places


@dataclass(frozen=True)
class Shown:
    """n items that were shown beside what was picked, as parallel arrays (n,), in any order.

    ``pick`` names the pick, ``player`` who made it; ``anchor`` is the hidden item, ``positive`` what was
    picked.
    """

    pick: Places
    player: Places
    anchor: Places
    positive: Places
    negative: Places

    def __len__(self) -> int:
        return len(self.pick)


def keep_shown(shown: Shown, *, seed: int, per_player: int = PER_PLAYER) -> Flags:
    """(n,): which become triplets; of each player at most ``per_player``, drawn by ``seed``.

    An item on more than one side, or the hidden item itself, teaches nothing.
    """
    kept = (shown.anchor != shown.positive) & (shown.anchor != shown.negative)
    kept &= shown.positive != shown.negative
    order = np.lexsort((shown.negative, shown.pick))
    drawn = order[np.random.default_rng(seed).permutation(len(order))]
    drawn = drawn[kept[drawn]]
    by_player = drawn[np.argsort(shown.player[drawn], kind="stable")]
    starts = np.flatnonzero(np.diff(shown.player[by_player], prepend=-1))
    lengths = np.diff(np.append(starts, len(by_player)))
    places = np.arange(len(by_player)) - np.repeat(starts, lengths)
    flags = np.zeros(len(shown), dtype=bool)
    flags[by_player[places < per_player]] = True
    return flags
