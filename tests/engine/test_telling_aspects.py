"""What a query is searched for: told by labels alone, by what is unusual of an item."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.telling_aspects import LEAST_RELEVANT, MISSING, find_wanted


def make(*, rows):
    """Columns kind, colour, pattern."""
    table = np.array(rows)
    return find_wanted(table, category=0, copies=np.arange(len(table)))


COMMON = [[0, 0, 0]] * 20 + [[1, 0, 0]] * 20
LEOPARDS = [[0, 0, 1]] * 4
GREENS = [[1, 1, 0]] * 4


def test_the_unusual_tells_and_where_nothing_is_the_category_does():
    wanted = make(rows=COMMON + LEOPARDS + GREENS)
    by_row = dict(zip(wanted.queries.tolist(), wanted.aspects.tolist(), strict=True))
    assert len(wanted) == 48
    assert {by_row[row] for row in range(40)} == {0}
    assert {by_row[row] for row in range(40, 44)} == {2}
    assert {by_row[row] for row in range(44, 48)} == {1}


def test_what_is_usual_of_a_category_does_not_tell_its_items_apart():
    boots_are_leather = [[0, 0, 2]] * 20 + [[1, 0, 0]] * 20 + [[1, 0, 2]] * 4
    wanted = make(rows=boots_are_leather)
    assert (wanted.aspects[wanted.queries < 20] == 0).all()
    assert (wanted.aspects[wanted.queries >= 40] == 2).all()


def test_relevant_is_what_shares_the_telling_value_and_shows_something_else():
    table = np.array(COMMON + LEOPARDS + [[1, 0, 1]])
    copies = np.arange(len(table))
    copies[41] = 40
    wanted = find_wanted(table, category=0, copies=copies)
    [number] = np.flatnonzero(wanted.queries == 40)
    assert np.flatnonzero(wanted.is_relevant(number)).tolist() == [42, 43, 44]
    assert wanted.among(np.array([40, 3])).queries.tolist() == [3, 40]


def test_who_has_no_label_or_nobody_to_share_it_with_is_no_query():
    wanted = make(rows=[*COMMON, [MISSING] * 3, [0, 0, 5], [0, 7, MISSING]])
    assert wanted.queries.tolist() == list(range(40))


def test_without_a_category_values_are_rare_among_all():
    table = np.array(COMMON + LEOPARDS)[:, 1:]
    wanted = find_wanted(table, category=None, copies=np.arange(len(table)))
    assert (wanted.aspects[wanted.queries >= 40] == 1).all()
    assert len(find_wanted(np.full((3, 2), MISSING), category=None, copies=np.arange(3))) == 0


ITEM = st.tuples(*[st.integers(MISSING, 2)] * 3, st.integers(0, 9))


@settings(deadline=None)
@given(st.lists(ITEM, min_size=1, max_size=40))
def test_queries_are_all_items_with_enough_relevant_ones(items):
    table = np.array(items)
    copies = table[:, 3]
    wanted = find_wanted(table[:, :3], category=0, copies=copies)
    assert all(wanted.is_relevant(number).sum() >= LEAST_RELEVANT for number in range(len(wanted)))
    # Told apart by nothing but one aspect: who is left out has too few.
    alone = find_wanted(table[:, :1], category=None, copies=copies)
    for row in np.setdiff1d(np.flatnonzero(table[:, 0] != MISSING), alone.queries):
        others = (table[:, 0] == table[row, 0]) & (copies != copies[row])
        assert others.sum() < LEAST_RELEVANT
