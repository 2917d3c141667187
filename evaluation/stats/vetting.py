"""Checks of a player's answers: pass, fail, or unknown, which is what a check says that could not tell.

Each check asks how likely somebody honest would look at least as bad. It fails below `LEVEL`, and is unknown
where there were too few answers for that, or where it did not run: silence of a check is never held against
anybody. People of rare taste fail now and then, so a failure asks for a look, not for a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

LEVEL = 0.001  # one honest player in a thousand fails a check
# Of honest people, at most: wrong on catch pairs, with another answer the second time, quicker than FLOOR_MS.
HONEST_ERROR = 0.1
HONEST_CHANGE = 0.25
HONEST_HASTE = 0.05
# From both pictures being there: what the quickest need to tell one kind of picture from another by hand
# (Fabre-Thorpe, Delorme, Marlot & Thorpe 2001, Journal of Cognitive Neuroscience 13:171).
FLOOR_MS = 250.0


class State(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Check(StrEnum):
    CATCHES = "catches"
    REPEATS = "repeats"
    HASTE = "haste"
    AGREEMENT = "agreement"
    FAVOUR = "favour"


@dataclass(frozen=True)
class Finding:
    """What a check came to, and why in plain words.

    ``chance`` is that of somebody honest looking at least as bad; None where the check did not run.
    ``contender`` is the number of the one that a finding is about, if any.
    """

    check: Check
    state: State
    reason: str
    chance: float | None = None
    contender: int | None = None


def not_run(check: Check, reason: str) -> Finding:
    """Of a check that is out of order, or has nothing to go by."""
    return Finding(check, State.UNKNOWN, reason)


def judge(findings: Sequence[Finding]) -> State:
    """Fail where a check failed; pass where none did and one could tell; else unknown."""
    states = {one.state for one in findings}
    if State.FAIL in states:
        return State.FAIL
    return State.PASS if State.PASS in states else State.UNKNOWN


def check_catches(wrong: int, shown: int) -> Finding:
    """Pairs with a known answer: the same picture twice, or two drawn at random, which may match by luck.

    Raises ValueError where more are wrong than were shown, as do the others.
    """
    return _count(Check.CATCHES, wrong, shown, HONEST_ERROR, "{0} of {1} catch pairs answered wrongly")


def check_repeats(changed: int, repeated: int) -> Finding:
    """Pairs that the player judged twice."""
    reason = "{0} of {1} repeated pairs answered differently"
    return _count(Check.REPEATS, changed, repeated, HONEST_CHANGE, reason)


def check_haste(answer_ms: NDArray[np.floating]) -> Finding:
    """(n,): from both pictures being decoded to the answer; NaN where the browser did not tell."""
    told = answer_ms[~np.isnan(answer_ms)]
    hasty = int((told < FLOOR_MS).sum())
    reason = f"{{0}} of {{1}} answers within {FLOOR_MS:.0f} ms"
    return _count(Check.HASTE, hasty, len(told), HONEST_HASTE, reason)


def _count(check: Check, bad: int, shown: int, honest: float, reason: str) -> Finding:
    """Against a binomial distribution; unknown where even all of them would not be enough."""
    if not 0 <= bad <= shown:
        raise ValueError(f"{bad} of {shown} is no count.")
    if honest**shown >= LEVEL:
        return not_run(check, f"{reason.format(bad, shown)}: too few to tell")
    chance = float(bdtrc(bad - 1, shown, honest)) if bad else 1.0
    return Finding(check, State.FAIL if chance < LEVEL else State.PASS, reason.format(bad, shown), chance)
