"""A catalogue that can be searched, and photos of its items: what the tests of searching start from."""

import io
import uuid
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from asgiref.sync import async_to_sync
from PIL import Image, ImageFilter

from search.models import Aspect, Attribute, Catalogue, Item, Label
from search.selectors.catalogues import image_path
from search.selectors.searches import Answer, SearchRefused, Waiting, Wish
from search.services import builds, jobs, photos
from search.views.searching import answer
from tests.factories import NOW, make_catalogue

HISTOGRAMS = ("colour-histogram", "gradient-histogram")


def make_searchable(monkeypatch, *, encoders=HISTOGRAMS, items: int = 30, **how) -> Catalogue:
    """A catalogue with an index per metric of each of these encoders, by the real jobs."""
    every = builds.list_all_encoders()
    monkeypatch.setattr(builds, "list_all_encoders", lambda: [e for e in every if e.name in encoders])
    catalogue = make_catalogue(items=items, **how)
    build(catalogue)
    return catalogue


def answer_now(wish: Wish, *, now: datetime) -> Answer | Waiting:
    """What a page or the API answers, for who is not asynchronous."""
    return async_to_sync(answer)(wish, now=now)


def search(**wish: Any) -> Answer | Waiting:
    """The answer to a wish about the catalogue "demo"."""
    return answer_now(Wish(catalogue="demo", **wish), now=NOW)


def positions(answer: Answer) -> list[int]:
    return [candidate.item.position for candidate in answer.candidates]


def refused(**wish: Any) -> SearchRefused:
    """Why a wish is refused."""
    with pytest.raises(SearchRefused) as caught:
        search(**wish)
    return caught.value


def give_colours(catalogue: Catalogue) -> None:
    """Every third item is red, the others are blue."""
    aspect = Aspect.objects.create(catalogue=catalogue, name="colour", position=1)
    red, blue = (Attribute.objects.create(aspect=aspect, value=value) for value in ("red", "blue"))
    for item in catalogue.items.all():
        Label.objects.create(item=item, attribute=blue if item.position % 3 else red)


def build(catalogue: Catalogue) -> None:
    builds.request_contenders(catalogue=catalogue, now=NOW)
    for job in builds.iterate_builds(catalogue=catalogue):
        ended = jobs.run_in_foreground(job=job, report=lambda row: None)
        assert ended.state == "done", ended.reason


def make_photo_of(item: Item, *, blurred: bool = True) -> bytes:
    """Another picture of an item: blurred a little, saved as a JPEG."""
    with Image.open(image_path(item.image_sha256)) as picture:
        shown = picture.convert("RGB").resize((96, 96))
    if blurred:
        shown = shown.filter(ImageFilter.GaussianBlur(1))
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def make_noise(seed: int = 0) -> bytes:
    """A photo of nothing."""
    rng = np.random.default_rng(seed)
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (80, 80, 3)).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def keep_photo_of(item: Item) -> uuid.UUID:
    return photos.keep_photo(source=make_photo_of(item), holder=None, now=NOW).key
