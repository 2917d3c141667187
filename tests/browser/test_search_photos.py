"""A photo on its way to the search page, while it is looked at, and how long it is kept."""

import base64
from datetime import datetime

import pytest
from playwright.sync_api import FilePayload, Page, expect

from evaluation.views import searches
from search.models import Photo
from search.selectors.searches import Answer, Waiting, Wish
from tests.browser.searching import (
    START,
    Search,
    closet,  # noqa: F401
    draw_photo,
)
from tests.browser.site import Site

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
    note = page.locator("photo-form .photo-note")
    expect(note).to_be_hidden()
    paste = "(data) => document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }))"
    page.evaluate(paste, page.evaluate_handle(DATA, base64.b64encode(b"no picture at all").decode()))
    expect(page.locator("photo-form")).not_to_have_attribute("aria-busy", "true")
    expect(note).to_be_visible()
    expect(note).not_to_be_empty()
    expect(note).to_be_in_viewport()


def test_a_photo_that_is_kept_longer_leaves_what_is_asked_as_it_is(page: Page, site: Site) -> None:
    search = Search(page).take()
    page.get_by_role("button", name="Crop by hand").click()
    search.expect_area(15, 15, 70, 70)
    page.get_by_role("button", name="Keep it until").click()
    expect(page.get_by_role("button", name="Keep it until")).to_have_count(0)
    search.expect_area(15, 15, 70, 70)


def test_a_photo_is_deleted(page: Page, site: Site) -> None:
    Search(page).take()
    key = page.url.split("photo=")[1]
    page.get_by_role("button", name="Delete the photo now").click()
    expect(page.get_by_text("The photo is deleted.")).to_be_visible()
    assert not Photo.objects.filter(key=key).exists()


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
