"""An index answers exactly, excludes what is identical, and is refused when damaged."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.engine.errors import ArtifactDamaged, VectorsRejected
from search.engine.indexes import Index, build_index, load_index, load_neighbours
from search.engine.metrics import METRICS, Metric, column_centre, nearest, sign_bits
from search.engine.vectors import StoredVectors
from tests.engine.spaces import stored

every_metric = pytest.mark.parametrize("metric", METRICS)


@pytest.fixture
def vectors(home: Path) -> StoredVectors:
    rows = np.random.default_rng(1).normal(2, 1, (120, 20)).astype(np.float32)
    rows[[40, 80]] = rows[7]  # the same picture three times
    return stored(home, rows)


IDENTITY = ["same" if number in (7, 40, 80) else f"item {number}" for number in range(120)]


def build(home: Path, vectors: StoredVectors, metric: Metric, **options: Any) -> Index:
    return build_index(
        home / f"{metric}.index", vectors, metric, identity=IDENTITY, sign_structured=False, **options
    )


@every_metric
def test_an_identical_picture_is_never_its_own_match(
    home: Path, vectors: StoredVectors, metric: Metric
) -> None:
    index = build(home, vectors, metric)
    positions = index.neighbours.positions
    assert positions.shape == (120, 10)
    for number, found in enumerate(positions.tolist()):
        assert number not in found
        assert not (number in (7, 40, 80) and {7, 40, 80} & set(found))
    np.testing.assert_array_equal(positions[7], positions[40])


@every_metric
def test_neighbours_are_those_of_an_exact_search(home: Path, vectors: StoredVectors, metric: Metric) -> None:
    index = build(home, vectors, metric, k=4)
    rows: Any = vectors.rows
    if metric == "hamming":
        rows = sign_bits(rows, column_centre(rows))
    same = [[7, 40, 80] if number in (7, 40, 80) else [number] for number in range(120)]
    expected = nearest(metric, rows, rows, 4, exclude=same)
    np.testing.assert_array_equal(index.neighbours.positions, expected.positions)
    np.testing.assert_array_equal(index.neighbours.distances, expected.distances)


@every_metric
def test_a_loaded_index_answers_as_the_built_one_in_batches_and_one_at_a_time(
    home: Path, vectors: StoredVectors, metric: Metric
) -> None:
    built = build(home, vectors, metric)
    loaded = load_index(home / f"{metric}.index", vectors)
    queries = np.random.default_rng(3).normal(2, 1, (9, 20)).astype(np.float32)
    batch = built.search(queries, 5)
    singles = [loaded.search(queries[[number]], 5) for number in range(9)]
    np.testing.assert_array_equal(np.vstack([one.positions for one in singles]), batch.positions)
    np.testing.assert_array_equal(np.vstack([one.distances for one in singles]), batch.distances)
    item = loaded.search(vectors.rows[7:8], 3)
    assert item.positions[0].tolist() == [7, 40, 80]
    assert 7 not in loaded.search(vectors.rows[7:8], 3, exclude=[[7]]).positions
    neighbours = load_neighbours(home / f"{metric}.index")
    np.testing.assert_array_equal(neighbours.positions, built.neighbours.positions)


def test_signs_are_centred_only_where_the_space_has_none(home: Path, vectors: StoredVectors) -> None:
    centred = build(home, vectors, "hamming")
    np.testing.assert_array_equal(centred.centre, column_centre(vectors.rows))
    plain = build_index(home / "plain", vectors, "hamming", identity=IDENTITY, sign_structured=True)
    assert not plain.centre.any()


def test_the_same_build_gives_the_same_bytes(home: Path, vectors: StoredVectors) -> None:
    first = [
        build(home, vectors, metric, threads=1) and (home / f"{metric}.index").read_bytes()
        for metric in METRICS
    ]
    again = [
        build(home, vectors, metric, threads=3) and (home / f"{metric}.index").read_bytes()
        for metric in METRICS
    ]
    assert first == again


def test_an_index_over_other_vectors_is_refused(home: Path, vectors: StoredVectors) -> None:
    build(home, vectors, "l2")
    other = stored(home, vectors.rows + 1, "other")
    with pytest.raises(ArtifactDamaged, match="other vectors"):
        load_index(home / "l2.index", other)
    with pytest.raises(ArtifactDamaged, match="not an index"):
        load_index(vectors.path, vectors)
    with pytest.raises(ArtifactDamaged, match="not an index"):
        load_neighbours(vectors.path)


@pytest.mark.parametrize("place", [0, 9, 300, 4095, 4096, 4300, 9000, -1])
def test_a_damaged_index_is_refused(home: Path, vectors: StoredVectors, place: int) -> None:
    build(home, vectors, "hamming")
    path = home / "hamming.index"
    data = bytearray(path.read_bytes())
    data[place] ^= 4
    path.write_bytes(data)
    with pytest.raises(ArtifactDamaged):
        load_index(path, vectors)


def test_queries_and_identities_must_fit(home: Path, vectors: StoredVectors) -> None:
    index = build(home, vectors, "hamming")
    with pytest.raises(VectorsRejected, match=r"shape \(1, 19\); \(q, 20\)"):
        index.search(np.zeros((1, 19), np.float32), 1)
    with pytest.raises(VectorsRejected, match="3 identities"):
        build_index(home / "x", vectors, "l1", identity=[1, 2, 3], sign_structured=False)


def test_a_catalogue_of_copies_has_no_neighbours(home: Path) -> None:
    vectors = stored(home, np.ones((3, 4), np.float32))
    index = build_index(home / "x", vectors, "l1", identity=[5, 5, 5], sign_structured=False)
    assert (index.neighbours.positions == -1).all()
