"""Calibrations as they are kept, and what is refused."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest

from search.engine.errors import ArtifactDamaged
from search.engine.no_match import Asked, Calibration, calibrate
from tests.engine.asked import ask, pairs


def test_what_is_stored_is_read_as_it_was() -> None:
    first = np.linspace(0.1, 1, 150)
    made = calibrate(ask(pairs(first), "bag"), ask(pairs(2 * first), "bag", False))
    assert Calibration.from_json(json.loads(json.dumps(made.as_json()))) == made


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored.pop("limits"),
        lambda stored: stored["limits"].pop("ratio"),
        lambda stored: stored["limits"]["ratio"].pop(""),
        lambda stored: stored["limits"]["ratio"][""].pop("accept"),
        lambda stored: stored["limits"]["ratio"][""].update(accept="0.3"),
        lambda stored: stored["limits"]["ratio"][""].update(nothing=math.nan),
        lambda stored: stored.update(chosen="colour"),
        lambda stored: stored.update(alpha=None),
    ],
)
def test_a_damaged_calibration_is_refused(change: Callable[[dict], object]) -> None:
    stored = calibrate(ask(pairs(np.ones(30))), ask(pairs(np.ones(30)), right=False)).as_json()
    stored = json.loads(json.dumps(stored))
    change(stored)
    with pytest.raises(ArtifactDamaged):
        Calibration.from_json(stored)


@pytest.mark.parametrize("damaged", [None, [], {}, "x", 3])
def test_what_is_no_calibration_is_refused(damaged: object) -> None:
    with pytest.raises(ArtifactDamaged):
        Calibration.from_json(damaged)


def test_bad_questions_are_refused_by_name() -> None:
    fine = ask(pairs(np.ones(3)))
    with pytest.raises(ValueError, match="alpha"):
        calibrate(fine, fine, alpha=5)
    with pytest.raises(ValueError, match="not a number"):
        calibrate(ask(pairs(np.array([np.nan]))), fine)
    with pytest.raises(ValueError, match="one category"):
        Asked(np.ones((2, 2)), np.array(["bag"]), np.ones(2, bool))
