"""Neighbours are exact, in one order, and the same however they are asked for."""

import itertools
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.errors import VectorsRejected
from search.engine.metrics import (
    METRICS,
    Gallery,
    Metric,
    column_centre,
    distances,
    nearest,
    sign_bits,
)

every_metric = pytest.mark.parametrize("metric", METRICS)


def reference_distances(metric: Metric, queries: Any, gallery: Any) -> Any:
    """The definition, in numpy and float64."""
    if metric == "hamming":
        return np.unpackbits(queries[:, None] ^ gallery[None], axis=2).sum(axis=2).astype(np.float32)
    gaps = queries[:, None].astype(np.float64) - gallery[None]
    if metric == "l1":
        return np.abs(gaps).sum(axis=2).astype(np.float32)
    return np.sqrt((gaps**2).sum(axis=2)).astype(np.float32)


def reference_nearest(metric: Metric, queries: Any, gallery: Any, k: int, exclude: Any) -> tuple[Any, Any]:
    table = reference_distances(metric, queries, gallery)
    for row, positions in enumerate(exclude):
        table[row, positions] = np.inf
    table = np.pad(table, ((0, 0), (0, k)), constant_values=np.inf)
    order = np.argsort(table, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(table, order, axis=1)
    return np.where(np.isinf(found), -1, order), found


def prepared(metric: Metric, vectors: Any, centre: Any = 0.0) -> Any:
    return sign_bits(vectors, centre) if metric == "hamming" else vectors


@st.composite
def searches(draw: st.DrawFn) -> tuple[Any, Any, int, list[list[int]]]:
    """Queries, a gallery full of ties and duplicates, k, exclusions.

    Whole numbers, so that float64 sums of them are exact; offset and scale make float32 cancel or underflow.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size, asked, dimensions = draw(st.integers(1, 70)), draw(st.integers(1, 40)), draw(st.integers(1, 70))
    spread = draw(st.integers(0, 3))
    offset, scale = draw(st.sampled_from([(0, 1), (2**14, 1), (0, 2.0**-70), (0, 2.0**40), (-(2**20), 1)]))
    gallery = rng.integers(-spread, spread + 1, (size, dimensions))
    fresh = rng.integers(-spread, spread + 1, (asked, dimensions))
    copied = rng.random(asked) < 0.5
    queries = np.where(copied[:, None], gallery[rng.integers(0, size, asked)], fresh)
    exclude = [rng.integers(0, size, rng.integers(0, 4)).tolist() for _ in range(asked)]
    k = draw(st.integers(1, 15))
    return (
        ((queries + offset) * scale).astype(np.float32),
        ((gallery + offset) * scale).astype(np.float32),
        k,
        exclude,
    )


@settings(max_examples=120, deadline=None)
@given(search=searches(), threads=st.integers(1, 3))
@every_metric
def test_nearest_equals_the_definition(metric: Metric, search: Any, threads: int) -> None:
    queries, gallery, k, exclude = search
    centre = column_centre(gallery)
    queries, gallery = prepared(metric, queries, centre), prepared(metric, gallery, centre)
    found = nearest(metric, queries, gallery, k, exclude=exclude, threads=threads)
    positions, expected = reference_nearest(metric, queries, gallery, k, exclude)
    np.testing.assert_array_equal(found.distances, expected)
    np.testing.assert_array_equal(found.positions, positions)
    np.testing.assert_array_equal(
        distances(metric, queries, gallery), reference_distances(metric, queries, gallery)
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(1, 40), max_size=5))
@every_metric
def test_batches_and_single_queries_agree_to_the_bit(metric: Metric, seed: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((150, 33)).astype(np.float32)
    gallery, queries = Gallery(metric, prepared(metric, vectors)), prepared(metric, vectors[:40])
    whole = gallery.nearest(queries, 7)
    edges = sorted({0, *cuts, len(queries)})
    parts = [gallery.nearest(queries[a:b], 7, threads=1) for a, b in itertools.pairwise(edges)]
    np.testing.assert_array_equal(np.vstack([part.positions for part in parts]), whole.positions)
    np.testing.assert_array_equal(np.vstack([part.distances for part in parts]), whole.distances)


def test_known_distances() -> None:
    queries, gallery = np.array([[0, 0, 0]], np.float32), np.array([[3, -4, 0], [1, 1, 1]], np.float32)
    assert distances("l1", queries, gallery).tolist() == [[7, 3]]
    assert distances("l2", queries, gallery).tolist() == [[5, np.float32(3**0.5)]]
    bits = sign_bits(np.array([[1, -1, 2], [-1, -1, 2]], np.float32))
    assert bits.tolist() == [[0b10100000], [0b00100000]]
    assert distances("hamming", bits[:1], bits).tolist() == [[0, 1]]


def test_sums_are_those_in_the_order_of_the_dimensions_where_order_decides() -> None:
    """1 + 2^-24 lies between two float32; added one by one the tail is lost, added first it rounds up."""
    row = np.array([[1, 2.0**-24, *[2.0**-53] * 62]], np.float32)
    origin = np.zeros_like(row)
    assert distances("l1", origin, row).tolist() == [[1.0]]
    assert nearest("l1", origin, row, 1).distances.tolist() == [[1.0]]
    assert distances("l1", origin, row[:, ::-1].copy()).tolist() == [[1 + 2.0**-23]]


def test_tight_clusters_far_from_the_origin_are_told_apart() -> None:
    """|q|^2 + |g|^2 - 2 q.g in float32 cannot tell these apart: the errors are larger than the distances."""
    rng = np.random.default_rng(0)
    gallery = (1000 + rng.standard_normal((400, 512)) * 1e-3).astype(np.float32)
    found = nearest("l2", gallery, gallery, 3)
    table = reference_distances("l2", gallery[:50], gallery)
    assert found.positions[:, 0].tolist() == list(range(400))
    np.testing.assert_array_equal(found.positions[:50], np.argsort(table, axis=1, kind="stable")[:, :3])


@every_metric
def test_many_equal_distances_are_given_in_order_of_position(metric: Metric) -> None:
    gallery = prepared(metric, np.ones((5000, 40), np.float32))
    found = nearest(metric, gallery[:3], gallery, 12, exclude=[[0], [3, 1], []])
    assert found.positions.tolist() == [
        list(range(1, 13)),
        [0, 2, *range(4, 14)],
        list(range(12)),
    ]
    assert not found.distances.any()


@every_metric
def test_a_gallery_may_be_memory_mapped_empty_or_smaller_than_k(metric: Metric, tmp_path: Any) -> None:
    np.save(tmp_path / "v.npy", prepared(metric, np.eye(6, 64, dtype=np.float32)))
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    found = nearest(metric, mapped[:2], mapped, 9, exclude=[[0], [1]])
    assert found.positions[0].tolist() == [1, 2, 3, 4, 5, -1, -1, -1, -1]
    assert np.isinf(found.distances[0, 5:]).all()
    nothing = nearest(metric, mapped[:2], mapped[:0], 2)
    assert nothing.positions.tolist() == [[-1, -1], [-1, -1]]
    assert nearest(metric, mapped[:0], mapped, 2).positions.shape == (0, 2)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e20])
def test_values_that_are_no_numbers_are_refused_by_name(value: float) -> None:
    good = np.zeros((3, 4), np.float32)
    bad = good.copy()
    bad[1, 2] = value
    with pytest.raises(VectorsRejected, match="gallery hold a value"):
        Gallery("l2", bad)
    with pytest.raises(VectorsRejected, match="queries hold a value"):
        nearest("l1", bad, good, 1)


def test_wrong_shapes_and_types_are_refused_by_name() -> None:
    vectors = np.zeros((3, 4), np.float32)
    with pytest.raises(VectorsRejected, match=r"shape \(3, 5\); \(n, 4\)"):
        nearest("l1", np.zeros((3, 5), np.float32), vectors, 1)
    with pytest.raises(VectorsRejected, match="sign_bits"):
        Gallery("hamming", vectors)
    with pytest.raises(ValueError, match="l1, l2, hamming"):
        Gallery("cosine", vectors)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="k is 0"):
        nearest("l1", vectors, vectors, 0)
    with pytest.raises(ValueError, match="2 exclusion lists for 3 queries"):
        nearest("l1", vectors, vectors, 1, exclude=[[0], [1]])


def test_centring_makes_every_bit_split_the_gallery() -> None:
    """Without it, a space whose values are all positive has the same bits everywhere."""
    vectors = np.random.default_rng(0).normal(5, 1, (400, 24)).astype(np.float32)
    assert (sign_bits(vectors) == sign_bits(vectors)[0]).all()
    share = np.unpackbits(sign_bits(vectors, column_centre(vectors)), axis=1).mean(axis=0)
    assert ((share > 0.35) & (share < 0.65)).all()


def test_searching_here_and_then_in_a_forked_process_does_not_hang() -> None:
    """OpenMP does [faiss]; the loops here start no threads that a fork could lose."""
    program = """
import os, numpy as np
from search.engine.metrics import nearest
x = np.random.default_rng(0).standard_normal((300, 64)).astype(np.float32)
here = [nearest(metric, x, x, 3).positions for metric in ("l1", "l2")]
pid = os.fork()
if pid == 0:
    there = [nearest(metric, x, x, 3).positions for metric in ("l1", "l2")]
    os._exit(0 if all((a == b).all() for a, b in zip(here, there)) else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=60, env={**os.environ, "OMP_NUM_THREADS": "2"}
    )


def test_naming_a_metric_does_not_load_the_compiler() -> None:
    program = "import sys, search.engine.indexes; print({'numba', 'torch', 'faiss'} & {*sys.modules})"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


@every_metric
def test_threads_that_share_a_large_gallery_find_the_same(metric: Metric) -> None:
    """64 MiB is where one query's gallery is shared out."""
    rng = np.random.default_rng(0)
    if metric == "hamming":
        gallery = rng.integers(0, 256, (8200, 8192), dtype=np.uint8)
    else:
        gallery = rng.standard_normal((8200, 2048), dtype=np.float32)
    gallery[[5, 8199]] = gallery[4100]
    prepared_once = Gallery(metric, gallery)
    alone = prepared_once.nearest(gallery[[4100]], 4, threads=1)
    assert alone.positions[0, :3].tolist() == [5, 4100, 8199]
    for threads in (2, 3):
        shared = prepared_once.nearest(gallery[[4100]], 4, threads=threads)
        np.testing.assert_array_equal(shared.positions, alone.positions)
        np.testing.assert_array_equal(shared.distances, alone.distances)
