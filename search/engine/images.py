"""From the bytes of any picture to the one form the product stores.

Decoding is the dangerous part of every import, so it happens once: the header is checked against the budgets
before a pixel is decoded, the pixels are copied into a new picture (which drops every kind of metadata), and
that is re-encoded. The same bytes and box give the same stored bytes. `normaliser.py` runs this in bounded
processes.
"""

import hashlib
import io
import math
import re
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from search.engine.colours import dominant_colour
from search.engine.errors import ImageRejected
from search.engine.perceptual_hash import perceptual_hash

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
MAX_BYTES = 25 * 2**20
MAX_PIXELS = 40_000_000  # width x height, summed over the frames of an animation
MAX_FRAMES = 1000
MAX_ASPECT = 50  # long side over short side; beyond it nothing is left to see at 640 px
STORED_SIDE = 640
STORED_QUALITY = 90
READABLE = "JPEG, PNG, WebP, GIF, BMP or TIFF"

Box: TypeAlias = tuple[float, float, float, float]

# Pillow's own guard is only a warning up to twice its limit; here it is an error at ours.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)

# First bytes of what people rename to .jpg, to say by name what it is; matched after leading white space.
_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"<svg": "SVG",
    b"<?xml": "SVG or XML",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"%!ps": "EPS or PostScript",
    b"\xc5\xd0\xd3\xc6": "EPS",
    b"8bps": "PSD",
    b"%pdf": "PDF",
    b"simple  =": "FITS",
    b"pk\x03\x04": "a zip archive",
}
# EXIF orientation (tag 274) -> what shows the picture upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION = 274


@dataclass(frozen=True)
class NormalisedImage:
    """A picture as it is stored: WebP bytes without metadata, and what was computed from its pixels once."""

    data: bytes
    sha256: str  # of `data`, hexadecimal
    perceptual_hash: int  # unsigned 64 bits, see `perceptual_hash`
    width: int
    height: int
    colour: str  # one of colours.COLOURS


def normalise(source: bytes, *, box: Box | None = None) -> NormalisedImage:
    """Decode, crop to `box`, flatten onto white, shrink to 640 px on the long side and re-encode.

    `box` is (left, top, right, bottom) in pixels of the upright picture; parts outside it are cut off.
    The content decides the format, never the name. Of an animation the first frame is taken.
    Colour profiles are ignored: values are taken as sRGB. Raises ImageRejected.
    """
    if not source:
        raise ImageRejected("empty", "The file is empty (0 bytes). Copy it again from its source.")
    if len(source) > MAX_BYTES:
        raise ImageRejected(
            "too-large",
            f"The file has {len(source) / 2**20:.1f} MiB; at most {MAX_BYTES >> 20} MiB are read. "
            "Save it smaller.",
        )
    try:
        picture = _flatten(_decode(source, box))
    except MemoryError as error:
        raise ImageRejected(
            "out-of-memory",
            "Decoding it needs more memory than an image may use. Save it smaller or in 8 bits.",
        ) from error
    return _store(picture)


def load_rgb(path: Path) -> npt.NDArray[np.uint8]:
    """The pixels of a stored image, shape (height, width, 3). Raises ImageRejected where it is damaged."""
    return np.array(load_picture(path))


def load_picture(path: Path) -> Image.Image:
    """A stored image, decoded, in mode RGB. Raises ImageRejected where it is damaged."""
    try:
        with Image.open(path, formats=["WEBP"]) as picture:
            picture.load()
            return picture if picture.mode == "RGB" else picture.convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ImageRejected("truncated", f"The stored image {path} is damaged; import it again.") from error


def _decode(source: bytes, box: Box | None) -> Image.Image:
    """The upright, cropped picture, shrunk to the stored size, in whatever mode it had (8-bit)."""
    try:
        with Image.open(io.BytesIO(source), formats=FORMATS) as picture:
            _check_budget(picture)
            if box is None:
                # A JPEG is decoded at a fraction of its size where that still leaves twice what is stored.
                picture.draft(picture.mode, (2 * STORED_SIDE, 2 * STORED_SIDE))
            picture.load()
            upright = _turn_upright(picture)
    except UnidentifiedImageError as error:
        raise _unidentified(source) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(_pixels_named_by(error)) from error
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        IndexError,
        TypeError,
        KeyError,
        struct.error,
    ) as error:
        # Pillow's decoders tell a damaged file by any of these.
        raise _damaged(str(error)) from error
    shown = upright if box is None else upright.crop(_clip(box, upright.size))
    _check_aspect(*shown.size)
    return _shrink(_eight_bits(shown))


def _check_budget(picture: Image.Image) -> None:
    """Refuse by the header alone, before a pixel is decoded."""
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise _too_large(f"{width} x {height}")
    # The further pictures of a multi-picture JPEG are thumbnails and depth maps that nobody decodes.
    frames = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
    if frames > MAX_FRAMES or frames * width * height > MAX_PIXELS:
        raise ImageRejected(
            "animated-too-large",
            f"It is an animation of {frames} frames of {width} x {height} pixels; at most {MAX_FRAMES} "
            f"frames and {MAX_PIXELS // 10**6} million pixels in all are read. Save one frame as a picture.",
        )


def _check_aspect(width: int, height: int) -> None:
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageRejected(
            "bad-shape",
            f"It is {width} x {height} pixels: one side is more than {MAX_ASPECT} times the other, and "
            "nothing could be seen at the size of a card. Crop it to what it shows.",
        )


def _turn_upright(picture: Image.Image) -> Image.Image:
    try:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF raises nearly anything, and the pixels are fine without it
        orientation = 1
    turn = _UPRIGHT.get(orientation)
    return picture.copy() if turn is None else picture.transpose(turn)


def _clip(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box in whole pixels inside the picture; ImageRejected("bad-box") where nothing of it is inside."""
    width, height = size
    if all(math.isfinite(edge) for edge in box):
        left, top = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
        right, bottom = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
        if box[0] < box[2] and box[1] < box[3] and left < right and top < bottom:
            return left, top, right, bottom
    raise ImageRejected(
        "bad-box",
        f"The box {box} marks nothing inside the picture of {width} x {height} pixels. "
        "Give left, top, right, bottom in pixels from the upper left corner, or leave the box empty.",
    )


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Deep grey pictures scaled to 8 bits: Pillow's own conversion would clip them to white."""
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture).astype(np.uint16) >> 8).astype(np.uint8))
    if picture.mode not in ("I", "F"):
        return picture
    values = np.nan_to_num(np.asarray(picture, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if picture.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 65535:
        low, high = 0.0, 255.0 if high <= 255 else 65535.0
    scaled = (values - low) * (255.0 / max(high - low, 1e-30))
    return Image.fromarray(np.round(scaled).astype(np.uint8))


def _shrink(picture: Image.Image) -> Image.Image:
    scale = STORED_SIDE / max(picture.size)
    if picture.mode in ("P", "PA", "1") or picture.has_transparency_data:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    # reducing_gap first averages whole pixels: nearly the same picture for a fraction of the time.
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _flatten(picture: Image.Image) -> Image.Image:
    """An RGB picture on white that shares nothing, metadata least of all, with the one it came from."""
    flat = Image.new("RGB", picture.size, "white")
    try:
        if picture.mode == "RGBA":
            flat.paste(picture, mask=picture.getchannel("A"))
        else:
            flat.paste(picture.convert("RGB"))
    except ValueError as error:
        raise ImageRejected(
            "unsupported-format",
            f"Its colours are stored as {picture.mode}, which is not read. Save it as RGB.",
        ) from error
    return flat


def _store(picture: Image.Image) -> NormalisedImage:
    buffer = io.BytesIO()
    # method 2 of 0..6: half the time of the default for 1 % more bytes (measured on photos of clothes)
    picture.save(buffer, "WEBP", quality=STORED_QUALITY, method=2)
    data = buffer.getvalue()
    return NormalisedImage(
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
        perceptual_hash=perceptual_hash(picture),
        width=picture.width,
        height=picture.height,
        colour=dominant_colour(picture),
    )


def _too_large(count: str) -> ImageRejected:
    return ImageRejected(
        "too-large",
        f"It has {count} pixels; at most {MAX_PIXELS // 10**6} million are decoded. Save it smaller.",
    )


def _pixels_named_by(error: Exception) -> str:
    """The count in the message of Pillow's own guard, which refuses before it gives out a size."""
    count = re.search(r"\d+", str(error))
    return f"{int(count[0]) / 1e6:.0f} million" if count else "too many"


def _damaged(detail: str) -> ImageRejected:
    return ImageRejected(
        "truncated",
        f"The file is damaged or cut off ({detail or 'no detail'}). Copy it again from its source.",
    )


def _unidentified(source: bytes) -> ImageRejected:
    start = source[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    webp = source[:4] == b"RIFF" and source[8:12] == b"WEBP"
    found = "WebP" if webp else next((n for s, n in _SIGNATURES.items() if start.startswith(s.lower())), None)
    if found in ("WebP", *FORMATS):
        return _damaged(f"it begins like {found}, but its header cannot be read")
    return ImageRejected(
        "unsupported-format",
        f"The file is {found or 'not a picture in a format that is read'}. Save it as {READABLE}.",
    )
