"""Pictures for tests, good and bad, as bytes."""

import io
import struct
import zlib
from typing import Any

from PIL import Image


def encode(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def decode(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def plain(colour: Any = (200, 10, 10), size: tuple[int, int] = (80, 60), mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, colour)


def png(width: int, height: int, depth: int, colour_type: int, rows: list[bytes]) -> bytes:
    """A PNG written by hand: what Pillow does not write, or would need the memory for that it tests."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"\0" + row) for row in rows) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def bomb(side: int = 13_300) -> bytes:
    """`side` x `side` black pixels in a few kilobytes."""
    return png(side, side, 1, 0, [bytes(-(-side // 8))] * side)


def animation(frames: int, side: int = 64) -> bytes:
    """A GIF of `frames` one-pixel frames on a `side` x `side` canvas."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    screen = struct.pack("<HHBBB", side, side, 0x80, 0, 0)
    return b"GIF89a" + screen + b"\0\0\0\xff\xff\xff" + frame * frames + b";"


def moving_webp(frames: int, side: int = 8) -> bytes:
    pictures = [plain((number % 256, 0, 0), (side, side)) for number in range(frames)]
    return encode(pictures[0], "WEBP", save_all=True, append_images=pictures[1:], lossless=True, method=0)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
