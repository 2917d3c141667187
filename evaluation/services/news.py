"""What webhooks are told of the leaderboard: in the transaction that makes it true."""

from typing import Any, Final

from evaluation.models import BoardChange, Contender, Ranking, Verdict
from evaluation.selectors.rankings import find_leader
from search.models import Topic
from search.services.webhooks import announce

_Change = BoardChange.Kind
_TOPICS: Final = {
    _Change.ENTERED: Topic.CONTENDER_ENTERED,
    _Change.RETURNED: Topic.CONTENDER_ENTERED,
    _Change.REPLACED: Topic.CONTENDER_RETIRED,
    _Change.RETIRED: Topic.CONTENDER_RETIRED,
}


def tell_change(change: BoardChange) -> None:
    """A contender that came, or went."""
    data = {"change": change.kind, **_name(change.contender)}
    if change.by is not None:
        data["replaced_by"] = _name(change.by)
    announce(_TOPICS[_Change(change.kind)], data, now=change.at)


def tell_ranking(ranking: Ranking, before: Ranking | None) -> None:
    """A ranking, and whether it has another leader, the first of its rows, than the last one with rows."""
    leader, former = _find_leader(ranking), before and _find_leader(before)
    data = {
        "catalogue": ranking.catalogue.slug,
        "votes": ranking.votes,
        "players": ranking.players,
        "leader": leader and _name(leader),
    }
    announce(Topic.RANKING_MADE, data, now=ranking.made_at)
    if leader is not None and leader != former:
        changed = {**data, "former_leader": former and _name(former)}
        announce(Topic.LEADER_CHANGED, changed, now=ranking.made_at)


def tell_verdict(verdict: Verdict) -> None:
    """A player whose votes are left out, or count again; without who decided, which is a name."""
    data = {
        "player": verdict.player_id,
        "ruling": verdict.ruling,
        "reason": verdict.reason,
        "check": verdict.check_name,
        "judged": verdict.judged,
    }
    announce(Topic.PLAYER_JUDGED, data, now=verdict.made_at)


def _find_leader(ranking: Ranking) -> Contender | None:
    leader = find_leader(ranking)
    return None if leader is None else Contender.objects.select_related("catalogue").filter(pk=leader).first()


def _name(contender: Contender) -> dict[str, Any]:
    return {
        "contender": contender.pk,
        "title": contender.title,
        "catalogue": contender.catalogue.slug,
        "encoder": contender.encoder,
        "encoder_version": contender.encoder_version,
        "metric": contender.metric,
    }
