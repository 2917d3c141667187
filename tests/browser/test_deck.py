"""The swipe deck as a player meets it: three ways to answer, honest timing, no vote lost or kept early."""

import json

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, Route, expect

from evaluation.models import Retraction, Vote
from tests.browser.deck import TOP, Deck
from tests.browser.site import Site, wait_until

VOTES = "**/play/votes/"


def sent_votes(page: Page) -> list[dict[str, object]]:
    """Collects every vote this page sends from now on."""
    sent: list[dict[str, object]] = []

    def note(request: object) -> None:
        if request.url.endswith("/play/votes/"):  # type: ignore[attr-defined]
            sent.extend(json.loads(request.post_data)["votes"])  # type: ignore[attr-defined]

    page.on("request", note)
    return sent


def stored(votes: list[dict[str, object]]) -> dict[str, str]:
    return dict(
        Vote.objects.filter(deal__in=[vote["deal"] for vote in votes]).values_list("deal_id", "answer")
    )


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
    deck.key("ArrowRight")
    deck.button("undo").click()
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


def test_votes_given_offline_arrive_once_later(
    page: Page, context: BrowserContext, tolerated: list[str]
) -> None:
    tolerated.append("ERR_INTERNET_DISCONNECTED")
    sent = sent_votes(page)
    deck = Deck(page).open()
    page.wait_for_function("() => document.querySelectorAll('.pair').length >= 3")
    context.set_offline(True)
    for _ in range(3):
        deck.key("ArrowRight")
    expect(deck.note).to_contain_text("Offline. 3 votes kept")
    assert not stored(sent)
    context.set_offline(False)
    deck.expect_sent()
    expect(deck.note).to_have_text("")
    deals = {vote["deal"] for vote in sent}
    assert len(deals) == 3
    assert Vote.objects.filter(deal__in=deals).count() == 3


def test_a_lost_answer_is_asked_for_again_and_counts_once(
    page: Page, site: Site, tolerated: list[str]
) -> None:
    tolerated += ["ERR_CONNECTION_RESET", "ERR_FAILED"]
    sent = sent_votes(page)

    def lose_answer(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route(VOTES, lose_answer, times=1)
    deck = Deck(page).open()
    deck.key("ArrowRight")
    deck.expect_sent()
    assert len(sent) == 2 and sent[0] == sent[1]
    assert Vote.objects.filter(deal_id=sent[0]["deal"]).count() == 1
    deck.expect_judged(1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_given_the_time_it_asks_for(
    page: Page, site: Site, tolerated: list[str], status: int
) -> None:
    tolerated.append(f"status of {status}")
    times: list[float] = []
    page.on(
        "request",
        lambda request: times.append(request.timing["startTime"]) if "votes" in request.url else None,
    )
    page.route(
        VOTES, lambda route: route.fulfill(status=status, headers={"Retry-After": "2"}, body="{}"), times=1
    )
    deck = Deck(page).open()
    deck.key("ArrowRight")
    expect(deck.note).to_contain_text("busy")
    deck.expect_sent()
    assert len(times) == 2


def test_a_vote_the_server_refuses_is_said_politely_and_costs_no_other(
    page: Page, site: Site, tolerated: list[str]
) -> None:
    def refuse_first(route: Route) -> None:
        votes = json.loads(route.request.post_data or "")["votes"]
        answer = route.fetch(post_data=json.dumps({"votes": votes[1:]})).json()
        refused = {
            "deal": votes[0]["deal"],
            "status": 410,
            "answer": None,
            "message": "This pair has expired.",
        }
        route.fulfill(json={**answer, "results": [refused, *answer["results"]]})

    deck = Deck(page).open()
    page.route(VOTES, refuse_first, times=1)
    for _ in range(2):
        deck.key("ArrowRight")
    expect(deck.note).to_have_text("1 vote did not count: This pair has expired.")
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


def test_leaving_the_page_hands_the_votes_over(page: Page, site: Site) -> None:
    deck = Deck(page).open()
    deck.key("ArrowRight")
    (deal,) = page.evaluate("() => document.querySelector('swipe-deck').outbox.deals")
    page.goto("/about/")
    wait_until(lambda: Vote.objects.filter(deal=deal).exists(), "the vote of the page that was left")


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


def test_votes_kept_offline_survive_a_closed_tab(
    page: Page, context: BrowserContext, site: Site, tolerated: list[str]
) -> None:
    tolerated.append("ERR_INTERNET_DISCONNECTED")
    deck = Deck(page).open()
    deck.stock_up()
    context.set_offline(True)
    for _ in range(2):
        deck.key("ArrowLeft")
    deals = page.evaluate("() => document.querySelector('swipe-deck').outbox.deals")
    page.close()
    assert len(deals) == 2
    # What a closing page hands to the browser may leave in spite of all; then the kept votes are sent twice.
    context.set_offline(False)
    again = Deck(context.new_page())
    again.open()
    again.expect_judged(3)
    assert Vote.objects.filter(deal__in=deals, answer="nope").count() == 2
    again.page.close()


def test_two_tabs_keep_their_votes_side_by_side(
    page: Page, context: BrowserContext, site: Site, tolerated: list[str]
) -> None:
    tolerated.append("ERR_INTERNET_DISCONNECTED")
    deck = Deck(page).open()
    deck.stock_up()
    other = Deck(context.new_page()).open()
    context.set_offline(True)
    for _ in range(3):
        deck.key("ArrowLeft")
    deals = page.evaluate("() => document.querySelector('swipe-deck').outbox.deals")
    other.key("ArrowLeft")
    kept = other.page.evaluate("() => JSON.stringify(localStorage)")
    assert [deal for deal in deals if deal not in kept] == [], "lost with the tab that gave them"
    page.close()
    other.page.close()
    context.set_offline(False)
    again = Deck(context.new_page()).open()
    again.expect_judged(4)
    again.expect_sent()
    assert Vote.objects.filter(deal__in=deals, answer="nope").count() == 3
    again.page.close()


def test_the_page_kept_for_offline_names_nobody(
    page: Page, context: BrowserContext, operator: User, tolerated: list[str]
) -> None:
    tolerated.append("ERR_INTERNET_DISCONNECTED")
    deck = Deck(page).open()
    assert operator.username in page.content()
    deck.key("ArrowRight")
    deck.expect_sent()
    deck.expect_offline_page()
    context.set_offline(True)
    page.goto("/about/")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are offline")
    assert operator.username not in page.content()
    context.set_offline(False)


def test_without_a_network_pages_say_so_once_somebody_has_voted(
    page: Page, context: BrowserContext, site: Site, tolerated: list[str]
) -> None:
    tolerated.append("ERR_INTERNET_DISCONNECTED")
    deck = Deck(page).open()
    deck.key("ArrowRight")
    deck.expect_sent()
    deck.expect_offline_page()
    context.set_offline(True)
    page.goto("/about/")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are offline")
    context.set_offline(False)
    page.goto("/about/")
    expect(page.get_by_role("heading", level=1)).to_have_text("How it works")


def test_a_stale_page_asks_to_be_reloaded_and_loses_nothing(
    page: Page, site: Site, tolerated: list[str]
) -> None:
    tolerated.append("status of 403")
    deck = Deck(page).open()
    deck.key("ArrowRight")
    deck.expect_sent()
    page.route(VOTES, lambda route: route.fulfill(status=403, json={"message": "stale"}), times=1)
    deck.key("ArrowRight")
    expect(page.get_by_text("This page is out of date")).to_be_visible()
    page.get_by_role("button", name="Reload").click()
    deck.wait()
    deck.expect_judged(2)


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
