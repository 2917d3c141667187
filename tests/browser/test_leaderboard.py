"""The leaderboard in a browser: votes of others are announced, and filters live in the address."""

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.deck import Deck
from tests.browser.site import Site


def vote(browser: Browser, site: Site, count: int) -> None:
    """Somebody else plays."""
    other = browser.new_context(base_url=site.url)
    deck = Deck(other.new_page()).open()
    for _ in range(count):
        deck.key("ArrowRight")
    deck.expect_sent()
    other.close()


def test_votes_of_others_are_announced_and_shown_on_request(page: Page, browser: Browser, site: Site) -> None:
    page.goto("/leaderboard/")
    shown = page.locator("[data-revision]")
    before = shown.get_attribute("data-revision")
    vote(browser, site, 3)
    pill = page.get_by_role("button", name="refresh")
    expect(pill).to_be_visible()
    assert shown.get_attribute("data-revision") == before, "the table moved under the reader's eyes"
    pill.click()
    expect(pill).to_be_hidden()
    assert int(shown.get_attribute("data-revision") or 0) > int(before or 0)


def test_filters_live_in_the_address(page: Page, site: Site) -> None:
    page.goto("/leaderboard/")
    rows = page.locator("table.standings tbody tr")
    everything = rows.count()
    page.get_by_label("Metric").select_option("l1")
    expect(page).to_have_url(re.compile("metric=l1"))
    assert 0 < rows.count() < everything
    page.reload()
    expect(page.get_by_label("Metric")).to_have_value("l1")
    assert "metric=l1" in (page.get_by_role("link", name="CSV").get_attribute("href") or "")


def test_another_catalogue_is_shown_without_the_category_of_the_last(page: Page, site: Site) -> None:
    page.goto("/leaderboard/?category=bag&metric=l2")
    page.get_by_label("Catalogue").select_option("wardrobe")
    expect(page).to_have_url(re.compile("catalogue=wardrobe"))
    assert "category" not in page.url and "metric=l2" in page.url


def test_where_sockets_are_refused_the_page_polls(page: Page, browser: Browser, site: Site) -> None:
    page.add_init_script(
        """window.WebSocket = class extends EventTarget {
            constructor() { super(); setTimeout(() => this.dispatchEvent(new Event("close")), 10); }
        };"""
    )
    page.clock.install()
    page.goto("/leaderboard/")
    pill = page.get_by_role("button", name="refresh")
    page.clock.run_for(60_000)
    expect(pill).to_be_hidden()
    vote(browser, site, 1)
    with page.expect_response("**/leaderboard/board/"):
        page.clock.run_for(20_000)
    page.clock.run_for(1_000)
    expect(pill).to_be_visible()
