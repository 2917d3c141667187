"""Sources to import from, good and bad, made in a test's own folder."""

import random
import struct
import zipfile
import zlib
from pathlib import Path

from PIL import Image

from search.catalogues.registry import open_importer
from search.catalogues.rows import ImportOptions, Rejection, Row
from tests.engine.pictures import encode, plain

RED = encode(plain((200, 10, 10)))
TWO: dict[str, bytes | str] = {"a.png": RED, "images/b.jpg": RED}


def picture(number: int, side: int = 24) -> bytes:
    """A small PNG that differs from those of other numbers, to the eye and to the perceptual hash."""
    image = plain("white", (side, side))
    chance = random.Random(number)
    colour = tuple(chance.randrange(256) for _ in range(3))
    for place in range(64):
        if chance.random() < 0.5:
            left, top = place % 8 * side // 8, place // 8 * side // 8
            image.paste(colour, (left, top, left + side // 8, top + side // 8))
    return encode(image)


def photo(number: int, side: int = 160) -> bytes:
    """Soft patches of many colours, as photos have them."""
    coarse = Image.frombytes("RGB", (6, 6), random.Random(number).randbytes(108))
    return encode(coarse.resize((side, side), Image.Resampling.BICUBIC))


def write(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def shop(folder: Path, table: bytes | str, files: dict[str, bytes | str] | None = None) -> Path:
    """A folder with a table and pictures, `TWO` unless others are given."""
    return write(folder, {"items.csv": table, **(TWO if files is None else files)})


def read(format: str, path: Path, **options: object) -> tuple[list[Row], list[Rejection]]:
    """All rows and all rejections of a source."""
    importer = open_importer(format, path, ImportOptions(**options))  # type: ignore[arg-type]
    given = list(importer.rows())
    again = [row.key for row in importer.rows()]
    assert [row.key for row in given] == again, "reading twice gives the same rows"
    return [row for row in given if isinstance(row, Row)], [
        row for row in given if isinstance(row, Rejection)
    ]


def aspects(format: str, path: Path, **options: object) -> dict[str, str]:
    importer = open_importer(format, path, ImportOptions(**options))  # type: ignore[arg-type]
    return {spec.name: "category" if spec.is_category else spec.kind for spec in importer.aspects()}


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return path


def quoted_overlap(path: Path, files: int, kernel: bytes) -> Path:
    """A zip whose members each quote the headers of all that follow and share one kernel at the end.

    The construction is David Fifield's ("A better zip bomb", 2019), in its simplest form.
    """
    packer = zlib.compressobj(9, wbits=-15)
    packed = packer.compress(kernel) + packer.flush()
    names = [f"{number:03d}.png".encode() for number in range(files)]
    body, crc, size = packed, zlib.crc32(kernel), len(kernel)
    entries = []
    for name in reversed(names):
        header = (
            struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, crc, len(body), size, len(name), 0) + name
        )
        entries.append((name, crc, len(body), size))
        quote = struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF)
        crc, size = zlib.crc32(header + _inflate(body)), len(header) + size
        body = quote + header + body
    body = body[5:]  # nothing quotes the first header
    directory, offset = b"", 0
    for name, crc, packed_size, size in reversed(entries):
        facts = struct.pack(
            "<6H3L5H2L", 20, 20, 0, 8, 0, 33, crc, packed_size, size, len(name), 0, 0, 0, 0, 0, offset
        )
        directory += b"PK\1\2" + facts + name
        offset += 30 + len(name) + 5
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, files, files, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path


def _inflate(body: bytes) -> bytes:
    return zlib.decompressobj(wbits=-15).decompress(body)
