"""Photos that are not what they seem, sent to search with, on the page and through the API.

Each is refused in words, and none is kept. A body without end is in `test_uploads.py`.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from evaluation.views.player_cookie import sign_sitting
from search.models import Photo
from search.selectors.photos import photo_path
from tests.catalogues.sources import RED
from tests.engine.pictures import animation, bomb, encode, moving_webp, plain
from tests.memory import MiB, Peak
from tests.search.searching import make_searchable

pytestmark = pytest.mark.django_db(transaction=True)

NOT_PHOTOS = {
    "svg.jpg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "eps.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "psd.jpg": b"8BPS\0\1" + bytes(40),
    "fits.jpg": b"SIMPLE  =                    T",
    "page.png": b"<!DOCTYPE html><script>alert(1)</script>",
    "archive.png": b"PK\x03\x04" + bytes(40),
}


@pytest.fixture(autouse=True)
def catalogue(monkeypatch) -> Iterator[None]:
    make_searchable(monkeypatch, encoders=("colour-histogram",), items=6)
    yield
    assert len(files()) == Photo.objects.count()


Send = Callable[..., HttpResponse]


@pytest.fixture(params=["the page", "the API"])
def send(request: pytest.FixtureRequest) -> Send:
    """What somebody is answered who sends a photo: on the page by its script, or through the API."""

    def send(source: bytes, name: str = "photo.jpg") -> HttpResponse:
        upload = SimpleUploadedFile(name, source, content_type="image/jpeg")
        if request.param == "the API":
            return Client().post("/api/search/demo/", {"photo": upload})
        form = {"sitting": sign_sitting(uuid.uuid4()), "photo": upload}
        sent = Client().post("/search/demo/photos/", form, headers={"X-Part": "photo"})
        return Client().get(sent.json()["address"]) if sent.status_code == 201 else sent

    return send


def is_searched_with(answer: HttpResponse) -> bool:
    """Whether there is something that was found."""
    return answer.status_code == 200 and (
        b'"candidates"' in answer.content or b'class="found' in answer.content
    )


def files() -> list[Path]:
    return list(settings.PHOTOS_FOLDER.glob("*")) if settings.PHOTOS_FOLDER.exists() else []


def assert_refused(answer: HttpResponse, status: int, code: str) -> None:
    """The sentence says what is wrong and what to do, programs are told a code, and nothing was kept."""
    told = answer.json()
    words = told.get("detail") or told["message"]
    assert words.endswith(".") and words.count(".") >= 2, told
    assert (answer.status_code, told.get("code", code)) == (status, code)
    assert not files() and not Photo.objects.exists()


def test_14_a_photo_of_too_many_pixels_is_refused_and_takes_no_memory(send):
    send(RED)  # the decoding processes stand
    Photo.objects.all().delete()
    for path in files():
        path.unlink()
    memory = Peak(os.getpid())
    assert_refused(send(bomb()), 413, "too-large")
    assert_refused(send(bomb(7000)), 413, "too-large")
    assert memory.growth() < 100 * MiB


def test_15_a_photo_of_too_many_frames_is_refused(send):
    assert_refused(send(animation(10_000)), 413, "animated-too-large")
    assert_refused(send(moving_webp(1001)), 413, "animated-too-large")


def test_16_what_is_no_photo_under_the_name_of_one_is_refused_by_its_own(send):
    for name, source in NOT_PHOTOS.items():
        assert_refused(send(source, name), 415, "unsupported-format")


def test_17_what_hides_in_a_photo_is_not_kept_and_it_is_searched_upright(send):
    photo = plain((10, 120, 10), (60, 40))
    exif = photo.getexif()
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0)}  # where it was taken
    exif[270] = "secret description"
    exif[274] = 6  # held on its side
    source = encode(photo, "JPEG", comment=b"secret comment", exif=exif, icc_profile=b"secret profile" * 9)
    answer = send(source + b"<script>secret()</script>")
    kept = Photo.objects.get()
    assert (is_searched_with(answer), kept.width, kept.height) == (True, 40, 60)
    stored = photo_path(Photo.objects.get().key).read_bytes()
    assert b"secret" not in stored and b"script" not in stored
    with Image.open(photo_path(Photo.objects.get().key)) as picture:
        assert not picture.getexif()
        assert not {"exif", "xmp", "icc_profile", "comment"} & set(picture.info)


def test_18_unusual_photos_are_searched_with_and_broken_ones_refused(send):
    photo = plain((10, 120, 10), (60, 40))
    unusual = {
        "cmyk.jpg": encode(photo.convert("CMYK"), "JPEG"),
        "deep.png": encode(Image.new("I;16", (40, 40), 40_000)),
        "palette.png": encode(photo.convert("P"), transparency=0),
        "one-pixel.png": encode(plain("red", (1, 1))),
        "named-wrong.gif": RED,
    }
    for name, source in unusual.items():
        answer = send(source, name)
        assert is_searched_with(answer), name
    Photo.objects.all().delete()
    for path in files():
        path.unlink()
    assert_refused(send(b""), 422, "empty")
    assert_refused(send(RED[:60]), 422, "truncated")
    assert_refused(send(encode(plain("red", (1, 60_000)))), 422, "bad-shape")


@pytest.mark.parametrize("name", ["../../x.jpg", "a\0b.jpg", "x" * 300 + ".jpg", "gpj.\u202exe"])
def test_20_the_name_of_a_photo_is_ignored(send, name):
    assert is_searched_with(send(RED, name))
    assert [path.name for path in files()] == [f"{Photo.objects.get().key.hex}.webp"]
