"""A space is written once, whatever happens meanwhile, and never served before it is whole."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from search.engine.errors import ArtifactDamaged, DiskFull, StoreBusy, VectorsRejected
from search.engine.vectors import StoredVectors, VectorStore, load_vectors

FACTS = {"encoder": "colour-histogram", "version": 3}


def some_vectors(count: int = 50, dimensions: int = 8) -> Any:
    return np.random.default_rng(7).standard_normal((count, dimensions)).astype(np.float32)


def write_space(path: Path, vectors: Any) -> StoredVectors:
    with VectorStore(path, count=len(vectors), dimensions=vectors.shape[1], facts=FACTS) as store:
        store.write(range(len(vectors)), vectors)
        return store.finish()


def test_a_finished_space_is_read_back_by_anyone(home: Path) -> None:
    path, vectors = home / "space" / "vectors.safetensors", some_vectors()
    finished = write_space(path, vectors)
    again = load_vectors(path)
    np.testing.assert_array_equal(again.rows, vectors)
    assert (again.sha256, again.facts) == (finished.sha256, FACTS)
    assert not again.rows.flags.writeable
    assert [entry.name for entry in path.parent.iterdir()] == ["vectors.safetensors"]
    np.testing.assert_array_equal(load_file(path)["vectors"], vectors)


def test_the_same_vectors_give_the_same_file_in_whatever_order_they_came(home: Path) -> None:
    vectors = some_vectors()
    write_space(home / "one", vectors)
    with VectorStore(home / "two", count=50, dimensions=8, facts=FACTS) as store:
        for batch in (range(40, 50), range(0, 40, 2), range(1, 40, 2)):
            store.write(batch, vectors[list(batch)])
        store.finish()
    assert (home / "one").read_bytes() == (home / "two").read_bytes()


def test_work_goes_on_where_it_stopped_and_is_not_readable_before(home: Path) -> None:
    path, vectors = home / "v", some_vectors()
    with VectorStore(path, count=50, dimensions=8, facts=FACTS) as store:
        store.write([3, 1], vectors[[3, 1]])
        with pytest.raises(VectorsRejected, match="48 of 50"):
            store.finish()
    with pytest.raises(FileNotFoundError):
        load_vectors(path)
    with pytest.raises(ArtifactDamaged):
        load_vectors(home / "v.partial")
    with VectorStore(path, count=50, dimensions=8, facts=FACTS) as store:
        rest = store.pending()
        assert rest.tolist() == [0, 2, *range(4, 50)]
        store.write(rest, vectors[rest])
        np.testing.assert_array_equal(store.finish().rows, vectors)


@pytest.mark.parametrize(
    "change", [{"count": 49}, {"dimensions": 9}, {"facts": {**FACTS, "version": 4}}, {"facts": {}}]
)
def test_another_plan_begins_afresh(home: Path, change: dict[str, Any]) -> None:
    plan: dict[str, Any] = {"count": 50, "dimensions": 8, "facts": FACTS}
    with VectorStore(home / "v", **plan) as store:
        store.write(range(50), some_vectors())
    with VectorStore(home / "v", **{**plan, **change}) as store:
        assert len(store.pending()) == store.count


WRITER = """
import os, sys, numpy as np
from pathlib import Path
from search.engine.vectors import VectorStore
vectors = np.load(sys.argv[1])
path, (count, dimensions) = Path(sys.argv[2]), vectors.shape
with VectorStore(path, count=count, dimensions=dimensions, facts={"seed": 7}) as store:
    for position in store.pending():
        store.write([position], vectors[[position]])
        print(position, flush=True)
    store.finish()
"""


def test_a_killed_writer_loses_nothing_it_had_said_was_written(home: Path) -> None:
    vectors = some_vectors(5000, 64)
    np.save(home / "source.npy", vectors)
    command = [sys.executable, "-c", WRITER, str(home / "source.npy"), str(home / "v")]
    said = -1
    for stop_at in (10, 700, 2500):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            first = int(writer.stdout.readline())
            assert first > said
            for line in writer.stdout:
                said = int(line)
                if said >= stop_at:
                    os.kill(writer.pid, signal.SIGKILL)
                    break
            said = max([said, *map(int, writer.stdout.read().split())])
        assert writer.returncode == -signal.SIGKILL
        assert not (home / "v").exists()
    with VectorStore(home / "v", count=5000, dimensions=64, facts={"seed": 7}) as store:
        rest = store.pending()
        assert len(rest) <= 5000 - said - 1
        store.write(rest, vectors[rest])
        np.testing.assert_array_equal(store.finish().rows, vectors)


def test_a_row_whose_bytes_did_not_reach_the_disk_is_done_again(home: Path) -> None:
    """After a power cut the marks may be newer than the rows."""
    with VectorStore(home / "v", count=50, dimensions=8, facts=FACTS) as store:
        store.write(range(50), some_vectors())
    with (home / "v.partial").open("r+b") as file:
        file.seek(4096 + 20 * 8 * 4)
        file.write(bytes(8 * 4))
    with VectorStore(home / "v", count=50, dimensions=8, facts=FACTS) as store:
        assert store.pending().tolist() == [20]


def test_two_writers_cannot_mix(home: Path) -> None:
    plan: dict[str, Any] = {"count": 5, "dimensions": 8, "facts": FACTS}
    with VectorStore(home / "v", **plan), pytest.raises(StoreBusy, match="Another process is writing"):
        VectorStore(home / "v", **plan)
    with VectorStore(home / "v", count=5, dimensions=8, facts=FACTS) as store:
        assert len(store.pending()) == 5


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused_and_not_written(home: Path, value: float) -> None:
    vectors = some_vectors(4)
    vectors[2, 5] = value
    with VectorStore(home / "v", count=50, dimensions=8, facts=FACTS) as store:
        with pytest.raises(VectorsRejected, match="Vector 12 holds"):
            store.write([10, 11, 12, 13], vectors)
        assert len(store.pending()) == 50


@pytest.mark.parametrize(
    ("positions", "shape", "words"),
    [([0, 1], (2, 7), r"\(2, 8\) is needed"), ([0], (2, 8), r"\(1, 8\)"), ([50], (1, 8), "no position 50")],
)
def test_wrong_shapes_and_positions_are_refused(
    home: Path, positions: list[int], shape: tuple[int, int], words: str
) -> None:
    store = VectorStore(home / "v", count=50, dimensions=8, facts=FACTS)
    with store, pytest.raises(VectorsRejected, match=words):
        store.write(positions, np.zeros(shape, np.float32))


def test_a_full_disk_is_told_before_the_work_begins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(DiskFull, match="Free some space"):
        VectorStore(home / "v", count=50, dimensions=8, facts=FACTS)
    assert not any(home.iterdir())


def test_facts_that_do_not_fit_are_refused(home: Path) -> None:
    with pytest.raises(ValueError, match="keep them short"):
        VectorStore(home / "v", count=5, dimensions=8, facts={"note": "long" * 1000})


@settings(max_examples=150, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_noticed(tmp_path_factory: pytest.TempPathFactory, place: float, bit: int) -> None:
    path = tmp_path_factory.mktemp("flip") / "v"
    write_space(path, some_vectors())
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(ArtifactDamaged, match="build it again"):
        load_vectors(path)


@pytest.mark.parametrize("kept", [0, 5, 8, 100, 4096, 5000, -1])
def test_a_cut_or_grown_file_is_noticed(home: Path, kept: int) -> None:
    write_space(home / "v", some_vectors())
    data = (home / "v").read_bytes()
    (home / "v").write_bytes(data[:kept] if kept >= 0 else data + b"\0")
    with pytest.raises(ArtifactDamaged, match="damaged"):
        load_vectors(home / "v")


def test_an_empty_space_is_a_space(home: Path) -> None:
    assert write_space(home / "v", np.zeros((0, 8), np.float32)).rows.shape == (0, 8)
