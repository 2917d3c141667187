"""Large spaces: a shortlist misses few of the nearest, what it reports is exact, and damage is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.engine.errors import ArtifactDamaged, VectorsRejected
from search.engine.indexes import Index, build_index, load_index
from search.engine.metrics import Metric, distances, nearest
from search.engine.shortlists import RECALL, ShortlistGallery
from search.engine.vectors import StoredVectors
from tests.engine.spaces import stored

COUNT = 6000
both = pytest.mark.parametrize("metric", ["l1", "l2"])


def drawn(kind: str, count: int = COUNT) -> Any:
    """A space of many directions, which signs serve, or one in clusters, which lists do."""
    rng = np.random.default_rng(3)
    if kind == "signs":
        latent = rng.standard_normal((count, 20)) @ rng.standard_normal((20, 512))
        return np.asarray(latent, np.float32)
    centres = rng.standard_normal((60, 16)) * 4
    return np.asarray(centres[rng.integers(0, 60, count)] + rng.standard_normal((count, 16)), np.float32)


def build(folder: Path, metric: Metric, vectors: StoredVectors, **options: Any) -> Index:
    identity = np.arange(len(vectors.rows))
    return build_index(
        folder / f"{metric}.index",
        vectors,
        metric,
        identity=identity,
        sign_structured=False,
        flat=1000,
        **options,
    )


def reach_of(index: Index) -> Any:
    assert isinstance(index.gallery, ShortlistGallery)
    return index.gallery.reach


@both
@pytest.mark.parametrize("kind", ["signs", "lists"])
def test_a_large_space_finds_nearly_all_of_the_nearest(home: Path, metric: Metric, kind: str) -> None:
    rows, queries = np.split(drawn(kind, COUNT + 100), [COUNT])
    index = build(home, metric, stored(home, rows))
    reach = reach_of(index)
    assert reach.kind == kind and reach.recall >= RECALL
    truth, found = nearest(metric, queries, rows, 10), index.search(queries, 10)
    hits = [len(np.intersect1d(*pair)) for pair in zip(truth.positions, found.positions, strict=True)]
    assert sum(hits) >= 0.95 * truth.positions.size
    assert reach.shortlisted < COUNT / 4, "a shortlist is short"
    for number, positions in enumerate(found.positions):
        exact = distances(metric, queries[number : number + 1], rows[positions])[0]
        np.testing.assert_array_equal(found.distances[number], exact)
        assert np.all(np.diff(found.distances[number]) >= 0)


@both
def test_one_by_one_and_together_answer_alike(home: Path, metric: Metric) -> None:
    rows = drawn("lists")
    index = build(home, metric, stored(home, rows))
    together = index.search(rows[:150], 10)
    for number in (0, 70, 149):
        alone = index.search(rows[number : number + 1], 10)
        np.testing.assert_array_equal(alone.positions[0], together.positions[number])


@both
def test_identical_and_excluded_items_are_left_out(home: Path, metric: Metric) -> None:
    rows = drawn("lists")
    rows[50:70] = rows[0]
    identity = np.arange(COUNT)
    identity[50:70] = 0
    index = build_index(
        home / "index", stored(home, rows), metric, identity=identity, sign_structured=False, flat=1000
    )
    assert not {0, *range(50, 70)} & {*index.neighbours.positions[0].tolist()}
    found = index.search(rows[:1], 5, exclude=[np.arange(0, COUNT, 2)])
    assert np.all(found.positions % 2 == 1)


@both
@pytest.mark.parametrize("kind", ["signs", "lists"])
@pytest.mark.parametrize("flat", [40, 10])
def test_a_filter_loses_none_of_what_it_allows(
    home: Path, metric: Metric, kind: str, flat: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few allowed rows are all compared; of more the shortlist is made among them, and looks further."""
    monkeypatch.setattr("search.engine.shortlists.FLAT", flat * COUNT // 100)
    rows, queries = np.split(drawn(kind, COUNT + 20), [COUNT])
    index = build(home, metric, stored(home, rows))
    for share in (0.005, 0.3, 0.7):
        allowed = np.sort(np.random.default_rng(1).permutation(COUNT)[: int(share * COUNT)])
        left_out = np.setdiff1d(np.arange(COUNT), allowed)
        truth = nearest(metric, queries, rows[allowed], 10)
        found = index.search(queries, 10, exclude=[left_out] * 20).positions
        assert np.isin(found, allowed).all()
        hits = [len(np.intersect1d(allowed[a], b)) for a, b in zip(truth.positions, found, strict=True)]
        assert sum(hits) >= (1 if share * 100 <= flat else 0.9) * truth.positions.size, share


def test_where_nothing_short_finds_enough_every_item_is_compared(home: Path) -> None:
    noise = np.random.default_rng(0).standard_normal((COUNT, 128)).astype(np.float32)
    index = build(home, "l2", stored(home, noise))
    found = index.search(noise[:5], 10)
    np.testing.assert_array_equal(found.positions, nearest("l2", noise[:5], noise, 10).positions)


@pytest.mark.parametrize("at", [0, 1000, -1])
def test_damaged_lists_are_refused(home: Path, at: int) -> None:
    vectors = stored(home, drawn("lists"))
    build(home, "l2", vectors)
    lists = home / "l2.lists"
    data = bytearray(lists.read_bytes())
    data[at] ^= 1
    lists.write_bytes(data)
    with pytest.raises(ArtifactDamaged, match="Build it again"):
        load_index(home / "l2.index", vectors)


@pytest.mark.parametrize("queries", [np.zeros((1, 3), np.float32), np.full((1, 16), np.nan, np.float32)])
def test_queries_of_another_shape_or_without_numbers_are_refused(home: Path, queries: Any) -> None:
    index = build(home, "l2", stored(home, drawn("lists")))
    with pytest.raises(VectorsRejected, match="queries"):
        index.search(queries, 3)


def test_what_is_searched_is_mapped_and_so_shared_by_all_processes(home: Path) -> None:
    """Pages of a file that nobody writes are in memory once, however many processes map it."""
    vectors = stored(home, drawn("lists"))
    index = build(home, "l2", vectors)
    index.search(vectors.rows[:20], 10)
    for path in (vectors.path, home / "l2.index", home / "l2.lists"):
        own = mappings_of(path)
        assert own and all(mode.startswith("r--") and dirty == 0 for mode, dirty in own), path


def mappings_of(path: Path) -> list[tuple[str, int]]:
    """This process's mappings of a file: what it may do there, and how many kB it changed for itself."""
    found: list[tuple[str, int]] = []
    is_of_file = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            is_of_file = bool(rest) and rest[-1] == str(path)
            if is_of_file:
                found.append((rest[0], 0))
        elif is_of_file and first == "Private_Dirty:":
            found[-1] = (found[-1][0], int(rest[0]))
    return found
