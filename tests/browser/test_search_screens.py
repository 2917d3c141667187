"""The search page's looks."""

import re
from dataclasses import replace
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from evaluation.views import searches
from search.selectors.calibrations import WORDS
from search.selectors.searches import Answer, Verdict, VerdictKind, Waiting, Wish
from tests.browser.screens import check
from tests.browser.searching import START, Search, closet, weighed  # noqa: F401
from tests.browser.site import Site


def judge(monkeypatch: pytest.MonkeyPatch, kind: VerdictKind) -> None:
    """As if the search had been calibrated, and this were what it says."""
    really = searches.answer

    async def answer(wish: Wish, *, now: datetime) -> Answer | Waiting:
        found = await really(wish, now=now)
        assert isinstance(found, Answer)
        return replace(found, verdict=Verdict(kind, WORDS[kind], "At most five of a hundred are wrong."))

    monkeypatch.setattr(searches, "answer", answer)


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
