"""How few slates any policy can do with."""

from __future__ import annotations


def fewest_slates(items: int, k: int, *, answers: int | None = None) -> float:
    """The least mean number of slates until the target is shown, that slate included.

    The target is any of ``items``, which look different, each as likely. What is shown next depends on
    nothing but the answers so far: after s slates at most k + k·a + ... + k·a^(s-1) items can have been
    shown, a being ``answers`` to a slate of ``k``: k of them, unless the current pick may be kept or the
    player may say that they cannot tell. Raises ValueError.
    """
    if items < 1 or k < 1:
        raise ValueError(f"There are {items} items and {k} on a slate; both must be at least one.")
    left, new, slates, total = items, k, 0, 0
    while left:
        slates += 1
        shown = min(new, left)
        total += slates * shown
        left -= shown
        new *= k if answers is None else answers
    return total / items
