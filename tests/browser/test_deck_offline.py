"""The deck where the network, the server or the page goes away: no vote is lost, none counts twice."""

import json

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, Route, expect

from evaluation.models import Vote
from tests.browser.deck import VOTES, Deck, sent_votes, stored
from tests.browser.site import Site
from tests.waiting import wait_until


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


@pytest.mark.parametrize(("status", "words"), [(429, "Slowly, please."), (503, "busy")])
def test_a_busy_server_is_given_the_time_it_asks_for(
    page: Page, site: Site, tolerated: list[str], status: int, words: str
) -> None:
    """Who is to wait is told why; an outage has no better words than the page's own."""
    tolerated.append(f"status of {status}")
    times: list[float] = []
    page.on(
        "request",
        lambda request: times.append(request.timing["startTime"]) if "votes" in request.url else None,
    )
    page.route(
        VOTES,
        lambda route: route.fulfill(
            status=status, headers={"Retry-After": "2"}, body=json.dumps({"message": "Slowly, please."})
        ),
        times=1,
    )
    deck = Deck(page).open()
    deck.key("ArrowRight")
    expect(deck.note).to_contain_text(words)
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


def test_leaving_the_page_hands_the_votes_over(page: Page, site: Site) -> None:
    deck = Deck(page).open()
    deck.key("ArrowRight")
    (deal,) = page.evaluate("() => document.querySelector('swipe-deck').outbox.deals")
    page.goto("/about/")
    wait_until(Vote.objects.filter(deal=deal).exists)


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
