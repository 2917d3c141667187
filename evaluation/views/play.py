"""The game's requests: deals, votes and undo, as JSON.

Asynchronous, and without database work of their own: all of it goes through the ballot box, which commits
what arrives together. Nothing here, neither bodies nor sizes, depends on a contender.

They are asked as a `Call` and give a `Reply`, so that a server can have them answered without Django's
handler, whose middleware costs several times what they do (`dopeornope/game_lane.py`); `as_view` makes views
of them all the same.
"""

import json
import uuid
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeGuard

import numpy as np
from django.db import Error as DatabaseError
from django.utils import timezone

from evaluation import telemetry
from evaluation.models import Answer, Modality
from evaluation.selectors.hands import ShownDeal
from evaluation.selectors.pictures import Picture
from evaluation.services.ballot_box import BoxFull, box
from evaluation.services.deals import (
    MOST_AT_ONCE,
    ROUND_SIZE,
    DealRequest,
    Hand,
    UnknownCatalogue,
    deal_pairs,
)
from evaluation.services.limits import TooFast, play_limits
from evaluation.services.retractions import UndoRefused, undo_vote
from evaluation.services.votes import LONGEST_DWELL_MS, Ballot, BallotResult, CastVote, VoteResult, cast_votes
from evaluation.views.calls import Call, Reply
from evaluation.views.player_cookie import StaleSitting, check_sitting, read_cookie

MOST_VOTES = 50
MOST_HELD = 40
RETRY_AFTER_S = 2
ANSWERS, MODALITIES = tuple(Answer.values), tuple(Modality.values)

rng = np.random.default_rng()
Handler = Callable[..., Coroutine[Any, Any, Reply]]


class Refused(Exception):
    """A request that cannot be answered as asked; status and text go to the page."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def speaks_json(handler: Handler) -> Handler:
    """What every request of the deck has in common: a sitting, a JSON object, errors as JSON."""

    @wraps(handler)
    async def answer(call: Call, **parts: str) -> Reply:
        try:
            key = check_sitting(
                token=call.sitting, cookie=call.player_cookie, origin=call.origin, site=call.site
            )
            return await handler(call, key, _read_object(call), **parts)
        except StaleSitting as stale:
            return _refuse(HTTPStatus.FORBIDDEN, str(stale))
        except (Refused, UndoRefused) as refused:
            return _refuse(refused.status, str(refused))
        except TooFast as fast:
            return _refuse(HTTPStatus.TOO_MANY_REQUESTS, str(fast), retry_after=fast.wait_s)
        except (BoxFull, DatabaseError) as busy:
            message = str(busy) if isinstance(busy, BoxFull) else "The votes cannot be reached just now."
            return _refuse(HTTPStatus.SERVICE_UNAVAILABLE, message, retry_after=RETRY_AFTER_S)

    return answer


@speaks_json
async def deals(call: Call, key: uuid.UUID, body: dict[str, Any]) -> Reply:
    """Hand out the next pairs of this player's round; once a day is over, those that they had already."""
    play_limits.spend_ask(key, call.address)
    day_over = play_limits.find_end_of_day(key, call.address)
    asked = DealRequest(
        key=key,
        catalogue=_text(body, "catalogue"),
        round_id=None if body.get("round") is None else _text(body, "round"),
        held=frozenset(_texts(body, "held", most=MOST_HELD)),
        count=_number(body, "count", low=1, high=MOST_AT_ONCE),
        may_draw=day_over is None,
    )
    try:
        hand: Hand = await box.submit(_deal, asked)
    except UnknownCatalogue as unknown:
        raise Refused(HTTPStatus.NOT_FOUND, str(unknown)) from unknown
    if day_over and not hand.deals:
        raise day_over
    play_limits.count_pairs(key, hand.fresh)
    telemetry.DEALS.inc(len(hand.deals))
    round_ = hand.round
    return Reply(
        {
            "round": round_.pk if round_ else None,
            "size": round_.size if round_ else ROUND_SIZE,
            "judged": round_.judged if round_ else 0,
            "deals": [_show(deal) for deal in hand.deals],
            "exhausted": hand.exhausted,
        }
    )


@speaks_json
async def votes(call: Call, key: uuid.UUID, body: dict[str, Any]) -> Reply:
    """Take a batch of votes; each has its own status in the answer."""
    given = body.get("votes")
    if not isinstance(given, list) or len(given) > MOST_VOTES:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"“votes” must be a list of at most {MOST_VOTES}.")
    play_limits.spend_votes(key, call.address, len(given))
    read = [_read_vote(one) for one in given]
    accepted = [one for one in read if isinstance(one, CastVote)]
    outcome: BallotResult = await box.submit(cast_now, Ballot(key, accepted), takes_turn=True)
    play_limits.count_votes(call.address, outcome.stored)
    results = iter(outcome.results)
    ordered = [next(results) if isinstance(one, CastVote) else one for one in read]
    telemetry.count_votes(result.status for result in ordered)
    told = {
        "results": [_tell(result) for result in ordered],
        "judged": outcome.judged,
        "streak": outcome.streak,
    }
    return Reply(told, remember=_whom_to_remember(call, key, ordered))


@speaks_json
async def vote(call: Call, key: uuid.UUID, body: dict[str, Any], deal: str) -> Reply:
    """Take one vote; its status is the response's."""
    play_limits.spend_votes(key, call.address, 1)
    read = _read_vote({**body, "deal": deal})
    if isinstance(read, VoteResult):
        telemetry.count_votes([read.status])
        return Reply(_tell(read), read.status)
    outcome: BallotResult = await box.submit(cast_now, Ballot(key, [read]), takes_turn=True)
    play_limits.count_votes(call.address, outcome.stored)
    [result] = outcome.results
    telemetry.count_votes([result.status])
    told = {**_tell(result), "judged": outcome.judged, "streak": outcome.streak}
    return Reply(told, result.status, remember=_whom_to_remember(call, key, [result]))


@speaks_json
async def undo(call: Call, key: uuid.UUID, body: dict[str, Any]) -> Reply:
    """Take the last vote back; answers with a new deal for the same pair."""
    play_limits.spend_ask(key, call.address)
    replacement: ShownDeal = await box.submit(_undo, (key, _text(body, "deal")), takes_turn=True)
    return Reply({"deal": _show(replacement)})


def _deal(requests: Sequence[DealRequest]) -> Sequence[Hand | UnknownCatalogue]:
    return deal_pairs(requests, now=timezone.now(), rng=rng)


def cast_now(ballots: Sequence[Ballot]) -> Sequence[BallotResult]:
    return cast_votes(ballots, now=timezone.now())


def _undo(asked: Sequence[tuple[uuid.UUID, str]]) -> Sequence[ShownDeal | UndoRefused]:
    outcomes: list[ShownDeal | UndoRefused] = []
    for key, deal in asked:
        try:
            outcomes.append(undo_vote(key=key, deal_id=deal, now=timezone.now()))
        except UndoRefused as refused:
            outcomes.append(refused)
    return outcomes


def _show(deal: ShownDeal) -> dict[str, Any]:
    return {
        "id": deal.pk,
        "place": deal.place,
        "side": deal.side,
        "question": _show_picture(deal.question),
        "candidate": _show_picture(deal.candidate),
    }


def _show_picture(picture: Picture) -> dict[str, Any]:
    return {
        "image": picture.image,
        "width": picture.width,
        "height": picture.height,
        "alt": picture.alt,
    }


def _tell(result: VoteResult) -> dict[str, Any]:
    return {
        "deal": result.deal,
        "status": int(result.status),
        "answer": result.answer,
        "message": result.message,
    }


def _whom_to_remember(call: Call, key: uuid.UUID, results: Sequence[VoteResult]) -> uuid.UUID | None:
    """The cookie comes with the first vote that counts, not before."""
    counted = any(result.status == HTTPStatus.OK for result in results)
    return key if counted and read_cookie(call.player_cookie) is None else None


def _read_object(call: Call) -> dict[str, Any]:
    try:
        body = json.loads(call.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "The body must be a JSON object.")
    return body


def _read_vote(given: Any) -> CastVote | VoteResult:
    """A vote in its right form, or the answer that says what is wrong with it."""
    fields: dict[str, Any] = given if isinstance(given, dict) else {}
    deal = fields.get("deal")
    deal = deal if _is_name(deal) else ""
    answer: Any = fields.get("answer")
    modality: Any = fields.get("modality")
    dwell_ms: Any = fields.get("dwell_ms")
    wrong = ""
    if answer not in ANSWERS:
        wrong = f"“answer” must be one of {', '.join(ANSWERS)}."
    elif modality not in MODALITIES:
        wrong = f"“modality” must be one of {', '.join(MODALITIES)}."
    elif type(dwell_ms) is not int or not 0 <= dwell_ms <= LONGEST_DWELL_MS:
        wrong = f"“dwell_ms” must be a whole number from 0 to {LONGEST_DWELL_MS}."
    if wrong:
        return VoteResult(deal, HTTPStatus.UNPROCESSABLE_ENTITY, message=wrong)
    return CastVote(deal, Answer(answer), dwell_ms, Modality(modality))


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not _is_name(value):
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"“{name}” must be a short text.")
    return value


def _is_name(value: Any) -> TypeGuard[str]:
    """Whether a row can have this name: what no database can be asked for never enters the ballot box."""
    return isinstance(value, str) and 0 < len(value) <= 64 and value.isascii() and value.isprintable()


def _texts(body: dict[str, Any], name: str, *, most: int) -> list[str]:
    values = body.get(name, [])
    if not isinstance(values, list) or len(values) > most or not all(isinstance(v, str) for v in values):
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"“{name}” must be a list of at most {most} texts.")
    return values


def _number(body: dict[str, Any], name: str, *, low: int, high: int) -> int:
    value = body.get(name)
    if type(value) is not int or value < low:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"“{name}” must be a whole number from {low}.")
    return min(value, high)


def _refuse(status: HTTPStatus, message: str, *, retry_after: int | None = None) -> Reply:
    return Reply({"message": message}, status, retry_after=retry_after)
