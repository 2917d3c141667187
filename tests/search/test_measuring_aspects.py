"""What learned weights are worth: on queries they never saw, over the best that are the same for all."""

import pytest

from search.services.aspect_grounds import NoAspects
from search.services.measuring import NothingToMeasure
from search.services.measuring_aspects import STATIC, measure_aspects
from tests.search.ranked import make_ranked

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = {"steps": 30, "batch": 16, "rate": 0.02, "validate_every": 10, "hidden": 8}


def measure(catalogue, encoder="pupil"):
    told = []
    table = measure_aspects(
        catalogue=catalogue, encoder=encoder, seed=0, report=lambda done, of: told.append((done, of)), **QUICK
    )
    return table, told


def test_every_way_of_weighing_is_rated_on_the_evaluation_only_side():
    table, told = measure(make_ranked())
    assert table.queries == 60 and told[-1] == (120, 120)
    assert set(table.rates) == {*STATIC, "untrained rule", "learned"}
    assert all(0 <= one.low <= one.mean <= one.high <= 1 for one in table.rates.values())
    best = max(table.rates[name].mean for name in STATIC)
    assert table.rates[table.beaten].mean == best
    assert table.gain.mean == pytest.approx(table.rates["learned"].mean / best - 1)
    assert table.gain.low <= table.gain.mean <= table.gain.high
    assert set(table.by_aspect) == {"kind", "colour"}
    assert table.as_json()["gain"]["mean"] == table.gain.mean


def test_where_there_is_nothing_to_measure_by_it_says_so():
    catalogue = make_ranked()
    with pytest.raises(NoAspects, match="There are: pupil"):
        measure(catalogue, "nobody")
    catalogue.items.update(split="trainable")
    with pytest.raises(NothingToMeasure, match="evaluation-only"):
        measure(catalogue)
