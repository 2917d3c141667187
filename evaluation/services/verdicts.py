"""Leaving a player's votes out of every count, and counting them again.

Nothing is deleted: a verdict is a row of its own, the counts change in its transaction, and the one after it
may take it back. The player is not told, and goes on as before: who knows that they are left out begins anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from evaluation.models import Answer, Player, Ruling, Verdict, Vote
from evaluation.models.statements import execute
from evaluation.selectors.standing import read_standing
from evaluation.services.counts import Change, plan_counts
from evaluation.services.news import tell_verdict
from evaluation.services.turns import wait_for_turn
from search import events

AT_ONCE = 500  # votes whose counts change in one statement


class VerdictRefused(Exception):
    """The verdict cannot be made; the text says why."""


@dataclass(frozen=True)
class Grounds:
    """Why, in words that may be published; which check found it with what figures, or who decided."""

    reason: str
    check: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""


def exclude_player(player: int, grounds: Grounds, *, now: datetime) -> Verdict:
    """Count no vote of this player, past or to come. Raises VerdictRefused where none counts already."""
    return _rule(player, Ruling.EXCLUDED, grounds, now)


def restore_player(player: int, grounds: Grounds, *, now: datetime) -> Verdict:
    """Count the votes of this player again. Raises VerdictRefused where they count already."""
    return _rule(player, Ruling.RESTORED, grounds, now)


@transaction.atomic
def _rule(pk: int, ruling: Ruling, grounds: Grounds, now: datetime) -> Verdict:
    if not grounds.reason.strip():
        raise VerdictRefused("A verdict needs a reason: it is shown beside the leaderboard.")
    # With the turn no vote is being counted, so all that were cast so far are changed, and each once.
    wait_for_turn()
    player = Player.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if player is None:
        raise VerdictRefused(f"There is no player {pk}.")
    excludes = ruling == Ruling.EXCLUDED
    if player.is_excluded == excludes:
        state = "left out already" if excludes else "counted already"
        raise VerdictRefused(f"The votes of player {pk} are {state}: somebody was quicker.")
    verdict = Verdict.objects.create(
        player=player,
        number=player.verdicts.count() + 1,
        ruling=ruling,
        reason=grounds.reason.strip(),
        check_name=grounds.check,
        evidence=dict(grounds.evidence),
        judged=player.judged,
        made_by=grounds.by,
        made_at=now,
    )
    player.is_excluded = excludes
    player.save(update_fields=["is_excluded"])
    votes = Vote.objects.counting().filter(deal__player=player).order_by("pk")
    answers = dict(votes.values_list("pk", "answer"))
    deals = list(answers)
    for first in range(0, len(deals), AT_ONCE):
        _change_counts(deals[first : first + AT_ONCE], answers, by=-1 if excludes else 1, now=now)
    events.bump("leaderboard")
    events.bump("exclusions")
    tell_verdict(verdict)
    return verdict


def _change_counts(deals: Sequence[str], answers: Mapping[str, str], *, by: int, now: datetime) -> None:
    standing = read_standing(deals, now=now)
    changes = []
    for pk in deals:
        deal = standing.deals[pk]
        assert deal.player is not None, "a deal that was voted on is a player's"
        changes.append(Change(deal.pair, deal.player, Answer(answers[pk]), by=by))
    execute(*plan_counts(changes, standing.raters))
