"""A navigation game whose web process is killed again and again: its rows are all it needs to go on."""

import random
import socket
import time
from http import HTTPStatus
from pathlib import Path

import pytest

from evaluation.models import Move, NavigationGame
from tests.evaluation.finding import Finder, make_ground
from tests.faults.picks import make_request, pick
from tests.faults.servers import Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

# A move takes so long at most: the kill comes before, in or after its transaction.
LONGEST_S = 0.1
KILLS = 3


def pick_and_kill(finder: Finder, server: Server, turn: int, item: int, wait_s: float) -> None:
    """Send a pick, and kill the process whatever the pick has come to by then."""
    path, body, headers = make_request(finder, server, turn, item)
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    with socket.create_connection(("127.0.0.1", server.port)) as careless:
        careless.sendall("\r\n".join(lines).encode())
        time.sleep(wait_s)  # the moment of the kill, which chance decides
        server.kill()


def test_a_game_goes_on_to_its_end_though_the_web_process_is_killed_in_its_moves(
    web_home: Path,
) -> None:
    catalogue = make_ground(items=120)
    finder, calm = Finder(catalogue, seed=4), Finder(catalogue, seed=4)
    chance, meant = random.Random(4), {}
    with Server(web_home) as server:
        while (slate := finder.state.open) is not None:
            item = meant[slate.turn] = finder.nearest()
            if slate.turn <= KILLS:
                pick_and_kill(finder, server, slate.turn, item, chance.uniform(0, LONGEST_S))
                server.start()
            for _ in range(2):  # the page does not know whether it was heard, and sends it again
                assert pick(finder, server, slate.turn, item) == HTTPStatus.FOUND
    assert finder.state.game.outcome == NavigationGame.Outcome.FOUND
    moves = Move.objects.filter(slate__game=finder.game).values_list("slate__turn", "item")
    assert dict(moves) == meant and len(moves) == len(meant) > KILLS
    undisturbed = calm.play()
    assert [slate.items for slate in finder.state.slates] == [slate.items for slate in undisturbed.slates]
