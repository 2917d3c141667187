"""The one hash split: which items' questions may train something, and which only ever judge.

An item's unit is its group, or the item itself. Units that share a picture (the same stored bytes, or one
noted as a near duplicate of the other) are joined, because a network that has seen a picture has seen its
copies. The side of joined units is that of the smallest hash among them, so it depends on what is in the
catalogue but not on the order of its rows, its name, or when it was imported.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

SALT = "dope or nope: evaluation-only or trainable"  # changing it would move items across the divide
EVALUATION_SHARE = 0.30


def unit_hash(unit: str, salt: str = SALT) -> int:
    """64 bits that place a unit on the line from 0 to 2**64, of which the lower 30 % are evaluation-only."""
    return int.from_bytes(hashlib.sha256(f"{salt}\0{unit}".encode()).digest()[:8], "big")


def unit_of(key: str, group: str) -> str:
    return f"group\0{group}" if group else f"item\0{key}"


def evaluation_units(
    units: Sequence[str], joined: Iterable[tuple[int, int]], fixed: Mapping[int, bool] | None = None
) -> list[bool]:
    """For each item whether it is evaluation-only.

    `units` holds the unit of each item, `joined` pairs of items that must stand together, `fixed` the
    sides that were given out before and stay: what newly joins a fixed item takes its side (evaluation-only
    where it joins both sides, since what is not trained on harms no measurement).
    """
    root = _join(units, joined)
    inherited: dict[str, bool] = {}
    for item, is_evaluation in (fixed or {}).items():
        top = root(units[item])
        inherited[top] = inherited.get(top, False) or is_evaluation
    threshold = int(EVALUATION_SHARE * 2**64)
    sides = []
    for item, unit in enumerate(units):
        top = root(unit)
        if fixed and item in fixed:
            sides.append(fixed[item])
        else:
            sides.append(inherited.get(top, unit_hash(top) < threshold))
    return sides


def cut_share(
    units: Sequence[str], joined: Iterable[tuple[int, int]], *, share: float, salt: str
) -> list[bool]:
    """For each item whether it belongs to about ``share`` of the items, cut off by whole units.

    Units are taken in the order of their hashes, those that would make it too much left out: so a large one
    (a person with a thousand photos) does not take half of the items along. At least one unit is taken.
    """
    root = _join(units, joined)
    tops = [root(unit) for unit in units]
    sizes = Counter(tops)
    room = max(share * len(units), min(sizes.values(), default=0))
    taken: set[str] = set()
    for top in sorted(sizes, key=lambda unit: unit_hash(unit, salt)):
        if sizes[top] <= room:
            taken.add(top)
            room -= sizes[top]
    return [top in taken for top in tops]


def _join(units: Sequence[str], joined: Iterable[tuple[int, int]]) -> Callable[[str], str]:
    """From a unit to the one that stands for all that are joined with it: that of the smallest hash."""
    parents: dict[str, str] = {}

    def root(unit: str) -> str:
        while (above := parents.setdefault(unit, unit)) != unit:
            parents[unit] = parents[above]
            unit = above
        return unit

    for one, other in joined:
        first, second = sorted((root(units[one]), root(units[other])), key=unit_hash)
        parents[second] = first
    return root
