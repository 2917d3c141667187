"""Archives of strangers: what is in them is read in place, refused by name, or refused as a whole."""

import stat
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from search.catalogues import archives
from search.catalogues.registry import open_importer
from search.catalogues.rows import CatalogueUnreadable, ImportOptions
from search.engine.errors import ImageRejected
from tests.catalogues.sources import RED, picture, quoted_overlap, read, zipped


def codes(path: Path) -> dict[str, str]:
    return {one.key: one.code for one in read("zip", path)[1]}


def everything_in(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


def test_a_zip_of_a_folder_and_of_a_table(tmp_path: Path) -> None:
    flat = zipped(tmp_path / "flat.zip", {"shirt/a.png": RED, "boot/b.png": RED})
    assert [(row.key, row.category) for row in read("zip", flat)[0]] == [
        ("boot/b.png", "boot"),
        ("shirt/a.png", "shirt"),
    ]
    packed = zipped(tmp_path / "packed.zip", {"photos/shirt/a.png": RED, "photos/boot/b.png": RED})
    assert [row.key for row in read("zip", packed)[0]] == ["boot/b.png", "shirt/a.png"]
    table = zipped(tmp_path / "t.zip", {"shop/i.csv": b"image,kind\na,shirt\n", "shop/images/a.png": RED})
    (row,) = read("zip", table)[0]
    assert (row.key, row.category, row.image()) == ("a", "shirt", RED)


def test_21_names_that_lead_out_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    names = ["../up.png", "a/../../up.png", "/etc/up.png", "C:\\up.png", "\\\\host\\up.png", "ok\\fine.png"]
    path = zipped(tmp_path / "z.zip", dict.fromkeys(names, RED) | {"good.png": RED})
    link, device = zipfile.ZipInfo("link.png"), zipfile.ZipInfo("device.png")
    link.external_attr, device.external_attr = (stat.S_IFLNK | 0o777) << 16, (stat.S_IFCHR | 0o666) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr(device, RED)
    before = everything_in(tmp_path)
    rows, rejected = read("zip", path)
    assert [row.key for row in rows] == ["good.png", "ok/fine.png"]
    assert [row.image() for row in rows] == [RED, RED]
    assert sorted(one.code for one in rejected) == ["not-a-file", *["outside-folder"] * 6]
    assert everything_in(tmp_path) == before


def test_22_a_quoted_overlap_bomb_is_refused(tmp_path: Path) -> None:
    path = quoted_overlap(tmp_path / "bomb.zip", files=50, kernel=bytes(4_000_000))
    with zipfile.ZipFile(path) as archive:  # it is a valid archive of 200 MB in a few kilobytes
        assert sum(info.file_size for info in archive.infolist()) > 190_000_000
    assert path.stat().st_size < 20_000
    with pytest.raises(CatalogueUnreadable, match="overlaps"):
        read("zip", path)


def test_22_a_thousandfold_bomb_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", {"bomb.png": bytes(20_000_000), "good.png": RED})
    assert codes(path) == {"bomb.png": "bomb"}


def test_22_a_member_that_lies_about_its_size_is_cut_by_what_really_comes_out(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", {"liar.png": bytes(30_000_000), "good.png": RED})
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        place = data.index(signature)
        data[place + at : place + at + 4] = struct.pack("<I", 1000)
    path.write_bytes(bytes(data))
    rows = {row.key: row for row in read("zip", path)[0]}
    tracemalloc.start()
    with pytest.raises(ImageRejected) as caught:
        rows["liar.png"].image()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code in ("truncated", "too-large")
    assert peak < 2_000_000
    assert rows["good.png"].image() == RED


def test_23_a_million_empty_entries_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    name = b"%07d.png"
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 0, 0)
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0)
    directory = b"".join(entry + name % number for number in range(1_000_000))
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 10**6, 10**6, len(directory), len(local))
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(local) + len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path = tmp_path / "many.zip"
    path.write_bytes(local + directory + record + locator + end)
    tracemalloc.start()
    with pytest.raises(CatalogueUnreadable, match=r"1,000,000 entries .* at most 100,000"):
        read("zip", path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_23_nested_doubled_and_encrypted_members_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "z.zip"
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "w") as archive:
        for name in ("a.png", "a.png", "A.PNG", "inner.zip", "folder.png/b.png", "folder.png", "locked.png"):
            archive.writestr(name, RED)
    data = bytearray(path.read_bytes())
    at = data.index(b"locked.png", data.index(b"PK\1\2"))
    data[at - 38] |= 1
    path.write_bytes(bytes(data))
    rows, rejected = read("zip", path)
    assert [row.key for row in rows] == ["a.png", "folder.png/b.png"]
    assert [(one.key, one.code) for one in rejected] == [
        ("a.png", "duplicate-name"),
        ("A.PNG", "duplicate-name"),
        ("inner.zip", "nested-archive"),
        ("folder.png", "duplicate-name"),
        ("locked.png", "encrypted"),
    ]


def test_methods_that_inflate_without_bound_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", RED, zipfile.ZIP_BZIP2)
        archive.writestr("b.png", RED, zipfile.ZIP_LZMA)
        archive.writestr("c.png", RED, zipfile.ZIP_STORED)
    assert codes(path) == {"a.png": "unsupported-format", "b.png": "unsupported-format"}


def test_the_sum_of_all_members_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "z.zip", {f"{n}.png": picture(n) for n in range(20)})
    monkeypatch.setattr(archives, "MAX_TOTAL", 1000)
    with pytest.raises(CatalogueUnreadable, match="inflate"):
        read("zip", path)


@pytest.mark.parametrize("cut", [0, 1, 10, 100, -1])
def test_half_an_archive_is_no_archive(tmp_path: Path, cut: int) -> None:
    path = zipped(tmp_path / "z.zip", {"a.png": RED, "b.png": RED})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CatalogueUnreadable, match="zip archive"):
        open_importer("zip", path, ImportOptions())


def test_a_damaged_member_costs_only_itself(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", {"a.png": picture(1), "b.png": picture(2)})
    data = bytearray(path.read_bytes())
    at = data.index(b"a.png") + 5
    data[at + 20 : at + 24] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(data))
    rows = {row.key: row for row in read("zip", path)[0]}
    with pytest.raises(ImageRejected) as caught:
        rows["a.png"].image()
    assert caught.value.code == "truncated"
    assert zlib.crc32(rows["b.png"].image()) == zlib.crc32(picture(2))


def test_a_member_whose_inner_name_or_flags_are_broken_costs_only_itself(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", {"é.png": RED, "good.png": RED, "bare": RED})
    data = bytearray(path.read_bytes())
    at = data.find("é.png".encode())
    data[at : at + 2] = b"\xff\xfe"  # in the member's own header only; the list of entries stays as it was
    entry = data.rfind(b"PK\1\2")
    assert data[entry + 46 :].startswith(b"bare")
    data[entry + 8] |= 0x20  # "compressed patched data", which nobody reads
    path.write_bytes(data)
    rows, _ = read("zip", path)
    found = {row.key: row for row in rows}
    assert found["good.png"].image() == RED
    with pytest.raises(ImageRejected, match="damaged inside the archive"):
        found["é.png"].image()


def test_an_end_record_that_points_nowhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "z.zip"
    locator = b"PK\6\7" + struct.pack("<LQL", 0, 2**63 - 1, 1)
    path.write_bytes(bytes(100) + locator + b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, 10, 0, 0))
    with pytest.raises(CatalogueUnreadable, match="not a zip archive"):
        read("zip", path)
