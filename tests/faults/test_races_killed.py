"""A race whose web process is killed in mid-race: no pick is lost, and all go on where they were."""

import http.client
import json
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from evaluation.models import Move, NavigationGame
from evaluation.selectors.races import Phase
from evaluation.views.player_cookie import COOKIE, sign_cookie, sign_sitting
from search.models import Revision
from tests.evaluation.finding import make_ground
from tests.evaluation.racing import Racer, begin_race, look_at
from tests.faults.servers import Server
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


def watch(server: Server, topics: str, *, origin: str = "") -> ClientConnection:
    """The socket of an open page of a race."""
    host = f"127.0.0.1:{server.port}"
    page = Origin(origin or f"http://{host}")
    return connect(f"ws://{host}/ws/live/?topics={topics}", origin=page)


def ask(server: Server, racer: Racer, method: str, path: str, **fields: object) -> tuple[int, str]:
    """Status and body of what the player's browser is answered."""
    headers = {
        "Cookie": f"{COOKIE}={sign_cookie(racer.key)}",
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Part": "game",
    }
    body = urlencode({"sitting": sign_sitting(racer.key), **fields})
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        client.request(method, path, body=body if method == "POST" else None, headers=headers)
        response = client.getresponse()
        return response.status, response.read().decode()
    finally:
        client.close()


def pick(server: Server, racer: Racer) -> None:
    """Pick what is nearest, heard or not: the page sends it twice."""
    slate = racer.state.open
    assert slate is not None
    fields = {"turn": slate.turn, "pick": racer.nearest()}
    for _ in range(2):
        status, _ = ask(server, racer, "POST", f"/find/games/{racer.game.pk}/moves/", **fields)
        assert status == HTTPStatus.OK


def send_unheard(server: Server, racer: Racer) -> tuple[int, int]:
    """Send a pick and kill the process before the answer is read: the turn, and the item."""
    slate = racer.state.open
    assert slate is not None
    item = racer.nearest()
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = urlencode({"sitting": sign_sitting(racer.key), "turn": slate.turn, "pick": item})
    headers = {
        "Cookie": f"{COOKIE}={sign_cookie(racer.key)}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    client.request("POST", f"/find/games/{racer.game.pk}/moves/", body=body, headers=headers)
    server.kill()
    client.close()
    return slate.turn, item


def read_until_newest(page: ClientConnection, topic: str) -> None:
    newest = Revision.objects.get(topic=topic).number
    while json.loads(page.recv(PATIENCE_S))["revision"] < newest:
        continue


def test_a_race_goes_on_to_its_end_though_the_web_process_is_killed_in_it(web_home: Path) -> None:
    race, (ada, bob) = begin_race(make_ground(items=120), seed=4, now=timezone.now())
    topic = f"race:{race.pk}"
    with Server(web_home) as server:
        with watch(server, topic) as page:
            pick(server, ada)
            read_until_newest(page, topic)
            pick(server, bob)
            read_until_newest(page, topic)
            turn, item = send_unheard(server, ada)
            with pytest.raises(ConnectionClosed):
                while True:
                    page.recv(PATIENCE_S)
        server.start()
        with watch(server, topic) as page:
            read_until_newest(page, topic)
            status, strip = ask(server, bob, "GET", f"/find/races/{race.pk}/standing/?part=strip")
            assert status == HTTPStatus.OK and "Racer 1" in strip
            assert (
                ask(server, ada, "POST", f"/find/games/{ada.game.pk}/moves/", turn=turn, pick=item)[0]
                == HTTPStatus.OK
            )
            read_until_newest(page, topic)
            for racer in (ada, bob):
                while racer.state.open is not None:
                    pick(server, racer)
            read_until_newest(page, topic)
        status, results = ask(server, bob, "GET", f"/find/races/{race.pk}/")
        assert status == HTTPStatus.OK and "won" in results
    assert look_at(race).phase == Phase.OVER
    assert {racer.state.game.outcome for racer in (ada, bob)} == {NavigationGame.Outcome.FOUND}
    moves = [
        list(Move.objects.filter(slate__game=racer.game).values_list("slate__turn", "item"))
        for racer in (ada, bob)
    ]
    assert moves[0] == moves[1] and (turn, item) in moves[0]


TOO_MUCH = {
    "a frame that is too long": (["x" * 100_000], CloseCode.MESSAGE_TOO_BIG),
    "JSON cut off": (['{"topic": "race:'], CloseCode.POLICY_VIOLATION),
    "bytes": ([b"\xff" * 100], CloseCode.POLICY_VIOLATION),
    "a thousand messages": ([f'{{"pick": {number}}}' for number in range(1000)], CloseCode.POLICY_VIOLATION),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_who_talks_on_a_races_socket_is_shown_out_and_the_race_goes_on(web_home: Path, name: str) -> None:
    messages, code = TOO_MUCH[name]
    race, (ada, _) = begin_race(make_ground(), now=timezone.now())
    topic = f"race:{race.pk}"
    with Server(web_home) as server, watch(server, topic) as page, watch(server, topic) as talker:
        with pytest.raises(ConnectionClosed) as closed:
            for message in messages:
                talker.send(message)
            while True:
                talker.recv(PATIENCE_S)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == code
        pick(server, ada)
        read_until_newest(page, topic)
    assert len(ada.state.moves) == 1


def test_sockets_of_other_sites_and_of_races_that_there_are_not_are_refused(web_home: Path) -> None:
    race, _ = begin_race(make_ground(), now=timezone.now())
    with Server(web_home) as server:
        for topics, origin in [
            (f"race:{race.pk}", "https://elsewhere.example"),
            ("race:000000000000", ""),
            (f"race:{race.pk},race:000000000000", ""),
            (f"race:{race.pk}%00", ""),
        ]:
            with pytest.raises(InvalidStatus) as refused:
                watch(server, topics, origin=origin)
            assert refused.value.response.status_code == HTTPStatus.FORBIDDEN
        with watch(server, f"race:{race.pk}") as page:
            read_until_newest(page, f"race:{race.pk}")
