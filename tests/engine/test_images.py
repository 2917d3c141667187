"""Any file may be given as a picture; what is stored is safe, upright, opaque and the same every time."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from search.engine.errors import ImageRejected
from search.engine.images import load_rgb, normalise
from search.engine.perceptual_hash import perceptual_hash
from tests.engine.pictures import animation, bomb, decode, encode, plain, png

RED = plain()


def rejected(source: bytes, **options: object) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        normalise(source, **options)  # type: ignore[arg-type]
    return caught.value


def mean_colour(data: bytes) -> list[int]:
    return np.asarray(decode(data).convert("RGB")).reshape(-1, 3).mean(axis=0).round().astype(int).tolist()


def test_a_photo_is_stored_as_webp_of_at_most_640_pixels() -> None:
    stored = normalise(encode(plain(size=(2000, 1000)), "JPEG"))
    picture = decode(stored.data)
    assert (picture.format, picture.size, picture.mode) == ("WEBP", (640, 320), "RGB")
    assert (stored.width, stored.height, stored.colour) == (640, 320, "red")
    assert normalise(encode(plain(size=(30, 40)))).width == 30  # small ones are not blown up


def test_the_same_bytes_give_the_same_stored_bytes() -> None:
    noise = Image.fromarray(np.random.default_rng(5).integers(0, 256, (900, 700, 3), dtype=np.uint8))
    source = encode(noise, "JPEG")
    assert normalise(source) == normalise(source)
    assert normalise(source).sha256 != normalise(source, box=(0, 0, 300, 300)).sha256


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # pytest undoes the module's filter
@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        (b"", "empty", "0 bytes"),
        (bomb(), "too-large", "177 million pixels"),
        (bomb(7000), "too-large", "7000 x 7000 pixels"),
        (b"\xff\xd8\xff" + bytes(26 << 20), "too-large", "26.0 MiB"),
        (animation(10_000), "animated-too-large", "10000 frames"),
        (animation(900, side=300), "animated-too-large", "900 frames of 300 x 300"),
        (encode(RED, "JPEG")[:300], "truncated", "damaged or cut off"),
        (encode(RED, "PNG")[:77], "truncated", "damaged or cut off"),
        (encode(RED, "WEBP")[:40], "truncated", "damaged or cut off"),
        (encode(RED, "JPEG")[:20], "truncated", "begins like JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported-format", "SVG"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?><svg/>", "unsupported-format", "SVG or XML"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unsupported-format", "EPS"),
        (b"8BPS\0\1" + bytes(40), "unsupported-format", "PSD"),
        (b"SIMPLE  =                    T", "unsupported-format", "FITS"),
        (b"<!DOCTYPE html><html>", "unsupported-format", "a web page"),
        (encode(RED, "ICO"), "unsupported-format", "JPEG, PNG, WebP"),
        (png(1, 60_000, 8, 0, [b"\7"] * 60_000), "bad-shape", "1 x 60000"),
    ],
)
def test_bad_pictures_are_refused_by_name_and_with_a_remedy(source: bytes, code: str, words: str) -> None:
    rejection = rejected(source)
    assert rejection.code == code
    assert words in rejection.message
    assert any(remedy in rejection.message for remedy in ("Save", "Copy", "Crop"))


def test_the_first_frame_of_a_small_animation_is_taken() -> None:
    frames = [plain((0, 0, 255)), plain((255, 0, 0))]
    stored = normalise(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert stored.colour == "blue"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_the_content_decides_the_format(form: str) -> None:
    """No name is looked at at all, so one cannot lie."""
    assert normalise(encode(plain((255, 0, 0)), form)).colour == "red"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (encode(RED.convert("CMYK"), "JPEG"), [200, 10, 10]),
        (png(8, 8, 16, 2, [struct.pack(">HHH", 65535, 32768, 0) * 8] * 8), [255, 128, 0]),
        (png(8, 8, 16, 0, [struct.pack(">H", 32768) * 8] * 8), [128, 128, 128]),
        (encode(Image.fromarray(np.full((8, 8), 0.5, np.float32)), "TIFF"), [128, 128, 128]),
        (encode(Image.fromarray(np.full((8, 8), 40_000, np.int32)), "TIFF"), [156, 156, 156]),
        (encode(plain((255, 0, 0, 128), mode="RGBA")), [255, 127, 127]),
        (encode(plain((255, 0, 0, 0), mode="RGBA", size=(1200, 900))), [255, 255, 255]),
        (encode(plain((0, 0), mode="LA")), [255, 255, 255]),
        (encode(plain(1, mode="1")), [255, 255, 255]),
        (encode(plain((1, 2, 3)), transparency=(1, 2, 3)), [255, 255, 255]),
        (encode(plain(9, mode="L"), transparency=9), [255, 255, 255]),
    ],
)
def test_18_every_way_to_store_colours_is_read_right(source: bytes, expected: list[int]) -> None:
    assert mean_colour(normalise(source).data) == pytest.approx(expected, abs=2)


def test_18_a_palette_with_transparency_lies_on_white() -> None:
    picture = Image.new("P", (40, 40))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(1, (10, 10, 30, 30))
    stored = decode(normalise(encode(picture, transparency=0)).data)
    assert min(stored.getpixel((2, 2))) > 245  # type: ignore[type-var, arg-type]
    assert normalise(encode(picture, transparency=0)).colour == "blue"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_17_pictures_are_stored_upright(form: str, orientation: int) -> None:
    """The upright picture is red on its upper half; each orientation is how a camera may have held it."""
    upright = plain((255, 255, 255), size=(60, 40))
    upright.paste((255, 0, 0), (0, 0, 60, 20))
    held = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that undoes each orientation
    turned = upright.transpose(Image.Transpose(held[orientation])) if orientation in held else upright
    exif = Image.Exif()
    exif[274] = orientation
    stored = normalise(encode(turned, form, exif=exif))
    pixels = np.asarray(decode(stored.data)).astype(int)
    assert pixels.shape[:2] == (40, 60)
    assert pixels[5:15, :, 1].mean() < 30 < 225 < pixels[25:35, :, 1].mean()


def test_17_nothing_but_pixels_is_kept() -> None:
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0)}
    exif[270] = "secret-exif"
    source = encode(RED, "JPEG", exif=exif, comment=b"secret-comment", icc_profile=b"secret-profile" * 20)
    stored = normalise(source + b"<html>secret-appended<script></script>").data
    assert b"secret" not in stored
    assert b"html" not in stored
    assert set(decode(stored).info) <= {"loop", "background", "timestamp", "duration"}
    gif = encode(RED, "GIF", comment=b"secret-comment")
    assert b"secret" in gif
    assert b"secret" not in normalise(gif).data


def test_damaged_exif_does_not_cost_the_picture() -> None:
    source = encode(plain((255, 0, 0)), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    with pytest.warns(UserWarning, match="EXIF"):
        assert normalise(source).colour == "red"


def test_a_box_is_cropped_in_the_upright_picture() -> None:
    picture = plain((255, 255, 255), size=(100, 60))
    picture.paste((0, 0, 255), (20, 10, 50, 40))
    stored = normalise(encode(picture), box=(20, 10, 50, 40))
    assert (stored.width, stored.height, stored.colour) == (30, 30, "blue")
    assert normalise(encode(picture), box=(-50, -50, 1e9, 1e300)).width == 100  # cut to the picture
    exif = Image.Exif()
    exif[274] = 6
    assert normalise(encode(picture, "JPEG", exif=exif), box=(0, 0, 60, 100)).height == 100


@pytest.mark.parametrize(
    "box", [(200, 0, 300, 50), (50, 10, 20, 40), (float("nan"), 0, 9, 9), (10, 10, 10, 20), (-9, -9, 0, 0)]
)
def test_a_box_that_marks_nothing_is_refused(box: tuple[float, float, float, float]) -> None:
    rejection = rejected(encode(RED), box=box)
    assert rejection.code == "bad-box"
    assert "80 x 60" in rejection.message


def test_the_perceptual_hash_sees_copies_as_close_and_others_as_far() -> None:
    smooth = np.random.default_rng(2).integers(0, 256, (3, 6, 6, 3), dtype=np.uint8)
    one, other, _ = (
        Image.fromarray(values).resize((400, 400), Image.Resampling.BICUBIC) for values in smooth
    )
    copy = decode(encode(one.resize((250, 250)), "JPEG", quality=60))

    def gap(a: Image.Image, b: Image.Image) -> int:
        return (perceptual_hash(a) ^ perceptual_hash(b)).bit_count()

    assert gap(one, copy) <= 4
    assert gap(one, other) >= 16
    assert 0 <= perceptual_hash(one) < 2**64
    assert perceptual_hash(plain(127)).bit_count() <= 1  # an even surface has no structure, not a random one


def test_stored_images_are_read_back_and_damage_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "stored.webp"
    data = normalise(encode(RED)).data
    path.write_bytes(data)
    pixels = load_rgb(path)
    assert (pixels.shape, pixels.dtype) == ((60, 80, 3), np.uint8)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageRejected, match="import it again"):
        load_rgb(path)
    with pytest.raises(FileNotFoundError):
        load_rgb(tmp_path / "absent.webp")


def test_decoding_needs_none_of_the_heavy_libraries() -> None:
    program = (
        "import sys, search.engine.normaliser; "
        "print(sorted({'torch', 'numba', 'faiss', 'django', 'onnxruntime'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@settings(max_examples=150, deadline=None)
@given(
    form=st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=8),
    kept=st.integers(0, 2000),
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_whatever_is_done_to_the_bytes_the_answer_is_a_picture_or_a_rejection(
    form: str, changes: list[tuple[int, int]], kept: int
) -> None:
    data = bytearray(encode(Image.radial_gradient("L").resize((20, 16)).convert("RGB"), form))
    for place, value in changes:
        data[place % len(data)] = value
    try:
        stored = normalise(bytes(data[:kept]))
    except ImageRejected as rejection:
        assert rejection.message
    else:
        assert decode(stored.data).size == (stored.width, stored.height)
