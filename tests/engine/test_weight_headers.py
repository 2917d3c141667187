"""Whether a file holds safetensors is told by its header, without torch."""

import json
import pickle
import struct

import pytest
import safetensors.numpy
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from search.engine.encoders.base import WeightsDamaged
from search.engine.weight_headers import check_safetensors


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was run",))


def write(folder, data):
    path = folder / "weights.safetensors"
    path.write_bytes(data)
    return path


def test_what_safetensors_writes_is_accepted(tmp_path):
    tensors = {"layer.weight": torch.zeros(3, 2).numpy()}
    check_safetensors(write(tmp_path, safetensors.numpy.save(tensors)))


@settings(max_examples=40, deadline=None)
@given(size=st.integers(8, 200).map(lambda eighths: eighths * 8))
@example(size=0x0280)
@example(size=0x0480)
def test_a_header_of_any_size_is_accepted(tmp_path_factory, size):
    """The size stands first, and some sizes begin as a pickle does: 640 is 80 02 in bytes."""
    header = json.dumps({"__metadata__": {}}).encode().ljust(size)
    check_safetensors(write(tmp_path_factory.mktemp("w"), struct.pack("<Q", size) + header))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_29_a_pickle_is_called_one_and_nothing_in_it_runs(tmp_path, protocol):
    path = write(tmp_path, pickle.dumps({"weight": Trap()}, protocol=protocol))
    with pytest.raises(WeightsDamaged, match=r"holds a pickle, which could run code.*Convert it to"):
        check_safetensors(path)


@pytest.mark.parametrize("is_zip", [True, False])
def test_29_what_torch_saves_is_called_a_pickle(tmp_path, is_zip):
    path = tmp_path / "weights.pth"
    torch.save({"weight": torch.zeros(3)}, path, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(WeightsDamaged, match="holds a pickle"):
        check_safetensors(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"abc",
        struct.pack("<Q", 0),
        struct.pack("<Q", 4) + b"[1]",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 4) + b"null",
        struct.pack("<Q", 100) + b'{"a": 1}'[:-1],
        struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc",
        struct.pack("<Q", 1 << 62) + b"{}",
        struct.pack("<Q", 200_000) + b"[" * 200_000,
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        pickle.dumps([1, 2], protocol=0),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_is_no_safetensors_is_refused_by_name(tmp_path, data):
    with pytest.raises(WeightsDamaged, match=r"weights\.safetensors is no safetensors file\. Give one"):
        check_safetensors(write(tmp_path, data))


@given(st.binary(max_size=64))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_accepted_or_refused_and_nothing_else(tmp_path_factory, data):
    path = write(tmp_path_factory.mktemp("w"), data)
    try:
        check_safetensors(path)
    except WeightsDamaged:
        return
    assert isinstance(json.loads(data[8:][: struct.unpack("<Q", data[:8])[0]]), dict)


def test_a_path_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(WeightsDamaged, match=r"gone cannot be read \(No such file or directory\)\. Check"):
        check_safetensors(tmp_path / "gone")
    with pytest.raises(WeightsDamaged, match="cannot be read"):
        check_safetensors(tmp_path)
