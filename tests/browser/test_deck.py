"""The swipe deck as a player meets it: three ways to answer, honest timing, undo, nothing kept early."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from evaluation.models import Retraction
from tests.browser.deck import TOP, VOTES, Deck, sent_votes, stored
from tests.browser.site import Site


def test_drag_buttons_and_keys_all_vote(page: Page, site: Site) -> None:
    sent = sent_votes(page)
    deck = Deck(page).open()
    deck.drag(0.5)
    deck.expect_judged(1)
    deck.drag(-0.5)
    deck.expect_judged(2)
    deck.wait()
    deck.button("dope").click()
    deck.wait()
    deck.button("skip").click()
    deck.key("ArrowLeft")
    deck.key("ArrowRight")
    deck.key("ArrowDown")
    deck.expect_judged(7)
    deck.expect_sent()
    answers = [(vote["answer"], vote["modality"]) for vote in sent]
    assert answers == [
        ("dope", "drag"),
        ("nope", "drag"),
        ("dope", "button"),
        ("skip", "button"),
        ("nope", "key"),
        ("dope", "key"),
        ("skip", "key"),
    ]
    assert stored(sent) == {vote["deal"]: vote["answer"] for vote in sent}
    expect(page.locator("[data-streak]")).to_have_text("7")


def test_a_drag_taken_back_is_no_vote(page: Page, site: Site) -> None:
    deck = Deck(page).open()
    before = deck.pictures()
    deck.drag(0.6, back=True)
    deck.drag(0.1)
    deck.expect_judged(0)
    assert deck.pictures() == before


def test_no_vote_counts_before_both_pictures_are_decoded(page: Page, site: Site) -> None:
    held: list[Route] = []
    released = False
    page.route("**/images/**", lambda route: route.continue_() if released else held.append(route))
    sent = sent_votes(page)
    # The pictures that are held back may hold back the page's load event as well.
    page.goto("/play/", wait_until="commit")
    deck = Deck(page)
    expect(page.locator(".pair[data-depth='0']")).to_be_visible()
    expect(deck.button("dope")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("ArrowRight")
    deck.button("dope").click(force=True)
    deck.expect_judged(0)
    released = True
    for route in held:
        route.continue_()
    deck.wait()
    deck.button("dope").click()
    deck.expect_judged(1)
    deck.expect_sent()
    assert [vote["answer"] for vote in sent] == ["dope"]
    held_for = page.evaluate("() => performance.now()")
    assert 0 <= sent[0]["dwell_ms"] < held_for  # type: ignore[operator]


def test_undo_before_and_after_the_vote_has_left(page: Page, site: Site) -> None:
    sent = sent_votes(page)
    deck = Deck(page).open()
    before = deck.pictures()
    deck.answer_and_undo()
    deck.expect_judged(0)
    deck.wait()
    assert deck.pictures() == before
    assert sent == []

    deck.key("ArrowRight")
    deck.expect_sent()
    deck.button("undo").click()
    deck.expect_judged(0)
    deck.wait()
    assert deck.pictures() == before
    assert Retraction.objects.filter(vote_id=sent[0]["deal"]).count() == 1
    expect(deck.button("undo")).to_have_attribute("aria-disabled", "true")
    deck.key("ArrowLeft")
    deck.expect_sent()
    assert stored(sent[-1:]) == {sent[-1]["deal"]: "nope"}


def test_undo_of_a_vote_whose_answer_was_lost_goes_through_the_server(
    page: Page, site: Site, tolerated: list[str]
) -> None:
    tolerated += ["ERR_CONNECTION_RESET", "ERR_FAILED"]
    sent = sent_votes(page)
    lost: list[int] = []

    def lose_answer(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort("connectionreset")

    page.route(VOTES, lose_answer, times=1)
    deck = Deck(page).open()
    before = deck.pictures()
    with page.expect_event("requestfailed"):
        deck.key("ArrowRight")
    assert lost == [200]
    deck.button("undo").click()
    deck.expect_judged(0)
    expect(page.locator("[data-streak]")).to_have_text("0")
    assert deck.pictures() == before
    deck.key("ArrowLeft")
    deck.expect_sent()
    assert Retraction.objects.filter(vote_id=sent[0]["deal"]).count() == 1
    assert stored(sent[-1:]) == {sent[-1]["deal"]: "nope"}
    deck.expect_judged(1)


def test_nothing_is_stored_before_the_first_vote(page: Page, context: BrowserContext, site: Site) -> None:
    kept = """async () => [localStorage.length, sessionStorage.length, (await caches.keys()).length,
        (await navigator.serviceWorker.getRegistrations()).length, (await indexedDB.databases()).length]"""
    page.goto("/")
    page.goto("/leaderboard/")
    deck = Deck(page).open()
    assert context.cookies() == []
    assert page.evaluate(kept) == [0, 0, 0, 0, 0]
    deck.key("ArrowRight")
    deck.expect_sent()
    (cookie,) = context.cookies()
    assert cookie["name"] == "player" and cookie["httpOnly"] and cookie["sameSite"] == "Lax"


def test_forget_me_leaves_nothing_behind(page: Page, context: BrowserContext, site: Site) -> None:
    deck = Deck(page).open()
    deck.key("ArrowRight")
    deck.expect_sent()
    page.goto("/privacy/")
    page.get_by_role("button", name="Forget me").click()
    expect(page.get_by_text("Done. Nothing leads from your votes")).to_be_visible()
    assert context.cookies() == []
    page.wait_for_function(
        """async () => localStorage.length + (await caches.keys()).length
            + (await navigator.serviceWorker.getRegistrations()).length === 0"""
    )


def test_the_page_never_says_who_found_a_pair(page: Page, site: Site) -> None:
    bodies: list[str] = []
    page.on("response", lambda response: bodies.append(response.text()) if "/play/" in response.url else None)
    deck = Deck(page).open()
    deck.key("ArrowRight")
    deck.expect_sent()
    everything = "\n".join([*bodies, page.content()]).lower()
    assert "question" in everything
    for secret in site.secrets:
        assert secret.lower() not in everything


def test_reduced_motion_still_votes(page: Page, site: Site) -> None:
    page.emulate_media(reduced_motion="reduce")
    deck = Deck(page).open()
    deck.key("ArrowRight")
    deck.wait()
    deck.expect_judged(1)


@pytest.mark.parametrize("size", [(360, 640), (390, 844), (740, 360), (1280, 720), (1440, 900)])
def test_both_pictures_and_all_buttons_fit_the_screen(page: Page, site: Site, size: tuple[int, int]) -> None:
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    deck = Deck(page).open()
    buttons = [deck.button(name) for name in ("nope", "undo", "dope", "skip")]
    for locator in [*page.locator(f"{TOP} figure").all(), *buttons]:
        box = locator.bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["y"] >= 0
        assert box["x"] + box["width"] <= width and box["y"] + box["height"] <= height
    for name in ("nope", "dope"):
        box = deck.button(name).bounding_box()
        assert box is not None and min(box["width"], box["height"]) >= 64


def test_a_picture_that_does_not_load_can_be_tried_again_or_skipped(
    page: Page, site: Site, tolerated: list[str]
) -> None:
    tolerated.append("ERR_FAILED")
    page.route("**/images/**", lambda route: route.abort())
    page.goto("/play/")
    deck = Deck(page)
    again = page.locator(TOP).get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    expect(deck.button("dope")).to_have_attribute("aria-disabled", "true")
    deck.button("skip").click()
    deck.expect_judged(1)
    page.unroute("**/images/**")
    again.click()
    deck.wait()
    expect(deck.button("dope")).to_have_attribute("aria-disabled", "false")
