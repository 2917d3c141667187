"""Players as the checks saw them, and those whose votes are left out, for who decides about that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from evaluation.models import Player, Verdict
from evaluation.selectors.rankings import find_newest
from search.models import Catalogue


@dataclass(frozen=True)
class VettedPlayer:
    """One player's answers in a catalogue; ``approval`` is the share of dopes, ``seconds`` a median.

    ``findings``: each with its check, state (pass, fail or unknown) and reason.
    """

    pk: int
    answers: int
    approval: float
    seconds: float
    state: str
    findings: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Vetted:
    """Players as they were looked at with the last ranking, ``made_at``, some of so many ``players``."""

    made_at: datetime
    players: int
    rows: Sequence[VettedPlayer]


@dataclass(frozen=True)
class LeftOut:
    """A player whose votes count no more: the last verdict, and how many pairs they judged."""

    pk: int
    judged: int
    verdict: Verdict


def read_vetted(catalogue: Catalogue) -> Vetted | None:
    """Players whose votes count, those who fail a check first, then those with the most answers."""
    ranking = find_newest(catalogue)
    if ranking is None or not ranking.votes:
        return None
    kept = ranking.figures["vetted"]
    out = set(
        Player.objects.filter(pk__in=[row["player"] for row in kept], is_excluded=True).values_list(
            "pk", flat=True
        )
    )
    rows = [
        VettedPlayer(
            row["player"], row["answers"], row["approval"], row["seconds"], row["state"], row["findings"]
        )
        for row in kept
        if row["player"] not in out
    ]
    return Vetted(ranking.made_at, ranking.players, rows)


def list_left_out() -> Sequence[LeftOut]:
    """Players whose votes are left out, the latest verdict first."""
    players = Player.objects.filter(is_excluded=True).prefetch_related("verdicts")
    rows = [
        LeftOut(player.pk, player.judged, max(player.verdicts.all(), key=lambda one: one.number))
        for player in players
    ]
    return sorted(rows, key=lambda row: row.verdict.made_at, reverse=True)
