"""An index with what was added to it answers as one over everything; a damaged segment is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.errors import ArtifactDamaged
from search.engine.indexes import Index, build_index
from search.engine.metrics import METRICS, Metric, nearest, sign_bits
from search.engine.segments import (
    Composition,
    Listed,
    Segment,
    lay_over,
    list_changes,
    load_segment,
    write_segment,
)
from search.engine.vectors import StoredVectors
from tests.engine.spaces import stored

every_metric = pytest.mark.parametrize("metric", METRICS)
BASE, DIMENSIONS = 90, 12


def draw(count: int, seed: int = 1) -> Any:
    """Small whole numbers, so that many distances are equal."""
    return np.random.default_rng(seed).integers(0, 4, (count, DIMENSIONS)).astype(np.float32)


def build(home: Path, vectors: StoredVectors, metric: Metric, identity: Any) -> Index:
    return build_index(home / metric, vectors, metric, identity=identity, sign_structured=False)


def as_rows(index: Index, vectors: Any) -> Any:
    return sign_bits(vectors, index.centre) if index.metric == "hamming" else vectors


@every_metric
def test_a_search_finds_what_one_index_over_everything_would(home: Path, metric: Metric) -> None:
    every = draw(BASE + 30)
    index = build(home, stored(home, every[:BASE]), metric, np.arange(BASE))

    @settings(max_examples=30)
    @given(
        st.integers(0, 30), st.integers(1, 25), st.lists(st.integers(0, BASE + 29), unique=True, max_size=60)
    )
    def check(added: int, k: int, left_out: list[int]) -> None:
        there = every[: BASE + added]
        composed = Composition(index, there[BASE:], metric, index.centre)
        exclude = [[row for row in left_out if row < len(there)]] * 5
        queries = draw(5, seed=k)
        found = composed.search(queries, k, exclude=exclude)
        expected = nearest(metric, as_rows(index, queries), as_rows(index, there), k, exclude=exclude)
        np.testing.assert_array_equal(found.positions, expected.positions)
        np.testing.assert_array_equal(found.distances, expected.distances)
        rows = np.array([0, len(there) - 1, 3])
        measured = composed.measure(queries[0], rows)
        full = nearest(metric, as_rows(index, queries[:1]), as_rows(index, there), len(there))
        known = dict(zip(full.positions[0].tolist(), full.distances[0].tolist(), strict=True))
        assert measured.tolist() == [known[row] for row in rows.tolist()]
        np.testing.assert_array_equal(composed.vector(len(there) - 1), there[-1])

    check()


@every_metric
def test_after_two_additions_the_lists_are_those_of_everything(home: Path, metric: Metric) -> None:
    every = draw(BASE + 16, seed=7)
    identity = np.arange(len(every)) % 100  # the last six show the pictures of the first six
    items = np.arange(len(every)) * 3  # positions need not be dense
    index = build(home, stored(home, every[:BASE]), metric, identity[:BASE])
    first = index.neighbours
    listed = Listed(
        items[:BASE],
        type(first)(
            np.where(first.positions < 0, -1, items[first.positions]).astype(np.int32), first.distances
        ),
    )
    for start, end in ((BASE, BASE + 10), (BASE + 10, BASE + 16)):
        changes = list_changes(
            Composition(index, every[BASE:end], metric, index.centre),
            listed,
            items[:end],
            [every[:BASE], every[BASE:start], every[start:end]],
            identity[:end],
            gone=np.empty(0, np.int64),
        )
        listed = lay_over(listed, [changes])
    rows = as_rows(index, every)
    same = [np.flatnonzero(identity == kind) for kind in identity]
    expected = nearest(metric, rows, rows, 10, exclude=same)
    np.testing.assert_array_equal(listed.items, items)
    np.testing.assert_array_equal(listed.neighbours.positions, items[expected.positions])
    np.testing.assert_array_equal(listed.neighbours.distances, expected.distances)


def test_a_new_item_is_not_listed_beside_one_that_was_removed(home: Path) -> None:
    every = draw(BASE + 1)
    every[BASE] = every[5]
    index = build(home, stored(home, every[:BASE]), "l2", np.arange(BASE))
    known = Listed(np.arange(BASE), index.neighbours)
    for gone in ([], [5]):
        changes = list_changes(
            Composition(index, every[BASE:], "l2", index.centre),
            known,
            np.arange(BASE + 1),
            [every[:BASE], every[BASE:]],
            np.arange(BASE + 1),
            gone=np.array(gone, np.int64),
        )
        own = changes.neighbours.positions[changes.items == BASE][0]
        assert (5 in own) == (not gone)


def test_a_segment_that_is_damaged_or_of_another_space_is_refused(home: Path) -> None:
    path = home / "segment"
    segment = Segment(np.arange(3), draw(3), {})
    sha256 = write_segment(path, segment, of="1" * 64)
    np.testing.assert_array_equal(load_segment(path, sha256, of="1" * 64).vectors, segment.vectors)
    with pytest.raises(ArtifactDamaged, match="no segment of this space"):
        load_segment(path, sha256, of="2" * 64)
    data = path.read_bytes()
    for at in range(0, len(data), 97):
        changed = bytearray(data)
        changed[at] ^= 4
        path.unlink()
        path.write_bytes(changed)
        with pytest.raises(ArtifactDamaged):
            load_segment(path, sha256, of="1" * 64)
