"""Case 11 of docs/reliability.md over HTTP: whatever players do while the web process dies, counts hold."""

import random
import socket
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from evaluation.models import Player, Retraction, Vote
from evaluation.services.recount import find_differences
from tests.faults.players import Browser, make_vote
from tests.faults.servers import Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

# Of one player between the first deal and being forgotten; in an order that chance decides.
STEPS = ("vote",) * 5 + ("undo",) * 2 + ("vote_again", "deal")
# A vote takes so long at most: the kill comes before, in or after its transaction.
LONGEST_S = 0.02


class Walk:
    """One player after another does all there is to do; each fourth request is killed and sent again."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.chance = random.Random(seed)
        self.browser = Browser(server)
        self.requests = 0
        self.counted: dict[str, str] = {}
        self._begin()

    def _begin(self) -> None:
        self.open: list[str] = []
        self.standing: list[str] = []

    def deal(self) -> None:
        body = {"catalogue": "demo", "round": self.browser.round, "held": self.open, "count": 4}
        status, answer = self._send("/play/deals/", body)
        assert status == HTTPStatus.OK
        self.browser.round = answer["round"]
        self.open += [deal["id"] for deal in answer["deals"]]

    def vote(self) -> None:
        deal, said = self.open.pop(), self.chance.choice(["dope", "nope", "skip"])
        self._vote(deal, said)
        self.standing.append(deal)
        self.counted[deal] = said

    def vote_again(self) -> None:
        if self.standing:
            deal = self.chance.choice(self.standing)
            self._vote(deal, self.counted[deal])

    def undo(self) -> None:
        """Sent again after the kill, it may have been done already: then it is refused, once is enough."""
        if not self.standing:
            return
        deal = self.standing.pop()
        status, answer = self._send("/play/undo/", {"deal": deal})
        assert status in (HTTPStatus.OK, HTTPStatus.CONFLICT)
        if status == HTTPStatus.OK:
            self.open.append(answer["deal"]["id"])
        assert Retraction.objects.filter(vote=deal).count() == 1
        del self.counted[deal]

    def forget(self) -> None:
        status, _ = self._send("/play/forget/", {})
        assert status == HTTPStatus.OK
        assert not Player.objects.filter(forgotten_at=None).exists()
        self.browser = Browser(self.server)
        self._begin()

    def check(self) -> None:
        assert find_differences() == []
        assert dict(Vote.objects.filter(retraction=None).values_list("deal", "answer")) == self.counted

    def _vote(self, deal: str, said: str) -> None:
        status, answer = self._send(f"/play/votes/{deal}/", make_vote(deal, said))
        assert (status, answer["answer"]) == (HTTPStatus.OK, said)

    def _send(self, path: str, body: object) -> tuple[int, Any]:
        self.requests += 1
        if self.requests % 4 == 0:
            with socket.create_connection(("127.0.0.1", self.server.port)) as careless:
                careless.sendall(self.browser.make_request("POST", path, body))
                time.sleep(self.chance.uniform(0, LONGEST_S))  # whatever the request has come to by then
                self.server.kill()
            # Whether it was done, nobody was told; the counts must say the same as the votes.
            assert find_differences() == []
            self.server.start()
        return self.browser.post(path, body)


def test_11_counts_equal_the_raw_votes_whenever_the_web_process_is_killed(game: None, web_home: Path) -> None:
    with Server(web_home) as server:
        walk = Walk(server, seed=11)
        for _ in range(3):
            walk.deal()
            for step in walk.chance.sample(STEPS, len(STEPS)):
                getattr(walk, step)()
                walk.check()
            walk.forget()
            walk.check()
    assert Retraction.objects.exists() and len(walk.counted) > 5
