"""Taking the last vote of a round back."""

import uuid
from datetime import datetime
from http import HTTPStatus

from evaluation.models import Answer, Deal, Retraction, Round, Vote
from evaluation.models.statements import execute, take_turn
from evaluation.models.votes import UNDO_LIFE
from evaluation.selectors.hands import ShownDeal, show_deals
from evaluation.selectors.standing import read_standing
from evaluation.services.counts import Change, plan_counts
from evaluation.services.deals import DEAL_LIFE, is_holder, new_id
from evaluation.services.votes import UNKNOWN, plan_judged
from search import events


class UndoRefused(Exception):
    """The vote cannot be taken back; the status and the text say why."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def undo_vote(*, key: uuid.UUID, deal_id: str, now: datetime) -> ShownDeal:
    """Take back the last vote of a round not revealed yet, within a day; call it in a transaction.

    The vote stays on record with a retraction beside it. Returns a new deal for the same pair and place.
    Raises UndoRefused.
    """
    execute(take_turn())
    deal = Deal.objects.select_for_update(no_key=True).filter(pk=deal_id).first()
    round_ = Round.objects.select_for_update(no_key=True).get(pk=deal.round_id) if deal else None
    if deal is None or round_ is None or not is_holder(key, round_):
        raise UndoRefused(HTTPStatus.NOT_FOUND, UNKNOWN)
    votes = Vote.objects.filter(deal__round=round_, retraction=None).select_related("deal")
    vote = votes.order_by("cast_at", "deal__place").last()
    if vote is None or vote.pk != deal.pk:
        raise UndoRefused(HTTPStatus.CONFLICT, "Only the last vote can be taken back, once.")
    if round_.revealed_at is not None:
        raise UndoRefused(
            HTTPStatus.CONFLICT, "The contenders of this round are revealed; it stays as it is."
        )
    if vote.cast_at <= now - UNDO_LIFE:
        raise UndoRefused(HTTPStatus.CONFLICT, "This vote is a day old; it stays as it is.")
    assert deal.player_id is not None
    Retraction.objects.create(vote=vote, retracted_at=now)
    standing = read_standing([deal.pk], now=now)
    stood = standing.deals[deal.pk]
    change = Change(stood.pair, deal.player_id, Answer(vote.answer), by=-1)
    counted = stood.counts and not standing.players[deal.player_id].excluded
    execute(
        *(plan_counts([change], standing.raters) if counted else ()),
        *plan_judged({round_.pk: -1}, {deal.player_id: -1}),
    )
    events.bump("leaderboard")
    replacement = Deal.objects.create(
        pk=new_id(),
        pair_id=deal.pair_id,
        round=round_,
        player_id=deal.player_id,
        place=deal.place,
        side=deal.side,
        policy=deal.policy,
        policy_version=deal.policy_version,
        propensity=deal.propensity,
        replaces=deal,
        issued_at=now,
        expires_at=now + DEAL_LIFE,
    )
    return show_deals([replacement.pk])[replacement.pk]
