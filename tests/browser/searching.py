"""Somebody who searches with a photo in a browser, and a catalogue to search in."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from django.conf import settings as live_settings
from PIL import Image
from playwright.sync_api import FilePayload, Page, ViewportSize, expect

from evaluation.views import searches
from search.models import Item, Label
from search.selectors.searches import Answer, AspectWeight, Waiting, Wish
from tests.browser.site import Site
from tests.evaluation.finding import forget_opened
from tests.evaluation.searching import make_searchable

PHONE: ViewportSize = {"width": 390, "height": 844}
START = "/search/closet/"
WEIGHTS = {"overall": 0.8, "kind": 0.3, "colour": 0.6}


@pytest.fixture(scope="module", autouse=True)
def closet(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A catalogue that can be searched, beside the one that is played."""
    folder = tmp_path_factory.mktemp("closet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_settings, "ARTIFACTS_FOLDER", folder / "artifacts")
        patch.setattr(live_settings, "PHOTOS_FOLDER", folder / "photos")
        forget_opened()
        catalogue = make_searchable(slug="closet", items=50)
        yield
        Label.objects.filter(item__catalogue=catalogue).delete()
        Item.objects.filter(catalogue=catalogue).delete()
        catalogue.delete()
    forget_opened()


@pytest.fixture
def weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a network had weighed the aspects of what is searched with."""
    really = searches.answer

    async def answer(wish: Wish, *, now: datetime) -> Answer | Waiting:
        found = await really(replace(wish, weights={}), now=now)
        assert isinstance(found, Answer)
        weights = [
            AspectWeight(aspect, wish.weights.get(aspect, usual), "person" if wish.weights else "network")
            for aspect, usual in WEIGHTS.items()
        ]
        return replace(found, weights=weights)

    monkeypatch.setattr(searches, "answer", answer)


def draw_photo(
    width: int = 400, height: int = 300, *, things: Sequence[tuple[int, int, int, int]] = ()
) -> bytes:
    """A light table with coloured things on it, each as left, top, right, bottom."""
    pixels = np.full((height, width, 3), 235, np.uint8)
    for number, (left, top, right, bottom) in enumerate(things or [(60, 50, 180, 250), (260, 90, 360, 210)]):
        pixels[top:bottom, left:right] = ((40, 60, 190), (200, 60, 40))[number % 2]
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


class Search:
    """What somebody does on the search page, in words."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def take(self, photo: bytes | None = None) -> "Search":
        self.page.goto(START)
        payload: FilePayload = {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": photo or draw_photo()}
        self.page.get_by_label("Choose a photo").set_input_files(payload)
        return self.expect_found()

    def expect_found(self) -> "Search":
        expect(self.page).to_have_url(re.compile(r"photo="))
        expect(self.page.locator(".found > li").first).to_be_visible()
        self.page.wait_for_function("() => document.querySelector('.crop-photo img')?.complete")
        return self

    def expect_area(self, *area: int | None) -> None:
        """In the fields and, where it is a part, in the address."""
        for name, value in zip(("left", "top", "width", "height"), area, strict=True):
            expect(self.page.locator(f"[name={name}]")).to_have_value("" if value is None else str(value))
        told = "" if area[0] is None else "left={}&top={}&width={}&height={}".format(*area)
        expect(self.page).to_have_url(re.compile(told + "$") if told else re.compile(r"photo=[0-9a-f-]+$"))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the photo, in percent, is on the screen."""
        box = self.page.locator(".crop-photo").bounding_box()
        assert box is not None
        return box["x"] + box["width"] * x / 100, box["y"] + box["height"] * y / 100

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*begin))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=4)
        self.page.mouse.up()

    def read_area(self) -> list[int]:
        return [
            int(self.page.locator(f"[name={name}]").input_value())
            for name in ("left", "top", "width", "height")
        ]
