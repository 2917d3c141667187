"""The game's requests are answered the same by the lane before Django's handler and by its views."""

import asyncio
import json
import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from dopeornope.game_lane import GameLane
from evaluation.models import Deal, Player, Vote
from evaluation.views.player_cookie import sign_cookie
from tests.evaluation.decks import Deck
from tests.factories import make_catalogue, make_contenders

pytestmark = pytest.mark.django_db(transaction=True)

ASKED = {"catalogue": "demo", "round": None, "held": [], "count": 1}


class Answered:
    """One request through the lane; ``passed`` where the lane left it to the handler behind it."""

    def __init__(self, path: str, body: Any, *, method: str = "POST", **headers: str) -> None:
        self.passed = False
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"host": "localhost", "content-length": str(len(content)), **headers}
        scope = {
            "type": "http",
            "scheme": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
        }
        self._messages: list[dict[str, Any]] = []
        asyncio.run(self._ask(scope, content))
        if not self.passed:
            self.status = self._messages[0]["status"]
            self.headers = {name.decode(): value.decode() for name, value in self._messages[0]["headers"]}
            self.json = json.loads(self._messages[1]["body"])

    async def _ask(self, scope: dict[str, Any], content: bytes) -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            self._messages.append(message)

        async def behind(*_: Any) -> None:
            self.passed = True

        await GameLane(behind)(scope, receive, send)
        await sync_to_async(connections.close_all)()  # those of the thread that did the work


@pytest.fixture
def deck() -> Deck:
    make_contenders(make_catalogue(items=60, with_images=False))
    return Deck()


def test_an_answer_carries_every_header_that_the_handler_would_give(deck: Deck) -> None:
    answered = Answered("/play/deals/", ASKED, x_sitting=deck.sitting)
    plain = deck.post("/play/deals/", ASKED)
    of_time = {"expires"}
    assert answered.status == plain.status_code == 200
    expected = {name.lower(): value for name, value in plain.items()}
    assert answered.headers.keys() == expected.keys()
    compared = answered.headers.keys() - of_time - {"content-length"}
    assert {name: answered.headers[name] for name in compared} == {name: expected[name] for name in compared}
    assert answered.json.keys() == plain.json().keys()


def test_a_vote_is_stored_and_remembered_by_the_same_cookie(deck: Deck) -> None:
    [dealt] = Answered("/play/deals/", ASKED, x_sitting=deck.sitting).json["deals"]
    vote = {"answer": "dope", "dwell_ms": 900, "modality": "key"}
    answered = Answered(f"/play/votes/{dealt['id']}/", vote, x_sitting=deck.sitting)
    assert (answered.status, answered.json["judged"]) == (200, 1)
    assert Player.objects.get().judged == 1
    replayed = deck.vote(dealt["id"])  # through the view, which sets the cookie in its way
    assert {**replayed.json()} == answered.json
    cookie = deck.client.cookies["player"].OutputString()
    # Every attribute but the one that names a time.
    assert _without_times(answered.headers["set-cookie"]) == _without_times(cookie)


def test_who_has_the_cookie_gets_no_other(deck: Deck) -> None:
    deck.vote(deck.deal(1)["deals"][0]["id"])
    cookie = f"theme=dark; player={deck.client.cookies['player'].value}"
    asked = {**ASKED, "round": deck.round}
    dealt = Answered("/play/deals/", asked, x_sitting=deck.sitting, cookie=cookie).json["deals"]
    vote = {"votes": [{"deal": dealt[0]["id"], "answer": "nope", "dwell_ms": 900, "modality": "key"}]}
    answered = Answered("/play/votes/", vote, x_sitting=deck.sitting, cookie=cookie)
    assert answered.status == 200
    assert "set-cookie" not in answered.headers


@pytest.mark.parametrize("path", ["/play/deals/", "/play/votes/", "/play/votes/{deal}/", "/play/undo/"])
@pytest.mark.parametrize("forged", ["no sitting", "sitting", "cookie", "origin", "origin of a sandbox"])
def test_requests_without_a_sitting_of_their_own_are_refused_and_change_nothing(
    deck: Deck, path: str, forged: str
) -> None:
    """Here, in front of Django, nothing but the sitting stands in the way of another site."""
    [deal] = deck.deal(1)["deals"]
    vote = {"deal": deal["id"], "answer": "dope", "dwell_ms": 900, "modality": "key"}
    headers = {
        "no sitting": {},
        "sitting": {"x_sitting": deck.sitting[:-1]},
        "cookie": {"x_sitting": deck.sitting, "cookie": f"player={sign_cookie(uuid.uuid4())}"},
        "origin": {"x_sitting": deck.sitting, "origin": "https://elsewhere.example"},
        "origin of a sandbox": {"x_sitting": deck.sitting, "origin": "null"},
    }[forged]
    deals = Deal.objects.count()
    answered = Answered(path.format(deal=deal["id"]), {**ASKED, **vote, "votes": [vote]}, **headers)
    assert answered.status == 403
    assert (Deal.objects.count(), Vote.objects.count(), Player.objects.count()) == (deals, 0, 0)
    assert "set-cookie" not in answered.headers


def test_refusals_are_protected_like_answers(deck: Deck) -> None:
    refused = [
        Answered("/play/deals/", ASKED),
        Answered("/play/deals/", b"[]", x_sitting=deck.sitting),
        Answered("/play/undo/", {"deal": "0" * 32}, x_sitting=deck.sitting),
        Answered(f"/play/votes/{'0' * 32}/", {}, x_sitting=deck.sitting),
    ]
    assert [answered.status for answered in refused] == [403, 400, 404, 422]
    for answered in refused:
        policy = answered.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "unsafe-" not in policy
        assert answered.headers["permissions-policy"] == "camera=(), geolocation=(), microphone=()"
        assert answered.headers["x-content-type-options"] == "nosniff"
        assert "no-store" in answered.headers["cache-control"]


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/play/deals/", "GET", {}),
        ("/play/demo/", "GET", {}),
        ("/play/votes/a/b/", "POST", {}),
        ("/play/deals/", "POST", {"host": "elsewhere.example"}),
        ("/play/deals/", "POST", {"content-length": "70000"}),
        ("/play/deals/", "POST", {"content-length": ""}),
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_the_handler(path, method, headers) -> None:
    assert Answered(path, ASKED, method=method, **headers).passed


def test_plain_http_is_left_to_the_handler_where_tls_is_on(settings, deck: Deck) -> None:
    settings.TLS = True
    assert Answered("/play/deals/", ASKED, x_sitting=deck.sitting).passed


def test_a_body_that_is_no_object_is_refused(deck: Deck) -> None:
    for body in (b"", b"[]", b"{", b"[" * 30_000):
        assert Answered("/play/votes/", body, x_sitting=deck.sitting).status == 400, body[:10]


def _without_times(cookie: str) -> set[str]:
    return {part.strip() for part in cookie.split(";") if not part.strip().startswith("expires")}
