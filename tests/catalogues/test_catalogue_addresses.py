"""Tables whose cells are addresses: there is no import from the web, so nothing is called or opened."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from search.catalogues.rows import CatalogueUnreadable
from tests.catalogues.sources import RED, read, write, zipped

ADDRESSES = [
    "file:///etc/hostname",
    "http://127.0.0.1:{port}/a.png",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:127.0.0.1]:{port}/a.png",
    "http://0x7f000001:{port}/a.png",
    "http://rebinding.example/a.png",
    "ftp://127.0.0.1/a.png",
    "//127.0.0.1/share/a.png",
    "\\\\127.0.0.1\\share\\a.png",
    "data:image/png;base64,iVBORw0KGgo=",
]
CALLS = ("socket.", "urllib.", "http.client.", "ftplib.", "subprocess.", "os.system")

_listeners: list[Callable[[str, tuple[Any, ...]], None]] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    for listener in _listeners:
        listener(event, arguments)


sys.addaudithook(_hear)  # cannot be taken back, so it only hears while a test listens


@pytest.fixture
def done(tmp_path: Path) -> Iterator[list[str]]:
    """What Python itself says was called or opened outside of the test's folder."""
    heard: list[str] = []

    def listen(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(CALLS):
            heard.append(f"{event} {arguments}")
        elif event == "open" and isinstance(arguments[0], str | bytes):
            path = str(arguments[0])
            if any(word in path for word in ("hostname", "127.0.0.1", "169.254", "example", "share")):
                heard.append(f"open {path}")

    _listeners.append(listen)
    yield heard
    _listeners.remove(listen)


def addresses() -> list[str]:
    return [address.format(port=9) for address in ADDRESSES]


def test_26_the_listening_hears_calls(done: list[str], tmp_path: Path) -> None:
    """Else the tests below would prove nothing."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
    (tmp_path / "share").write_text("")
    assert len(done) >= 2


def tables(folder: Path) -> dict[str, Path]:
    """The same rows, one good and the others addresses, in every format that there is."""
    rows = [*addresses(), "a"]
    csv = "\n".join(["image,kind", *(f'"{row}",x' for row in rows)])
    lines = "\n".join(json.dumps({"image": row, "kind": "x"}) for row in rows)
    made = {
        "csv": write(folder / "csv", {"t.csv": csv, "a.png": RED}),
        "jsonl": write(folder / "jsonl", {"t.jsonl": lines, "a.png": RED}),
        "parquet": write(folder / "parquet", {"a.png": RED}),
        "zip": zipped(folder / "t.zip", {"t.csv": csv.encode(), "a.png": RED}),
    }
    parquet.write_table(pa.table({"image": rows, "kind": ["x"] * len(rows)}), made["parquet"] / "t.parquet")
    return made


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "zip"])
def test_26_rows_that_are_addresses_are_refused_and_nothing_is_called_or_opened(
    tmp_path: Path, form: str, done: list[str]
) -> None:
    path = tables(tmp_path)[form]
    done.clear()
    rows, rejected = read("zip" if form == "zip" else "table", path)
    assert [(row.key, row.image()) for row in rows] == [("a", RED)]
    assert [one.key for one in rejected] == addresses()
    assert {one.code for one in rejected} <= {"unknown-image", "outside-folder"}
    assert done == []


def test_26_a_picture_stored_by_its_address_in_parquet_is_refused(tmp_path: Path, done: list[str]) -> None:
    cells = [
        {"bytes": RED, "path": "http://127.0.0.1/a.png"},
        {"bytes": None, "path": "http://127.0.0.1/b.png"},
    ]
    parquet.write_table(pa.table({"image": cells}), tmp_path / "t.parquet")
    done.clear()
    rows, rejected = read("table", tmp_path)
    assert [row.image() for row in rows] == [RED]  # the bytes, whatever stands beside them
    assert [one.code for one in rejected] == ["unknown-image"]
    assert done == []


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("format", ["folder", "table", "zip"])
def test_26_an_address_is_no_source(format: str, address: str, done: list[str]) -> None:
    with pytest.raises(CatalogueUnreadable, match="not found"):
        read(format, Path(address.format(port=9)))
    assert done == []
