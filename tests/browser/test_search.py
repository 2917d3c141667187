"""What is asked on the search page, in its address and in its history; and without JavaScript."""

import re

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from tests.browser.searching import START, Search, closet, draw_photo, weighed  # noqa: F401
from tests.browser.site import Site


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


def test_an_answer_that_comes_late_changes_neither_page_nor_address(
    page: Page, site: Site, tolerated: list[str]
) -> None:
    tolerated += ["htmx:afterRequest", "htmx:sendAbort"]
    Search(page).take()
    held: list[Route] = []
    page.route("**/search/closet/?item=*", lambda route: held.append(route))
    with page.expect_request("**/search/closet/?item=*"):
        page.get_by_role("link", name="More like this").first.click()
    page.get_by_role("button", name="Crop by hand").click()
    expect(page).to_have_url(re.compile("left=15"))
    assert held and held[0].request.failure
    expect(page.get_by_role("heading", level=1)).to_have_text("Search with a photo")


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
