"""What limits hold against a real web process: made-up addresses, and a player faster than any person."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from evaluation.models import Contender, Credit, Vote
from evaluation.selectors.board import Filters, read_board
from evaluation.services.recount import find_differences
from tests.evaluation.decks import cast, deal_to
from tests.faults.players import Browser, make_vote
from tests.faults.servers import Server


@pytest.fixture
def process(game: None, web_home: Path) -> Iterator[Server]:
    """One web process, because each has budgets of its own."""
    running = Server(web_home)
    running.start()
    yield running
    running.stop()


def test_13_a_spoofed_address_is_no_new_network_for_a_real_process(process: Server) -> None:
    """One player's worth of exports a minute: a second one is refused, whoever its headers say it is from."""
    process.restart(PLAYERS_PER_NETWORK="1")
    browser = Browser(process)
    assert browser.ask("/leaderboard/export.json")[0] == 200
    for name in ("X-Forwarded-For", "X_Forwarded_For", "Forwarded", "X-Real-IP"):
        status, headers, text = browser.ask("/leaderboard/export.json", **{name: "203.0.113.7"})
        assert status == 429, name
        assert int(headers["Retry-After"]) > 0
        assert b"from your network" in text

    process.restart(PLAYERS_PER_NETWORK="1", TRUSTED_PROXIES="1")
    for visitor in ("203.0.113.7", "203.0.113.8"):
        for forged, status in (("1.1.1.1", 200), ("2.2.2.2", 429)):
            forwarded = {"X-Forwarded-For": f"{forged}, {visitor}"}
            assert browser.ask("/leaderboard/export.json", **forwarded)[0] == status


def test_08_ten_thousand_votes_of_one_player_move_no_rank(process: Server) -> None:
    """Nopes without pause instead of one each 20 ms: two minutes' budget is taken, the rest is put off."""
    liked = Contender.objects.order_by("pk")[0]
    honest = _vote_honestly(liked, players=24, each=30)
    before = read_board(Filters())
    process.restart(VOTES_PER_MINUTE="60", PLAYERS_PER_NETWORK="40")
    browser = Browser(process)
    began = time.monotonic()
    sent, refused = 0, 0
    deals: list[str] = []
    while sent < 10_000:
        if sent < 500:
            deals += [deal["id"] for deal in browser.deal(10)]
        # New pairs first, then the same ones over and over: an answer repeated costs as much as a new one.
        batch = (deals[-10:] * 5)[:50]
        status, answer = browser.post("/play/votes/", {"votes": [make_vote(deal, "nope") for deal in batch]})
        assert status in (200, 429)
        if status == 429:
            refused += len(batch)
            assert "Your answers are kept" in answer["message"]
        sent += len(batch)
    admitted = 120 + (time.monotonic() - began)

    assert sent - refused <= admitted
    forced = Vote.objects.count() - honest
    assert 0 < forced <= admitted
    assert find_differences() == []
    after = {row.contender: row for row in read_board(Filters()).rows}
    for row in before.rows:
        # Those that could not be told apart before may change places.
        assert row.rank_low <= after[row.contender].rank <= row.rank_high
        # A share of n votes cannot move further than the votes that were added to them.
        assert abs(after[row.contender].approval - row.approval) <= forced / after[row.contender].votes


def _vote_honestly(liked: Contender, *, players: int, each: int) -> int:
    """People who mostly like what one contender found; returns how many votes there are then."""
    for player in range(players):
        key = uuid.uuid4()
        for _ in range(each // 10):
            hand = deal_to(key, now=timezone.now(), count=10, seed=player)
            answers = {}
            for deal in hand.deals:
                mine = Credit.objects.filter(pair=deal.pair, contender=liked).exists()
                share = (deal.pair * 7 + player) % 10
                answers[deal.pk] = "dope" if share < (9 if mine else 3) else "nope"
            cast(key, answers, now=timezone.now())
    return Vote.objects.count()
