"""A player's browser, as far as the game's requests go."""

import json
import re
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from evaluation.models import Answer, Modality
from evaluation.services.deals import DealRequest, Hand, deal_pairs
from evaluation.services.votes import Ballot, BallotResult, CastVote, cast_votes


class Deck:
    """Plays over HTTP through Django's test client; keeps cookies and the sitting like a page."""

    def __init__(self, catalogue: str = "demo", *, client: Client | None = None) -> None:
        self.client = client or Client()
        self.catalogue = catalogue
        self.round: str | None = None
        self.page = self.client.get(f"/play/{catalogue}/")
        found = re.search(r'data-sitting="([^"]+)"', self.page.content.decode())
        assert found, "the page carries no sitting"
        self.sitting = found[1]

    def post(self, path: str, body: Any, *, sitting: str | None = None, **headers: str) -> HttpResponse:
        return self.client.post(
            path,
            json.dumps(body),
            content_type="application/json",
            headers={"X-Sitting": self.sitting if sitting is None else sitting, **headers},
        )

    def deal(self, count: int = 6, *, held: Sequence[str] = ()) -> dict[str, Any]:
        body = {"catalogue": self.catalogue, "round": self.round, "held": list(held), "count": count}
        response = self.post("/play/deals/", body)
        assert response.status_code == 200, response.content
        answer: dict[str, Any] = response.json()
        self.round = answer["round"]
        return answer

    def vote(self, deal: str, answer: str = "dope", **fields: Any) -> HttpResponse:
        body = {"answer": answer, "dwell_ms": 900, "modality": "key", **fields}
        return self.post(f"/play/votes/{deal}/", body)

    def vote_all(self, deals: Sequence[dict[str, Any]], *answers: str) -> dict[str, Any]:
        """One batch; answers in turn by place, dope where none are given."""
        said = answers or ("dope",)
        votes = [
            {
                "deal": deal["id"],
                "answer": said[deal["place"] % len(said)],
                "dwell_ms": 900,
                "modality": "drag",
            }
            for deal in deals
        ]
        response = self.post("/play/votes/", {"votes": votes})
        assert response.status_code == 200, response.content
        result: dict[str, Any] = response.json()
        return result

    def play_round(self, answers: Sequence[str] = ("dope", "nope", "dope", "skip")) -> str:
        """A whole round, answers in turn; returns its id."""
        judged, size = 0, 20
        while judged < size and (dealt := self.deal(10))["deals"]:
            judged, size = self.vote_all(dealt["deals"], *answers)["judged"], dealt["size"]
        assert self.round is not None
        finished, self.round = self.round, None
        return finished


def deal_to(
    key: uuid.UUID,
    *,
    now: datetime,
    count: int = 6,
    catalogue: str = "demo",
    round_id: str | None = None,
    held: frozenset[str] = frozenset(),
    seed: int = 0,
) -> Hand:
    """Deals straight from the service. Raises what the service answers instead of a hand."""
    request = DealRequest(key, catalogue, round_id, held, count)
    with transaction.atomic():
        [hand] = deal_pairs([request], now=now, rng=np.random.default_rng(seed))
    if isinstance(hand, Exception):
        raise hand
    return hand


def cast(key: uuid.UUID, answers: dict[str, str], *, now: datetime) -> BallotResult:
    """Votes straight into the service: answer by deal id."""
    votes = [CastVote(deal, Answer(answer), 900, Modality.BUTTON) for deal, answer in answers.items()]
    with transaction.atomic():
        [result] = cast_votes([Ballot(key, votes)], now=now)
    return result
