"""What the server of vectors finds, held against the same vectors in memory."""

import numpy as np
import psycopg2
import pytest

from search.engine.metrics import METRICS, Gallery, column_centre, sign_bits
from search.pgvector import loading
from search.pgvector.connections import Server
from search.pgvector.errors import NotLoaded, ServerUnfit, VectorsAway
from search.pgvector.loading import Source, load_build
from search.pgvector.remote_index import RemoteIndex
from search.pgvector.tidying import KEPT_UNWANTED, keep_only
from tests.factories import NOW

MANY = 20_000


def draw(count: int, dimensions: int, *, seed: int = 0):
    """Vectors in clusters, as encoders make them."""
    rng = np.random.default_rng(seed)
    middles = np.random.default_rng(1).normal(size=(50, dimensions))
    return (middles[rng.integers(0, 50, count)] + 0.4 * rng.normal(size=(count, dimensions))).astype("f4")


def make_source(metric, rows, name=""):
    centre = column_centre(rows)
    return Source(f"{name}{metric}".ljust(64, "i"), name.ljust(64, "v"), metric, rows, centre)


class Both:
    """One build on the server and in memory."""

    def __init__(self, server, metric, rows, **how):
        source = make_source(metric, rows)
        self.build = load_build(server.arguments, source, now=NOW, **how)
        self.server = Server(server.arguments)
        self.remote = RemoteIndex(self.server.ask, self.build)
        self.metric, self.centre = metric, source.centre
        self.local = Gallery(metric, self.as_rows(rows))

    def as_rows(self, vectors):
        return sign_bits(vectors, self.centre) if self.metric == "hamming" else vectors

    def search(self, queries, k, exclude=None):
        found = self.remote.search(queries, k, exclude=exclude)
        return found, self.local.nearest(self.as_rows(queries), k, exclude=exclude)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dimensions", [3, 64, 2_100])
def test_a_small_build_answers_exactly_as_files_do_ties_included(vectors_server, metric, dimensions):
    rows = draw(400, dimensions)
    rows[100:200] = rows[7]  # more of the same than are asked for
    both = Both(vectors_server, metric, rows)
    queries = np.concatenate([rows[[7, 300]], draw(3, dimensions, seed=2)])
    exclude = [[7, 150], [], [], range(390), range(400)]
    for k in (1, 10, 120, 500):
        found, truth = both.search(queries, k, exclude=exclude)
        np.testing.assert_array_equal(found.positions, truth.positions)
        np.testing.assert_array_equal(found.distances, truth.distances)
    some = np.array([399, 7, 7, 0])
    np.testing.assert_array_equal(both.remote.read(some), rows[some])
    np.testing.assert_array_equal(both.remote.vector(5), rows[5])
    np.testing.assert_array_equal(
        both.remote.measure(queries[1], some), both.local.distances(both.as_rows(queries[1:2]))[0][some]
    )


@pytest.fixture(scope="module")
def many(running_vectors_server):
    running_vectors_server.empty()
    rows = draw(MANY, 16)
    return {metric: Both(running_vectors_server, metric, rows) for metric in METRICS}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("metric", METRICS)
def test_a_graph_finds_nearly_all_of_the_nearest_also_where_much_is_left_out(many, metric):
    both, queries = many[metric], draw(40, 16, seed=3)
    assert both.build.reach.way == "graph" and both.build.reach.recall >= loading.RECALL
    rng = np.random.default_rng(0)
    for left_out in (0, 30, 5_000, MANY - 2_000, MANY - 5):
        exclude = [rng.permutation(MANY)[:left_out] for _ in queries]
        for k in (10, 480):
            found, truth = both.search(queries, k, exclude=exclude)
            assert (found.distances <= truth.distances[:, -1:]).mean() >= 0.95
            assert (found.distances[:, :-1] <= found.distances[:, 1:]).all()
            for row, without in zip(found.positions, exclude, strict=True):
                there = row[row >= 0]
                assert len(set(there.tolist())) == len(there) == min(k, MANY - left_out)
                assert not np.isin(there, without).any()


@pytest.mark.parametrize("metric", ["l1", "l2"])
def test_what_is_too_wide_for_a_graph_is_shortlisted_by_its_signs(vectors_server, metric):
    both = Both(vectors_server, metric, draw(1_000, 2_100), few=500)
    assert both.build.reach.way == "signs" and both.build.reach.recall >= loading.RECALL
    found, truth = both.search(draw(20, 2_100, seed=3), 10)
    assert (found.distances <= truth.distances[:, -1:]).mean() >= 0.95


def test_where_no_walk_finds_enough_every_row_is_compared(vectors_server, monkeypatch):
    monkeypatch.setattr(loading, "RECALL", 1.01)
    rows = draw(1_000, 8)
    both = Both(vectors_server, "l2", rows, few=500)
    assert both.build.reach.way == "every"
    found, truth = both.search(rows[:5], 10)
    np.testing.assert_array_equal(found.positions, truth.positions)


def test_vectors_of_more_dimensions_than_the_server_takes_are_refused_in_words(vectors_server):
    with pytest.raises(ServerUnfit, match=r"16001 dimensions.*16,000"):
        load_build(vectors_server.arguments, make_source("l2", np.zeros((2, 16_001), "f4")), now=NOW)


class Failing(np.ndarray):
    """Rows that cannot be read to their end."""

    def __getitem__(self, part):
        if isinstance(part, slice) and part.start:
            raise OSError("the disk is gone")
        return super().__getitem__(part)


@pytest.mark.parametrize("metric", METRICS)
def test_what_was_put_there_in_part_is_not_there(vectors_server, monkeypatch, metric):
    monkeypatch.setattr(loading, "SENT_TOGETHER", 1_000)
    rows = draw(300, 8)
    with pytest.raises(VectorsAway):
        load_build(vectors_server.arguments, make_source(metric, rows.view(Failing)), now=NOW)
    assert keep_only(vectors_server.arguments, [], now=NOW) == (set(), 0)
    found, truth = Both(vectors_server, metric, rows).search(rows[:3], 5)
    np.testing.assert_array_equal(found.positions, truth.positions)


class CalledOff(Exception):
    pass


def test_work_that_is_called_off_leaves_nothing(vectors_server, monkeypatch):
    monkeypatch.setattr(loading, "WORD_EVERY_S", 0.01)

    def report() -> None:
        raise CalledOff

    source = make_source("l2", draw(3_000, 64))
    with pytest.raises(CalledOff):
        load_build(vectors_server.arguments, source, now=NOW, report=report, few=100)
    assert keep_only(vectors_server.arguments, [], now=NOW) == (set(), 0)


def test_builds_that_nobody_wants_go_once_no_search_can_need_them_any_more(vectors_server):
    one, other = Both(vectors_server, "l2", draw(50, 8)), Both(vectors_server, "hamming", draw(50, 8))
    wanted, address = [other.build.index_sha256], vectors_server.arguments
    assert keep_only(address, wanted, now=NOW)[1] == 0
    assert len(one.remote.search(draw(1, 8), 3).positions) == 1, "a search that began before"
    assert keep_only(address, [*wanted, one.build.index_sha256], now=NOW + KEPT_UNWANTED)[1] == 0
    assert keep_only(address, wanted, now=NOW + 2 * KEPT_UNWANTED)[1] == 0, "it was wanted in between"
    there, dropped = keep_only(address, wanted, now=NOW + 4 * KEPT_UNWANTED)
    assert (there, dropped) == ({one.build.index_sha256, *wanted}, 1)
    assert len(other.remote.read(np.arange(50))) == 50, "the vectors are those of both"
    assert keep_only(address, wanted, now=NOW + 4 * KEPT_UNWANTED)[0] == set(wanted)
    for now in (NOW + 5 * KEPT_UNWANTED, NOW + 7 * KEPT_UNWANTED):
        keep_only(address, [], now=now)
    with pytest.raises(NotLoaded):
        other.remote.search(draw(1, 8), 3)


def test_a_server_without_pgvector_is_refused_with_the_remedy(vectors_server):
    with psycopg2.connect(vectors_server.address) as connection, connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN")
    with pytest.raises(ServerUnfit, match="CREATE EXTENSION vector"):
        load_build(vectors_server.arguments | {"user": "plain"}, make_source("l2", draw(3, 2)), now=NOW)
    with psycopg2.connect(vectors_server.address) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION vector; UPDATE pg_extension SET extversion = '0.7.4'")
    with pytest.raises(ServerUnfit, match=r"pgvector 0\.7\.4; 0\.8 is needed"):
        load_build(vectors_server.arguments, make_source("l2", draw(3, 2)), now=NOW)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_server_that_went_and_came_back_is_asked_again_after_a_rest(vectors_server):
    clock = Clock()
    server = Server(vectors_server.arguments, clock=clock)
    assert server.ask("SELECT 1") == [(1,)]
    vectors_server.stop()
    vectors_server.start()
    assert server.ask("SELECT 2") == [(2,)], "the kept connection was dead, and another one is made"
    vectors_server.stop()
    with pytest.raises(VectorsAway) as away:
        server.ask("SELECT 3")
    assert away.value.retry_after_s == 5
    vectors_server.start()
    clock.now = 2.5
    with pytest.raises(VectorsAway) as away:
        server.ask("SELECT 4")
    assert away.value.retry_after_s == 3
    clock.now = 5.0
    assert server.ask("SELECT 5") == [(5,)]


def test_a_server_that_hangs_is_given_up_on_old_and_new_connections(vectors_server, monkeypatch):
    clock = Clock()
    server = Server(vectors_server.arguments, clock=clock)
    assert server.ask("SELECT 1") == [(1,)]
    monkeypatch.setattr("search.pgvector.connections.ANSWER_S", 0.2)
    monkeypatch.setattr("search.pgvector.connections.CONNECT_S", 0.2)
    with vectors_server.hung():
        for clock.now in (0.0, 10.0):
            with pytest.raises(VectorsAway):
                server.ask("SELECT 2")
    monkeypatch.undo()
    clock.now = 20.0
    assert server.ask("SELECT 3") == [(3,)]


def test_a_server_that_dies_over_a_question_is_away(vectors_server):
    server = Server(vectors_server.arguments)
    with pytest.raises(VectorsAway):
        server.ask("SELECT pg_terminate_backend(pg_backend_pid())")
