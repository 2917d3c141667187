"""Picks in a navigation game, sent to a web process as its page's form does."""

import http.client
from urllib.parse import urlencode

from evaluation.views.player_cookie import COOKIE, sign_cookie, sign_sitting
from tests.evaluation.finding import Finder
from tests.faults.servers import Server


def make_request(finder: Finder, server: Server, turn: int, item: int) -> tuple[str, str, dict[str, str]]:
    """Address, body and headers of a pick."""
    body = urlencode({"sitting": sign_sitting(finder.key), "turn": turn, "pick": item})
    headers = {
        "Host": f"127.0.0.1:{server.port}",
        "Cookie": f"{COOKIE}={sign_cookie(finder.key)}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
    }
    return f"/find/games/{finder.game.pk}/moves/", body, headers


def pick(finder: Finder, server: Server, turn: int, item: int) -> int:
    """Send a pick and hear the status of its answer."""
    path, body, headers = make_request(finder, server, turn, item)
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        client.request("POST", path, body=body, headers=headers)
        return client.getresponse().status
    finally:
        client.close()
