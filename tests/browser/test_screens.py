"""Every screen, phone and desk, both themes: no accessibility violation, nothing wider than the screen."""

import re

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from evaluation.models import Player
from evaluation.services.rankings import request_ranking
from search.services.jobs import run_in_foreground
from tests.browser.deck import Deck
from tests.browser.screens import check
from tests.browser.site import Site

PUBLIC = [
    "/",
    "/leaderboard/",
    "/leaderboard/changes/",
    "/about/",
    "/privacy/",
    "/offline/",
    "/accounts/login/",
    "/accounts/register/",
]
WORK = [
    "/operations/",
    "/operations/import/",
    "/operations/exclusions/",
    "/operations/exposure/",
    "/operations/retraining/",
    "/operations/retraining/taught/",
    "/operations/trainings/",
    "/operations/trainings/new/",
    "/operations/exports/",
    "/annotate/",
    "/accounts/",
    "/accounts/invitations/",
]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_screens(page: Page, site: Site, path: str) -> None:
    page.goto(path)
    check(page)


def test_a_theme_changes_at_once_where_motion_is_reduced(page: Page, site: Site) -> None:
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.goto("/")
    page.emulate_media(color_scheme="light")
    page.wait_for_function("() => matchMedia('(prefers-color-scheme: light)').matches")
    assert page.evaluate("() => document.getAnimations().length") == 0
    colour = "() => getComputedStyle(document.querySelector('footer p')).color"
    shown = page.evaluate(colour)
    page.reload()
    assert shown == page.evaluate(colour)


def test_play_screen(page: Page, site: Site) -> None:
    deck = Deck(page).open()
    deck.key("ArrowRight")
    deck.wait()
    check(page, deck.wait)


def test_twenty_pairs_and_then_the_reveal(page: Page, site: Site) -> None:
    deck = Deck(page).open()
    for place in range(20):
        deck.key("ArrowRight" if place % 2 else "ArrowLeft")
    expect(page).to_have_url(re.compile(r"/play/rounds/[^/]+/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("20 pairs judged")
    expect(page.locator(".reveal li")).to_have_count(20)
    check(page)
    page.get_by_role("link", name="20 more").click()
    deck.wait()
    deck.expect_judged(0)


@pytest.mark.parametrize("path", WORK)
def test_screens_of_people_who_work_here(page: Page, operator: User, path: str) -> None:
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    check(page)


def test_tokens_and_webhooks_with_what_is_shown_once(page: Page, operator: User) -> None:
    page.goto("/operations/tokens/")
    page.get_by_label("Name").fill("nightly")
    page.get_by_label(re.compile("read:jobs")).check()
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    check(page)
    page.goto("/operations/webhooks/")
    page.get_by_label("Address").fill("https://hooks.example/" + "a-long-way/" * 9)
    page.get_by_label(re.compile("job.failed")).check()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("webhook.test")).to_be_visible()
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("given up")).to_be_visible()
    check(page)


def test_missing_page(page: Page, site: Site, tolerated: list[str]) -> None:
    tolerated.append("status of 404")
    page.goto("/there/is/nothing/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing here")
    check(page)


def test_the_theme_is_kept_only_when_chosen(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
    page.goto("/about/")
    assert page.context.cookies() == []
    background = "() => getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    toggle = page.locator(".theme-toggle")
    toggle.click()
    toggle.click()
    dark = page.evaluate(background)
    assert dark != light
    page.goto("/")
    assert page.evaluate(background) == dark
    toggle.click()
    assert page.evaluate(background) == light
    assert page.context.cookies() == []


def test_the_menu_works_by_keyboard(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    menu = page.get_by_role("button", name="Menu")
    menu.focus()
    page.keyboard.press("Enter")
    link = page.get_by_role("navigation", name="Main").get_by_role("link", name="Leaderboard")
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()


def test_without_javascript_the_leaderboard_reads_and_the_game_says_what_it_needs(
    browser: object, site: Site
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=site.url)  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto("/play/")
    expect(page.get_by_role("heading", name="The game needs JavaScript")).to_be_visible()
    page.get_by_role("link", name="Open the leaderboard").click()
    expect(page.get_by_role("table")).to_be_visible()
    page.get_by_label("Metric").select_option("l1")
    page.get_by_role("button", name="Apply").click()
    assert "metric=l1" in page.url
    context.close()


def play_a_little(page: Page) -> Player:
    """Five answers, and a ranking that has looked at them."""
    deck = Deck(page).open()
    for place in range(5):
        deck.key("ArrowRight" if place % 2 else "ArrowLeft")
    deck.expect_sent()
    player = Player.objects.latest("pk")
    job = request_ranking(player.rounds.get().catalogue, now=timezone.now())
    run_in_foreground(job=job, report=lambda job: None)
    return player


def test_screen_of_a_ranking(page: Page, site: Site) -> None:
    play_a_little(page)
    page.goto("/leaderboard/")
    page.locator("summary", has_text="What these figures mean").first.click()
    check(page)
    page.locator(".standings th a").first.click()
    page.locator("summary", has_text="All figures, and what they mean").click()
    check(page)
    page.get_by_role("link", name="Compare with another").click()
    page.get_by_label("The other").select_option(index=3)
    page.get_by_role("button", name="Compare").click()
    page.locator("summary", has_text="What these figures mean").click()
    check(page)


def test_votes_are_left_out_and_counted_again_by_hand(page: Page, operator: User, site: Site) -> None:
    player = play_a_little(page)
    page.goto("/operations/players/")
    row = page.locator(f"#player-{player.pk}")
    row.locator("summary").click()
    check(page)
    row.get_by_label("Reason").fill("tried by hand")
    row.get_by_role("button", name="Leave out").click()
    expect(page.get_by_text(f"The votes of player {player.pk} are left out")).to_be_visible()
    row.locator("summary").click()
    row.get_by_label("Reason").fill("as good as anybody")
    row.get_by_role("button", name="Count again").click()
    expect(page.get_by_text(f"The votes of player {player.pk} count again")).to_be_visible()
