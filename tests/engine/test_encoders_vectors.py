"""Vectors that users bring: what is taken, what is left out, and what is said about it."""

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.engine.encoders import vectors
from search.engine.encoders.vectors import RejectedVector, read_vectors
from search.engine.errors import VectorsRejected


def save(folder, rows, keys):
    path = folder / "mine.npy"
    np.save(path, rows)
    (folder / "mine.txt").write_text("\n".join(keys), encoding="utf-8")
    return path


def save_parquet(folder, columns):
    path = folder / "mine.parquet"
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


@pytest.mark.parametrize("kind", ["npy", "lists", "columns"])
def test_every_shape_of_file_gives_the_same_table(tmp_path, kind):
    rows, keys = np.array([[1, 2], [3, -4], [0, 5]], np.float32), ["a", "b", "ö c"]
    path = {
        "npy": lambda: save(tmp_path, rows.astype(np.float64), keys),
        "lists": lambda: save_parquet(tmp_path, {"key": keys, "vector": rows.tolist()}),
        "columns": lambda: save_parquet(tmp_path, {"key": keys, "d0": rows[:, 0], "d1": rows[:, 1]}),
    }[kind]()
    table = read_vectors(path)
    assert table.keys == tuple(keys)
    assert table.vectors.dtype == np.float32
    np.testing.assert_array_equal(table.vectors, rows)
    assert table.rejected == ()


def test_a_keys_file_with_bom_and_windows_line_ends_is_read(tmp_path):
    path = save(tmp_path, np.ones((2, 3)), [])
    (tmp_path / "other.txt").write_bytes("\ufeffa\r\nb\r\n".encode())
    assert read_vectors(path, tmp_path / "other.txt").keys == ("a", "b")


@settings(max_examples=25, deadline=None)
@given(
    order=st.permutations(["a", "b", "c", "d", "e"]), wanted=st.sets(st.sampled_from("abcdefg"), min_size=1)
)
def test_aligned_vectors_follow_the_items_whatever_the_files_order(tmp_path_factory, order, wanted):
    rows = np.array([[ord(key), 1.0] for key in order], np.float32)
    table = read_vectors(save(tmp_path_factory.mktemp("v"), rows, order))
    items = sorted(wanted)
    if not wanted & set(order):
        with pytest.raises(VectorsRejected, match="None of the vectors' keys"):
            table.align(items)
        return
    aligned = table.align(items)
    assert [chr(int(vector[0])) for vector in aligned.vectors] == [
        items[place] for place in aligned.positions
    ]
    assert set(aligned.missing) == wanted - set(order)
    assert set(aligned.unknown) == set(order) - wanted
    assert len(aligned.list_problems()) == bool(aligned.missing) + bool(aligned.unknown)


def test_rows_that_cannot_be_used_are_named_and_the_rest_is_kept(tmp_path):
    rows = np.array([[1, 2], [np.nan, 0], [3, 4], [np.inf, 1], [5, 6], [1e39, 0]])
    table = read_vectors(save(tmp_path, rows, ["a", "b", "c", "d", "a", "e"]))
    assert table.keys == ("a", "c")
    not_finite = "holds a value that is not a finite number"
    assert table.rejected == (
        RejectedVector("b", not_finite),
        RejectedVector("d", not_finite),
        RejectedVector("a", "comes twice; the first vector is kept"),
        RejectedVector("e", not_finite),
    )


def test_a_vector_of_another_length_is_left_out(tmp_path):
    lists = [[1.0, 2.0], [1.0], [3.0, 4.0], None]
    table = read_vectors(save_parquet(tmp_path, {"key": list("abcd"), "vector": lists}))
    assert table.keys == ("a", "c")
    assert [(row.key, row.message) for row in table.rejected] == [
        ("b", "has 1 components instead of 2"),
        ("d", "has 0 components instead of 2"),
    ]


def test_problems_name_examples_and_counts(tmp_path):
    keys = [f"k{number}" for number in range(9)]
    aligned = read_vectors(save(tmp_path, np.ones((9, 2)), keys)).align(["k0", "other"])
    missing, unknown = aligned.list_problems()
    assert missing == "1 items have no vector and are left out: 'other'."
    assert "'k1', 'k2', 'k3', 'k4', 'k5' and 3 more" in unknown


class Trap:
    def __reduce__(self):
        return (print, ("a pickle was run",))


@pytest.mark.parametrize(
    ("rows", "keys", "message"),
    [
        (np.ones((3, 2)), ["a", "b"], r"mine.npy has 3 vectors, but mine.txt has 2 keys"),
        (np.ones(3), ["a", "b", "c"], r"float64 of shape \(3,\)"),
        (np.ones((0, 4)), [], r"shape \(0, 4\)"),
        (np.array([["x", "y"]]), ["a"], "numbers of shape"),
        (np.array([[Trap()]], dtype=object), ["a"], "cannot be read as an array of numbers"),
        (np.full((1, 2), np.nan), ["a"], "no usable vector: a holds a value"),
    ],
)
def test_unusable_arrays_are_refused_with_the_reason(tmp_path, capsys, rows, keys, message):
    with pytest.raises(VectorsRejected, match=message):
        read_vectors(save(tmp_path, rows, keys))
    assert "a pickle was run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a"], "vector": [[1.0]]}, "has the columns id, vector; 'key' and 'vector' are needed"),
        ({"key": ["a"], "vector": [["x"]]}, "not all numbers"),
        ({"key": ["a"], "d0": ["x"]}, "columns that are no numbers"),
        ({"key": ["a"], "vector": [None]}, "no vectors in its column"),
    ],
)
def test_unusable_parquet_is_refused_with_the_reason(tmp_path, columns, message):
    with pytest.raises(VectorsRejected, match=message):
        read_vectors(save_parquet(tmp_path, columns))


def test_damaged_missing_and_foreign_files_are_refused_by_name(tmp_path):
    (tmp_path / "broken.npy").write_bytes(b"\x93NUMPY\x01\x00")
    (tmp_path / "broken.txt").write_text("a")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    np.save(tmp_path / "lonely.npy", np.ones((1, 2)))
    for name, message in [
        ("broken.npy", "cannot be read as an array"),
        ("broken.parquet", "cannot be read as Parquet"),
        ("lonely.npy", "There is no lonely.txt"),
        ("table.csv", r"neither a \.npy nor a \.parquet"),
    ]:
        with pytest.raises(VectorsRejected, match=message):
            read_vectors(tmp_path / name)


def test_a_table_describes_itself_as_an_encoder(tmp_path):
    table = read_vectors(save(tmp_path, np.array([[0.0, 1.0], [2.0, 0.0]]), ["a", "b"]))
    info = table.describe("mine")
    assert (info.name, info.family, info.dimensions, info.sign_structured) == ("mine", "vectors", 2, True)
    other = read_vectors(save(tmp_path, np.array([[-1.0, 1.0], [2.0, 0.0]]), ["a", "b"])).describe("mine")
    assert not other.sign_structured
    assert other.version != info.version
    assert vectors.KEY_COLUMN == "key"
