"""What the checks and verdicts say of players, as a table for analysts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evaluation.selectors.vetted_players import list_left_out, read_vetted
from search.models import Catalogue


@dataclass(frozen=True)
class PlayerRow:
    """One check of one player in one catalogue, or the verdict on a player whose votes are left out.

    ``player`` is a number, not a name; ``answers`` counts dopes and nopes, of who is left out all judged
    pairs; ``approval`` is the share of dopes and ``seconds`` a median, None for who is left out. ``check`` is
    empty where a person decided; ``state`` is pass, fail, unknown or left out.
    """

    catalogue: str | None
    player: int
    answers: int
    approval: float | None
    seconds: float | None
    check: str
    state: str
    reason: str


def list_players() -> Iterator[PlayerRow]:
    """As the page of players shows them: those who count by catalogue, then those who are left out."""
    for catalogue in Catalogue.objects.order_by("created_at"):
        vetted = read_vetted(catalogue)
        for one in vetted.rows if vetted else ():
            for said in one.findings:
                of_player = (catalogue.slug, one.pk, one.answers, one.approval, one.seconds)
                yield PlayerRow(*of_player, said["check"], said["state"], said["reason"])
    for out in list_left_out():
        verdict = out.verdict
        of_verdict = (verdict.check_name, "left out", verdict.reason)
        yield PlayerRow(None, out.pk, out.judged, None, None, *of_verdict)
