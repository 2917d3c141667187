"""Searching with a photo in a browser: by mouse, touch and keyboard, with sliders, and without JavaScript."""

import base64
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from django.conf import settings as live_settings
from django.contrib.auth.models import User
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, Route, ViewportSize, expect

from evaluation.views import searches
from search.models import Item, Label, Photo
from search.selectors.calibrations import WORDS
from search.selectors.searches import Answer, AspectWeight, Verdict, VerdictKind, Waiting, Wish
from tests.browser.screens import check
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


def judge(monkeypatch: pytest.MonkeyPatch, kind: VerdictKind) -> None:
    """As if the search had been calibrated, and this were what it says."""
    really = searches.answer

    async def answer(wish: Wish, *, now: datetime) -> Answer | Waiting:
        found = await really(wish, now=now)
        assert isinstance(found, Answer)
        return replace(found, verdict=Verdict(kind, WORDS[kind], "At most five of a hundred are wrong."))

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


def test_crop_by_mouse_and_the_back_button(page: Page, site: Site) -> None:
    search = Search(page).take()
    search.expect_area(None, None, None, None)
    search.drag((20, 10), (70, 60))
    left, top, width, height = search.read_area()
    assert abs(left - 20) <= 1 and abs(top - 10) <= 1 and abs(width - 50) <= 2 and abs(height - 50) <= 2
    search.expect_area(left, top, width, height)
    search.drag((45, 35), (55, 45))
    moved = search.read_area()
    assert moved == [left + 10, top + 10, width, height]
    search.expect_area(*moved)
    right, bottom = moved[0] + moved[2], moved[1] + moved[3]
    search.drag((right, bottom), (right + 10, bottom + 20))
    grown = search.read_area()
    assert grown[:2] == moved[:2] and abs(grown[2] - width - 10) <= 1 and abs(grown[3] - height - 20) <= 1
    search.expect_area(*grown)
    page.go_back()
    search.expect_area(*moved)
    page.go_back()
    page.go_back()
    search.expect_area(None, None, None, None)
    expect(page.locator(".crop-frame")).to_be_hidden()
    page.go_forward()
    search.expect_area(left, top, width, height)
    expect(page.locator(".crop-frame")).to_be_visible()


def test_crop_by_keyboard_alone(page: Page, site: Site) -> None:
    search = Search(page).take()
    page.get_by_role("button", name="Crop by hand").focus()
    page.keyboard.press("Enter")
    search.expect_area(15, 15, 70, 70)
    expect(page.locator(".crop-frame")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    search.expect_area(17, 13, 68, 72)
    expect(page.locator(".crop-frame")).to_be_focused()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    search.expect_area(0, 13, 68, 72)
    page.go_back()
    search.expect_area(15, 15, 70, 70)


def test_crop_by_numbers_is_searched_with_once_it_is_a_crop(page: Page, site: Site) -> None:
    search = Search(page).take()
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    page.locator("summary", has_text="Crop by numbers").click()
    page.get_by_label("Left, %").press_sequentially("20", delay=250)
    search.expect_area(20, 0, 80, 100)
    page.get_by_label("Width, %").press("Control+A")
    page.get_by_label("Width, %").press_sequentially("30", delay=250)
    search.expect_area(20, 0, 30, 100)
    page.get_by_label("Height, %").fill("2")
    page.get_by_label("Height, %").press("Enter")
    search.expect_area(20, 0, 30, 4)
    page.get_by_label("Top, %").press("Enter")
    expect(page.locator("#answer.htmx-request")).to_have_count(0)
    search.expect_area(20, 0, 30, 4)
    assert not refused


def test_crop_by_touch_and_a_finger_beside_it_scrolls(browser: Browser, site: Site) -> None:
    context = browser.new_context(base_url=site.url, has_touch=True, is_mobile=True, viewport=PHONE)
    page = context.new_page()
    search = Search(page).take()
    page.get_by_role("button", name="Crop by hand").tap()
    search.expect_area(15, 15, 70, 70)
    fingers = context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        sent = {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        fingers.send("Input.dispatchTouchEvent", sent)

    touch("touchStart", search.at(85, 85))
    for step in range(1, 6):
        touch("touchMove", search.at(85 - 4 * step, 85 - 4 * step))
    touch("touchEnd")
    left, top, width, height = search.read_area()
    assert (left, top) == (15, 15) and abs(width - 50) <= 1 and abs(height - 50) <= 1
    search.expect_area(left, top, width, height)
    context.close()


def test_a_proposal_is_pressed_on_the_photo_or_below_it(page: Page, site: Site) -> None:
    search = Search(page).take()
    parts = page.locator(".crop-choices [data-area]")
    expect(parts.nth(1)).to_have_text("Part 1")
    parts.nth(1).click()
    chosen = search.read_area()
    expect(parts.nth(1)).to_have_attribute("aria-pressed", "true")
    search.expect_area(*chosen)
    parts.first.click()
    search.expect_area(None, None, None, None)
    point = chosen[0] + chosen[2] / 2, chosen[1] + chosen[3] / 2
    page.mouse.click(*search.at(*point))
    expect(page.locator(".crop-frame")).to_be_visible()
    left, top, width, height = search.read_area()
    assert left <= point[0] <= left + width and top <= point[1] <= top + height
    assert width * height <= chosen[2] * chosen[3]
    search.expect_area(left, top, width, height)


@pytest.mark.usefixtures("weighed")
def test_sliders_stand_in_the_address_until_they_are_given_back(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    Search(page).take()
    slider, other = page.get_by_role("slider", name="colour"), page.get_by_role("slider", name="kind")
    expect(slider).to_have_value("60")
    expect(page.locator(".weights-chosen")).to_be_visible()
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("output[for='w-colour']")).to_have_text("75")
    expect(page).to_have_url(re.compile("w-colour=75.*own=1"))
    expect(page.get_by_label("Use my own weights")).to_be_checked()
    expect(page.locator(".weighed")).to_contain_text("Weighed by you")
    other.focus()
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile("w-kind=0.*w-colour=75"))
    page.go_back()
    expect(other).to_have_value("30")
    expect(slider).to_have_value("75")
    page.get_by_role("button", name="Back to the page's own").click()
    expect(page).not_to_have_url(re.compile("own=|w-"))
    expect(slider).to_have_value("60")
    expect(page.get_by_label("Use my own weights")).not_to_be_checked()


def test_a_filter_is_set_in_the_list_and_taken_away_as_a_chip(page: Page, site: Site) -> None:
    Search(page).take()
    page.locator("summary", has_text="Only some of them").click()
    page.get_by_label("Colour").select_option("green")
    expect(page).to_have_url(re.compile("f-colour=green"))
    chip = page.locator(".chips a")
    expect(chip).to_contain_text("colour: green")
    chip.click()
    expect(page).not_to_have_url(re.compile("f-colour"))
    expect(page.locator(".chips")).to_have_count(0)


def test_more_like_this_and_on_through_the_pages(page: Page, site: Site) -> None:
    Search(page).take()
    page.get_by_role("link", name="More like this").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("More like this")
    expect(page).to_have_url(re.compile(r"\?item=\d+$"))
    expect(page.locator("#answer")).to_be_focused()
    expect(page.locator("#search-said")).to_contain_text("found, page 1")
    page.get_by_role("link", name="Further ones").click()
    expect(page).to_have_url(re.compile("page=2"))
    expect(page.locator(".pager")).to_contain_text("Page 2")
    expect(page.locator("#answer")).to_be_focused()
    page.go_back()
    expect(page.locator(".pager")).to_contain_text("Page 1")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Search with a photo")
    page.locator(".found a.tile").first.click()
    expect(page).to_have_url(re.compile(r"/items/\d+/$"))


DATA = """(encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "p.jpg", { type: "image/jpeg" }));
    return data;
}"""


@pytest.mark.parametrize("way", ["drop", "drop beside", "paste"])
def test_a_photo_is_dropped_or_pasted_and_made_small_before_it_is_sent(
    page: Page, site: Site, way: str
) -> None:
    page.goto(START)
    page.wait_for_function("() => customElements.get('photo-form')")
    large = draw_photo(2400, 1800, things=[(300, 300, 1500, 1500)])
    data = page.evaluate_handle(DATA, base64.b64encode(large).decode())
    with page.expect_request("**/photos/") as sent:
        if way.startswith("drop"):
            place = "photo-form" if way == "drop" else "h1"
            page.dispatch_event(place, "drop", {"dataTransfer": data})
        else:
            page.evaluate(
                "(data) => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }))", data
            )
    Search(page).expect_found()
    assert sent.value.sizes()["requestBodySize"] < len(large)


def test_what_is_no_picture_is_said_and_another_can_be_chosen(
    page: Page, site: Site, tolerated: list[str]
) -> None:
    tolerated.append("status of 415")
    page.goto(START)
    payload: FilePayload = {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": b"no picture at all"}
    page.get_by_label("Choose a photo").set_input_files(payload)
    expect(page.locator(".photo-note")).not_to_be_empty()
    expect(page.locator("photo-form")).not_to_have_attribute("aria-busy", "true")
    payload["buffer"] = draw_photo()
    page.get_by_label("Choose a photo").set_input_files(payload)
    Search(page).expect_found()


def test_a_photo_that_is_refused_is_told_where_its_form_is_folded_away(
    page: Page, site: Site, tolerated: list[str]
) -> None:
    tolerated.append("status of 415")
    Search(page).take()
    expect(page.locator(".photo-note")).to_be_hidden()
    paste = "(data) => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }))"
    page.evaluate(paste, page.evaluate_handle(DATA, base64.b64encode(b"no picture at all").decode()))
    expect(page.locator("photo-form")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator(".photo-note")).to_be_visible()
    expect(page.locator(".photo-note")).to_be_in_viewport()


def test_a_photo_that_is_kept_longer_leaves_what_is_asked_as_it_is(page: Page, site: Site) -> None:
    search = Search(page).take()
    page.get_by_role("button", name="Crop by hand").click()
    search.expect_area(15, 15, 70, 70)
    page.get_by_role("button", name="Keep it until").click()
    expect(page.get_by_role("button", name="Keep it until")).to_have_count(0)
    search.expect_area(15, 15, 70, 70)


def test_an_answer_that_comes_late_changes_neither_page_nor_address(page: Page, site: Site) -> None:
    Search(page).take()
    held: list[Route] = []
    page.route("**/search/closet/?item=*", held.append)
    with page.expect_request("**/search/closet/?item=*"):
        page.get_by_role("link", name="More like this").first.click()
    page.get_by_role("button", name="Crop by hand").click()
    expect(page).to_have_url(re.compile("left=15"))
    assert held and held[0].request.failure
    expect(page.get_by_role("heading", level=1)).to_have_text("Search with a photo")


def test_a_photo_is_deleted(page: Page, site: Site) -> None:
    Search(page).take()
    key = page.url.split("photo=")[1]
    page.get_by_role("button", name="Delete the photo now").click()
    expect(page.get_by_text("The photo is deleted.")).to_be_visible()
    assert not Photo.objects.filter(key=key).exists()


def test_the_network_is_lost_and_said(page: Page, site: Site, tolerated: list[str]) -> None:
    tolerated += ["ERR_FAILED", "htmx:afterRequest", "htmx:sendError"]
    search = Search(page).take()
    page.route("**/search/closet/?*", lambda route: route.abort())
    page.get_by_role("button", name="Crop by hand").click()
    expect(page.locator("#search-note")).to_contain_text("The network is gone")
    page.unroute("**/search/closet/?*")
    page.keyboard.press("ArrowRight")
    search.expect_area(17, 15, 70, 70)
    expect(page.locator("#search-note")).to_be_empty()


def test_without_javascript_forms_do_the_same(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=site.url)
    page = context.new_page()
    page.goto(START)
    payload: FilePayload = {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": draw_photo()}
    page.get_by_label("Choose a photo").set_input_files(payload)
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".found > li").first).to_be_visible()
    page.get_by_role("button", name="Part 1").click()
    expect(page).to_have_url(re.compile("region="))
    expect(page.get_by_role("button", name="Part 1")).to_have_attribute("aria-pressed", "true")
    page.locator("summary", has_text="Crop by numbers").click()
    page.get_by_label("Width, %").fill("20")
    page.get_by_role("button", name="Search", exact=True).first.click()
    expect(page).to_have_url(re.compile("width=20"))
    page.get_by_label("Top, %").press("Enter")
    expect(page).to_have_url(re.compile("width=20"))
    page.get_by_role("link", name="More like this").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("More like this")
    context.close()


def test_a_worker_looks_first_and_the_page_goes_on_asking(
    page: Page, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, asked = searches.answer, []

    async def answer(wish: Wish, *, now: datetime) -> Answer | Waiting:
        found = await really(wish, now=now)
        asked.append(wish)
        if len(asked) > 2:
            return found
        assert isinstance(found, Answer) and found.photo is not None
        return Waiting(wish, found.engine, found.photo, "It is looked at.", 1, is_late=len(asked) > 1)

    monkeypatch.setattr(searches, "answer", answer)
    page.goto(START)
    payload: FilePayload = {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": draw_photo()}
    page.get_by_label("Choose a photo").set_input_files(payload)
    expect(page.get_by_role("heading", name="Looking at your photo")).to_be_visible()
    expect(page.get_by_role("heading", name="This takes longer than it should")).to_be_visible()
    Search(page).expect_found()


@pytest.mark.parametrize("path", [START, "/search/closet/?item=4", "/search/closet/items/4/"])
def test_screens_without_a_photo(page: Page, site: Site, path: str) -> None:
    page.goto(path)
    check(page)


@pytest.mark.usefixtures("weighed")
def test_screen_of_a_search_with_everything_open(page: Page, site: Site) -> None:
    Search(page).take()
    page.get_by_role("button", name="Crop by hand").click()
    for summary in ("Crop by numbers", "Only some of them", "Another photo"):
        page.locator("summary", has_text=summary).click()
    check(page, lambda: page.evaluate("() => scrollTo(0, 0)"))  # nothing half under the bar


@pytest.mark.parametrize("kind", list(WORDS))
def test_screens_of_honest_answers(
    page: Page, site: Site, monkeypatch: pytest.MonkeyPatch, kind: VerdictKind
) -> None:
    judge(monkeypatch, kind)
    Search(page).take()
    expect(page.get_by_role("heading", name=WORDS[kind])).to_be_visible()
    if kind == "nothing":
        expect(page.locator(".found.dimmed > li")).to_have_count(3)
        expect(page.get_by_role("heading", name="Closest, probably not it")).to_be_visible()
    check(page)
    if kind == "nothing":
        page.get_by_role("link", name="Look through all of the nearest").click()
        expect(page.locator(".found > li")).to_have_count(24)


def test_screens_of_analysts(page: Page, site: Site, operator: User) -> None:
    page.goto("/search/closet/?item=3")
    page.locator("summary", has_text="Which engine answers").click()
    check(page)
    page.get_by_label("Encoder and metric").select_option("colour-histogram:l1")
    expect(page).to_have_url(re.compile("engine=colour-histogram"))
    page.goto("/search/closet/items/3/neighbours/")
    expect(page.locator(".nearest-line").first).to_be_visible()
    check(page)
