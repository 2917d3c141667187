"""Budgets of a network: which address spends which, and what the refused are told."""

import asyncio
import json
from typing import Any

import pytest
from django.urls import reverse

from dopeornope.rate_limits import RateLimits

Messages = list[dict[str, Any]]
VISITOR = ("203.0.113.7", 4711)


class Site:
    """The limits of one process, before a site that lets everybody in."""

    def __init__(self) -> None:
        self.limits = RateLimits(self._answer)

    async def _answer(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "let in"})

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        client: Any = VISITOR,
        kind: str = "http",
        token: str = "",
    ) -> Messages:
        sent: Messages = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": f"{kind}.connect"}

        headers = (
            [(b"authorization", (token if " " in token else f"Bearer {token}").encode())] if token else []
        )
        scope = {"type": kind, "path": path, "method": method, "client": client, "headers": headers}
        asyncio.run(self.limits(scope, receive, send))
        return sent

    def count_let_in(self, path: str, method: str = "GET", *, tries: int, **how: Any) -> int:
        return sum(self.ask(path, method, **how) == [{"type": "let in"}] for _ in range(tries))


@pytest.fixture
def site(settings) -> Site:
    settings.PLAYERS_PER_NETWORK = 2
    return Site()


@pytest.mark.parametrize(
    ("address", "method", "at_once"),
    [
        (("play-deals",), "POST", 60),
        (("play-votes",), "POST", 60),
        (("play-vote", "0" * 32), "POST", 60),
        (("play-undo",), "POST", 60),
        (("play-forget",), "POST", 60),
        (("play",), "GET", 12),
        (("play-catalogue", "demo"), "GET", 12),
        (("play-catalogue", "demo"), "HEAD", 12),
        (("login",), "POST", 4),
        (("register",), "POST", 4),
        (("invitation", "token"), "POST", 4),
        (("account-delete",), "POST", 4),
        (("my-data",), "GET", 2),
        (("leaderboard-csv",), "GET", 2),
        (("leaderboard-json",), "GET", 2),
        (("export-votes-parquet",), "GET", 2),
        (("annotate-csv", "demo"), "GET", 2),
        (("lineage-jsonl", 1), "GET", 2),
        (("api:get_leaderboard",), "GET", 6),
        (("api:search_again", "demo"), "GET", 6),
        (("api:openapi-json",), "GET", 6),
    ],
)
def test_a_network_spends_its_budget_and_others_keep_theirs(site, address, method, at_once):
    name, *parts = address
    path = reverse(name, args=parts)
    assert site.count_let_in(path, method, tries=at_once + 1) == at_once
    assert site.count_let_in(path, method, tries=1, client=("203.0.113.8", 1)) == 1
    assert site.count_let_in(path, method, tries=1, client=None) == 1


def test_a_thousand_searches_a_minute_from_one_network_are_stopped_and_others_are_not(settings):
    settings.PLAYERS_PER_NETWORK = 40
    site = Site()
    for path, method, at_once in (("/search/demo/", "GET", 240), ("/search/demo/photos/", "POST", 120)):
        assert site.count_let_in(path, method, tries=1000) < 1000
        start, _ = site.ask(path, method)
        assert start["status"] == 429 and int(dict(start["headers"])[b"retry-after"]) > 0
        assert site.count_let_in(path, method, tries=at_once, client=("203.0.113.8", 1)) == at_once
    picture = "/search/photos/00000000-0000-0000-0000-000000000000.webp"
    assert site.count_let_in(picture, tries=100) == 100


@pytest.mark.parametrize("name", ["home", "leaderboard", "leaderboard-board", "privacy", "login", "register"])
def test_reading_pages_is_not_counted(site, name):
    assert site.count_let_in(reverse(name), tries=200) == 200


def test_sockets_are_denied_before_the_handshake(site):
    assert site.count_let_in("/ws/live/", tries=20, kind="websocket") == 12
    assert site.ask("/ws/live/", kind="websocket") == [{"type": "websocket.close"}]


@pytest.mark.parametrize(
    ("name", "method", "field"),
    [("play-deals", "POST", "message"), ("api:list_catalogues", "GET", "detail"), ("my-data", "GET", None)],
)
def test_the_refused_are_told_when_to_come_back(site, name, method, field):
    path = reverse(name)
    site.count_let_in(path, method, tries=60)
    start, body = site.ask(path, method)
    headers = dict(start["headers"])
    assert start["status"] == 429
    assert int(headers[b"retry-after"]) > 0
    assert headers[b"cache-control"] == b"no-store"
    assert int(headers[b"content-length"]) == len(body["body"])
    text = json.loads(body["body"])[field] if field else body["body"].decode()
    assert text.strip() == (
        f"Too much was asked for from your network. Try again in {int(headers[b'retry-after'])} seconds."
    )


def test_a_token_has_one_budget_wherever_its_program_runs(site, settings):
    settings.PLAYERS_PER_NETWORK = 1000
    path = reverse("api:list_jobs")
    assert site.count_let_in(path, tries=40, token="a") == 40
    assert site.count_let_in(path, tries=40, token="a", client=("203.0.113.8", 1)) == 20
    assert b"with your token" in site.ask(path, token="a")[1]["body"]
    assert site.count_let_in(path, tries=40, token="b") == 40
    for same in ("bearer a", "BEARER  a", "Bearer a "):
        assert site.count_let_in(path, tries=1, token=same) == 0
    assert site.count_let_in("/annotate/demo/export.csv", tries=1, token="a") == 0
    assert site.count_let_in(path, tries=100) == 100
