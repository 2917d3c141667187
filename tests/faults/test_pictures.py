"""Pictures that are not what they seem, brought by a real import: each costs its own row and nothing else."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from search.catalogues.rows import ImportOptions
from search.models import Catalogue, Item, JobState, RejectedRow
from search.selectors.catalogues import image_path
from search.services.imports import request_import
from search.services.jobs import run_in_foreground
from tests.catalogues.sources import RED, picture, write
from tests.engine.pictures import animation, bomb, encode, moving_webp, plain
from tests.factories import NOW

pytestmark = pytest.mark.django_db

GOOD = {"good-1.png": picture(1), "good-2.png": picture(2)}


def bring(folder: Path, files: Mapping[str, bytes | str]) -> Catalogue:
    """The catalogue of these pictures and two that are as they should be."""
    source = write(folder, {**GOOD, **files})
    job = request_import(format="folder", path=source, slug="shop", options=ImportOptions(), now=NOW)
    ended = run_in_foreground(job=job, report=lambda row: None)
    assert ended.state == JobState.DONE, ended.reason
    assert set(GOOD) <= set(Item.objects.values_list("key", flat=True))
    return Catalogue.objects.get()


def rejected(folder: Path, files: Mapping[str, bytes | str]) -> dict[str, str]:
    """Name and code of what the import reports; each row says what is wrong and what to do."""
    catalogue = bring(folder, files)
    rows = RejectedRow.objects.filter(catalogue=catalogue)
    assert all(row.message.endswith(".") and row.message.count(".") >= 2 for row in rows)
    return {row.key: row.code for row in rows}


def test_14_a_picture_of_too_many_pixels_is_reported(tmp_path: Path) -> None:
    codes = rejected(tmp_path / "in", {"bomb.png": bomb(), "bomb-7000.png": bomb(7000)})
    assert codes == {"bomb.png": "too-large", "bomb-7000.png": "too-large"}


def test_15_a_picture_of_too_many_frames_is_reported(tmp_path: Path) -> None:
    codes = rejected(tmp_path / "in", {"a.gif": animation(10_000), "b.webp": moving_webp(1001)})
    assert codes == {"a.gif": "animated-too-large", "b.webp": "animated-too-large"}


def test_16_what_is_no_photo_under_the_name_of_one_is_reported(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "svg.jpg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "eps.jpg": "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "psd.jpg": b"8BPS\0\1" + bytes(40),
        "fits.jpg": b"SIMPLE  =                    T",
        "ico.png": encode(Image.new("RGB", (32, 32), "red"), "ICO"),
    }
    assert rejected(tmp_path / "in", files) == dict.fromkeys(files, "unsupported-format")


def test_17_what_hides_in_a_photo_is_not_stored_and_the_photo_stands_upright(tmp_path: Path) -> None:
    photo = plain((10, 120, 10), (60, 40))
    exif = photo.getexif()
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0)}  # where it was taken
    exif[270] = "secret description"
    exif[274] = 6  # held on its side
    source = encode(photo, "JPEG", comment=b"secret comment", exif=exif, icc_profile=b"secret profile" * 9)
    catalogue = bring(tmp_path / "in", {"secret.jpg": source + b"<script>secret()</script>"})
    item = catalogue.items.get(key="secret.jpg")
    stored = image_path(item.image_sha256).read_bytes()
    assert (item.width, item.height) == (40, 60)
    assert b"secret" not in stored and b"script" not in stored
    with Image.open(image_path(item.image_sha256)) as picture:
        assert not picture.getexif()
        assert not {"exif", "xmp", "icc_profile", "comment"} & set(picture.info)


def test_18_unusual_pictures_are_read_and_broken_ones_reported(tmp_path: Path) -> None:
    photo = plain((10, 120, 10), (60, 40))
    unusual: dict[str, bytes | str] = {
        "cmyk.jpg": encode(photo.convert("CMYK"), "JPEG"),
        "deep.png": encode(Image.new("I;16", (20, 20), 40_000)),
        "palette.png": encode(photo.convert("P"), transparency=0),
        "named-wrong.gif": RED,
    }
    broken: dict[str, bytes | str] = {
        "empty.png": b"",
        "truncated.png": RED[:60],
        "line.png": encode(plain("red", (1, 60_000))),
    }
    codes = rejected(tmp_path / "in", {**unusual, **broken})
    assert codes == {"empty.png": "empty", "truncated.png": "truncated", "line.png": "bad-shape"}
    assert set(Item.objects.values_list("key", flat=True)) == {*GOOD, *unusual}
