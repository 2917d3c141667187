"""Cases 1 to 7 and 10 of docs/reliability.md against real web processes: many at once, and killed between."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from evaluation.models import Contender, Credit, Deal, Player, RaterTally, Tally, Vote
from evaluation.services.contenders import retire_contender
from evaluation.services.recount import find_differences
from tests.faults.house import is_service
from tests.faults.players import Browser, Crowd, make_vote
from tests.faults.servers import Server
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT_S = 60


def test_01_fifty_identical_votes_at_once_over_http(server: Server) -> None:
    browser = Browser(server)
    [deal] = browser.deal(1)
    gate = threading.Barrier(50)

    def vote(_: int) -> tuple:
        gate.wait(LIMIT_S)
        return browser.vote(deal["id"])

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(vote, range(50)))
    assert answers == [answers[0]] * 50
    assert answers[0][0] == 200
    assert Vote.objects.count() == 1
    assert Player.objects.get().judged == 1
    assert all(tally.dopes == 1 for tally in RaterTally.objects.all())
    assert find_differences() == []


def test_02_opposite_answers_at_once_are_one_vote_and_refusals_that_name_it(server: Server) -> None:
    """Whichever comes first stands, in whichever process; nobody is told otherwise."""
    browser = Browser(server)
    [deal] = browser.deal(1)
    gate = threading.Barrier(20)

    def vote(turn: int) -> tuple[str, int, str]:
        said = ("dope", "nope")[turn % 2]
        gate.wait(LIMIT_S)
        status, answer = browser.vote(deal["id"], said)
        return said, status, answer["answer"]

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(vote, range(20)))
    stored = Vote.objects.get().answer
    assert answers == [(said, 200 if said == stored else 409, stored) for said, _, _ in answers]
    assert find_differences() == []


def test_03_a_forged_or_cut_deal_is_unknown_and_nothing_is_written(server: Server) -> None:
    browser = Browser(server)
    [deal] = browser.deal(1)
    for forged in ("0" * 32, deal["id"][:-1], deal["id"] + "0", "%00", "%ED%A0%80"):
        assert browser.vote(forged)[0] == 404
    assert not Vote.objects.exists()
    assert not Player.objects.exists()


def test_04_another_players_deal_gets_the_same_answer_as_a_forged_one(server: Server) -> None:
    [deal] = Browser(server).deal(1)
    thief = Browser(server)
    (status, foreign), (_, forged) = thief.vote(deal["id"]), thief.vote("0" * 32)
    assert status == 404
    assert {**foreign, "deal": ""} == {**forged, "deal": ""}
    assert not Vote.objects.exists()


def test_05_an_expired_deal_is_gone_but_a_vote_that_was_stored_keeps_its_answer(server: Server) -> None:
    browser = Browser(server)
    voted, late = (deal["id"] for deal in browser.deal(2))
    first = browser.vote(voted)
    Deal.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert browser.vote(late)[0] == 410
    assert browser.vote(voted) == first
    assert Vote.objects.count() == 1


def test_06_a_contender_that_retires_elsewhere_is_credited_for_open_deals_and_dealt_no_more(
    server: Server,
) -> None:
    """Another process retires all; the web processes still keep what they knew of the game."""
    browser, late = Browser(server), Browser(server)
    deals = browser.deal(4)
    credited = set(
        Credit.objects.filter(pair__deals__in=[deal["id"] for deal in deals]).values_list("contender")
    )
    for contender in Contender.objects.all():
        retire_contender(contender=contender, now=timezone.now())
    assert {browser.vote(deal["id"])[0] for deal in deals} == {200}
    assert set(Tally.objects.exclude(dopes=0).values_list("contender")) == credited
    assert find_differences() == []
    assert late.deal(4) == []


def test_07_what_goes_over_the_wire_before_a_vote_names_no_contender(server: Server) -> None:
    """Pages, deals and pictures with their headers, and the socket's frames, as a browser gets them."""
    browser = Browser(server)
    deals = browser.deal(10)
    pictures = sorted({deal[side]["image"] for deal in deals for side in ("question", "candidate")})
    body = {"catalogue": "demo", "round": browser.round, "held": [], "count": 10}
    sent = [browser.read_wire("GET", path) for path in ("/", "/play/demo/", *pictures)]
    sent.append(browser.read_wire("POST", "/play/deals/", body))
    with browser.watch("leaderboard") as frames:
        sent.append(str(frames.recv(LIMIT_S)).encode())
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in sent[:-1])
    everything = b"".join(sent).lower()
    for contender in Contender.objects.all():
        for telling in (contender.title, contender.encoder):
            assert telling.lower().encode() not in everything


def test_10_killed_after_the_commit_a_retry_yields_one_vote(server: Server) -> None:
    """The client sends, the row appears, the processes die, and the client, who read nothing, asks again."""
    browser = Browser(server)
    deals = browser.deal(2)
    for turn, deal in enumerate(deals, start=1):
        path, body = f"/play/votes/{deal['id']}/", make_vote(deal["id"])
        with socket.create_connection(("127.0.0.1", server.port)) as careless:
            careless.sendall(browser.make_request("POST", path, body))
            wait_until(lambda turn=turn: Vote.objects.count() == turn)
            server.kill()
        server.start()
        status, answer = browser.vote(deal["id"])
        assert (status, answer["answer"], answer["judged"], answer["streak"]) == (200, "dope", turn, turn)
        assert browser.vote(deal["id"], "nope")[0] == 409
        assert Vote.objects.count() == turn
        assert find_differences() == []


def test_10_killed_under_load_every_acknowledged_vote_is_stored_once(server: Server) -> None:
    """Eight players vote and send again what was not answered; three times all processes are killed."""
    crowd = Crowd(server)
    with crowd.playing():
        for enough in (10, 30, 50):
            crowd.wait_for_votes(enough)
            server.kill()
            crowd.check_stored()
            server.start()
    crowd.check_end()


@pytest.mark.skipif(not is_service(), reason="on SQLite there is one web process")
def test_10_one_of_two_processes_killed_under_load_is_replaced_and_nobody_is_refused(server: Server) -> None:
    """Who comes to the one that is dead waits for the next one at its socket."""
    crowd = Crowd(server)
    with crowd.playing():
        for enough, killed in ((10, 0), (40, 1)):
            crowd.wait_for_votes(enough)
            server.kill_one(killed)
            server.start()
    crowd.check_end()
    assert crowd.refused.total() == 0
