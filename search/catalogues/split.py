"""The one hash split: which items' questions may train something, and which only ever judge.

An item's unit is its group, or the item itself. Units that share a picture (the same stored bytes, or one
noted as a near duplicate of the other) are joined, because a network that has seen a picture has seen its
copies. The side of joined units is that of the smallest hash among them, so it depends on what is in the
catalogue but not on the order of its rows, its name, or when it was imported.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

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
    """For each item whether it is evaluation-only; see `divide_units`."""
    return divide_units(units, joined, fixed, salt=SALT, share=EVALUATION_SHARE)


def divide_units(
    units: Sequence[str],
    joined: Iterable[tuple[int, int]],
    fixed: Mapping[int, bool] | None = None,
    *,
    salt: str,
    share: float,
) -> list[bool]:
    """For each item whether it falls into the share that is set apart.

    `units` holds the unit of each item, `joined` pairs of items that must stand together, `fixed` the
    sides that were given out before and stay: what newly joins a fixed item takes its side (evaluation-only
    where it joins both sides, since what is not trained on harms no measurement).
    """
    parents: dict[str, str] = {}

    def place(unit: str) -> int:
        return unit_hash(unit, salt)

    def root(unit: str) -> str:
        while (above := parents.setdefault(unit, unit)) != unit:
            parents[unit] = parents[above]
            unit = above
        return unit

    for one, other in joined:
        first, second = sorted((root(units[one]), root(units[other])), key=place)
        parents[second] = first
    inherited: dict[str, bool] = {}
    for item, is_evaluation in (fixed or {}).items():
        top = root(units[item])
        inherited[top] = inherited.get(top, False) or is_evaluation
    threshold = int(share * 2**64)
    sides = []
    for item, unit in enumerate(units):
        top = root(unit)
        if fixed and item in fixed:
            sides.append(fixed[item])
        else:
            sides.append(inherited.get(top, place(top) < threshold))
    return sides
