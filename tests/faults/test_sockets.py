"""Case 38 of docs/reliability.md: pages' sockets that say too much, read too little, or lose their server."""

import json
import socket
from contextlib import ExitStack, closing
from http import HTTPStatus
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection

from dopeornope.web import LARGEST_FRAME
from search.models import Revision
from tests.faults.players import Browser
from tests.faults.servers import Server
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.django_db(transaction=True)

TOO_MUCH = {
    "a frame one byte too long": (["x" * (LARGEST_FRAME + 1)], CloseCode.MESSAGE_TOO_BIG),
    "the longest frame": (["x" * LARGEST_FRAME], CloseCode.POLICY_VIOLATION),
    "JSON nested deeply": (["[" * 30_000 + "]" * 30_000], CloseCode.POLICY_VIOLATION),
    "bytes": ([b"\x00" * 100], CloseCode.POLICY_VIOLATION),
    "a thousand messages": (
        [json.dumps({"n": number}) for number in range(1000)],
        CloseCode.POLICY_VIOLATION,
    ),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_38_who_talks_is_shown_out_and_the_others_hear_on(server: Server, name: str) -> None:
    messages, code = TOO_MUCH[name]
    browser = Browser(server)
    with browser.watch("leaderboard") as other, browser.watch("leaderboard") as talker:
        with pytest.raises(ConnectionClosed) as closed:
            for message in messages:
                talker.send(message)
            while True:
                talker.recv(PATIENCE_S)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == code
        vote(browser)
        read_until_newest(other)


def test_38_a_page_that_does_not_read_holds_up_nobody_and_ends_at_the_newest(server: Server) -> None:
    browser = Browser(server)
    with closing(open_quietly(browser)) as silent, browser.watch("leaderboard") as other:
        for _ in range(3):
            vote(browser)
            read_until_newest(other)
        newest = b'{"topic": "leaderboard", "revision": %d}' % newest_revision()
        heard = b""
        while newest not in heard:
            heard += silent.recv(65_536)


def test_38_five_hundred_idle_pages_leave_room_for_players(server: Server) -> None:
    browser = Browser(server)
    idle = [open_quietly(browser) for _ in range(500)]
    try:
        with browser.watch("leaderboard") as other:
            vote(browser)
            read_until_newest(other)
        assert browser.status_of("/leaderboard/") == HTTPStatus.OK
    finally:
        for one in idle:
            one.close()


def test_38_a_network_keeps_so_many_pages_open_and_no_more(game: None, web_home: Path) -> None:
    limit = {"DOPEORNOPE_PLAYERS_PER_NETWORK": "10"}
    with Server(web_home, environment=limit) as server, ExitStack() as stack:
        browser = Browser(server)
        pages = [stack.enter_context(browser.watch("leaderboard")) for _ in range(30)]
        with pytest.raises(InvalidStatus):
            browser.watch("leaderboard")
        pages.pop().close()
        with browser.watch("leaderboard") as page:
            read_until_newest(page)
        assert "dopeornope_sockets_refused_total 1.0" in browser.get("/metrics").decode()


def test_38_a_page_finds_its_board_again_after_the_server_was_killed(server: Server) -> None:
    browser = Browser(server)
    with browser.watch("leaderboard") as page:
        vote(browser)
        read_until_newest(page)
        server.kill()
        with pytest.raises(ConnectionClosed):
            while True:
                page.recv(PATIENCE_S)
    server.start()
    with browser.watch("leaderboard") as page:
        read_until_newest(page)
        vote(browser)
        read_until_newest(page)


def vote(browser: Browser) -> None:
    [deal] = browser.deal(1)
    assert browser.vote(deal["id"])[0] == HTTPStatus.OK


def newest_revision() -> int:
    return Revision.objects.get(topic="leaderboard").number


def read_until_newest(page: ClientConnection) -> None:
    newest = newest_revision()
    while json.loads(page.recv(PATIENCE_S))["revision"] < newest:
        continue


def open_quietly(browser: Browser) -> socket.socket:
    """A socket with a small buffer, past the handshake, from which nobody reads."""
    server = f"127.0.0.1:{browser.server.port}"
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(PATIENCE_S)
    raw.connect(("127.0.0.1", browser.server.port))
    raw.sendall(
        f"GET /ws/live/?topics=leaderboard HTTP/1.1\r\nHost: {server}\r\nOrigin: http://{server}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert raw.recv(12) == b"HTTP/1.1 101"
    return raw
