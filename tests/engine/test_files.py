"""A file is there whole, or not at all."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from search.engine import files
from search.engine.errors import DiskFull


def contents(folder: Path) -> list[tuple[str, bytes]]:
    return [(entry.name, entry.read_bytes()) for entry in folder.iterdir()]


def test_a_written_file_is_there_with_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    assert files.write_file(path, b"bytes") == hashlib.sha256(b"bytes").hexdigest()
    assert path.read_bytes() == b"bytes"


def test_an_error_leaves_the_old_file_and_nothing_else(home: Path) -> None:
    files.write_file(home / "file", b"old")
    with pytest.raises(KeyError), files.open_atomic(home / "file") as file:
        file.write(b"new")
        raise KeyError
    assert contents(home) == [("file", b"old")]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_and_leaves_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    files.write_file(home / "file", b"old")

    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(DiskFull, match=r"file could not be written .* Free some space"):
        files.write_file(home / "file", b"new")
    assert contents(home) == [("file", b"old")]


def test_the_end_of_a_real_disk_is_noticed() -> None:
    """/dev/full answers every write as a full disk does."""
    with pytest.raises(DiskFull), files.disk_errors(Path("x")), Path("/dev/full").open("wb") as device:
        device.write(bytes(100_000))


def test_other_errors_of_the_system_stay_what_they_are(home: Path) -> None:
    (home / "file").mkdir()
    with pytest.raises(IsADirectoryError):
        files.write_file(home / "file", b"new")
    assert not any((home / "file").iterdir())
    assert len(list(home.iterdir())) == 1
